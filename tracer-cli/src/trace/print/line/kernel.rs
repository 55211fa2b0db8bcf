//! Lines of system calls.

use std::io;

use super::{Lines, UNFINISHED, resumed};
use crate::trace::event::{SystemCall, TraceEvent};
use crate::trace::print::head::Site;
use crate::trace::print::open::Open;
use crate::trace::print::text::Text;
use crate::trace::print::{shape, system_call, view};

impl Lines {
    /// A system call begins.
    pub(super) fn call_began(&mut self, event: &TraceEvent<'_>, call: &SystemCall<'_>) -> io::Result<()> {
        if call.entry_only {
            return self.call_ended(event, call);
        }
        let limits = self.limits;
        let (progress, text) = if self.late {
            let mut text = self.threads.text(self.style.color);
            (shape::system_left(&mut text, call, limits), text)
        } else {
            let depth = self.threads.of(event.pid, event.tid).open.len();
            self.interrupt(UNFINISHED)?;
            self.begin_system(event, call, event.at_ns, depth);
            self.unfinished = Some((event.tid, depth));
            (shape::system_left(&mut self.out.text, call, limits), Text::default())
        };
        let open = Open::kernel(event, call, progress, text);
        self.threads.of(event.pid, event.tid).open.push(open);
        Ok(())
    }

    /// A system call has ended, or began and will not be seen to end.
    pub(super) fn call_ended(&mut self, event: &TraceEvent<'_>, call: &SystemCall<'_>) -> io::Result<()> {
        let thread = self.threads.of(event.pid, event.tid);
        let open = thread.ends();
        let depth = thread.open.len();
        let failed = !call.entry_only && system_call::error(call.result).is_some();
        if !self.style.wants((!call.entry_only).then_some(call.duration_ns), failed) {
            if let Some(open) = open {
                self.threads.recycle(open.text);
            }
            return Ok(());
        }
        let mut progress = match open {
            Some(open) if self.late => {
                self.begin_system(event, call, open.at_ns, depth);
                self.out.text.append(&open.text);
                self.threads.recycle(open.text);
                open.progress
            }
            Some(open) if self.unfinished == Some((event.tid, depth)) => {
                self.unfinished = None;
                open.progress
            }
            Some(open) => {
                self.interrupt(UNFINISHED)?;
                self.begin_system(event, call, event.at_ns, depth);
                resumed(&mut self.out.text, call.name);
                open.progress
            }
            None => {
                self.interrupt(UNFINISHED)?;
                self.begin_system(event, call, event.at_ns.saturating_sub(call.duration_ns), depth);
                shape::system_left(&mut self.out.text, call, self.limits)
            }
        };
        let (registers, results) = (view::registers(call), view::system_results(call.result));
        let typed = view::system(call, &registers, Some(&results), self.limits);
        if let Some(typed) = &typed {
            typed.write_arguments(&mut self.out.text, &mut progress, true);
        }
        if call.entry_only {
            return self.unseen(system_call::never_returns(call.name));
        }
        self.result_column();
        system_call::result(&mut self.out.text, typed.as_ref(), call.result);
        self.spent(Some(call.duration_ns));
        self.out.end()
    }

    fn begin_system(&mut self, event: &TraceEvent<'_>, call: &SystemCall<'_>, at_ns: u64, depth: usize) {
        self.out.begin();
        let site = Some(Site { address: call.site, object: None });
        self.head.write(&mut self.out.text, event.tid, at_ns, site, depth);
    }
}
