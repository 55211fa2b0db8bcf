//! `--folded FILE` and `--flamegraph FILE`: all stacks with one value each, for other tools and as
//! a picture.

use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::Arc;

use inferno::flamegraph::{self, Options};

use crate::report::model::StackEnd;
use crate::report::stacks::{NameId, StackValue};

/// Stands for the callers that are not known.
const CUT: &str = "[deeper than --stack-depth]";
const LOST: &str = "[no unwind table]";

/// Collects stacks by the names of their functions.
#[derive(Debug)]
pub struct Folding {
    value: StackValue,
    stacks: HashMap<Names, u64>,
}

/// A stack by the names of its functions.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Names {
    process: Option<NameId>,
    /// Why outer frames are missing, if some are.
    cut: Option<StackEnd>,
    /// Outermost first.
    functions: Box<[NameId]>,
}

/// Stacks with one value each, as text: `outermost;...;innermost VALUE`.
#[derive(Debug, PartialEq, Eq)]
pub struct Folded {
    value: StackValue,
    lines: Vec<String>,
}

impl Folding {
    /// Of nothing yet.
    #[must_use]
    pub fn new(value: StackValue) -> Self {
        Self { value, stacks: HashMap::new() }
    }

    /// What the figures are.
    #[must_use]
    pub fn value(&self) -> StackValue {
        self.value
    }

    /// Adds to the figure of a stack, below that of its process if there are several. Frames come innermost first.
    pub fn add(
        &mut self,
        process: Option<NameId>,
        frames: impl DoubleEndedIterator<Item = NameId>,
        end: Option<StackEnd>,
        amount: u64,
    ) {
        let cut = end.filter(|end| *end != StackEnd::Outermost);
        let names = Names { process, cut, functions: frames.rev().collect() };
        *self.stacks.entry(names).or_default() += amount;
    }

    /// Writes the lines, by name; `names` are those of all numbers.
    #[must_use]
    pub fn finish(self, names: &[Arc<str>]) -> Folded {
        let words: Vec<String> = names.iter().map(|name| word(name)).collect();
        let name = |id: NameId| words.get(id.0 as usize).map_or("unknown", String::as_str);
        let lines = self.stacks.into_iter().map(|(Names { process, cut, functions }, amount)| {
            let cut = cut.map(|end| if end == StackEnd::Depth { CUT } else { LOST });
            let frames = process.map(name).into_iter().chain(cut).chain(functions.iter().map(|&id| name(id)));
            let mut line = String::new();
            for frame in frames {
                line += frame;
                line.push(';');
            }
            match line.pop() {
                Some(_) => format!("{line} {amount}"),
                None => format!("unknown {amount}"),
            }
        });
        let mut lines: Vec<String> = lines.collect();
        lines.sort_unstable();
        Folded { value: self.value, lines }
    }
}

/// A name that can stand in a line: `;` separates frames, and the last space comes before the figure.
fn word(name: &str) -> String {
    name.chars()
        .map(|c| {
            if c == ';' {
                ':'
            } else if c.is_control() {
                ' '
            } else {
                c
            }
        })
        .collect()
}

impl Folded {
    /// Writes one line for each stack.
    ///
    /// # Errors
    /// If `out` cannot be written.
    pub fn write(&self, out: impl Write) -> io::Result<()> {
        let mut out = io::BufWriter::new(out);
        for line in &self.lines {
            out.write_all(line.as_bytes())?;
            out.write_all(b"\n")?;
        }
        out.flush()
    }

    /// Writes a picture in SVG that can be zoomed and searched in a browser.
    ///
    /// # Errors
    /// If `out` cannot be written.
    pub fn write_flamegraph(&self, command: &str, out: impl Write) -> io::Result<()> {
        let mut out = io::BufWriter::new(out);
        let (title, count) = match self.value {
            StackValue::Leaked => ("Bytes still allocated", "bytes"),
            StackValue::Peak => ("Bytes live at the peak", "bytes"),
            StackValue::Allocated => ("Bytes allocated", "bytes"),
            StackValue::Allocations => ("Allocations", "allocations"),
            StackValue::Temporary => ("Temporary allocations", "allocations"),
            StackValue::Descriptors => ("Descriptors still open", "descriptors"),
        };
        let mut options = Options::default();
        options.title = format!("{title}: {command}");
        options.count_name = count.to_owned();
        // They are sorted.
        options.no_sort = true;
        if self.lines.is_empty() {
            // The library takes it for a mistake; a program that leaks nothing makes none.
            return write_empty(&options.title, &mut out);
        }
        let lines = self.lines.iter().map(String::as_str);
        flamegraph::from_lines(&mut options, lines, &mut out).map_err(io::Error::other)?;
        out.flush()
    }
}

fn write_empty(title: &str, out: &mut impl Write) -> io::Result<()> {
    let escaped: String = title
        .chars()
        .map(|c| match c {
            '<' => "&lt;".to_owned(),
            '>' => "&gt;".to_owned(),
            '&' => "&amp;".to_owned(),
            c if c.is_control() => " ".to_owned(),
            c => c.to_string(),
        })
        .collect();
    writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1200\" height=\"60\">\
         <text x=\"10\" y=\"35\" font-family=\"monospace\">{escaped}: none</text></svg>"
    )?;
    out.flush()
}

#[cfg(test)]
mod tests;
