//! The list as text and as JSON.

use std::fmt::Write;
use std::path::Path;

use serde_json::json;

use super::rows::{Row, Rows};
use crate::prototype::text::Text;
use crate::prototype::types::{Origin, Prototype};

/// Columns are not made wider than this for one long name.
const MAX_WIDTH: usize = 40;

/// A line for each function; before them, what there is in sum.
pub(super) fn table(program: &Path, rows: &Rows, all: bool) -> String {
    let traceable: Vec<&Row> = rows.0.iter().filter(|row| row.obstacle.is_none()).collect();
    let untraceable: Vec<&Row> = rows.0.iter().filter(|row| row.obstacle.is_some()).collect();
    let mut text = summary(program, &traceable, untraceable.len(), all);
    let mut lines: Vec<Vec<String>> = Vec::new();
    for row in &traceable {
        let mut line = vec![row.name.clone()];
        line.extend(all.then(|| file_name(&row.caller)));
        line.push(row.provider.as_deref().map_or_else(String::new, file_name));
        line.push(row.prototype.as_deref().map_or_else(|| "none: a guess".to_owned(), origin));
        line.push(row.prototype.as_deref().map_or_else(String::new, |prototype| {
            Text { prototype, name: &row.name, whole: false }.to_string()
        }));
        lines.push(line);
    }
    let mut header = vec!["FUNCTION"];
    header.extend(all.then_some("CALLED BY"));
    header.extend(["OF", "PROTOTYPE FROM", "PROTOTYPE"]);
    push_columns(&mut text, &header, &lines);
    if !untraceable.is_empty() {
        text += "\ncannot be traced:\n";
        let lines: Vec<Vec<String>> = untraceable
            .iter()
            .map(|row| vec![row.name.clone(), row.obstacle.unwrap_or_default().to_owned()])
            .collect();
        push_columns(&mut text, &["FUNCTION", "WHY"], &lines);
    }
    text
}

/// One object a line.
pub(super) fn json(rows: &Rows) -> String {
    let mut text = String::new();
    for row in &rows.0 {
        let prototype = row.prototype.as_deref();
        let place = match prototype.map(|prototype| &prototype.origin) {
            Some(Origin::File(path, line)) => Some((path.display().to_string(), *line)),
            _ => None,
        };
        let object = json!({
            "function": row.name,
            "caller": row.caller.display().to_string(),
            "provider": row.provider.as_ref().map(|path| path.display().to_string()),
            "traceable": row.obstacle.is_none(),
            "obstacle": row.obstacle,
            "prototype": prototype.map(|prototype| {
                Text { prototype, name: &row.name, whole: true }.to_string()
            }),
            "origin": prototype.map(|prototype| origin_kind(&prototype.origin)),
            "file": place.as_ref().map(|(path, _)| path),
            "line": place.as_ref().map(|(_, line)| line),
        });
        text += &object.to_string();
        text.push('\n');
    }
    text
}

fn summary(program: &Path, traceable: &[&Row], untraceable: usize, all: bool) -> String {
    let count = |wanted: fn(&Origin) -> bool| {
        traceable.iter().filter(|row| row.prototype.as_ref().is_some_and(|p| wanted(&p.origin))).count()
    };
    let shipped = count(|origin| matches!(origin, Origin::Shipped));
    let files = count(|origin| matches!(origin, Origin::File(..)));
    let dwarf = count(|origin| matches!(origin, Origin::Dwarf));
    let guessed = traceable.len() - shipped - files - dwarf;
    let whose = if all { " and its libraries" } else { "" };
    let mut text = format!(
        "{}{whose}: calls of {} function{} can be traced, of {} not\n\
         prototypes: {shipped} of calltap, {files} of files, {dwarf} of debug information, none for {guessed}\n",
        program.display(),
        traceable.len(),
        if traceable.len() == 1 { "" } else { "s" },
        untraceable,
    );
    if guessed > 0 {
        text += "calls without a prototype are shown as guesses: write them into ~/.ltrace.conf, or a file for -F\n";
    }
    text.push('\n');
    text
}

/// Where a prototype comes from, in a word or two.
fn origin(prototype: &Prototype) -> String {
    match &prototype.origin {
        Origin::File(path, line) => format!("{}:{line}", path.display()),
        other => origin_kind(other).to_owned(),
    }
}

fn origin_kind(origin: &Origin) -> &'static str {
    match origin {
        Origin::File(..) => "file",
        Origin::Shipped => "calltap",
        Origin::Dwarf => "dwarf",
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// Aligned columns; the last one is as long as it is.
fn push_columns(text: &mut String, header: &[&str], lines: &[Vec<String>]) {
    let width = |column: usize| {
        let cells = lines.iter().map(|line| line[column].chars().count());
        cells.filter(|width| *width <= MAX_WIDTH).max().unwrap_or(0).max(header[column].len())
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let header: Vec<String> = header.iter().map(|&name| name.to_owned()).collect();
    for line in std::iter::once(&header).chain(lines) {
        let mut row = String::new();
        for (cell, width) in line.iter().zip(&widths) {
            // Writing to a string cannot fail.
            let _ = write!(row, "{cell:<width$}  ");
        }
        *text += row.trim_end();
        text.push('\n');
    }
}
