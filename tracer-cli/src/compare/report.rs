//! A comparison told: as text, as JSON, and as a page with charts.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::cli::Format;
use crate::compare::options::Compare;
use crate::compare::result::Compared;
use crate::output_file;

mod answers;
mod charts;
#[cfg(test)]
mod example;
mod html;
mod json;
mod text;
mod words;

/// Where a comparison is written.
#[derive(Debug)]
pub struct Outputs {
    format: Format,
    /// None is stdout.
    result: Option<(PathBuf, File)>,
    page: Option<(PathBuf, File)>,
}

/// Opens the files that a result goes to. What is in them stays there until there is a result.
///
/// # Errors
/// If one of them cannot be written: better before hours of runs than after them.
pub fn open(options: &Compare) -> anyhow::Result<Outputs> {
    let file = |path: &Option<PathBuf>, what: &str| -> anyhow::Result<Option<(PathBuf, File)>> {
        path.as_deref().map(|path| Ok((path.to_owned(), writable(path, what)?))).transpose()
    };
    let result = file(&options.output, "result")?;
    let page = file(&options.html, "page")?;
    Ok(Outputs { format: options.format, result, page })
}

/// Writes the result, and the page if one was asked for.
///
/// # Errors
/// If there is no room for it.
pub fn write(outputs: Outputs, compared: &Compared) -> anyhow::Result<()> {
    let result = match outputs.format {
        Format::Text => text::render(compared).into_bytes(),
        Format::Json => json::render(compared)?,
    };
    if let Some((path, file)) = outputs.page {
        // First, because a reader of stdout may go away.
        replace(file, html::render(compared)?.as_bytes()).with_context(|| unwritten("page", &path))?;
    }
    match outputs.result {
        Some((path, file)) => replace(file, &result).with_context(|| unwritten("result", &path)),
        None => match io::stdout().write_all(&result).and_then(|()| io::stdout().flush()) {
            // Who reads only the first lines has seen enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => written.context("the result could not be written\nhint: make room there"),
        },
    }
}

fn writable(path: &Path, what: &str) -> anyhow::Result<File> {
    output_file::open(path).with_context(|| {
        format!("cannot write the {what} to {}\nhint: name a file in a directory that exists", path.display())
    })
}

/// In place of what was there.
fn replace(file: File, content: &[u8]) -> io::Result<()> {
    let mut file = output_file::emptied(file)?;
    file.write_all(content)?;
    file.flush()
}

fn unwritten(what: &str, path: &Path) -> String {
    format!("the {what} could not be written to {}\nhint: make room there", path.display())
}

#[cfg(test)]
mod tests;
