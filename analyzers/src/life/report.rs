//! What is told of processes in the end.

use crate::event::Thread;

use super::process::{Object, Sender, Target};

/// The life of all processes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LifeReport {
    /// In the order of their beginning.
    pub processes: Vec<Lived>,
    /// Processes that were too many to be kept.
    pub left_out: u64,
    /// Waits for a child of which it is not known which one they were for: `waitid` that takes any.
    pub unclear_waits: u64,
}

/// The life of a process. Times are nanoseconds since the session began.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lived {
    /// Its id.
    pub pid: u32,
    /// Place in [`LifeReport::processes`] of the one that made it; `None` if that was not seen.
    pub maker: Option<usize>,
    /// How.
    pub made_by: Maker,
    /// In which thread, if that is known.
    pub made_by_thread: Option<Thread>,
    /// When.
    pub born_ns: u64,
    /// What it executed, in that order.
    pub programs: Vec<Program>,
    /// Threads ever seen, the first one included.
    pub threads: u64,
    /// Most threads at a time.
    pub threads_peak: u64,
    /// Signals that it got; equal ones are one entry.
    pub got: Vec<SignalGot>,
    /// Signals that it sent, or tried to.
    pub sent: Vec<SignalSent>,
    /// When it was stopped.
    pub pauses: Vec<Pause>,
    /// Its end, if it was seen.
    pub end: Option<End>,
    /// Who was told of its end. `None` if nobody was seen to ask.
    pub reaped: Option<Reaped>,
    /// What it had mapped in the end; of files only.
    pub objects: Vec<Object>,
    /// Programs, signals, stops and objects that were too many to be kept.
    pub left_out: u64,
}

impl Lived {
    /// How long it was a zombie: from its end until somebody took note. `None` if nobody was seen to.
    #[must_use]
    pub fn zombie_ns(&self) -> Option<u64> {
        Some(self.reaped?.at_ns.saturating_sub(self.end?.at_ns))
    }
}

/// How a process came to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Maker {
    /// Its making was not seen: the target itself.
    #[default]
    Start,
    /// By `fork`, or a `clone` like it.
    Fork,
    /// By `vfork`, or a `clone` like it (`posix_spawn`).
    Vfork,
    /// By any other `clone`.
    Clone,
}

/// A program that was executed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Program {
    /// Its file.
    pub path: String,
    /// Its arguments, the name included.
    pub command: Vec<String>,
    /// When.
    pub at_ns: u64,
}

/// Signals of one kind from one sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignalGot {
    /// Its number.
    pub signal: i32,
    /// Why (`si_code` of sigaction(2)).
    pub code: i32,
    /// Who, if a process sent it.
    pub sender: Option<Sender>,
    /// How often.
    pub count: u64,
    /// When first.
    pub first_ns: u64,
    /// When last.
    pub last_ns: u64,
}

/// Signals of one kind to one target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignalSent {
    /// Its number; 0 asks only whether the target is there.
    pub signal: i32,
    /// To whom.
    pub target: Target,
    /// The error number that it failed with; 0 if it did not.
    pub errno: u16,
    /// How often.
    pub count: u64,
    /// When first.
    pub first_ns: u64,
    /// When last.
    pub last_ns: u64,
}

/// A time in which a process was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    /// By this signal.
    pub signal: i32,
    /// From here.
    pub from_ns: u64,
    /// To here; `None` if it was not seen to go on.
    pub until_ns: Option<u64>,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// When.
    pub at_ns: u64,
    /// Its exit status, if it exited.
    pub status: Option<i32>,
    /// The signal that killed it, if one did.
    pub signal: Option<i32>,
    /// Whether its memory was written to a file.
    pub core_dumped: bool,
}

impl End {
    /// From a wait status (wait(2)).
    #[must_use]
    pub const fn from_wait_status(status: i32, at_ns: u64) -> Self {
        let signal = status & 0x7f;
        if signal == 0 {
            Self { at_ns, status: Some(status >> 8 & 0xff), signal: None, core_dumped: false }
        } else {
            Self { at_ns, status: None, signal: Some(signal), core_dumped: status & 0x80 != 0 }
        }
    }
}

/// Who took note of a process's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reaped {
    /// By this process.
    pub by: u32,
    /// When its wait returned.
    pub at_ns: u64,
}
