//! A call tree with durations: a call that called nothing is one line; another one opens with `{`, and `}` closes it.
//!
//! ```text
//!    1.204 us  malloc(24) = 0x55d0c2b7e2a0
//!              qsort(0x7ffe1c20, 2, 8, 0x55d0c1f0) {
//!    0.101 us    strcmp("a", "b") = -1
//!    3.310 us  } = <void>  qsort
//! ```

use std::io;
use std::rc::Rc;

use calltap_channel::trace::walk::Values;

use super::arguments::{self, GUESSED, Limits, Progress};
use super::callers::Callers;
use super::failure;
use super::functions::{Functions, Named};
use super::head::Head;
use super::line::{self, call_at_entry, call_at_return, results, system};
use super::open::{Callee, Open, Threads};
use super::output::Output;
use super::style::Style;
use super::text::{Color, Text};
use super::{End, Sink, To, signal, system_call};
use crate::trace::event::{Copied, Entered, Returned, SystemCall, TraceEvent, What};

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

impl Tree {
    /// To a file, a pipe or a terminal.
    pub fn new(to: To, style: Style) -> Self {
        let indent = if style.indent == 0 { INDENT } else { style.indent };
        let head = Head::new(&Style {
            indent: 0,
            sites: false,
            ids: style.ids,
            stamps: style.stamps,
            zero_ns: style.zero_ns,
            ..Style::default()
        });
        Self {
            out: Output::new(to, false, style.color),
            limits: Limits { string: style.string_limit, array: style.array_limit },
            head,
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

    /// Writes the opening lines of calls that are known now not to be the only line: all that are open.
    fn open_all(&mut self, event: &TraceEvent<'_>) -> io::Result<()> {
        let count = self.threads.of(event.pid, event.tid).open.len();
        for depth in 0..count {
            let open = &mut self.threads.of(event.pid, event.tid).open[depth];
            if open.opened {
                continue;
            }
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

    /// Closes calls that were left, of which the opening lines have been written.
    fn close_left(&mut self, event: &TraceEvent<'_>, left: Vec<(String, bool, usize)>) -> io::Result<()> {
        for (text, opened, depth) in left {
            self.begin(event.tid, event.at_ns, None, depth);
            if opened {
                self.out.text.raw(b"} = <unwound>");
            } else {
                self.out.text.raw(text.as_bytes());
                self.out.text.raw(b") = <unwound>");
            }
            self.out.end()?;
        }
        Ok(())
    }

    fn entered(&mut self, event: &TraceEvent<'_>, entered: &Entered<'_>) -> io::Result<()> {
        let named = self.functions.of(entered.function);
        let thread = self.threads.of(event.pid, event.tid);
        let mut depth = thread.open.len();
        let mut left = Vec::new();
        thread.enters(entered, |open| {
            depth -= 1;
            left.push((String::from_utf8_lossy(open.text.bytes()).into_owned(), open.opened, depth));
        });
        self.close_left(event, left)?;
        self.open_all(event)?;
        let mut text = self.threads.text(self.style.color);
        let mut progress = self.left(&mut text, event, entered, &named);
        if entered.entry_only {
            let depth = self.threads.of(event.pid, event.tid).open.len();
            self.begin(event.tid, event.at_ns, None, depth);
            self.out.text.append(&text);
            if let Some(call) = call_at_entry(entered, self.limits) {
                call.write_arguments(&mut self.out.text, &mut progress, true);
            }
            self.out.text.byte(b')');
            if !named.never_returns {
                self.out.text.raw(b" = ");
                self.out.text.unknown();
            }
            self.threads.recycle(text);
            return self.out.end();
        }
        let memory = if named.on_return { entered.memory.clone() } else { Copied::default() };
        self.threads.of(event.pid, event.tid).open.push(Open {
            callee: Callee::Function(Rc::clone(entered.function)),
            sp: entered.sp,
            site: entered.site,
            at_ns: event.at_ns,
            values: entered.values,
            memory,
            progress,
            text,
            opened: false,
            stack: entered.stack,
        });
        Ok(())
    }

    fn left(
        &mut self,
        out: &mut Text,
        event: &TraceEvent<'_>,
        entered: &Entered<'_>,
        named: &Named,
    ) -> Progress {
        if self.style.callers && !named.entry_point {
            let thread = self.threads.of(event.pid, event.tid);
            out.str(self.callers.name(entered, thread));
            out.raw(b"->");
        }
        line::name(out, &named.call);
        let mut progress = Progress::default();
        match call_at_entry(entered, self.limits) {
            Some(call) => call.write_arguments(out, &mut progress, false),
            None => arguments::write_guesses(out, &entered.values.gprs[..GUESSED]),
        }
        progress
    }

    fn returned(&mut self, event: &TraceEvent<'_>, returned: &Returned<'_>) -> io::Result<()> {
        let named = self.functions.of(returned.function);
        let thread = self.threads.of(event.pid, event.tid);
        let before = std::mem::replace(&mut thread.errno, returned.errno);
        let mut depth = thread.open.len();
        let mut left = Vec::new();
        let open = thread.returns(returned.sp, returned.function.number, |open| {
            depth -= 1;
            left.push((String::from_utf8_lossy(open.text.bytes()).into_owned(), open.opened, depth));
        });
        let depth = thread.open.len();
        self.close_left(event, left)?;
        let results = results(returned);
        let call = call_at_return(returned, open.as_ref(), &results, self.limits);
        let error = call
            .as_ref()
            .filter(|_| !returned.left)
            .and_then(|call| failure::error(named.convention, call.result_number(), returned.errno, before));
        let spent = open.as_ref().map(|open| event.at_ns.saturating_sub(open.at_ns));
        let opened = open.as_ref().is_some_and(|open| open.opened);
        let unwanted = self.style.slower_than_ns.is_some_and(|least| spent.is_none_or(|spent| spent < least))
            || self.style.only_errors && error.is_none();
        // What has been opened is closed, wanted or not.
        if unwanted && !opened {
            if let Some(open) = open {
                self.threads.recycle(open.text);
            }
            return Ok(());
        }
        self.begin(event.tid, event.at_ns, spent, depth);
        let out = &mut self.out.text;
        match &open {
            Some(open) if !open.opened => out.append(&open.text),
            Some(_) => out.byte(b'}'),
            None => line::name(out, &named.call),
        }
        let mut progress = open.as_ref().map_or_else(Progress::default, |open| open.progress);
        if let Some(call) = call.as_ref().filter(|call| call.source.entered) {
            let start = out.mark();
            if opened {
                out.raw(b" (");
                progress.delimited = false;
            }
            let before = out.mark();
            call.write_arguments(out, &mut progress, true);
            match (opened, out.mark() == before) {
                (true, true) => out.rewind(start),
                (true, false) => out.byte(b')'),
                (false, _) => {}
            }
        }
        out.raw(if opened { b" = " } else { b") = " });
        line::write_result(out, call.as_ref(), returned, error);
        if let Some(error) = error {
            out.byte(b' ');
            system_call::error_name(out, error);
        }
        if opened {
            out.raw(b"  ");
            out.color(Color::Dim);
            out.str(&named.name);
            out.plain();
        }
        if let Some(open) = open {
            self.threads.recycle(open.text);
        }
        self.out.end()
    }

    fn call_began(&mut self, event: &TraceEvent<'_>, call: &SystemCall<'_>) -> io::Result<()> {
        self.open_all(event)?;
        let values = Values { gprs: call.arguments, ..Values::default() };
        let mut progress = Progress::default();
        let mut text = self.threads.text(self.style.color);
        self.system_left(&mut text, call, &values, &mut progress);
        self.threads.of(event.pid, event.tid).open.push(Open {
            callee: Callee::Kernel,
            sp: 0,
            site: call.site,
            at_ns: event.at_ns,
            values,
            memory: Copied::default(),
            progress,
            text,
            opened: false,
            stack: 0,
        });
        Ok(())
    }

    fn system_left(&self, out: &mut Text, call: &SystemCall<'_>, values: &Values, progress: &mut Progress) {
        system_call::name(out, call.name, self.style.system_calls);
        out.byte(b'(');
        match system(call, values, None, self.limits) {
            Some(typed) => typed.write_arguments(out, progress, false),
            None => arguments::write_guesses(out, &call.arguments),
        }
    }

    fn call_ended(&mut self, event: &TraceEvent<'_>, call: &SystemCall<'_>) -> io::Result<()> {
        let open = self.threads.of(event.pid, event.tid).ends();
        let fast = self.style.slower_than_ns.is_some_and(|least| call.duration_ns < least);
        let unwanted = fast || self.style.only_errors && system_call::error(call.result).is_none();
        let opened = open.as_ref().is_some_and(|open| open.opened);
        if unwanted && !opened {
            if let Some(open) = open {
                self.threads.recycle(open.text);
            }
            return Ok(());
        }
        if open.is_none() {
            self.open_all(event)?;
        }
        let values = Values { gprs: call.arguments, ..Values::default() };
        let (text, mut progress) = match open {
            Some(open) => (open.text, open.progress),
            None => {
                let (mut text, mut progress) = (self.threads.text(self.style.color), Progress::default());
                self.system_left(&mut text, call, &values, &mut progress);
                (text, progress)
            }
        };
        let depth = self.threads.of(event.pid, event.tid).open.len();
        self.begin(event.tid, event.at_ns, (!call.entry_only).then_some(call.duration_ns), depth);
        let out = &mut self.out.text;
        if opened {
            out.byte(b'}');
        } else {
            out.append(&text);
        }
        let results = arguments::system_results(call.result);
        let typed = system(call, &values, Some(&results), self.limits);
        if let Some(typed) = typed.as_ref().filter(|_| !opened) {
            typed.write_arguments(out, &mut progress, true);
        }
        out.raw(if opened { b" = " } else { b") = " });
        if call.entry_only {
            out.unknown();
        } else {
            system_call::result(out, typed.as_ref(), call.result);
        }
        self.threads.recycle(text);
        self.out.end()
    }

    /// Calls of a thread that will never return: those of which no line is there get one.
    fn over(&mut self, tid: u32, at_ns: u64, open: Vec<Open>) -> io::Result<()> {
        let filtered = self.style.slower_than_ns.is_some() || self.style.only_errors;
        for (depth, open) in open.into_iter().enumerate() {
            if !open.opened && !filtered {
                self.begin(tid, at_ns, None, depth);
                self.out.text.append(&open.text);
                self.out.text.raw(b" <no return ...>");
                self.out.end()?;
            }
        }
        Ok(())
    }

    fn process_over(&mut self, event: &TraceEvent<'_>) -> io::Result<()> {
        for thread in self.threads.remove_process(event.pid, None) {
            self.over(thread.tid, event.at_ns, thread.open)?;
        }
        Ok(())
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
            What::CallBegan(call) if call.entry_only => self.call_ended(event, call),
            What::CallBegan(call) => self.call_began(event, call),
            What::CallEnded(call) => self.call_ended(event, call),
            What::Signal { .. } if !self.style.signals => Ok(()),
            What::Signal { signal, .. } => self.note(event, |out| {
                out.raw(b"--- ");
                signal::name(out, *signal);
                out.raw(b" (");
                signal::meaning(out, *signal);
                out.raw(b") ---");
            }),
            What::Executed { program, untapped } => {
                self.process_over(event)?;
                self.callers.executed(event.pid, program);
                self.note(event, |out| {
                    out.str(&format!("--- runs {program} "));
                    if let Some(why) = untapped {
                        out.str(&format!("(library calls are not seen: {why}) "));
                    }
                    out.raw(b"---");
                })
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
            What::Exited(status) => {
                self.process_over(event)?;
                self.note(event, |out| out.str(&format!("+++ exited (status {status}) +++")))
            }
            What::Killed(signal) => {
                self.process_over(event)?;
                self.note(event, |out| {
                    out.raw(b"+++ killed by ");
                    signal::name(out, *signal);
                    out.raw(b" +++");
                })
            }
            What::Lost(records) => {
                self.note(event, |out| out.str(&format!("+++ lost {records} records +++")))
            }
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
