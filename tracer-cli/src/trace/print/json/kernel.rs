//! Objects of system calls.

use std::io;

use super::fields::{self, field};
use super::library::flag_guess;
use super::{Objects, value};
use crate::trace::event::{SystemCall, TraceEvent};
use crate::trace::print::arguments::Progress;
use crate::trace::print::open::Open;
use crate::trace::print::text::Text;
use crate::trace::print::{system_call, view};

impl Objects {
    /// A system call begins.
    pub(super) fn call_began(&mut self, event: &TraceEvent<'_>, call: &SystemCall<'_>) -> io::Result<()> {
        if call.entry_only {
            return self.call_ended(event, call);
        }
        let mut text = self.threads.text(false);
        let progress = self.system_left(&mut text, event, call, event.at_ns);
        let open = Open::kernel(event, call, progress, text);
        self.threads.of(event.pid, event.tid).open.push(open);
        Ok(())
    }

    /// Writes what is known when a system call begins.
    fn system_left(
        &mut self,
        text: &mut Text,
        event: &TraceEvent<'_>,
        call: &SystemCall<'_>,
        at_ns: u64,
    ) -> Progress {
        fields::head(text, "system_call", event, at_ns);
        field(text, "depth");
        text.unsigned(self.threads.of(event.pid, event.tid).open.len() as u64);
        fields::string(text, "function", call.name);
        text.raw(br#","arguments":["#);
        let mut progress = Progress::default();
        let registers = view::registers(call);
        match view::system(call, &registers, None, self.limits) {
            Some(typed) => fields::arguments(&typed, text, &mut progress, false, &mut self.scratch),
            None => fields::guesses(text, &call.arguments),
        }
        progress
    }

    /// A system call has ended, or began and will not be seen to end.
    pub(super) fn call_ended(&mut self, event: &TraceEvent<'_>, call: &SystemCall<'_>) -> io::Result<()> {
        let open = self.threads.of(event.pid, event.tid).ends();
        let failed = system_call::error(call.result).filter(|_| !call.entry_only);
        if !self.style.wants((!call.entry_only).then_some(call.duration_ns), failed.is_some()) {
            if let Some(open) = open {
                self.threads.recycle(open.text);
            }
            return Ok(());
        }
        let (mut text, mut progress) = match open {
            Some(open) => (open.text, open.progress),
            None => {
                let mut text = self.threads.text(false);
                let began = event.at_ns.saturating_sub(call.duration_ns);
                let progress = self.system_left(&mut text, event, call, began);
                (text, progress)
            }
        };
        let (registers, results) = (view::registers(call), view::system_results(call.result));
        let typed = view::system(call, &registers, Some(&results), self.limits);
        if let Some(typed) = &typed {
            fields::arguments(typed, &mut text, &mut progress, true, &mut self.scratch);
        }
        text.byte(b']');
        if call.entry_only {
            text.raw(br#","entry_only":true"#);
        } else {
            field(&mut text, "result");
            match &typed {
                _ if failed.is_some() => text.signed(-1),
                Some(typed) => {
                    let returns = &typed.prototype.returns;
                    value::write(typed, &mut text, returns, &typed.result(), &mut self.scratch);
                }
                None => fields::guesses(&mut text, &[call.result as u64]),
            }
            field(&mut text, "duration_ns");
            text.unsigned(call.duration_ns);
        }
        if let Some(error) = failed {
            fields::errno(&mut text, error);
        }
        flag_guess(&mut text, typed.is_none());
        self.line(&text)?;
        self.threads.recycle(text);
        Ok(())
    }
}
