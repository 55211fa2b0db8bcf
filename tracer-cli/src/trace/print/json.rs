//! An object a line (JSON Lines), written when a call is over.
//!
//! `{"type":"call"}`: `pid`, `tid`, `start_ns` (since the session's zero), `depth` (open calls of the thread around it),
//! `function`, `demangled` (if it is another), `library` (`null`: the program itself), `caller` (`object`, `null` for the
//! program itself; `offset` of the return address in it), `arguments` and `result` (see [`value`]), `duration_ns`,
//! `errno` (the error's name, if the call has failed: see [`super::failure`]), and what holds of `guess` (there is no
//! prototype: `arguments` are registers), `left` (by an exception or a jump: there is no result), `entry_only` (its return
//! is not seen), `unfinished` (it was open at the end), `stack` (frames).
//! `{"type":"system_call"}`: the same without library and caller. The others: `signal`, `exec`, `exit`, `killed`, `lost`,
//! `end`.

mod fields;
mod kernel;
mod library;
mod value;

use std::io;

use self::fields::{field, head, string};
use super::arguments::Limits;
use super::functions::Functions;
use super::open::{Open, Threads};
use super::output::Output;
use super::style::Style;
use super::text::Text;
use super::{End, Sink, To, signal};
use crate::trace::event::{TraceEvent, What};

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

    /// Ends an object and writes it.
    fn line(&mut self, text: &Text) -> io::Result<()> {
        self.out.text.append(text);
        self.out.text.byte(b'}');
        self.out.end()
    }

    /// Calls that were open when a thread or a process ended.
    fn unfinished(&mut self, open: Vec<Open>) -> io::Result<()> {
        for mut open in open {
            if !self.style.filters() {
                open.text.raw(br#"],"unfinished":true"#);
                self.line(&open.text)?;
            }
            self.threads.recycle(open.text);
        }
        Ok(())
    }

    fn over(&mut self, pid: u32) -> io::Result<()> {
        for thread in self.threads.remove_process(pid) {
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
