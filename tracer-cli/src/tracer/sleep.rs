//! Threads that sleep in a system call: which of them an interruption would disturb.
//!
//! An interruption wakes a sleeper. The kernel then goes on with some calls as if nothing had been:
//! with these it is harmless. Others fail with `EINTR`, or return less than was asked for (a `write` to a
//! pipe that is full), or wait once more for all of their time. A thread that sleeps in one of them is
//! left asleep; if it wakes, its context switches tell ([`Sleep::goes_on`]).

use std::fs;

use nix::errno::Errno;

use super::ptrace::Stopped;
use super::tracees::Id;

/// What the kernel takes for "make this call again unless a handler runs" (`ERESTARTNOHAND`), if a
/// thread goes on with it as its call's result. Never seen by the program.
const RESTART: i64 = -514;

/// A thread that sleeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sleep {
    group: Id,
    tid: Id,
    /// Its context switches so far.
    pub(crate) switches: u64,
}

impl Sleep {
    /// Of a thread that an interruption would disturb. `None` for those that it does not, or that run.
    pub(crate) fn worth_keeping(group: Id, tid: Id) -> Option<Self> {
        let call = fs::read_to_string(format!("/proc/{group}/task/{tid}/syscall")).ok()?;
        let (number, arguments) = parse_call(&call)?;
        if goes_on_unnoticed(number, &arguments) { None } else { Self::of(group, tid, "S") }
    }

    /// Of a thread that is in one of these states.
    pub(crate) fn of(group: Id, tid: Id, states: &str) -> Option<Self> {
        let (state, switches) = state(group, tid)?;
        states.contains(state).then_some(Self { group, tid, switches })
    }

    /// Whether it has not run since, and does not now.
    pub(crate) fn goes_on(&self) -> bool {
        Self::of(self.group, self.tid, "SD") == Some(*self)
    }
}

/// The state of a thread, as `/proc` has it, and its context switches. `None` if it is gone.
pub(crate) fn state(group: Id, tid: Id) -> Option<(char, u64)> {
    parse_status(&fs::read_to_string(format!("/proc/{group}/task/{tid}/status")).ok()?)
}

pub(crate) fn parse_status(status: &str) -> Option<(char, u64)> {
    let value = |name| status.lines().find_map(|line| line.strip_prefix(name).map(str::trim));
    let number = |name| value(name)?.parse::<u64>().ok();
    let state = value("State:")?.chars().next()?;
    Some((state, number("voluntary_ctxt_switches:")? + number("nonvoluntary_ctxt_switches:")?))
}

/// Number and arguments of the call that a thread sleeps in. `None` if it runs or is in none.
pub(crate) fn parse_call(line: &str) -> Option<(i64, [u64; 6])> {
    let mut words = line.split_ascii_whitespace();
    let number = words.next()?.parse().ok().filter(|number| *number >= 0)?;
    let mut arguments = [0; 6];
    for argument in &mut arguments {
        *argument = u64::from_str_radix(words.next()?.strip_prefix("0x")?, 16).ok()?;
    }
    Some((number, arguments))
}

/// Whether a call goes on after an interruption as if there had been none: by the kernel's doing, or,
/// where it knows no timeout, by ours ([`make_again`]).
fn goes_on_unnoticed(number: i64, arguments: &[u64; 6]) -> bool {
    match number {
        libc::SYS_futex
        | libc::SYS_nanosleep
        | libc::SYS_clock_nanosleep
        | libc::SYS_poll
        | libc::SYS_ppoll
        | libc::SYS_select
        | libc::SYS_pselect6
        | libc::SYS_restart_syscall
        | libc::SYS_wait4
        | libc::SYS_waitid
        | libc::SYS_pause
        | libc::SYS_rt_sigsuspend
        | libc::SYS_msgrcv
        | libc::SYS_flock
        | libc::SYS_semop => true,
        // The kernel looks at the low half only.
        libc::SYS_epoll_wait | libc::SYS_epoll_pwait => (arguments[3] as i32) < 0,
        libc::SYS_epoll_pwait2 | libc::SYS_semtimedop => arguments[3] == 0,
        libc::SYS_rt_sigtimedwait => arguments[2] == 0,
        _ => false,
    }
}

