//! A call tree with durations: a call that called nothing is one line; another one opens with `{`, and `}` closes it.
//!
//! ```text
//!    1.204 us  malloc(24) = 0x55d0c2b7e2a0
//!              qsort(0x7ffe1c20, 2, 8, 0x55d0c1f0) {
//!    0.101 us    strcmp("a", "b") = -1
//!    3.310 us  } = <void>  qsort
//! ```

mod kernel;
mod library;

use std::io;

use super::arguments::Limits;
use super::callers::Callers;
use super::functions::Functions;
use super::head::Head;
use super::open::{Open, Threads};
use super::output::Output;
use super::style::Style;
use super::text::{Color, Text};
use super::{End, Sink, To, notes};
use crate::trace::event::{TraceEvent, What};

/// Columns of a duration with its unit and what stands behind it.
const DURATION: usize = 13;
/// Spaces for each open call.
const INDENT: usize = 2;

/// Prints a tree.
pub struct Tree {
    out: Output,
    style: Style,
    limits: Limits,
    head: Head,
    functions: Functions,
    callers: Callers,
    threads: Threads,
}

/// A call that was left by a jump: its line if that is not written yet, and how many calls are open around it.
struct Left {
    line: Option<Text>,
    depth: usize,
}

impl Tree {
    /// To a file, a pipe or a terminal.
    pub fn new(to: To, style: Style) -> Self {
        let indent = if style.indent == 0 { INDENT } else { style.indent };
        // The head is the same in all depths: durations stand in one column.
        let head = Style { ids: style.ids, stamps: style.stamps, zero_ns: style.zero_ns, ..Style::default() };
        Self {
            out: Output::new(to, false, style.color),
            limits: Limits { string: style.string_limit, array: style.array_limit },
            head: Head::new(&head),
            functions: Functions::new(&style),
            callers: Callers::new(&style.program),
            threads: Threads::default(),
            style: Style { indent, ..style },
        }
    }

    /// Begins a line: head, duration if it is known, indentation.
    fn begin(&mut self, tid: u32, at_ns: u64, spent: Option<u64>, depth: usize) {
        self.out.begin();
        self.head.write(&mut self.out.text, tid, at_ns, None, 0);
        let out = &mut self.out.text;
        match spent {
            Some(spent) => {
                out.color(Color::Dim);
                duration(out, spent);
                out.plain();
            }
            None => out.spaces(DURATION),
        }
        out.spaces(self.style.indent * depth);
    }

    /// Opens the calls of a thread that have been one line so far: another one is made in them.
    fn open_all(&mut self, event: &TraceEvent<'_>) -> io::Result<()> {
        let calls = &self.threads.of(event.pid, event.tid).open;
        let first = calls.iter().rposition(|open| open.opened).map_or(0, |last| last + 1);
        for depth in first..calls.len() {
            let open = &mut self.threads.of(event.pid, event.tid).open[depth];
            open.opened = true;
            let (at_ns, text) = (open.at_ns, std::mem::take(&mut open.text));
            self.begin(event.tid, at_ns, None, depth);
            self.out.text.append(&text);
            self.out.text.raw(b") {");
            self.out.end()?;
            self.threads.recycle(text);
        }
        Ok(())
    }

    /// Closes calls that were left by a jump.
    fn close_left(&mut self, event: &TraceEvent<'_>, left: Vec<Left>) -> io::Result<()> {
        for Left { line, depth } in left {
            if line.is_some() && self.style.filters() {
                continue;
            }
            self.begin(event.tid, event.at_ns, None, depth);
            match line {
                Some(line) => {
                    self.out.text.append(&line);
                    self.out.text.byte(b')');
                }
                None => self.out.text.byte(b'}'),
            }
            self.out.text.raw(b" = <unwound>");
            self.out.end()?;
        }
        Ok(())
    }

    /// Calls of a thread that will never return: those that have no line yet get one.
    fn over(&mut self, tid: u32, at_ns: u64, open: Vec<Open>) -> io::Result<()> {
        for (depth, open) in open.into_iter().enumerate() {
            if !open.opened && !self.style.filters() {
                self.begin(tid, at_ns, None, depth);
                self.out.text.append(&open.text);
                self.out.text.raw(b" <no return ...>");
                self.out.end()?;
            }
        }
        Ok(())
    }

    /// The process, or the program it ran, is over.
    fn process_over(&mut self, event: &TraceEvent<'_>) -> io::Result<()> {
        for thread in self.threads.remove_process(event.pid) {
            self.over(thread.tid, event.at_ns, thread.open)?;
        }
        self.note(event, |out| notes::write(out, &event.what))
    }

    fn note(&mut self, event: &TraceEvent<'_>, write: impl FnOnce(&mut Text)) -> io::Result<()> {
        self.begin(event.tid, event.at_ns, None, 0);
        self.out.text.color(Color::Event);
        write(&mut self.out.text);
        self.out.text.plain();
        self.out.end()
    }
}

impl Sink for Tree {
    fn event(&mut self, event: &TraceEvent<'_>) -> io::Result<()> {
        match &event.what {
            What::Entered(entered) => self.entered(event, entered),
            What::Returned(returned) => self.returned(event, returned),
            What::CallBegan(call) => self.call_began(event, call),
            What::CallEnded(call) => self.call_ended(event, call),
            What::Signal { .. } if !self.style.signals => Ok(()),
            What::Signal { .. } | What::Lost(_) => self.note(event, |out| notes::write(out, &event.what)),
            What::Executed { program, untapped } => {
                self.process_over(event)?;
                self.callers.executed(event.pid, program);
                match untapped {
                    Some(why) => self.note(event, |out| notes::untapped(out, program, why)),
                    None => Ok(()),
                }
            }
            What::Created { child, thread } => {
                if !thread {
                    self.callers.created(event.pid, *child);
                }
                Ok(())
            }
            What::ThreadEnded => match self.threads.remove(event.tid) {
                Some(thread) => self.over(event.tid, event.at_ns, thread.open),
                None => Ok(()),
            },
            What::Exited(_) | What::Killed(_) => self.process_over(event),
        }
    }

    fn tick(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn finish(&mut self, end: &End) -> io::Result<()> {
        for thread in self.threads.remove_all() {
            self.over(thread.tid, end.at_ns, thread.open)?;
        }
        self.out.flush()
    }
}

/// Writes a duration: `   1.204 us  `.
fn duration(out: &mut Text, ns: u64) {
    let (whole, part, unit) = match ns {
        0..1_000_000 => (ns / 1000, ns % 1000, " us  "),
        1_000_000..1_000_000_000 => (ns / 1_000_000, ns / 1000 % 1000, " ms  "),
        _ => (ns / 1_000_000_000, ns / 1_000_000 % 1000, " s   "),
    };
    let digits = whole.checked_ilog10().unwrap_or(0) as usize + 1;
    out.spaces(4_usize.saturating_sub(digits));
    out.unsigned(whole);
    out.byte(b'.');
    out.zero_padded(part, 3);
    out.str(unit);
}
