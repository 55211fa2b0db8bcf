//! `--map FILE`: a picture of where the memory is, one strip for each piece of the allocator's address
//! space, and how it came to be so where there was more than one look.

use std::cmp::Reverse;
use std::io::{self, Write};
use std::path::Path;

use super::View;
use super::model::{Arenas, Process, Report};
use super::text::{self, Paths};
use canvas::Canvas;

mod canvas;
mod page;
mod series;
mod sheet;
mod strip;

use sheet::Sheet;

/// So many processes are drawn: those with most resident memory.
const MOST_PROCESSES: usize = 8;

/// What kind of file a map goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A picture alone.
    Svg,
    /// A page with the picture and the text of the memory's part.
    Html,
}

impl Form {
    /// By the ending of the file's name.
    ///
    /// # Errors
    /// If it is neither `.svg` nor `.html`.
    pub fn of(path: &Path) -> Result<Self, String> {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("svg") => Ok(Self::Svg),
            Some("html" | "htm") => Ok(Self::Html),
            _ => Err("its form is not known\nhint: end the name with .svg or .html".to_owned()),
        }
    }
}

/// Draws the last look at each process that has been looked at.
///
/// # Errors
/// If `out` cannot be written.
pub fn write_map(report: &Report, view: &View, form: Form, out: impl Write) -> io::Result<()> {
    let paths = Paths::of(report);
    let (processes, omitted) = chosen(report);
    let sheets: Vec<_> =
        processes.iter().map(|(process, arenas)| Sheet::new(process, arenas, &paths)).collect();
    let mut canvas = Canvas::new(io::BufWriter::new(out));
    let title = format!("Where the memory is: {}", report.target.command.join(" "));
    match form {
        Form::Svg => picture(&mut canvas, &title, &sheets, omitted)?,
        Form::Html => {
            let texts = processes.iter().map(|(process, _)| text::memory(process, report, view));
            page::write(&mut canvas, &title, texts.collect(), |canvas| {
                picture(canvas, &title, &sheets, omitted)
            })?;
        }
    }
    canvas.finish()
}

/// The processes that are drawn, in the order of their beginning, and how many are not.
fn chosen(report: &Report) -> (Vec<(&Process, &Arenas)>, usize) {
    let looked_at = report.processes.iter().filter_map(|process| Some((process, process.arenas.as_ref()?)));
    let mut chosen: Vec<_> = looked_at.enumerate().collect();
    let omitted = chosen.len().saturating_sub(MOST_PROCESSES);
    chosen.sort_by_key(|(_, (_, arenas))| Reverse(arenas.last.ledger.anonymous_bytes));
    chosen.truncate(MOST_PROCESSES);
    chosen.sort_by_key(|(index, _)| *index);
    (chosen.into_iter().map(|(_, process)| process).collect(), omitted)
}

fn picture<W: Write>(
    canvas: &mut Canvas<W>,
    title: &str,
    sheets: &[Sheet<'_>],
    omitted: usize,
) -> io::Result<()> {
    let height = sheet::HEADER + sheets.iter().map(Sheet::height).sum::<u32>() + sheet::FOOTER;
    canvas.begin_picture(sheet::WIDTH, height)?;
    canvas.text(sheet::MARGIN, 24, "title", title)?;
    strip::legend(canvas, sheet::MARGIN, 44)?;
    let mut y = sheet::HEADER;
    for sheet in sheets {
        sheet.draw(canvas, y)?;
        y += sheet.height();
    }
    let foot = match (sheets.is_empty(), omitted) {
        (true, _) => "nobody has looked at the memory of a process".to_owned(),
        (false, 0) => String::new(),
        (false, _) => format!("processes that are not drawn, with less memory: {omitted}"),
    };
    canvas.text(sheet::MARGIN, y + 16, "quiet", &foot)?;
    canvas.end("svg")
}

#[cfg(test)]
mod tests;
