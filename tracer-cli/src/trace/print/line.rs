//! A call a line, as ltrace prints.

use std::io;
use std::rc::Rc;

use calltap_channel::trace::walk::Values;

use super::arguments::{self, Call, GUESSED, Limits, Progress};
use super::callers::Callers;
use super::failure;
use super::fetch::{Results, Source};
use super::functions::{Functions, Named};
use super::head::{Head, Site};
use super::open::{Callee, Open, Threads};
use super::output::Output;
use super::style::Style;
use super::text::{Color, Text};
use super::{End, Sink, To, signal, system_call};
use crate::prototype::types::Prototype;
use crate::trace::event::{Copied, Entered, Returned, SystemCall, TraceEvent, What};

/// Prints lines.
pub struct Lines {
    out: Output,
    style: Style,
    limits: Limits,
    head: Head,
    functions: Functions,
    callers: Callers,
    threads: Threads,
    /// The thread whose line is not complete, and how many calls are open around the line's.
    unfinished: Option<(u32, usize)>,
    /// Lines are written when calls have returned: only then it is known whether they are wanted.
    late: bool,
}

impl Lines {
    /// To a file, a pipe or a terminal.
    pub fn new(to: To, style: Style) -> Self {
        Self {
            out: Output::new(to, style.live, style.color),
            limits: Limits { string: style.string_limit, array: style.array_limit },
            head: Head::new(&style),
            functions: Functions::new(&style),
            callers: Callers::new(&style.program),
            threads: Threads::default(),
            unfinished: None,
            late: style.slower_than_ns.is_some() || style.only_errors,
            style,
        }
    }

    /// Ends the line that is not complete.
    fn interrupt(&mut self, how: &str) -> io::Result<()> {
        if self.unfinished.take().is_none() {
            return Ok(());
        }
        dimmed(&mut self.out.text, how);
        self.out.end()
    }

    fn entered(&mut self, event: &TraceEvent<'_>, entered: &Entered<'_>) -> io::Result<()> {
        let named = self.functions.of(entered.function);
        self.threads.of(event.pid, event.tid).enters(entered, |_| {});
        if self.late {
            if !entered.entry_only {
                let mut text = self.threads.text(self.style.color);
                let progress = self.left(&mut text, event, entered, &named);
                self.push(event, entered, &named, progress, text);
            }
            return Ok(());
        }
        self.interrupt(" <unfinished ...>")?;
        let depth = self.threads.of(event.pid, event.tid).open.len();
        let site = self.style.sites.then(|| {
            let thread = self.threads.of(event.pid, event.tid);
            let object = (self.callers.name(entered, thread), entered.caller.1);
            Site { address: entered.site, object: Some(object) }
        });
        self.out.begin();
        self.head.write(&mut self.out.text, event.tid, event.at_ns, site, depth);
        let mut text = std::mem::take(&mut self.out.text);
        let mut progress = self.left(&mut text, event, entered, &named);
        self.out.text = text;
        if entered.entry_only {
            if let Some(call) = call_at_entry(entered, self.limits) {
                call.write_arguments(&mut self.out.text, &mut progress, true);
            }
            self.unseen(named.never_returns)?;
            return self.frames(event.pid, entered.stack);
        }
        self.unfinished = Some((event.tid, depth));
        self.push(event, entered, &named, progress, Text::default());
        Ok(())
    }

    /// Writes a call's left side: caller, name, and the arguments that are known when it begins.
    fn left(
        &mut self,
        out: &mut Text,
        event: &TraceEvent<'_>,
        entered: &Entered<'_>,
        named: &Named,
    ) -> Progress {
        if self.style.callers && !named.entry_point {
            let thread = self.threads.of(event.pid, event.tid);
            out.color(Color::Dim);
            out.str(self.callers.name(entered, thread));
            out.raw(b"->");
            out.plain();
        }
        name(out, &named.call);
        let mut progress = Progress::default();
        match call_at_entry(entered, self.limits) {
            Some(call) => call.write_arguments(out, &mut progress, false),
            None => arguments::write_guesses(out, &entered.values.gprs[..GUESSED]),
        }
        progress
    }

    fn push(
        &mut self,
        event: &TraceEvent<'_>,
        entered: &Entered<'_>,
        named: &Named,
        progress: Progress,
        text: Text,
    ) {
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
    }

