//! A call a line, as ltrace prints.

mod kernel;
mod library;
mod vfork;

use std::collections::HashMap;
use std::io;

use self::vfork::Vfork;
use super::arguments::Limits;
use super::callers::Callers;
use super::functions::Functions;
use super::head::Head;
use super::open::Threads;
use super::output::Output;
use super::style::Style;
use super::text::{Color, Text};
use super::{End, Sink, To, notes};
use crate::trace::event::{TraceEvent, What};

/// What is written where a line is left because another one comes.
const UNFINISHED: &str = " <unfinished ...>";
/// What is written where a call will never return.
const NO_RETURN: &str = " <no return ...>";

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
    /// By thread.
    vforks: HashMap<u32, Vfork>,
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
            vforks: HashMap::new(),
            late: style.filters(),
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

    /// Ends the line that is not complete; if it belongs to one of these threads, its call will never return.
    fn interrupt_gone(&mut self, gone: impl Fn(u32) -> bool) -> io::Result<()> {
        let never = self.unfinished.is_some_and(|(tid, _)| gone(tid));
        self.interrupt(if never { NO_RETURN } else { UNFINISHED })
    }

    /// Writes what stands between arguments and result.
    fn result_column(&mut self) {
        self.out.text.raw(b") ");
        let columns = self.out.columns();
        self.out.text.spaces((self.style.align.max(1) - 1).saturating_sub(columns));
        self.out.text.raw(b"= ");
    }

    /// Writes how long a call took, if that is asked for.
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
            dimmed(&mut self.out.text, NO_RETURN);
        } else {
            self.result_column();
            self.out.text.unknown();
        }
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

    /// The process, or the program it ran, is over.
    fn over(&mut self, event: &TraceEvent<'_>) -> io::Result<()> {
        let gone: Vec<u32> = self.threads.remove_process(event.pid).iter().map(|thread| thread.tid).collect();
        self.vforks.retain(|tid, _| !gone.contains(tid));
        self.interrupt_gone(|tid| gone.contains(&tid))?;
        self.note(event, |out| notes::write(out, &event.what))
    }
}

impl Sink for Lines {
    fn event(&mut self, event: &TraceEvent<'_>) -> io::Result<()> {
        if !self.vforks.is_empty() {
            self.vfork_parent(event)?;
        }
        match &event.what {
            What::Entered(entered) => self.entered(event, entered),
            What::Returned(returned) => self.returned(event, returned),
            What::CallBegan(call) => self.call_began(event, call),
            What::CallEnded(call) => self.call_ended(event, call),
            What::Signal { .. } if !self.style.signals => Ok(()),
            What::Signal { .. } | What::Lost(_) => {
                self.interrupt(UNFINISHED)?;
                self.note(event, |out| notes::write(out, &event.what))
            }
            What::Executed { program, untapped } => {
                self.over(event)?;
                self.callers.executed(event.pid, program);
                match untapped {
                    Some(why) => self.note(event, |out| notes::untapped(out, program, why)),
                    None => Ok(()),
                }
            }
            What::Created { child, thread } => {
                if *thread {
                    return Ok(());
                }
                self.callers.created(event.pid, *child);
                self.vfork_child(event, *child)
            }
            What::ThreadEnded => {
                self.threads.remove(event.tid);
                self.vforks.remove(&event.tid);
                match self.unfinished {
                    Some((tid, _)) if tid == event.tid => self.interrupt(NO_RETURN),
                    _ => Ok(()),
                }
            }
            What::Exited(_) | What::Killed(_) => self.over(event),
        }
    }

    fn tick(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn finish(&mut self, _: &End) -> io::Result<()> {
        self.interrupt(UNFINISHED)?;
        self.out.flush()
    }
}

fn dimmed(out: &mut Text, text: &str) {
    out.color(Color::Dim);
    out.str(text);
    out.plain();
}

/// Writes the beginning of a line that goes on where another one was left.
fn resumed(out: &mut Text, name: &str) {
    out.color(Color::Dim);
    out.raw(b"<... ");
    out.str(name);
    out.raw(b" resumed> ");
    out.plain();
}
