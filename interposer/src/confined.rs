//! Whether the program has confined itself to some system calls (seccomp).
//!
//! From then on nothing is asked of the kernel that can be done without it: a sandbox kills for a call that it does not know.
//! What comes to confine itself says so by `prctl` or `syscall`, of which we see each call.

use core::sync::atomic::{AtomicU8, Ordering};

use crate::{image, kernel, slot, state, thread, thread_id};

/// Modes of `PR_SET_SECCOMP` and operations of seccomp(2) (linux/seccomp.h).
const STRICT_MODE: u64 = 1;
const SET_STRICT: u64 = 0;
const SET_FILTER: u64 = 1;

/// What is known: nothing; a program that was here before has; this one has.
const OPEN: u8 = 0;
const INHERITED: u8 = 1;
const CLOSED: u8 = 2;

static CONFINED: AtomicU8 = AtomicU8::new(OPEN);

/// Whether it has, or has inherited it: the tracer tells a new program.
#[inline(always)]
pub(crate) fn is_confined() -> bool {
    CONFINED.load(Ordering::Relaxed) != OPEN
}

/// Whether it has since it began: nothing is known of what may still be asked. What the constructor has asked for in a
/// sandbox that was there already can be asked for again.
#[inline(always)]
pub(crate) fn is_closed() -> bool {
    CONFINED.load(Ordering::Relaxed) == CLOSED
}

/// This program has begun in a sandbox. Called by the constructor, at its end.
pub(crate) fn inherit() {
    CONFINED.store(INHERITED, Ordering::Relaxed);
}

/// `prctl` is about to be called with these arguments.
pub(crate) fn before_prctl([option, mode, filter, ..]: [u64; 6]) {
    // Without a filter it is only asked whether there could be one.
    if option as i32 == libc::PR_SET_SECCOMP && (mode == STRICT_MODE || filter != 0) {
        confine();
    }
}

/// `syscall` is about to be called with these arguments.
pub(crate) fn before_syscall([number, first, second, third, ..]: [u64; 6]) {
    match number as i64 {
        libc::SYS_seccomp if first == SET_STRICT || (first == SET_FILTER && third != 0) => confine(),
        libc::SYS_prctl => before_prctl([first, second, third, 0, 0, 0]),
        _ => {}
    }
}

/// What this process and this thread need of the kernel is asked for while that is possible.
#[cold]
fn confine() {
    if state::taps() == 0 {
        image::register();
    }
    if state::taps() != 0 && slot::ring().is_null() {
        let _ = thread::find();
    }
    if !is_confined() {
        thread_id::check(kernel::thread_id());
    }
    CONFINED.store(CLOSED, Ordering::Relaxed);
}
