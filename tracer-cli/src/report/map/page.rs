//! The page around the picture.

use std::io::{self, Write};

use super::canvas::Canvas;

const STYLE: &str = "body{margin:16px;font-family:sans-serif}pre{font-size:12px;overflow-x:auto}";

/// The picture, and below it a text for each process. Nothing is fetched from anywhere.
pub(super) fn write<W: Write>(
    canvas: &mut Canvas<W>,
    title: &str,
    texts: Vec<String>,
    picture: impl FnOnce(&mut Canvas<W>) -> io::Result<()>,
) -> io::Result<()> {
    canvas.doctype()?;
    canvas.begin("html", &[("lang", "en")])?;
    canvas.begin("head", &[])?;
    canvas.empty("meta", &[("charset", "utf-8")])?;
    canvas.element("title", &[], title)?;
    canvas.element("style", &[], STYLE)?;
    canvas.end("head")?;
    canvas.begin("body", &[])?;
    picture(canvas)?;
    for text in texts {
        canvas.element("pre", &[], &text)?;
    }
    canvas.end("body")?;
    canvas.end("html")
}
