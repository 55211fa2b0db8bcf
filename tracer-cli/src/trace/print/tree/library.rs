//! Library calls in the tree.

use std::io;

use super::{Left, Tree};
use crate::trace::event::{Entered, Returned, TraceEvent};
use crate::trace::print::arguments::{Call, Progress};
use crate::trace::print::functions::Named;
use crate::trace::print::open::Open;
use crate::trace::print::text::{Color, Text};
use crate::trace::print::{shape, system_call, view};

impl Tree {
    /// A call begins.
    pub(super) fn entered(&mut self, event: &TraceEvent<'_>, entered: &Entered<'_>) -> io::Result<()> {
        let named = self.functions.of(entered.function);
        let thread = self.threads.of(event.pid, event.tid);
        let mut left = Vec::new();
        let mut depth = thread.open.len();
        thread.enters(entered, |open| left.push(Left::of(open, &mut depth)));
        self.close_left(event, left)?;
        self.open_all(event)?;
        let mut text = self.threads.text(self.style.color);
        let thread = self.threads.of(event.pid, event.tid);
        let depth = thread.open.len();
        let caller = (self.style.callers && !named.entry_point).then(|| self.callers.name(entered, thread));
        let mut progress = shape::left(&mut text, caller, &named.call, entered, self.limits);
        if !entered.entry_only {
            thread.open.push(Open::function(event, entered, progress, text));
            return Ok(());
        }
        if !self.style.filters() {
            self.begin(event.tid, event.at_ns, None, depth);
            if let Some(call) = view::at_entry(entered, self.limits) {
                call.write_arguments(&mut text, &mut progress, true);
            }
            self.out.text.append(&text);
            self.out.text.byte(b')');
            if !named.never_returns {
                self.out.text.raw(b" = ");
                self.out.text.unknown();
            }
            self.out.end()?;
        }
        self.threads.recycle(text);
        Ok(())
    }

    /// A call has returned, or was left.
    pub(super) fn returned(&mut self, event: &TraceEvent<'_>, returned: &Returned<'_>) -> io::Result<()> {
        let named = self.functions.of(returned.function);
        let thread = self.threads.of(event.pid, event.tid);
        let before = std::mem::replace(&mut thread.errno, returned.errno);
        let mut left = Vec::new();
        let mut depth = thread.open.len();
        let open = thread
            .returns(returned.sp, returned.function.number, |open| left.push(Left::of(open, &mut depth)));
        let depth = thread.open.len();
        self.close_left(event, left)?;
        let results = view::results(returned);
        let call = view::at_return(returned, open.as_ref(), &results, self.limits);
        let error = view::error(call.as_ref(), returned, named.convention, before);
        let spent = open.as_ref().map(|open| event.at_ns.saturating_sub(open.at_ns));
        // What has been opened is closed, wanted or not.
        let opened = open.as_ref().is_some_and(|open| open.opened);
        if opened || self.style.wants(spent, error.is_some()) {
            self.begin(event.tid, event.at_ns, spent, depth);
            right(&mut self.out.text, open.as_ref(), call.as_ref(), &named);
            shape::result(&mut self.out.text, call.as_ref(), returned, error);
            if let Some(error) = error {
                self.out.text.byte(b' ');
                system_call::error_name(&mut self.out.text, error);
            }
            if opened {
                self.out.text.raw(b"  ");
                self.out.text.color(Color::Dim);
                self.out.text.str(&named.name);
                self.out.text.plain();
            }
            self.out.end()?;
        }
        if let Some(open) = open {
            self.threads.recycle(open.text);
        }
        Ok(())
    }
}

impl Left {
    /// A call that was left, and was the innermost of `depth` calls.
    fn of(open: &Open, depth: &mut usize) -> Self {
        *depth -= 1;
        Self { line: (!open.opened).then(|| open.text.clone()), depth: *depth }
    }
}

/// Writes what stands in front of a result: the call itself, or what closes it, with the arguments that are left.
fn right(out: &mut Text, open: Option<&Open>, call: Option<&Call<'_>>, named: &Named) {
    let mut progress = open.map_or_else(Progress::default, |open| open.progress);
    let mut arguments = |out: &mut Text, delimited: bool| {
        progress.delimited &= delimited;
        if let Some(call) = call.filter(|call| call.source.entered) {
            call.write_arguments(out, &mut progress, true);
        }
    };
    match open {
        Some(open) if open.opened => {
            out.byte(b'}');
            let start = out.mark();
            out.raw(b" (");
            let inside = out.mark();
            arguments(out, false);
            if out.mark() == inside {
                out.rewind(start);
            } else {
                out.byte(b')');
            }
            out.raw(b" = ");
        }
        _ => {
            match open {
                Some(open) => out.append(&open.text),
                None => shape::begin(out, &named.call),
            }
            arguments(out, true);
            out.raw(b") = ");
        }
    }
}
