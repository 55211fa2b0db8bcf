//! From options to a printer.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use calltap_channel::trace::plan::RuleKind;

use super::event::Function;
use super::filter::{Chooser, Filter};
use super::options::{self, Color, Trace};
use super::print::{self, By, Called, Frames, Ids, Sink, Stamps, Style, To};
use super::stacks::Asked;
use crate::output_file;
use crate::prototype::parse::Complaint;

/// Where the trace goes: `-o`, or stderr.
///
/// # Errors
/// If the file cannot be written.
pub fn output(options: &Trace) -> anyhow::Result<To> {
    Ok(match &options.output {
        Some(path) => Box::new(
            output_file::create(path).with_context(|| {
                format!(
                    "cannot write the trace to {}\nhint: the directory must exist and be writable, with room in it",
                    path.display()
                )
            })?,
        ),
        None => Box::new(io::stderr()),
    })
}

/// Tells what is wrong with files of prototypes: in the trace, as ltrace does, or on stderr where the trace is not one of
/// lines.
///
/// # Errors
/// If the trace cannot be written.
pub fn complaints(options: &Trace, complaints: &[Complaint], to: &mut dyn Write) -> anyhow::Result<()> {
    let stderr: &mut dyn Write = &mut io::stderr();
    let to = if options.json { stderr } else { to };
    complaints
        .iter()
        .try_for_each(|complaint| writeln!(to, "calltap: {complaint}"))
        .context("cannot write the trace")
}

/// The printer that the options ask for, of a program that began at `zero` and whose children are in the trace if
/// `followed`.
#[must_use]
pub fn sink(
    options: &Trace,
    filter: &Filter,
    program: &Path,
    zero: SystemTime,
    followed: bool,
    frames: Option<Asked>,
    to: To,
) -> Box<dyn Sink> {
    let mut style = style(options, filter, program, zero, frames);
    style.ids = match (followed, &options.output) {
        (false, _) => Ids::None,
        (true, None) => Ids::Bracketed,
        (true, Some(_)) => Ids::Bare,
    };
    if options.count {
        let by = match options.by {
            None => By::Function,
            Some(options::By::Caller) => By::Caller,
            Some(options::By::Object) => By::Object,
        };
        print::summary(to, style, by)
    } else if options.json {
        print::json(to, style)
    } else if options.tree {
        print::tree(to, style)
    } else {
        print::lines(to, style)
    }
}

fn style(options: &Trace, filter: &Filter, program: &Path, zero: SystemTime, frames: Option<Asked>) -> Style {
    let terminal = options.output.is_none() && io::stderr().is_terminal();
    Style {
        string_limit: options.string_limit,
        array_limit: options.array_limit,
        align: options.align.map_or_else(print::alignment, |align| align as usize),
        indent: options.indent as usize,
        stamps: match (options.relative_time, options.time_of_day) {
            (true, _) => Stamps::Relative,
            (false, 0) => Stamps::None,
            (false, 1) => Stamps::Seconds,
            (false, 2) => Stamps::Micros,
            (false, _) => Stamps::Epoch,
        },
        zero_ns: zero.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64),
        sites: options.instruction_pointer,
        spent: options.call_time,
        callers: !filter.is_default && filter.has(&[RuleKind::Calls, RuleKind::Library]),
        entry_point: Chooser::entries(filter).map(entry_point),
        called: called(filter),
        demangle: options.demangle,
        signals: !options.no_signals,
        color: match options.color {
            Color::Auto => terminal,
            Color::Always => true,
            Color::Never => false,
        },
        slower_than_ns: options.slower_than.map(|least| least.as_nanos() as u64),
        only_errors: options.only_errors,
        program: program.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        live: terminal,
        frames: frames.map(|frames| Box::new(frames) as Box<dyn Frames>),
        ..Style::default()
    }
}

/// Whether a function is one that `-x` has chosen; asked once for each.
fn entry_point(entries: Chooser) -> Rc<dyn Fn(&Function) -> bool> {
    let known = RefCell::new(HashMap::new());
    Rc::new(move |function| {
        *known
            .borrow_mut()
            .entry(function.number)
            .or_insert_with(|| entries.choose(&function.name, &function.provider))
    })
}

/// Whether `-e` or `-l` has chosen a call, too.
fn called(filter: &Filter) -> Option<Called> {
    let (calls, library) = (Chooser::calls(filter), Chooser::library(filter));
    if calls.is_none() && library.is_none() {
        return None;
    }
    Some(Rc::new(move |function, caller| {
        calls.as_ref().is_some_and(|calls| calls.choose(&function.name, caller))
            || library.as_ref().is_some_and(|library| library.choose(&function.name, &function.provider))
    }))
}