/// Has the call of a stopped thread made again if it is about to fail because it was interrupted, unless
/// a handler runs now: then the kernel has it fail, as it does where nobody traces.
///
/// Only calls that have done nothing when they fail so. If it waits for a time, that begins anew.
pub(crate) fn make_again(stopped: &Stopped) -> nix::Result<()> {
    let again = || {
        let mut registers = stopped.registers()?;
        let is_interrupted = registers.rax as i64 == -(Errno::EINTR as i64);
        if is_interrupted && does_nothing_if_interrupted(registers.orig_rax as i64) {
            registers.rax = RESTART as u64;
            stopped.set_registers(registers)?;
        }
        Ok(())
    };
    // Killed meanwhile; its end will be told.
    again().or_else(|errno| if errno == Errno::ESRCH { Ok(()) } else { Err(errno) })
}

fn does_nothing_if_interrupted(number: i64) -> bool {
    matches!(
        number,
        libc::SYS_epoll_wait
            | libc::SYS_epoll_pwait
            | libc::SYS_epoll_pwait2
            | libc::SYS_poll
            | libc::SYS_ppoll
            | libc::SYS_select
            | libc::SYS_pselect6
            | libc::SYS_semop
            | libc::SYS_semtimedop
            | libc::SYS_rt_sigtimedwait
            | libc::SYS_io_getevents
            | libc::SYS_io_uring_enter
            | libc::SYS_read
            | libc::SYS_readv
            | libc::SYS_recvfrom
            | libc::SYS_recvmsg
            | libc::SYS_recvmmsg
            | libc::SYS_accept
            | libc::SYS_accept4
            | libc::SYS_connect
            | libc::SYS_write
            | libc::SYS_writev
            | libc::SYS_sendto
            | libc::SYS_sendmsg
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_read_as_the_kernel_prints_them() {
        let line = "232 0x4 0x7ffe1 0x1 0xffffffff 0x0 0x8 0x7ffe0 0x7f001\n";
        assert_eq!(parse_call(line), Some((232, [4, 0x7ffe1, 1, 0xffff_ffff, 0, 8])));
        assert_eq!(parse_call("running\n"), None);
        assert_eq!(parse_call("-1 0x7ffe0 0x7f001\n"), None);
        assert_eq!(parse_call(""), None);
    }

    #[test]
    fn who_waits_for_a_limited_time_is_disturbed_where_the_kernel_forgets_it() {
        let wait = |number, timeout: i32| goes_on_unnoticed(number, &[0, 0, 0, timeout as u32 as u64, 0, 0]);
        assert!(wait(libc::SYS_epoll_wait, -1));
        assert!(!wait(libc::SYS_epoll_wait, 500));
        assert!(wait(libc::SYS_poll, 500));
        assert!(!wait(libc::SYS_semtimedop, 1));
        assert!(wait(libc::SYS_semtimedop, 0));
        assert!(!wait(libc::SYS_write, 0));
        assert!(!wait(libc::SYS_recvfrom, 0));
    }

    #[test]
    fn states_and_switches_come_from_one_look() {
        let status = "Name:\tx\nState:\tS (sleeping)\nvoluntary_ctxt_switches:\t150\n\
                      nonvoluntary_ctxt_switches:\t7\n";
        assert_eq!(parse_status(status), Some(('S', 157)));
        assert_eq!(parse_status("State:\tS (sleeping)\n"), None);
    }

    #[test]
    fn a_thread_that_has_run_meanwhile_does_not_sleep_on() {
        let (wake, woken) = std::sync::mpsc::channel::<()>();
        let (tell, told) = std::sync::mpsc::channel();
        let sleeper = std::thread::spawn(move || {
            tell.send(nix::unistd::gettid().as_raw()).unwrap();
            while woken.recv().is_ok() {}
        });
        let (group, tid) = (nix::unistd::getpid().as_raw(), told.recv().unwrap());
        let asleep = || loop {
            if let Some(sleep) = Sleep::of(group, tid, "S") {
                break sleep;
            }
            std::thread::yield_now();
        };
        let before = asleep();
        wake.send(()).unwrap();
        while before.goes_on() {
            std::thread::yield_now();
        }
        let after = asleep();
        assert!(after.switches > before.switches);
        drop(wake);
        sleeper.join().unwrap();
        assert_eq!(Sleep::of(group, tid, "S"), None);
    }
}