    fn returned(&mut self, event: &TraceEvent<'_>, returned: &Returned<'_>) -> io::Result<()> {
        let named = self.functions.of(returned.function);
        let thread = self.threads.of(event.pid, event.tid);
        let before = std::mem::replace(&mut thread.errno, returned.errno);
        let open = thread.returns(returned.sp, returned.function.number, |_| {});
        let depth = thread.open.len();
        let results = results(returned);
        let call = call_at_return(returned, open.as_ref(), &results, self.limits);
        let error = call
            .as_ref()
            .filter(|_| (self.style.only_errors || self.style.color) && !returned.left)
            .and_then(|call| failure::error(named.convention, call.result_number(), returned.errno, before));
        let spent = open.as_ref().map(|open| event.at_ns.saturating_sub(open.at_ns));
        if self.late {
            let fast = self.style.slower_than_ns.is_some_and(|least| spent.is_none_or(|spent| spent < least));
            if fast || self.style.only_errors && error.is_none() {
                if let Some(open) = open {
                    self.threads.recycle(open.text);
                }
                return Ok(());
            }
            self.out.begin();
            let site = open.as_ref().map(|open| Site { address: open.site, object: None });
            let at_ns = open.as_ref().map_or(event.at_ns, |open| open.at_ns);
            self.head.write(&mut self.out.text, event.tid, at_ns, site, depth);
            match &open {
                Some(open) => self.out.text.append(&open.text),
                None => resumed(&mut self.out.text, &named.name),
            }
        } else if self.unfinished == Some((event.tid, depth)) && open.is_some() {
            self.unfinished = None;
        } else {
            self.interrupt(" <unfinished ...>")?;
            self.out.begin();
            let site = open.as_ref().map(|open| Site { address: open.site, object: None });
            self.head.write(&mut self.out.text, event.tid, event.at_ns, site, depth);
            resumed(&mut self.out.text, &named.name);
        }
        let mut progress = open.as_ref().map_or_else(Progress::default, |open| open.progress);
        if let Some(call) = call.as_ref().filter(|call| call.source.entered) {
            call.write_arguments(&mut self.out.text, &mut progress, true);
        }
        self.result_column();
        write_result(&mut self.out.text, call.as_ref(), returned, error);
        if self.style.only_errors
            && let Some(error) = error
        {
            self.out.text.byte(b' ');
            system_call::described(&mut self.out.text, error);
        }
        self.spent(spent);
        self.out.end()?;
        let stack = open.as_ref().map_or(0, |open| open.stack);
        if let Some(open) = open
            && self.late
        {
            self.threads.recycle(open.text);
        }
        self.frames(event.pid, stack)
    }

    /// Writes what stands between arguments and result.
    fn result_column(&mut self) {
        self.out.text.raw(b") ");
        let columns = self.out.columns();
        self.out.text.spaces((self.style.align.max(1) - 1).saturating_sub(columns));
        self.out.text.raw(b"= ");
    }

    fn spent(&mut self, spent: Option<u64>) {
        if let Some(spent) = spent.filter(|_| self.style.spent) {
            let out = &mut self.out.text;
            out.raw(b" <");
            out.unsigned(spent / 1_000_000_000);
            out.byte(b'.');
            out.zero_padded(spent / 1000 % 1_000_000, 6);
            out.byte(b'>');
        }
    }

    /// Ends the line of a call that will not be seen to return.
    fn unseen(&mut self, never: bool) -> io::Result<()> {
        if never {
            dimmed(&mut self.out.text, " <no return ...>");
        } else {
            self.result_column();
            self.out.text.unknown();
        }
        self.out.end()
    }

    fn frames(&mut self, pid: u32, stack: u32) -> io::Result<()> {
        let Some(frames) = self.style.frames.as_mut().filter(|_| stack != 0) else { return Ok(()) };
        for frame in frames.lines(pid, stack) {
            self.out.begin();
            self.out.text.raw(b" > ");
            self.out.text.str(&frame);
            self.out.end()?;
        }
        self.out.end()
    }

