//! An object a line (JSON Lines), written when a call is over.
//!
//! `{"type":"call"}`: `pid`, `tid`, `start_ns` (since the session's zero), `depth` (open calls of the thread around it),
//! `function`, `demangled` (if it is another), `library` (`null`: the program itself), `caller` (`object`, `null` for the
//! program itself; `offset` of the return address in it), `arguments` and `result` (see [`super::json_value`]), `duration_ns`,
//! `errno` (the error's name, if the call has failed: see [`super::failure`]), and what holds of `guess` (there is no
//! prototype: `arguments` are registers), `left` (by an exception or a jump: there is no result), `entry_only` (its return
//! is not seen), `unfinished` (it was open at the end), `stack` (frames).
//! `{"type":"system_call"}`: the same without library and caller. The others: `signal`, `exec`, `exit`, `killed`, `lost`,
//! `end`.

use std::io;
use std::rc::Rc;

use calltap_channel::trace::walk::Values;

use super::arguments::{self, Call, GUESSED, Limits, Progress};
use super::failure;
use super::functions::Functions;
use super::json_value;
use super::line::{call_at_entry, call_at_return, results, system};
use super::open::{Callee, Open, Threads};
use super::output::Output;
use super::style::Style;
use super::text::Text;
use super::{End, Sink, To, integer, signal, system_call};
use crate::prototype::types::{Kind, Lens};
use crate::trace::event::{Copied, Entered, Returned, SystemCall, TraceEvent, What};

/// Prints objects.
pub struct Objects {
    out: Output,
    style: Style,
    limits: Limits,
    functions: Functions,
    threads: Threads,
    scratch: Text,
}

impl Objects {
    /// To a file or a pipe.
    pub fn new(to: To, style: Style) -> Self {
        Self {
            out: Output::new(to, false, false),
            limits: Limits { string: style.string_limit, array: style.array_limit },
            functions: Functions::new(&style),
            threads: Threads::default(),
            scratch: Text::default(),
            style,
        }
    }

