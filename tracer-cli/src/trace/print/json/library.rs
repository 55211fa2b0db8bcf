//! Objects of library calls.

use std::io;

use super::fields::{self, field};
use super::{Objects, value};
use crate::trace::event::{Entered, Returned, TraceEvent};
use crate::trace::print::arguments::{GUESSED, Progress};
use crate::trace::print::open::Open;
use crate::trace::print::text::Text;
use crate::trace::print::view;

impl Objects {
    /// A call begins.
    pub(super) fn entered(&mut self, event: &TraceEvent<'_>, entered: &Entered<'_>) -> io::Result<()> {
        self.threads.of(event.pid, event.tid).enters(entered, |_| {});
        let mut text = self.threads.text(false);
        let progress = self.left(&mut text, event, entered);
        if entered.entry_only {
            text.raw(br#"],"entry_only":true"#);
            flag_guess(&mut text, entered.function.prototype.is_none());
            self.stack(&mut text, event.pid, entered.stack);
            if !self.style.filters() {
                self.line(&text)?;
            }
            self.threads.recycle(text);
            return Ok(());
        }
        let open = Open::function(event, entered, progress, text);
        self.threads.of(event.pid, event.tid).open.push(open);
        Ok(())
    }

    /// Writes what is known when a call begins.
    fn left(&mut self, text: &mut Text, event: &TraceEvent<'_>, entered: &Entered<'_>) -> Progress {
        let named = self.functions.of(entered.function);
        fields::head(text, "call", event, event.at_ns);
        field(text, "depth");
        text.unsigned(self.threads.of(event.pid, event.tid).open.len() as u64);
        fields::string(text, "function", &entered.function.name);
        if *named.name != *entered.function.name {
            fields::string(text, "demangled", &named.name);
        }
        fields::optional(text, "library", &entered.function.provider);
        text.raw(br#","caller":{"#);
        fields::object(text, entered.caller.0);
        text.raw(br#","offset":""#);
        text.hex(entered.site.wrapping_sub(entered.caller.1));
        text.raw(br#""},"arguments":["#);
        let mut progress = Progress::default();
        match view::at_entry(entered, self.limits) {
            Some(call) => {
                fields::arguments(&call, text, &mut progress, entered.entry_only, &mut self.scratch);
            }
            None => fields::guesses(text, &entered.values.gprs[..GUESSED]),
        }
        progress
    }

    /// A call has returned, or was left.
    pub(super) fn returned(&mut self, event: &TraceEvent<'_>, returned: &Returned<'_>) -> io::Result<()> {
        let named = self.functions.of(returned.function);
        let thread = self.threads.of(event.pid, event.tid);
        let before = std::mem::replace(&mut thread.errno, returned.errno);
        let open = thread.returns(returned.sp, returned.function.number, |_| {});
        let results = view::results(returned);
        let call = view::at_return(returned, open.as_ref(), &results, self.limits);
        let error = view::error(call.as_ref(), returned, named.convention, before);
        let spent = open.as_ref().map(|open| event.at_ns.saturating_sub(open.at_ns));
        if !self.style.wants(spent, error.is_some()) {
            if let Some(open) = open {
                self.threads.recycle(open.text);
            }
            return Ok(());
        }
        let mut text = std::mem::take(&mut self.out.text);
        match &open {
            Some(open) => text.append(&open.text),
            // Its beginning was not seen: the child of a fork returns from it.
            None => {
                fields::head(&mut text, "call", event, event.at_ns);
                fields::string(&mut text, "function", &returned.function.name);
                fields::optional(&mut text, "library", &returned.function.provider);
                text.raw(br#","arguments":["#);
            }
        }
        if let Some(call) = call.as_ref().filter(|call| call.source.entered) {
            let mut progress = open.as_ref().map_or_else(Progress::default, |open| open.progress);
            fields::arguments(call, &mut text, &mut progress, true, &mut self.scratch);
        }
        text.byte(b']');
        if returned.left {
            text.raw(br#","left":true"#);
        } else {
            field(&mut text, "result");
            match &call {
                Some(call) => {
                    value::write(call, &mut text, &call.prototype.returns, &call.result(), &mut self.scratch);
                }
                None => fields::guesses(&mut text, &[returned.values.rax]),
            }
        }
        if let Some(spent) = spent {
            field(&mut text, "duration_ns");
            text.unsigned(spent);
        }
        if let Some(error) = error {
            fields::errno(&mut text, error);
        }
        flag_guess(&mut text, returned.function.prototype.is_none());
        if let Some(open) = open {
            self.stack(&mut text, event.pid, open.stack);
            self.threads.recycle(open.text);
        }
        text.byte(b'}');
        self.out.text = text;
        self.out.end()
    }

    fn stack(&mut self, text: &mut Text, pid: u32, stack: u32) {
        let Some(frames) = self.style.frames.as_mut().filter(|_| stack != 0) else { return };
        text.raw(br#","stack":["#);
        for (number, frame) in frames.lines(pid, stack).iter().enumerate() {
            if number > 0 {
                text.byte(b',');
            }
            value::quoted(text, frame.as_bytes());
        }
        text.byte(b']');
    }
}

/// Says that there is no prototype.
pub(super) fn flag_guess(text: &mut Text, guess: bool) {
    if guess {
        text.raw(br#","guess":true"#);
    }
}