    fn call_began(&mut self, event: &TraceEvent<'_>, call: &SystemCall<'_>) -> io::Result<()> {
        let values = Values { gprs: call.arguments, ..Values::default() };
        let mut progress = Progress::default();
        let mut text = if self.late { self.threads.text(self.style.color) } else { Text::default() };
        let depth = self.threads.of(event.pid, event.tid).open.len();
        if self.late {
            self.system_left(&mut text, call, &values, &mut progress);
        } else {
            self.interrupt(" <unfinished ...>")?;
            self.begin_system(event, call, event.at_ns, depth);
            let mut line = std::mem::take(&mut self.out.text);
            self.system_left(&mut line, call, &values, &mut progress);
            self.out.text = line;
            if call.entry_only {
                if let Some(call) = system(call, &values, None, self.limits) {
                    call.write_arguments(&mut self.out.text, &mut progress, true);
                }
                return self.unseen(call.name.starts_with("exit"));
            }
            self.unfinished = Some((event.tid, depth));
        }
        if call.entry_only {
            self.threads.recycle(text);
            return Ok(());
        }
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

    fn begin_system(&mut self, event: &TraceEvent<'_>, call: &SystemCall<'_>, at_ns: u64, depth: usize) {
        self.out.begin();
        let site = Some(Site { address: call.site, object: None });
        self.head.write(&mut self.out.text, event.tid, at_ns, site, depth);
    }

    fn system_left(&self, out: &mut Text, call: &SystemCall<'_>, values: &Values, progress: &mut Progress) {
        out.color(Color::Name);
        system_call::name(out, call.name, self.style.system_calls);
        out.plain();
        out.byte(b'(');
        match system(call, values, None, self.limits) {
            Some(call) => call.write_arguments(out, progress, false),
            None => arguments::write_guesses(out, &call.arguments),
        }
    }

    fn call_ended(&mut self, event: &TraceEvent<'_>, call: &SystemCall<'_>) -> io::Result<()> {
        let thread = self.threads.of(event.pid, event.tid);
        let open = thread.ends();
        let depth = thread.open.len();
        if self.late {
            let fast =
                self.style.slower_than_ns.is_some_and(|least| call.duration_ns < least || call.entry_only);
            if fast || self.style.only_errors && system_call::error(call.result).is_none() {
                if let Some(open) = open {
                    self.threads.recycle(open.text);
                }
                return Ok(());
            }
        }
        let values = Values { gprs: call.arguments, ..Values::default() };
        let mut progress = open.as_ref().map_or_else(Progress::default, |open| open.progress);
        let began = event.at_ns.saturating_sub(call.duration_ns);
        match &open {
            Some(open) if self.late => {
                self.begin_system(event, call, open.at_ns, depth);
                self.out.text.append(&open.text);
            }
            Some(_) if self.unfinished == Some((event.tid, depth)) => self.unfinished = None,
            Some(_) => {
                self.interrupt(" <unfinished ...>")?;
                self.begin_system(event, call, event.at_ns, depth);
                resumed(&mut self.out.text, call.name);
            }
            None => {
                self.interrupt(" <unfinished ...>")?;
                self.begin_system(event, call, began, depth);
                let mut line = std::mem::take(&mut self.out.text);
                self.system_left(&mut line, call, &values, &mut progress);
                self.out.text = line;
            }
        }
        let results = arguments::system_results(call.result);
        let typed = system(call, &values, Some(&results), self.limits);
        if let Some(typed) = &typed {
            typed.write_arguments(&mut self.out.text, &mut progress, true);
        }
        if let Some(open) = open {
            self.threads.recycle(open.text);
        }
        if call.entry_only {
            return self.unseen(call.name.starts_with("exit"));
        }
        self.result_column();
        system_call::result(&mut self.out.text, typed.as_ref(), call.result);
        self.spent(Some(call.duration_ns));
        self.out.end()
    }

    /// Writes a line that is no call's.
    fn note(&mut self, event: &TraceEvent<'_>, write: impl FnOnce(&mut Text)) -> io::Result<()> {
        self.out.begin();
        self.head.write(&mut self.out.text, event.tid, event.at_ns, None, 0);
        self.out.text.color(Color::Event);
        write(&mut self.out.text);
        self.out.text.plain();
        self.out.end()
    }

    /// Ends the line that is not complete; if it belongs to one of these threads, its call will never return.
    fn interrupt_gone(&mut self, gone: impl Fn(u32) -> bool) -> io::Result<()> {
        let never = self.unfinished.is_some_and(|(tid, _)| gone(tid));
        self.interrupt(if never { " <no return ...>" } else { " <unfinished ...>" })
    }

    fn over(&mut self, event: &TraceEvent<'_>, write: impl FnOnce(&mut Text)) -> io::Result<()> {
        let gone: Vec<u32> =
            self.threads.remove_process(event.pid, None).iter().map(|thread| thread.tid).collect();
        self.interrupt_gone(|tid| gone.contains(&tid))?;
        self.note(event, write)
    }
}

impl Sink for Lines {
    fn event(&mut self, event: &TraceEvent<'_>) -> io::Result<()> {
        match &event.what {
            What::Entered(entered) => self.entered(event, entered),
            What::Returned(returned) => self.returned(event, returned),
            What::CallBegan(call) => self.call_began(event, call),
            What::CallEnded(call) => self.call_ended(event, call),
            What::Signal { signal, .. } => {
                if !self.style.signals {
                    return Ok(());
                }
                self.interrupt(" <unfinished ...>")?;
                self.note(event, |out| {
                    out.raw(b"--- ");
                    signal::name(out, *signal);
                    out.raw(b" (");
                    signal::meaning(out, *signal);
                    out.raw(b") ---");
                })
            }
            What::Executed { program, untapped } => {
                self.over(event, |out| out.raw(b"--- Called exec() ---"))?;
                self.callers.executed(event.pid, program);
                match untapped {
                    Some(why) => self.note(event, |out| {
                        out.str(&format!("--- library calls of {program} are not seen: {why} ---"));
                    }),
                    None => Ok(()),
                }
            }
            What::Created { child, thread } => {
                if !thread {
                    self.callers.created(event.pid, *child);
                }
                Ok(())
            }
            What::ThreadEnded => {
                self.threads.remove(event.tid);
                match self.unfinished {
                    Some((tid, _)) if tid == event.tid => self.interrupt(" <no return ...>"),
                    _ => Ok(()),
                }
            }
            What::Exited(status) => self.over(event, |out| {
                out.raw(b"+++ exited (status ");
                out.signed(i64::from(*status));
                out.raw(b") +++");
            }),
            What::Killed(signal) => self.over(event, |out| {
                out.raw(b"+++ killed by ");
                signal::name(out, *signal);
                out.raw(b" +++");
            }),
            What::Lost(records) => {
                self.interrupt(" <unfinished ...>")?;
                self.note(event, |out| {
                    out.raw(b"+++ lost ");
                    out.unsigned(*records);
                    out.raw(b" records +++");
                })
            }
        }
    }

