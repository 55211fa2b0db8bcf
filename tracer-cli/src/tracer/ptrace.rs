//! ptrace as a typestate: requests that need a stopped tracee are methods of [`Stopped`], and those
//! that end the stop consume it.
//!
//! Where nix names signals by an enum (`waitpid`, `cont`, `detach`), libc is called directly: the
//! enum has no real-time signals, which programs use and which must pass through.

use nix::errno::Errno;
use nix::sys::ptrace;
use nix::unistd::Pid;

/// A tracee that waits for us in a ptrace stop.
///
/// It can be killed meanwhile: then requests fail with `ESRCH`, which those that end the stop take
/// for success, because the tracee's death is reported by [`wait`].
#[derive(Debug)]
#[must_use = "a stopped tracee waits for ever"]
pub(crate) struct Stopped {
    tid: Pid,
}

/// Why a tracee stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// This signal is about to be delivered.
    Signal(i32),
    /// Its process was stopped, by this signal.
    Group(i32),
    /// It is new, or was interrupted, or its process goes on after a group stop.
    Trap,
    /// It made another task: `PTRACE_EVENT_FORK`, `_VFORK` or `_CLONE`.
    Created(i32),
    /// It has begun a new program.
    Exec,
    /// It is about to exit, its memory and descriptors still whole.
    Exit,
    /// A seccomp filter asks what to do with the system call it is about to make.
    Filtered,
    /// It is about to make a system call, or has made one: [`Stopped::call`] tells.
    Call,
}

/// A system call at a stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallStop {
    /// About to be made.
    Entry {
        /// Its interface, as the audit subsystem numbers it (`AUDIT_ARCH_*`).
        architecture: u32,
        /// Its number.
        number: u64,
        /// Its arguments.
        arguments: [u64; 6],
        /// What a filter says to its tracer, if one has stopped it.
        filter: Option<u32>,
    },
    /// Made.
    Exit {
        /// As in the register: -4095 to -1 are error numbers.
        result: i64,
    },
}

/// What [`wait`] learned.
#[derive(Debug)]
pub(crate) enum Change {
    /// A tracee stopped.
    Stopped(Stopped, Stop),
    /// A tracee, or another child, ended with this wait status.
    Ended(Pid, i32),
    /// A signal came.
    Interrupted,
    /// No child and no tracee is left.
    NothingLeft,
}

/// What system-call stops are reported as with `PTRACE_O_TRACESYSGOOD`.
const CALL_SIGNAL: i32 = libc::SIGTRAP | 0x80;

/// Waits for any tracee or child.
///
/// # Errors
/// The kernel's; none is known to occur.
pub(crate) fn wait() -> nix::Result<Change> {
    let mut status = 0;
    // SAFETY: the pointer is to a live int.
    let tid = unsafe { libc::waitpid(-1, &raw mut status, libc::__WALL) };
    match Errno::result(tid) {
        Ok(tid) if libc::WIFSTOPPED(status) => {
            Ok(Change::Stopped(Stopped { tid: Pid::from_raw(tid) }, decode(status)))
        }
        Ok(tid) => Ok(Change::Ended(Pid::from_raw(tid), status)),
        Err(Errno::EINTR) => Ok(Change::Interrupted),
        Err(Errno::ECHILD) => Ok(Change::NothingLeft),
        Err(errno) => Err(errno),
    }
}

fn decode(status: i32) -> Stop {
    let signal = libc::WSTOPSIG(status);
    match status >> 16 {
        0 if signal == CALL_SIGNAL => Stop::Call,
        0 => Stop::Signal(signal),
        libc::PTRACE_EVENT_STOP if signal != libc::SIGTRAP => Stop::Group(signal),
        event @ (libc::PTRACE_EVENT_FORK | libc::PTRACE_EVENT_VFORK | libc::PTRACE_EVENT_CLONE) => {
            Stop::Created(event)
        }
        libc::PTRACE_EVENT_EXEC => Stop::Exec,
        libc::PTRACE_EVENT_EXIT => Stop::Exit,
        libc::PTRACE_EVENT_SECCOMP => Stop::Filtered,
        _ => Stop::Trap,
    }
}

impl Stopped {
    /// A tracee of which somebody has waited for this wait status.
    #[cfg(test)]
    pub(crate) fn with_status(tid: Pid, status: i32) -> (Self, Stop) {
        (Self { tid }, decode(status))
    }

    /// Its thread id.
    pub(crate) fn tid(&self) -> Pid {
        self.tid
    }

    /// What the event says: a child, a former thread id, a wait status to come.
    pub(crate) fn message(&self) -> nix::Result<u64> {
        ptrace::getevent(self.tid).map(|message| message as u64)
    }

    /// Details of the signal that is about to be delivered.
    pub(crate) fn signal_details(&self) -> nix::Result<libc::siginfo_t> {
        ptrace::getsiginfo(self.tid)
    }

    /// Its registers.
    pub(crate) fn registers(&self) -> nix::Result<libc::user_regs_struct> {
        ptrace::getregs(self.tid)
    }

    /// Changes its registers.
    pub(crate) fn set_registers(&self, registers: libc::user_regs_struct) -> nix::Result<()> {
        ptrace::setregs(self.tid, registers)
    }

