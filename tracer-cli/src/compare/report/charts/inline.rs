//! A picture as part of a page: classes in place of colours, and names for what a pointer rests on.

use anyhow::Context;
use quick_xml::events::attributes::Attribute;
use quick_xml::events::{BytesEnd, BytesStart, BytesText, Event};
use quick_xml::{Reader, Writer};

use super::Named;
use super::paint::Paint;

/// Attributes that the page's style sheet has, or that mean nothing within a page.
const DROPPED: [&[u8]; 4] = [b"xmlns", b"width", b"height", b"font-family"];

/// The library's picture, changed.
///
/// # Errors
/// If it is no XML, which would be a bug.
pub(super) fn inline(svg: &str, title: &str, series: &[Named]) -> anyhow::Result<String> {
    let mut reader = Reader::from_str(svg);
    let mut writer = Writer::new(Vec::new());
    loop {
        match reader.read_event().context("the chart library wrote no XML")? {
            Event::Eof => break,
            Event::Start(start) if start.name().as_ref() == b"svg" => {
                let mut start = changed(&start, &DROPPED, series)?.0;
                start.extend_attributes([("role", "img"), ("aria-label", title)]);
                writer.write_event(Event::Start(start))?;
            }
            Event::Start(start) => {
                writer.write_event(Event::Start(changed(&start, &DROPPED[3..], series)?.0))?
            }
            Event::Empty(start) => {
                let (start, named) = changed(&start, &[], series)?;
                let Some(named) = named else {
                    writer.write_event(Event::Empty(start))?;
                    continue;
                };
                let end = start.to_end().into_owned();
                writer.write_event(Event::Start(start.borrow()))?;
                writer.write_event(Event::Start(BytesStart::new("title")))?;
                writer.write_event(Event::Text(BytesText::new(&named.name)))?;
                writer.write_event(Event::End(BytesEnd::new("title")))?;
                writer.write_event(Event::End(end))?;
            }
            other => writer.write_event(other)?,
        }
    }
    Ok(String::from_utf8(writer.into_inner())?)
}

/// Without attributes that are `dropped`, and with classes for its colour; whose it is, if it is a series'.
fn changed<'a>(
    start: &BytesStart<'_>,
    dropped: &[&[u8]],
    series: &'a [Named],
) -> anyhow::Result<(BytesStart<'static>, Option<&'a Named>)> {
    let name = String::from_utf8(start.name().as_ref().to_vec())?;
    let mut kept = BytesStart::new(name);
    let mut of = None;
    for attribute in start.attributes() {
        let Attribute { key, value } = attribute.context("the chart library wrote no XML")?;
        let text = std::str::from_utf8(&value)?;
        let opaque = key.as_ref() == b"opacity" && text == "1";
        if opaque || dropped.contains(&key.as_ref()) {
            continue;
        }
        let is_colour = [b"fill".as_slice(), b"stroke"].contains(&key.as_ref());
        match Paint::of(text).filter(|_| is_colour) {
            None => kept.push_attribute((key.as_ref(), value.as_ref())),
            Some(paint) => match paint.series() {
                None => {
                    let class = if paint == Paint::Grid { "grid" } else { "ink" };
                    kept.push_attribute((
                        "class",
                        format!("{class}-{}", std::str::from_utf8(key.as_ref())?).as_str(),
                    ));
                }
                Some((number, kind)) => {
                    let named = &series[usize::from(number)];
                    let class = format!("series {kind} {}", named.style.classes());
                    kept.push_attribute(("class", class.as_str()));
                    kept.push_attribute(("data-number", number.to_string().as_str()));
                    of = Some(named);
                }
            },
        }
    }
    Ok((kept, of))
}

#[cfg(test)]
mod tests {
    use super::super::Style;
    use super::*;

    #[test]
    fn colours_become_classes_and_series_get_a_name() {
        let series = Named { name: "<a>".to_owned(), style: Style::Variant { place: 1, dashed: false } };
        let svg = "<svg width=\"9\" viewBox=\"0 0 9 9\" xmlns=\"x\">\
            <line opacity=\"1\" stroke=\"#010000\" x1=\"0\"/>\
            <polyline fill=\"none\" opacity=\"1\" stroke=\"#020000\" points=\"1,2 3,4\"/>\
            <text font-family=\"f\" fill=\"#000000\">1 &lt; 2</text></svg>";
        let inlined = inline(svg, "a \"title\"", &[series]).unwrap();
        assert_eq!(
            inlined,
            "<svg viewBox=\"0 0 9 9\" role=\"img\" aria-label=\"a &quot;title&quot;\">\
             <line class=\"grid-stroke\" x1=\"0\"/>\
             <polyline fill=\"none\" class=\"series line c1 p0\" data-number=\"0\" points=\"1,2 3,4\">\
             <title>&lt;a&gt;</title></polyline>\
             <text class=\"ink-fill\">1 &lt; 2</text></svg>"
        );
    }
}