    fn entered(&mut self, event: &TraceEvent<'_>, entered: &Entered<'_>) -> io::Result<()> {
        let named = self.functions.of(entered.function);
        self.threads.of(event.pid, event.tid).enters(entered, |_| {});
        let mut text = self.threads.text(false);
        let depth = self.threads.of(event.pid, event.tid).open.len();
        head(&mut text, "call", event, event.at_ns);
        field(&mut text, "depth");
        text.unsigned(depth as u64);
        string(&mut text, "function", &entered.function.name);
        if *named.name != *entered.function.name {
            string(&mut text, "demangled", &named.name);
        }
        optional(&mut text, "library", &entered.function.provider);
        text.raw(br#","caller":{"#);
        object(&mut text, entered.caller.0);
        text.raw(br#","offset":""#);
        text.hex(entered.site.wrapping_sub(entered.caller.1));
        text.raw(br#""},"arguments":["#);
        let mut progress = Progress::default();
        match call_at_entry(entered, self.limits) {
            Some(call) => arguments(&call, &mut text, &mut progress, entered.entry_only, &mut self.scratch),
            None => guesses(&mut text, &entered.values.gprs[..GUESSED]),
        }
        if entered.entry_only {
            text.raw(br#"],"entry_only":true"#);
            self.flag_guess(&mut text, entered.function.prototype.is_none());
            if !self.filtered() {
                self.stack(&mut text, event.pid, entered.stack);
                self.line(&text)?;
            }
            self.threads.recycle(text);
            return Ok(());
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

    fn returned(&mut self, event: &TraceEvent<'_>, returned: &Returned<'_>) -> io::Result<()> {
        let named = self.functions.of(returned.function);
        let thread = self.threads.of(event.pid, event.tid);
        let before = std::mem::replace(&mut thread.errno, returned.errno);
        let open = thread.returns(returned.sp, returned.function.number, |_| {});
        let results = results(returned);
        let call = call_at_return(returned, open.as_ref(), &results, self.limits);
        let error = call
            .as_ref()
            .filter(|_| !returned.left)
            .and_then(|call| failure::error(named.convention, call.result_number(), returned.errno, before));
        let duration = open.as_ref().map(|open| event.at_ns.saturating_sub(open.at_ns));
        if self.style.slower_than_ns.is_some_and(|least| duration.is_none_or(|spent| spent < least))
            || self.style.only_errors && error.is_none()
        {
            if let Some(open) = open {
                self.threads.recycle(open.text);
            }
            return Ok(());
        }
        let mut text = std::mem::take(&mut self.out.text);
        match &open {
            Some(open) => text.append(&open.text),
            None => {
                // Its beginning was not seen: the child of a fork returns from it.
                head(&mut text, "call", event, event.at_ns);
                string(&mut text, "function", &returned.function.name);
                optional(&mut text, "library", &returned.function.provider);
                text.raw(br#","arguments":["#);
            }
        }
        if let Some(call) = call.as_ref().filter(|call| call.source.entered) {
            let mut progress = open.as_ref().map_or_else(Progress::default, |open| open.progress);
            arguments(call, &mut text, &mut progress, true, &mut self.scratch);
        }
        text.byte(b']');
        if !returned.left {
            field(&mut text, "result");
            match &call {
                Some(call) => {
                    let typed = &call.prototype.returns;
                    json_value::write(call, &mut text, typed, &call.result(), &mut self.scratch);
                }
                None => guesses(&mut text, &[returned.values.rax]),
            }
        }
        if let Some(duration) = duration {
            field(&mut text, "duration_ns");
            text.unsigned(duration);
        }
        if let Some(error) = error {
            errno(&mut text, error);
        }
        if returned.left {
            text.raw(br#","left":true"#);
        }
        self.flag_guess(&mut text, returned.function.prototype.is_none());
        if let Some(open) = open {
            self.stack(&mut text, event.pid, open.stack);
            self.threads.recycle(open.text);
        }
        text.byte(b'}');
        self.out.text = text;
        self.out.end()
    }

    fn call_began(&mut self, event: &TraceEvent<'_>, call: &SystemCall<'_>) -> io::Result<()> {
        let values = Values { gprs: call.arguments, ..Values::default() };
        let mut text = self.threads.text(false);
        let mut progress = Progress::default();
        self.system_left(&mut text, event, call, event.at_ns, &values, &mut progress);
        if call.entry_only {
            text.raw(br#"],"entry_only":true"#);
            if !self.filtered() {
                self.line(&text)?;
            }
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

    fn system_left(
        &mut self,
        text: &mut Text,
        event: &TraceEvent<'_>,
        call: &SystemCall<'_>,
        at_ns: u64,
        values: &Values,
        progress: &mut Progress,
    ) {
        head(text, "system_call", event, at_ns);
        field(text, "depth");
        text.unsigned(self.threads.of(event.pid, event.tid).open.len() as u64);
        string(text, "function", call.name);
        text.raw(br#","arguments":["#);
        match system(call, values, None, self.limits) {
            Some(typed) => arguments(&typed, text, progress, call.entry_only, &mut self.scratch),
            None => guesses(text, &call.arguments),
        }
    }

    fn call_ended(&mut self, event: &TraceEvent<'_>, call: &SystemCall<'_>) -> io::Result<()> {
        let open = self.threads.of(event.pid, event.tid).ends();
        let failed = system_call::error(call.result).filter(|_| !call.entry_only);
        let slow = |least| call.duration_ns >= least && !call.entry_only;
        if !self.style.slower_than_ns.is_none_or(slow) || self.style.only_errors && failed.is_none() {
            if let Some(open) = open {
                self.threads.recycle(open.text);
            }
            return Ok(());
        }
        let values = Values { gprs: call.arguments, ..Values::default() };
        let (mut text, mut progress) = match open {
            Some(open) => (open.text, open.progress),
            None => {
                let (mut text, mut progress) = (self.threads.text(false), Progress::default());
                let began = event.at_ns.saturating_sub(call.duration_ns);
                self.system_left(&mut text, event, call, began, &values, &mut progress);
                (text, progress)
            }
        };
        let results = arguments::system_results(call.result);
        let typed = system(call, &values, Some(&results), self.limits);
        if let Some(typed) = &typed {
            arguments(typed, &mut text, &mut progress, true, &mut self.scratch);
        }
        text.byte(b']');
        if call.entry_only {
            text.raw(br#","entry_only":true"#);
        } else {
            field(&mut text, "result");
            match &typed {
                Some(typed) if failed.is_none() => {
                    let returns = &typed.prototype.returns;
                    json_value::write(typed, &mut text, returns, &typed.result(), &mut self.scratch);
                }
                _ => text.signed(if failed.is_some() { -1 } else { call.result }),
            }
            field(&mut text, "duration_ns");
            text.unsigned(call.duration_ns);
        }
        if let Some(error) = failed {
            errno(&mut text, error);
        }
        self.flag_guess(&mut text, typed.is_none());
        self.line(&text)?;
        self.threads.recycle(text);
        Ok(())
    }

    /// Whether only calls whose end is seen may be wanted.
    fn filtered(&self) -> bool {
        self.style.slower_than_ns.is_some() || self.style.only_errors
    }

    fn flag_guess(&self, text: &mut Text, guess: bool) {
        if guess {
            text.raw(br#","guess":true"#);
        }
    }

    fn stack(&mut self, text: &mut Text, pid: u32, stack: u32) {
        let Some(frames) = self.style.frames.as_mut().filter(|_| stack != 0) else { return };
        text.raw(br#","stack":["#);
        for (number, frame) in frames.lines(pid, stack).iter().enumerate() {
            if number > 0 {
                text.byte(b',');
            }
            json_value::quoted(text, frame.as_bytes());
        }
        text.byte(b']');
    }

    fn line(&mut self, text: &Text) -> io::Result<()> {
        self.out.text.append(text);
        self.out.text.byte(b'}');
        self.out.end()
    }

    /// Calls that were open when a thread or a process ended.
    fn unfinished(&mut self, open: Vec<Open>) -> io::Result<()> {
        for mut open in open {
            if !self.filtered() {
                open.text.raw(br#"],"unfinished":true"#);
                self.line(&open.text)?;
            }
            self.threads.recycle(open.text);
        }
        Ok(())
    }

    fn over(&mut self, pid: u32) -> io::Result<()> {
        for thread in self.threads.remove_process(pid, None) {
            self.unfinished(thread.over())?;
        }
        Ok(())
    }

    fn note(&mut self, event: &TraceEvent<'_>, kind: &str, more: impl FnOnce(&mut Text)) -> io::Result<()> {
        head(&mut self.out.text, kind, event, event.at_ns);
        more(&mut self.out.text);
        self.out.text.byte(b'}');
        self.out.end()
    }
}

impl Sink for Objects {
    fn event(&mut self, event: &TraceEvent<'_>) -> io::Result<()> {
        match &event.what {
            What::Entered(entered) => self.entered(event, entered),
            What::Returned(returned) => self.returned(event, returned),
            What::CallBegan(call) => self.call_began(event, call),
            What::CallEnded(call) => self.call_ended(event, call),
            What::Signal { .. } if !self.style.signals => Ok(()),
            What::Signal { signal, sender, code } => self.note(event, "signal", |text| {
                text.raw(br#","signal":""#);
                signal::name(text, *signal);
                text.byte(b'"');
                if *sender != 0 {
                    field(text, "sender");
                    text.unsigned(u64::from(*sender));
                }
                field(text, "code");
                text.signed(i64::from(*code));
            }),
            What::Executed { program, untapped } => {
                self.over(event.pid)?;
                self.note(event, "exec", |text| {
                    string(text, "program", program);
                    if let Some(why) = untapped {
                        string(text, "untapped", why);
                    }
                })
            }
            What::Created { child, thread } => {
                self.note(event, if *thread { "thread" } else { "fork" }, |text| {
                    field(text, "child");
                    text.unsigned(u64::from(*child));
                })
            }
            What::ThreadEnded => match self.threads.remove(event.tid) {
                Some(thread) => self.unfinished(thread.over()),
                None => Ok(()),
            },
            What::Exited(status) => {
                self.over(event.pid)?;
                self.note(event, "exit", |text| {
                    field(text, "status");
                    text.signed(i64::from(*status));
                })
            }
            What::Killed(signal) => {
                self.over(event.pid)?;
                self.note(event, "killed", |text| {
                    text.raw(br#","signal":""#);
                    signal::name(text, *signal);
                    text.byte(b'"');
                })
            }
            What::Lost(records) => self.note(event, "lost", |text| {
                field(text, "records");
                text.unsigned(*records);
            }),
        }
    }

    fn tick(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn finish(&mut self, end: &End) -> io::Result<()> {
        for thread in self.threads.remove_all() {
            self.unfinished(thread.over())?;
        }
        let text = &mut self.out.text;
        text.raw(br#"{"type":"end","at_ns":"#);
        text.unsigned(end.at_ns);
        field(text, "lost");
        text.unsigned(end.lost);
        field(text, "unfollowed");
        text.unsigned(end.unfollowed);
        text.byte(b'}');
        self.out.end()?;
        self.out.flush()
    }
}

fn head(text: &mut Text, kind: &str, event: &TraceEvent<'_>, at_ns: u64) {
    text.raw(br#"{"type":""#);
    text.str(kind);
    text.raw(br#"","pid":"#);
    text.unsigned(u64::from(event.pid));
    field(text, "tid");
    text.unsigned(u64::from(event.tid));
    field(text, "start_ns");
    text.unsigned(at_ns);
}

fn field(text: &mut Text, name: &str) {
    text.raw(b",\"");
    text.str(name);
    text.raw(b"\":");
}

fn string(text: &mut Text, name: &str, value: &str) {
    field(text, name);
    json_value::quoted(text, value.as_bytes());
}

/// A path; `null` for the program itself.
fn optional(text: &mut Text, name: &str, path: &str) {
    field(text, name);
    match path {
        "" => text.raw(b"null"),
        path => json_value::quoted(text, path.as_bytes()),
    }
}

fn object(text: &mut Text, path: &str) {
    text.raw(br#""object":"#);
    match path {
        "" => text.raw(b"null"),
        path => json_value::quoted(text, path.as_bytes()),
    }
}

fn errno(text: &mut Text, error: i32) {
    text.raw(br#","errno":""#);
    system_call::error_name(text, error);
    text.byte(b'"');
}

fn guesses(text: &mut Text, registers: &[u64]) {
    for (number, register) in registers.iter().enumerate() {
        if number > 0 {
            text.byte(b',');
        }
        let mut hex = Text::default();
        integer::guess(&mut hex, *register as i64, *register);
        match hex.bytes() {
            address if address.starts_with(b"0x") => json_value::quoted(text, address),
            number => text.raw(number),
        }
    }
}

/// Writes the arguments that are known when the call begins, or those that are left.
fn arguments(call: &Call<'_>, text: &mut Text, progress: &mut Progress, returned: bool, scratch: &mut Text) {
    for parameter in call.prototype.parameters.get(progress.parameters..).unwrap_or(&[]) {
        if parameter.on_return && !returned {
            break;
        }
        let number = progress.parameters;
        progress.parameters += 1;
        if matches!(parameter.typed.lens, Lens::Hide) {
            continue;
        }
        if parameter.typed.kind == Kind::Variadic {
            super::variadic::each(call, |typed, bytes| {
                comma(text, &mut progress.delimited);
                match typed {
                    Some(typed) => json_value::write(call, text, typed, bytes, scratch),
                    None => text.raw(br#"{"unknown":true}"#),
                }
            });
            continue;
        }
        comma(text, &mut progress.delimited);
        match call.argument(number) {
            Some((typed, bytes)) => json_value::write(call, text, typed, &bytes, scratch),
            None => text.raw(br#"{"unknown":true}"#),
        }
    }
}

fn comma(text: &mut Text, delimited: &mut bool) {
    if std::mem::replace(delimited, true) {
        text.byte(b',');
    }
}
