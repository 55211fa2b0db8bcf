//! Futexes in shared memory.

use std::sync::atomic::{AtomicU32, AtomicU64};
use std::time::Duration;

/// Sleeps while `word` is `expected`, until it is woken, a signal comes, or `timeout` has passed.
pub(crate) fn wait(word: &AtomicU32, expected: u32, timeout: Duration) {
    let timeout = libc::timespec {
        tv_sec: timeout.as_secs() as libc::time_t,
        tv_nsec: libc::c_long::from(timeout.subsec_nanos()),
    };
    // SAFETY: the word is a live, aligned u32; the kernel reads the timeout during the call only.
    // Not FUTEX_PRIVATE: other processes share the word.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAIT, expected, &raw const timeout) };
}

/// Wakes everyone who sleeps on `word`. Async-signal-safe.
pub(crate) fn wake_all(word: &AtomicU32) {
    // SAFETY: the kernel uses the address only as the name of a queue.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAKE, i32::MAX) };
}

/// The low half of a word, which is where a ring's `waiting` has its futex.
pub(crate) fn low_half(word: &AtomicU64) -> &AtomicU32 {
    // SAFETY: x86-64 is little-endian, so the low half is at the same, sufficiently aligned address,
    // and lives as long as the word. Only the kernel looks at the half.
    unsafe { AtomicU32::from_ptr(word.as_ptr().cast()) }
}
