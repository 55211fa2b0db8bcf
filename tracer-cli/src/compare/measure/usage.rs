//! What the kernel has counted of processes that have ended.

use std::io;
use std::time::Instant;

use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use crate::compare::run::Ending;

/// What `getrusage(2)` says, times in nanoseconds. Fields as [`crate::compare::run::Untapped`] has them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "see above")]
pub struct Usage {
    pub user_ns: u64,
    pub system_ns: u64,
    pub peak_rss_bytes: u64,
    pub minor_faults: u64,
    pub major_faults: u64,
    pub voluntary_switches: u64,
    pub involuntary_switches: u64,
}

impl Usage {
    /// Adds what another process used.
    fn add(&mut self, used: &libc::rusage) {
        let nanoseconds = |time: libc::timeval| (time.tv_sec * 1_000_000_000 + time.tv_usec * 1000) as u64;
        self.user_ns += nanoseconds(used.ru_utime);
        self.system_ns += nanoseconds(used.ru_stime);
        // In KiB; of the one process that had most.
        self.peak_rss_bytes = self.peak_rss_bytes.max(used.ru_maxrss as u64 * 1024);
        self.minor_faults += used.ru_minflt as u64;
        self.major_faults += used.ru_majflt as u64;
        self.voluntary_switches += used.ru_nvcsw as u64;
        self.involuntary_switches += used.ru_nivcsw as u64;
    }
}

/// How the program ended.
#[derive(Debug)]
pub(super) struct Ended {
    /// When.
    pub(super) at: Instant,
    /// [`Ending::Exited`] or [`Ending::Killed`].
    pub(super) ending: Ending,
    /// What all processes that have ended until then used.
    pub(super) usage: Usage,
}

/// Waits for `root`, and on the way for orphans.
///
/// # Errors
/// The kernel's.
pub(super) fn wait_for(root: Pid) -> io::Result<Ended> {
    let mut usage = Usage::default();
    loop {
        let pid = next_ended(0)?.ok_or(io::ErrorKind::NotFound)?;
        let at = Instant::now();
        let (status, used) = reap(pid)?;
        usage.add(&used);
        if pid == root.as_raw() {
            // Its last orphans may have ended with it.
            while let Ok(Some(pid)) = next_ended(libc::WNOHANG) {
                usage.add(&reap(pid)?.1);
            }
            return Ok(Ended { at, ending: ending(status), usage });
        }
    }
}

/// The next child that has ended; it stays a zombie, so that its number remains its own.
fn next_ended(flags: i32) -> io::Result<Option<libc::pid_t>> {
    loop {
        // SAFETY: siginfo_t is plain integers; all zero is a valid value to be overwritten.
        let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
        // SAFETY: the pointer is to a live value.
        let result =
            unsafe { libc::waitid(libc::P_ALL, 0, &raw mut info, libc::WEXITED | libc::WNOWAIT | flags) };
        let error = io::Error::last_os_error();
        if result == 0 {
            // SAFETY: waitid has filled it as for SIGCHLD, or left zeros.
            let pid = unsafe { info.si_pid() };
            return Ok((pid != 0).then_some(pid));
        } else if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

/// Takes the status and the figures of a child that has ended.
fn reap(pid: libc::pid_t) -> io::Result<(i32, libc::rusage)> {
    let mut status = 0;
    // SAFETY: rusage is plain integers; all zero is a valid value to be overwritten.
    let mut used: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers are to live values.
    let reaped = unsafe { libc::wait4(pid, &raw mut status, 0, &raw mut used) };
    if reaped == pid { Ok((status, used)) } else { Err(io::Error::last_os_error()) }
}

fn ending(status: i32) -> Ending {
    if libc::WIFSIGNALED(status) {
        Ending::Killed(libc::WTERMSIG(status))
    } else {
        Ending::Exited(libc::WEXITSTATUS(status))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_of_all_and_the_peak_is_of_one() {
        // SAFETY: rusage is plain integers.
        let mut used: libc::rusage = unsafe { std::mem::zeroed() };
        used.ru_utime = libc::timeval { tv_sec: 1, tv_usec: 5 };
        (used.ru_maxrss, used.ru_minflt, used.ru_nivcsw) = (10, 7, 3);
        let mut usage = Usage::default();
        usage.add(&used);
        used.ru_maxrss = 4;
        usage.add(&used);
        let expected = Usage {
            user_ns: 2_000_010_000,
            peak_rss_bytes: 10 * 1024,
            minor_faults: 14,
            involuntary_switches: 6,
            ..Usage::default()
        };
        assert_eq!(usage, expected);
    }

    #[test]
    fn a_status_says_how_it_ended() {
        assert_eq!(ending(3 << 8), Ending::Exited(3));
        assert_eq!(ending(libc::SIGSEGV | 0x80), Ending::Killed(libc::SIGSEGV));
        assert_eq!(ending(libc::SIGRTMIN() + 3), Ending::Killed(libc::SIGRTMIN() + 3));
    }
}
