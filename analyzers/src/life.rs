//! The life of the processes: who made whom, what each one ran, which signals it got and sent, how it
//! ended and who took note of that.
//!
//! Facts come in the order of time from one tracer. Processes are known by their ids, which come again: an
//! id means the process that had it last.

mod calls;
mod process;
mod report;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use crate::event::Thread;
use process::Process;
pub use process::{Delivery, Object, Sender, Target};
pub use report::{End, LifeReport, Lived, Maker, Pause, Program, Reaped, SignalGot, SignalSent};

/// So many processes are kept; others are counted.
const KEPT: usize = 10_000;

/// What is known of all processes of a session.
///
/// Its memory is bounded: so many processes, so many entries of each kind for each of them. What is
/// beyond that is counted.
#[derive(Debug, Default)]
pub struct Life {
    kept: Vec<Process>,
    /// The process that had an id last, if it is kept.
    current: HashMap<u32, usize>,
    left_out: u64,
    /// Waits of which it is not known which child they were for.
    unclear_waits: u64,
}

impl Life {
    /// Process `maker`, in `thread` (0: not known), has made process `child`.
    pub fn created(&mut self, maker: u32, thread: Thread, child: u32, how: Maker, at_ns: u64) {
        let maker = self.current.get(&maker).copied();
        self.add(child, at_ns, |process| {
            process.lived.maker = maker;
            process.lived.made_by = how;
            process.lived.made_by_thread = (thread.0 != 0).then_some(thread);
        });
    }

    /// Process `pid` has another thread.
    pub fn thread_created(&mut self, pid: u32, at_ns: u64) {
        if let Some(process) = self.known(pid, at_ns) {
            process.thread_created();
        }
    }

    /// The command line of its present program, where it was not known before.
    pub fn commanded(&mut self, pid: u32, command: &[String], at_ns: u64) {
        if let Some(program) = self.known(pid, at_ns).and_then(|process| process.lived.programs.last_mut())
            && program.command.is_empty()
        {
            program.command = command.to_vec();
        }
    }

    /// One of its threads has ended.
    pub fn thread_ended(&mut self, pid: u32) {
        if let Some(process) = self.current.get(&pid).map(|&index| &mut self.kept[index]) {
            process.thread_ended();
        }
    }

    /// Process `pid` goes on with a program, in one thread.
    pub fn executed(&mut self, pid: u32, path: String, command: Vec<String>, at_ns: u64) {
        if let Some(process) = self.known(pid, at_ns) {
            process.executed(Program { path, command, at_ns });
        }
    }

    /// Process `pid` got a signal.
    pub fn delivered(&mut self, pid: u32, delivery: &Delivery, at_ns: u64) {
        if let Some(process) = self.known(pid, at_ns) {
            process.delivered(delivery, at_ns);
        }
    }

    /// Process `pid` was stopped by a signal, all its threads.
    pub fn paused(&mut self, pid: u32, signal: i32, at_ns: u64) {
        if let Some(process) = self.known(pid, at_ns) {
            process.paused(signal, at_ns);
        }
    }

    /// It goes on. Says nothing of one that was not stopped.
    pub fn continued(&mut self, pid: u32, at_ns: u64) {
        if let Some(process) = self.known(pid, at_ns) {
            process.continued(at_ns);
        }
    }

    /// An object of process `pid` was seen, by its path.
    pub fn object_seen(&mut self, pid: u32, path: &str, at_ns: u64) {
        if let Some(process) = self.known(pid, at_ns) {
            process.object_seen(path, at_ns);
        }
    }

    /// What process `pid` has mapped, by the last look at it. An empty list does not replace another.
    pub fn mapped(&mut self, pid: u32, objects: Vec<Object>, at_ns: u64) {
        if let Some(process) = self.known(pid, at_ns) {
            process.mapped(objects);
        }
    }

    /// Process `pid` has ended with a wait status (wait(2)).
    pub fn exited(&mut self, pid: u32, wait_status: i32, at_ns: u64) {
        if let Some(process) = self.known(pid, at_ns) {
            process.continued(at_ns);
            process.lived.end = Some(End::from_wait_status(wait_status, at_ns));
        }
    }

    /// Process `by` was told of the end of process `pid`, which is gone now.
    pub fn reaped(&mut self, pid: u32, by: u32, at_ns: u64) {
        let Some(&index) = self.current.get(&pid) else { return };
        let process = &mut self.kept[index].lived;
        // A child that was only stopped can be waited for, too.
        if process.end.is_some_and(|end| end.at_ns <= at_ns) && process.reaped.is_none() {
            process.reaped = Some(Reaped { by, at_ns });
        }
    }

    /// All of it.
    #[must_use]
    pub fn report(&self) -> LifeReport {
        LifeReport {
            processes: self.kept.iter().map(|process| process.lived.clone()).collect(),
            left_out: self.left_out,
            unclear_waits: self.unclear_waits,
        }
    }

    /// The process with this id. One that nobody was seen to make began outside the session's sight.
    fn known(&mut self, pid: u32, at_ns: u64) -> Option<&mut Process> {
        if !self.current.contains_key(&pid) {
            // Of those that are left out everything is.
            if self.kept.len() >= KEPT {
                return None;
            }
            self.add(pid, at_ns, |_| {});
        }
        self.current.get(&pid).map(|&index| &mut self.kept[index])
    }

    fn add(&mut self, pid: u32, at_ns: u64, complete: impl FnOnce(&mut Process)) {
        if self.kept.len() >= KEPT {
            self.current.remove(&pid);
            self.left_out += 1;
            return;
        }
        let mut process = Process::new(pid, at_ns);
        complete(&mut process);
        self.current.insert(pid, self.kept.len());
        self.kept.push(process);
    }
}
