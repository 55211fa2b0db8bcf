//! Children of tests that fault on purpose, and are followed to the fault that is theirs.

use nix::sys::ptrace::{Options, seize};
use nix::unistd::{ForkResult, Pid, fork};

use super::ptrace::{Stop, Stopped};

/// Waits for this child only: other tests have children, too.
fn next(pid: Pid, options: i32) -> i32 {
    let mut status = 0;
    // SAFETY: the pointer is to a live int.
    assert_eq!(unsafe { libc::waitpid(pid.as_raw(), &raw mut status, options) }, pid.as_raw());
    status
}

/// Forks `child`, which stops itself to be traced, calls only async-signal-safe functions and ends by a fault that is
/// delivered. How many of its signals `goes_on` took for itself; it is told how many those were before.
pub(super) fn faults_passed(child: fn() -> !, goes_on: impl Fn(&Stopped, i32, usize) -> bool) -> usize {
    // SAFETY: the child calls nothing but async-signal-safe functions.
    let ForkResult::Parent { child: pid } = (unsafe { fork() }).unwrap() else { child() };
    assert!(libc::WIFSTOPPED(next(pid, libc::WUNTRACED)));
    seize(pid, Options::PTRACE_O_EXITKILL).unwrap();
    nix::sys::signal::kill(pid, nix::sys::signal::SIGCONT).unwrap();
    let mut passed = 0;
    loop {
        let status = next(pid, libc::__WALL);
        if !libc::WIFSTOPPED(status) {
            assert!(libc::WIFSIGNALED(status) && libc::WTERMSIG(status) == libc::SIGSEGV, "{status:#x}");
            return passed;
        }
        let (stopped, stop) = Stopped::with_status(pid, status);
        match stop {
            Stop::Signal(signal) if goes_on(&stopped, signal, passed) => {
                passed += 1;
                stopped.resume(0).unwrap();
            }
            Stop::Signal(signal) => stopped.resume(signal).unwrap(),
            _ => stopped.resume(0).unwrap(),
        }
    }
}