    /// The system call that it stopped at. `None` if it stopped at none, or the kernel (before 5.3)
    /// does not say.
    pub(crate) fn call(&self) -> nix::Result<Option<CallStop>> {
        let mut info = std::mem::MaybeUninit::<libc::ptrace_syscall_info>::zeroed();
        let size = size_of::<libc::ptrace_syscall_info>();
        // SAFETY: the kernel writes at most `size` bytes to the structure, which is of that size.
        let written = unsafe {
            libc::ptrace(libc::PTRACE_GET_SYSCALL_INFO, self.tid.as_raw(), size, info.as_mut_ptr())
        };
        Errno::result(written)?;
        // SAFETY: all bits zero are a valid value, and the kernel's are.
        let info = unsafe { info.assume_init() };
        // SAFETY: `op` says which member of the union was filled.
        Ok(unsafe {
            match info.op {
                libc::PTRACE_SYSCALL_INFO_ENTRY => Some(CallStop::Entry {
                    architecture: info.arch,
                    number: info.u.entry.nr,
                    arguments: info.u.entry.args,
                    filter: None,
                }),
                libc::PTRACE_SYSCALL_INFO_SECCOMP => Some(CallStop::Entry {
                    architecture: info.arch,
                    number: info.u.seccomp.nr,
                    arguments: info.u.seccomp.args,
                    filter: Some(info.u.seccomp.ret_data),
                }),
                libc::PTRACE_SYSCALL_INFO_EXIT => Some(CallStop::Exit { result: info.u.exit.sval }),
                _ => None,
            }
        })
    }

    /// Lets it go on, with a signal (0: none).
    pub(crate) fn resume(self, signal: i32) -> nix::Result<()> {
        self.request(libc::PTRACE_CONT, signal)
    }

    /// Lets it go on to the beginning or the end of a system call, with a signal (0: none).
    pub(crate) fn resume_to_call(self, signal: i32) -> nix::Result<()> {
        self.request(libc::PTRACE_SYSCALL, signal)
    }

    /// Leaves it stopped as its process is, until that goes on.
    pub(crate) fn listen(self) -> nix::Result<()> {
        self.request(libc::PTRACE_LISTEN, 0)
    }

    /// Stops tracing it, and lets it go on with a signal (0: none).
    pub(crate) fn detach(self, signal: i32) -> nix::Result<()> {
        self.request(libc::PTRACE_DETACH, signal)
    }

    /// Whether it was killed in this stop and is in its exit stop by now, which [`wait`] will report.
    /// A request that ends a stop would end that one, unseen.
    fn has_moved_on(&self) -> bool {
        let mut news = std::mem::MaybeUninit::<libc::siginfo_t>::zeroed();
        let options = libc::WSTOPPED | libc::WNOHANG | libc::WNOWAIT | libc::__WALL;
        // SAFETY: the kernel writes at most the structure, all of whose bit patterns are valid.
        unsafe {
            libc::waitid(libc::P_PID, self.tid.as_raw() as libc::id_t, news.as_mut_ptr(), options) == 0
                && news.assume_init().si_pid() != 0
        }
    }

    fn request(self, request: libc::c_uint, signal: i32) -> nix::Result<()> {
        if self.has_moved_on() {
            return Ok(());
        }
        let none = std::ptr::null_mut::<libc::c_void>();
        // SAFETY: these requests take integers only; a tracee that is gone makes them fail.
        let done = unsafe { libc::ptrace(request, self.tid.as_raw(), none, libc::c_long::from(signal)) };
        match Errno::result(done) {
            Ok(_) | Err(Errno::ESRCH) => Ok(()),
            Err(errno) => Err(errno),
        }
    }
}

/// Asks a running or listening tracee to stop with [`Stop::Trap`] soon.
pub(crate) fn interrupt(tid: Pid) {
    // Fails only if the tracee is gone.
    let _ = ptrace::interrupt(tid);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stops_are_told_apart_by_event_and_signal() {
        let status = |event: i32, signal: i32| event << 16 | signal << 8 | 0x7f;
        assert_eq!(decode(status(0, libc::SIGTRAP)), Stop::Signal(libc::SIGTRAP));
        assert_eq!(decode(status(0, 64)), Stop::Signal(64));
        assert_eq!(decode(status(0, libc::SIGTRAP | 0x80)), Stop::Call);
        assert_eq!(decode(status(libc::PTRACE_EVENT_SECCOMP, libc::SIGTRAP)), Stop::Filtered);
        assert_eq!(decode(status(libc::PTRACE_EVENT_STOP, libc::SIGTSTP)), Stop::Group(libc::SIGTSTP));
        assert_eq!(decode(status(libc::PTRACE_EVENT_STOP, libc::SIGTRAP)), Stop::Trap);
        assert_eq!(decode(status(libc::PTRACE_EVENT_EXIT, libc::SIGTRAP)), Stop::Exit);
        assert_eq!(
            decode(status(libc::PTRACE_EVENT_VFORK, libc::SIGTRAP)),
            Stop::Created(libc::PTRACE_EVENT_VFORK)
        );
    }
}
