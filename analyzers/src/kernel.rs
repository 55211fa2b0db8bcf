//! The kernel's side: system calls beside the library calls that made them.
//!
//! A system call belongs to the innermost library call of its thread whose interval encloses it. The
//! tracer tells each one before the library call around it is told, because it resumes the thread only
//! after it has written its record.

mod calls;
mod correlator;
mod effect;
mod report;
mod stops;
mod tables;
#[cfg(test)]
mod tests;
mod texts;

pub use calls::CallTotals;
pub use correlator::Kernel;
pub(crate) use effect::effects;
pub use report::{
    Enclosing, ErrorRow, FunctionSplit, KernelReport, PathRow, Residue, SplitRow, SystemCallRow, Via,
};
pub use stops::{Made, Sums};

use crate::event::{Image, Thread};

/// A system call by interface and number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallId {
    /// 0: x86-64, 1: i386, 2: x32.
    pub interface: u8,
    /// The number in that interface.
    pub number: u32,
}

/// One system call that the tracer stopped.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SystemCall<'a> {
    /// In which process image.
    pub image: Image,
    /// By which thread.
    pub thread: Thread,
    /// Which.
    pub id: CallId,
    /// Its name; empty if it is unknown.
    pub name: &'static str,
    /// When its entry was seen, in nanoseconds since the session began.
    pub start_ns: u64,
    /// When its end was seen; equal to `start_ns` if [`Self::entry_only`].
    pub end_ns: u64,
    /// How much of the time from its entry to the thread's going on was ours, not the kernel's.
    pub stopped_ns: u64,
    /// What it returned: -4095 to -1 are error numbers.
    pub result: i64,
    /// Its six argument registers.
    pub arguments: [u64; 6],
    /// The path, name or socket address it was given, or what it gave; empty if none.
    pub text: &'a [u8],
    /// Address behind the instruction that made it.
    pub site: u64,
    /// Id of the call stack; 0 if none was taken.
    pub stack: u32,
    /// Whether a hook is on its stack: then a library call's record follows that encloses it.
    /// `None` if the stack did not tell.
    pub in_hook: Option<bool>,
    /// It does not return, or its end was not waited for.
    pub entry_only: bool,
}

impl SystemCall<'_> {
    /// The error number of a failed call, 0 of one that succeeded.
    #[must_use]
    pub const fn errno(&self) -> u16 {
        if self.result < 0 && self.result >= -4095 { -self.result as u16 } else { 0 }
    }

    /// The path, name or peer that it is about; empty if there is none.
    #[must_use]
    pub fn subject(&self) -> &[u8] {
        // The text of these is what they gave.
        let gives = ["pipe", "pipe2", "socketpair", "recvmsg", "recvmmsg", "recvmmsg_time64"];
        if gives.contains(&self.name) { &[] } else { self.text }
    }

    /// Whether it has closed a descriptor, and done nothing else.
    #[must_use]
    pub fn closes(&self) -> bool {
        self.name == "close" && self.errno() == 0
    }

    /// How long the kernel took, wake-ups of the tracer included.
    #[must_use]
    pub const fn duration_ns(&self) -> u64 {
        self.end_ns.saturating_sub(self.start_ns).saturating_sub(self.stopped_ns)
    }
}
