//! What `calltap` inherited and must pass on to the target as it was, whatever happens between.
//!
//! Rust's run-time ignores SIGPIPE and opens `/dev/null` for closed standard descriptors before
//! `main`; `std::process::Command` clears the signal mask; and the CLI and the tracer have their own
//! ideas about SIGCHLD and the terminal's signals. So everything is remembered before the run-time
//! starts, and put back in each child that executes a program: [`restore`], [`pass_signals_on`].

use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

/// Bit n-1: signal n was ignored.
static IGNORED: AtomicU64 = AtomicU64::new(0);
/// Bit n-1: signal n was blocked.
static BLOCKED: AtomicU64 = AtomicU64::new(0);
/// Bit n: descriptor n was closed.
static CLOSED: AtomicU8 = AtomicU8::new(0);

/// The kernel's signals. libc hides two of them, which may be ignored or blocked all the same, so
/// the kernel is asked directly.
const SIGNALS: std::ops::RangeInclusive<i32> = 1..=64;

/// `struct sigaction` of the kernel for x86-64.
#[derive(Default)]
#[repr(C)]
struct KernelAction {
    handler: usize,
    flags: u64,
    restorer: usize,
    mask: u64,
}

#[used]
// SAFETY: .init_array holds addresses of functions that the C run-time calls once before `main`;
// this one uses nothing that Rust's run-time would have to set up first.
#[unsafe(link_section = ".init_array")]
static REMEMBER: extern "C" fn() = remember;

extern "C" fn remember() {
    let mut ignored = 0;
    for signal in SIGNALS {
        let mut action = KernelAction::default();
        if act(signal, None, Some(&mut action)) && action.handler == libc::SIG_IGN {
            ignored |= bit(signal);
        }
    }
    IGNORED.store(ignored, Ordering::Relaxed);
    BLOCKED.store(mask(None), Ordering::Relaxed);
    for descriptor in 0..3 {
        // SAFETY: F_GETFD looks at a number, open or not.
        if unsafe { libc::fcntl(descriptor, libc::F_GETFD) } < 0 {
            CLOSED.fetch_or(1 << descriptor, Ordering::Relaxed);
        }
    }
    // Ignored, it would take the statuses of our own children away.
    act(libc::SIGCHLD, Some(&KernelAction::default()), None);
    // A file that may not grow is an error that can be told.
    let ignored = KernelAction { handler: libc::SIG_IGN, ..KernelAction::default() };
    act(libc::SIGXFSZ, Some(&ignored), None);
}

/// Whether this process was started with a closed descriptor 0, 1 or 2.
#[must_use]
pub fn was_closed(descriptor: u32) -> bool {
    CLOSED.load(Ordering::Relaxed) & (1 << descriptor) != 0
}

/// Puts back what was remembered, in this process. Async-signal-safe, for a child before its exec.
///
/// The mask comes last: a signal that was held back until now may be delivered by it.
pub(crate) fn restore() {
    for descriptor in 0..3 {
        if CLOSED.load(Ordering::Relaxed) & (1 << descriptor) != 0 {
            // SAFETY: the process is about to exec; the run-time's /dev/null is used no more.
            unsafe { libc::close(descriptor) };
        }
    }
    restore_signals();
}

/// Puts signals back. Async-signal-safe, as [`restore`].
fn restore_signals() {
    // Those have no other disposition; to be refused would change the `errno` of a process that shares its memory.
    for signal in SIGNALS.filter(|signal| ![libc::SIGKILL, libc::SIGSTOP].contains(signal)) {
        let ignored = IGNORED.load(Ordering::Relaxed) & bit(signal) != 0;
        let handler = if ignored { libc::SIG_IGN } else { libc::SIG_DFL };
        act(signal, Some(&KernelAction { handler, ..KernelAction::default() }), None);
    }
    mask(Some(BLOCKED.load(Ordering::Relaxed)));
}

/// Holds all signals back in this thread.
pub(crate) fn block_all_signals() {
    mask(Some(u64::MAX));
}

/// Makes `command`, whose standard descriptors we have made, start with the signals that were remembered instead of
/// with what `Command` would give it.
pub(crate) fn pass_signals_on(command: &mut Command) -> &mut Command {
    // SAFETY: `restore_signals` is async-signal-safe; it runs after std's own resets and before the exec.
    unsafe {
        command.pre_exec(|| {
            restore_signals();
            Ok(())
        })
    }
}

fn bit(signal: i32) -> u64 {
    1 << (signal - 1)
}

/// Asks for a signal's disposition or changes it to one without a function. False if refused.
fn act(signal: i32, new: Option<&KernelAction>, old: Option<&mut KernelAction>) -> bool {
    debug_assert!(new.is_none_or(|new| matches!(new.handler, libc::SIG_DFL | libc::SIG_IGN)));
    let new = new.map_or(std::ptr::null(), std::ptr::from_ref);
    let old = old.map_or(std::ptr::null_mut(), std::ptr::from_mut);
    // SAFETY: both pointers are null or to live structures of the kernel's layout.
    let result = unsafe { libc::syscall(libc::SYS_rt_sigaction, signal, new, old, size_of::<u64>()) };
    result == 0
}

/// Sets this thread's signal mask, if a new one is given, and returns the one before.
fn mask(new: Option<u64>) -> u64 {
    let mut old = 0_u64;
    let new = new.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    // SAFETY: the pointers are null or to live sets of the size announced.
    unsafe {
        libc::syscall(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, new, &raw mut old, size_of::<u64>())
    };
    old
}
