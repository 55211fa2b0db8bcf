//! System calls in the tree.

use std::io;

use super::Tree;
use crate::trace::event::{SystemCall, TraceEvent};
use crate::trace::print::open::Open;
use crate::trace::print::{shape, system_call, view};

impl Tree {
    /// A system call begins.
    pub(super) fn call_began(&mut self, event: &TraceEvent<'_>, call: &SystemCall<'_>) -> io::Result<()> {
        if call.entry_only {
            return self.call_ended(event, call);
        }
        self.open_all(event)?;
        let mut text = self.threads.text(self.style.color);
        let progress = shape::system_left(&mut text, call, self.limits);
        let open = Open::kernel(event, call, progress, text);
        self.threads.of(event.pid, event.tid).open.push(open);
        Ok(())
    }

    /// A system call has ended, or began and will not be seen to end.
    pub(super) fn call_ended(&mut self, event: &TraceEvent<'_>, call: &SystemCall<'_>) -> io::Result<()> {
        let open = self.threads.of(event.pid, event.tid).ends();
        let spent = (!call.entry_only).then_some(call.duration_ns);
        let failed = !call.entry_only && system_call::error(call.result).is_some();
        let opened = open.as_ref().is_some_and(|open| open.opened);
        if !opened && !self.style.wants(spent, failed) {
            if let Some(open) = open {
                self.threads.recycle(open.text);
            }
            return Ok(());
        }
        let (text, mut progress) = match open {
            Some(open) => (open.text, open.progress),
            None => {
                self.open_all(event)?;
                let mut text = self.threads.text(self.style.color);
                let progress = shape::system_left(&mut text, call, self.limits);
                (text, progress)
            }
        };
        let depth = self.threads.of(event.pid, event.tid).open.len();
        self.begin(event.tid, event.at_ns, spent, depth);
        let (registers, results) = (view::registers(call), view::system_results(call.result));
        let typed = view::system(call, &registers, Some(&results), self.limits);
        let out = &mut self.out.text;
        if opened {
            out.byte(b'}');
        } else {
            out.append(&text);
            if let Some(typed) = &typed {
                typed.write_arguments(out, &mut progress, true);
            }
            out.byte(b')');
        }
        if !call.entry_only {
            out.raw(b" = ");
            system_call::result(out, typed.as_ref(), call.result);
        } else if !system_call::never_returns(call.name) {
            out.raw(b" = ");
            out.unknown();
        }
        self.threads.recycle(text);
        self.out.end()
    }
}