    fn tick(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn finish(&mut self, _: &End) -> io::Result<()> {
        self.interrupt(" <unfinished ...>")?;
        self.out.flush()
    }
}

/// Writes a function's name and the parenthesis behind it.
pub(super) fn name(out: &mut Text, name: &str) {
    out.color(Color::Name);
    out.str(name);
    out.plain();
    out.byte(b'(');
}

fn dimmed(out: &mut Text, text: &str) {
    out.color(Color::Dim);
    out.str(text);
    out.plain();
}

fn resumed(out: &mut Text, name: &str) {
    out.color(Color::Dim);
    out.raw(b"<... ");
    out.str(name);
    out.raw(b" resumed> ");
    out.plain();
}

/// Writes a library call's result.
pub(super) fn write_result(
    out: &mut Text,
    call: Option<&Call<'_>>,
    returned: &Returned<'_>,
    error: Option<i32>,
) {
    if returned.left {
        return out.raw(b"<unwound>");
    }
    if error.is_some() {
        out.color(Color::Failure);
    }
    match call {
        Some(call) => call.write_result(out),
        None => arguments::write_guess(out, returned.values.rax),
    }
    if error.is_some() {
        out.plain();
    }
}

/// A call that begins, if its prototype is known.
pub(super) fn call_at_entry<'a>(entered: &'a Entered<'_>, limits: Limits) -> Option<Call<'a>> {
    let source = Source {
        values: &entered.values,
        sp: entered.sp,
        stack: entered.memory,
        memory: entered.memory,
        results: None,
        entered: true,
    };
    Some(Call {
        prototype: entered.function.prototype.as_deref()?,
        places: Some(entered.function.places.as_deref()?),
        source,
        memory: entered.memory,
        limits,
    })
}

/// Registers on return.
pub(super) fn results(returned: &Returned<'_>) -> Results {
    let Values { rax, rdx, .. } = returned.values;
    Results { rax, rdx, vectors: returned.vectors, x87: returned.x87 }
}

/// A call that has returned, if its prototype is known.
pub(super) fn call_at_return<'a>(
    returned: &'a Returned<'_>,
    open: Option<&'a Open>,
    results: &'a Results,
    limits: Limits,
) -> Option<Call<'a>> {
    let source = Source {
        values: open.map_or(&returned.values, |open| &open.values),
        sp: returned.sp,
        stack: open.map_or(returned.memory, |open| &open.memory),
        memory: returned.memory,
        results: (!returned.left).then_some(results),
        entered: open.is_some(),
    };
    Some(Call {
        prototype: returned.function.prototype.as_deref()?,
        places: Some(returned.function.places.as_deref()?),
        source,
        memory: returned.memory,
        limits,
    })
}

/// A system call, if its prototype is known.
pub(super) fn system<'a>(
    call: &'a SystemCall<'_>,
    values: &'a Values,
    results: Option<&'a Results>,
    limits: Limits,
) -> Option<Call<'a>> {
    let prototype: &Prototype = call.prototype?;
    let source = Source { values, sp: 0, stack: call.memory, memory: call.memory, results, entered: true };
    Some(Call { prototype, places: None, source, memory: call.memory, limits })
}
