//! Lines of library calls.

use std::io;

use super::vfork::is_vfork;
use super::{Lines, UNFINISHED, resumed};
use crate::trace::event::{Entered, Returned, TraceEvent};
use crate::trace::print::arguments::{Call, Progress};
use crate::trace::print::functions::Named;
use crate::trace::print::head::Site;
use crate::trace::print::open::Open;
use crate::trace::print::text::Text;
use crate::trace::print::{shape, system_call, view};

/// A call that has returned.
struct Ended<'a> {
    returned: &'a Returned<'a>,
    call: Option<Call<'a>>,
    error: Option<i32>,
    spent: Option<u64>,
}

impl Lines {
    /// A call begins.
    pub(super) fn entered(&mut self, event: &TraceEvent<'_>, entered: &Entered<'_>) -> io::Result<()> {
        let named = self.functions.of(entered.function);
        self.threads.of(event.pid, event.tid).enters(entered, |_| {});
        if self.late {
            if !entered.entry_only {
                let mut text = self.threads.text(self.style.color);
                let progress = self.left(&mut text, event, entered, &named);
                let open = Open::function(event, entered, progress, text);
                self.threads.of(event.pid, event.tid).open.push(open);
            }
            return Ok(());
        }
        self.interrupt(UNFINISHED)?;
        let depth = self.threads.of(event.pid, event.tid).open.len();
        let twice = named.entry_point
            && !entered.entry_only
            && self.style.called.as_ref().is_some_and(|called| called(entered.function, entered.caller.0));
        if twice {
            self.begin_call(event, entered, depth);
            let mut line = std::mem::take(&mut self.out.text);
            let limits = self.limits;
            let caller = self.style.callers.then(|| self.caller(event, entered));
            shape::left(&mut line, caller, &named.name, entered, limits);
            self.out.text = line;
            self.unfinished = Some((event.tid, depth));
            self.interrupt(UNFINISHED)?;
        }
        self.begin_call(event, entered, depth + usize::from(twice));
        let mut line = std::mem::take(&mut self.out.text);
        let mut progress = self.left(&mut line, event, entered, &named);
        self.out.text = line;
        if entered.entry_only && is_vfork(&entered.function.name) {
            self.vfork_begins(event, depth);
            return Ok(());
        }
        if entered.entry_only {
            if let Some(call) = view::at_entry(entered, self.limits) {
                call.write_arguments(&mut self.out.text, &mut progress, true);
            }
            self.unseen(named.never_returns)?;
            return self.frames(event.pid, entered.stack);
        }
        self.unfinished = Some((event.tid, depth));
        let open = Open { twice, ..Open::function(event, entered, progress, Text::default()) };
        self.threads.of(event.pid, event.tid).open.push(open);
        Ok(())
    }

    /// Begins the line of a call that is entered.
    fn begin_call(&mut self, event: &TraceEvent<'_>, entered: &Entered<'_>, depth: usize) {
        let site = self.style.sites.then(|| {
            let object = self.callers.name(entered, self.threads.of(event.pid, event.tid));
            Site { address: entered.site, object: Some((object, entered.caller.1)) }
        });
        self.out.begin();
        self.head.write(&mut self.out.text, event.tid, event.at_ns, site, depth);
    }

    /// File name of the object that calls.
    fn caller<'a>(&'a mut self, event: &TraceEvent<'_>, entered: &Entered<'a>) -> &'a str {
        self.callers.name(entered, self.threads.of(event.pid, event.tid))
    }

    /// Writes a call's left side: caller, name, and the arguments that are known when it begins.
    fn left(
        &mut self,
        out: &mut Text,
        event: &TraceEvent<'_>,
        entered: &Entered<'_>,
        named: &Named,
    ) -> Progress {
        let limits = self.limits;
        let caller = (self.style.callers && !named.entry_point).then(|| self.caller(event, entered));
        shape::left(out, caller, &named.call, entered, limits)
    }

    /// A call has returned, or was left.
    pub(super) fn returned(&mut self, event: &TraceEvent<'_>, returned: &Returned<'_>) -> io::Result<()> {
        let named = self.functions.of(returned.function);
        let thread = self.threads.of(event.pid, event.tid);
        let before = std::mem::replace(&mut thread.errno, returned.errno);
        let open = thread.returns(returned.sp, returned.function.number, |_| {});
        let depth = thread.open.len();
        let results = view::results(returned);
        let call = view::at_return(returned, open.as_ref(), &results, self.limits);
        let error = match self.style.only_errors || self.style.color {
            true => view::error(call.as_ref(), returned, named.convention, before),
            false => None,
        };
        let spent = open.as_ref().map(|open| event.at_ns.saturating_sub(open.at_ns));
        if !self.style.wants(spent, error.is_some()) {
            self.recycle(open);
            return Ok(());
        }
        match &open {
            Some(open) if self.late => {
                self.begin(event, open.at_ns, Some(open), depth);
                self.out.text.append(&open.text);
            }
            Some(_) if self.unfinished == Some((event.tid, depth)) => self.unfinished = None,
            open => {
                self.interrupt(UNFINISHED)?;
                self.begin(event, event.at_ns, open.as_ref(), depth);
                resumed(&mut self.out.text, &named.name);
            }
        }
        let ended = Ended { returned, call, error, spent };
        self.right(&ended, open.as_ref())?;
        if open.as_ref().is_some_and(|open| open.twice) {
            self.begin(event, event.at_ns, open.as_ref(), depth);
            resumed(&mut self.out.text, &named.name);
            self.right(&ended, open.as_ref())?;
        }
        let stack = open.as_ref().map_or(0, |open| open.stack);
        self.recycle(open);
        self.frames(event.pid, stack)
    }

    /// Writes a call's right side: the arguments that are left, and the result.
    fn right(&mut self, ended: &Ended<'_>, open: Option<&Open>) -> io::Result<()> {
        let mut progress = open.map_or_else(Progress::default, |open| open.progress);
        let Ended { returned, call, error, spent } = ended;
        if let Some(call) = call.as_ref().filter(|call| call.source.entered) {
            call.write_arguments(&mut self.out.text, &mut progress, true);
        }
        self.result_column();
        shape::result(&mut self.out.text, call.as_ref(), returned, *error);
        if let Some(error) = error.filter(|_| self.style.only_errors) {
            self.out.text.byte(b' ');
            system_call::described(&mut self.out.text, error);
        }
        self.spent(*spent);
        self.out.end()
    }

    /// Begins the line of a call that was entered before.
    fn begin(&mut self, event: &TraceEvent<'_>, at_ns: u64, open: Option<&Open>, depth: usize) {
        self.out.begin();
        let site = open.map(|open| Site { address: open.site, object: None });
        self.head.write(&mut self.out.text, event.tid, at_ns, site, depth);
    }

    fn recycle(&mut self, open: Option<Open>) {
        if let Some(open) = open.filter(|_| self.late) {
            self.threads.recycle(open.text);
        }
    }

    /// Writes the stack of a call below its line.
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
}
