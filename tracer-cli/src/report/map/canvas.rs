//! What a picture is drawn on: elements of SVG, escaped by the XML writer.

use std::io::{self, Write};

use quick_xml::Writer;
use quick_xml::events::{BytesEnd, BytesStart, BytesText, Event};

/// Fonts and colours. Living blocks, caches, free, untouched.
const STYLE: &str = "\
text{font:12px sans-serif;fill:#222}\
.title{font-size:16px;font-weight:bold}\
.head{font-size:13px;font-weight:bold}\
.quiet{fill:#666}\
.end{text-anchor:end}\
.live,.requested{fill:#2b6cb0}\
.tcache{fill:#ecc94b}\
.free,.resident{fill:#c53030}\
.untouched{fill:#e2e8f0}\
.system{fill:#4a5568}\
.pin{fill:#111}\
.axis{stroke:#a0aec0;stroke-width:1}\
polyline{fill:none!important;stroke-width:2}\
polyline.requested{stroke:#2b6cb0}\
polyline.resident{stroke:#c53030}\
polyline.system{stroke:#4a5568;stroke-dasharray:5 3}";

/// Lengths and positions are in pixels, from the upper left corner.
pub(super) struct Canvas<W: Write> {
    xml: Writer<W>,
}

impl<W: Write> Canvas<W> {
    pub(super) fn new(out: W) -> Self {
        Self { xml: Writer::new(out) }
    }

    pub(super) fn finish(self) -> io::Result<()> {
        let mut out = self.xml.into_inner();
        out.write_all(b"\n")?;
        out.flush()
    }

    /// An empty picture; [`Self::end`] it as `svg`.
    pub(super) fn begin_picture(&mut self, width: u32, height: u32) -> io::Result<()> {
        self.begin(
            "svg",
            &[
                ("xmlns", "http://www.w3.org/2000/svg"),
                ("width", &width.to_string()),
                ("height", &height.to_string()),
                ("viewBox", &format!("0 0 {width} {height}")),
            ],
        )?;
        self.element("style", &[], STYLE)?;
        let (width, height) = (width.to_string(), height.to_string());
        self.empty("rect", &[("width", &width), ("height", &height), ("fill", "#fff")])
    }

    pub(super) fn begin(&mut self, name: &str, attributes: &[(&str, &str)]) -> io::Result<()> {
        self.xml.write_event(Event::Start(start(name, attributes)))
    }

    pub(super) fn end(&mut self, name: &str) -> io::Result<()> {
        self.xml.write_event(Event::End(BytesEnd::new(name)))
    }

    pub(super) fn empty(&mut self, name: &str, attributes: &[(&str, &str)]) -> io::Result<()> {
        self.xml.write_event(Event::Empty(start(name, attributes)))
    }

    /// An element with nothing but a text in it.
    pub(super) fn element(&mut self, name: &str, attributes: &[(&str, &str)], text: &str) -> io::Result<()> {
        self.begin(name, attributes)?;
        self.xml.write_event(Event::Text(BytesText::new(&printable(text))))?;
        self.end(name)
    }

    /// What has no form in XML: the first line of a page.
    pub(super) fn doctype(&mut self) -> io::Result<()> {
        self.xml.write_event(Event::DocType(BytesText::new("html")))
    }

    /// A text that begins at `x` (or ends there, in class `end`), on the line `y`.
    pub(super) fn text(&mut self, x: u32, y: u32, class: &str, text: &str) -> io::Result<()> {
        self.element("text", &[("x", &x.to_string()), ("y", &y.to_string()), ("class", class)], text)
    }

    pub(super) fn rectangle(
        &mut self,
        (x, y): (u32, u32),
        (width, height): (u32, u32),
        class: &str,
    ) -> io::Result<()> {
        let [x, y, width, height] = [x, y, width, height].map(|length| length.to_string());
        self.empty("rect", &[("x", &x), ("y", &y), ("width", &width), ("height", &height), ("class", class)])
    }

    pub(super) fn path(&mut self, class: &str, way: &str) -> io::Result<()> {
        self.empty("path", &[("class", class), ("d", way)])
    }
}

fn start<'a>(name: &'a str, attributes: &'a [(&str, &str)]) -> BytesStart<'a> {
    let mut start = BytesStart::new(name);
    for (name, value) in attributes {
        start.push_attribute((*name, printable(value).as_str()));
    }
    start
}

/// Without characters that XML cannot have.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect()
}
