//! What every hook looks at first: one word that says which families are tapped.
//!
//! It stands alone on a page that the kernel clears in every forked child (`MADV_WIPEONFORK`),
//! whichever way the child was made. So zero means: this process has not been registered yet.

use core::sync::atomic::{AtomicU32, Ordering};

/// Bit of the word: this process is registered.
pub(crate) const REGISTERED: u32 = 1 << 31;
/// Bit of the word: stamps are `CLOCK_MONOTONIC`, not the TSC.
pub(crate) const MONOTONIC: u32 = 1 << 30;
/// Bit of the word: one stamp a call.
pub(crate) const UNTIMED: u32 = 1 << 29;

/// Bit of the word: stacks are taken.
pub(crate) const STACKS: u32 = 1 << 28;
/// Bit of the word: at every call, not only at those that acquire something.
pub(crate) const STACKS_AT_ALL: u32 = 1 << 27;

/// Bit of the word: calls of any functions are traced.
pub(crate) const TRACED: u32 = 1 << 26;

/// The word, alone on its page. The machine code of [`crate::trace`] reads it, too.
#[repr(C, align(4096))]
pub(crate) struct Page {
    taps: AtomicU32,
    rest: [u8; 4092],
}

pub(crate) static PAGE: Page = Page { taps: AtomicU32::new(0), rest: [0; 4092] };

/// The word: family bits and the bits above. Zero in a process that is not registered.
#[inline(always)]
pub(crate) fn taps() -> u32 {
    PAGE.taps.load(Ordering::Relaxed)
}

/// Sets the word.
pub(crate) fn set_taps(taps: u32) {
    PAGE.taps.store(taps, Ordering::Relaxed);
}

/// Has the kernel clear the page in every forked child. False if it cannot.
pub(crate) fn wipe_on_fork() -> bool {
    let page = (&raw const PAGE) as u64;
    crate::kernel::call(
        libc::SYS_madvise,
        [page, size_of::<Page>() as u64, libc::MADV_WIPEONFORK as u64, 0, 0],
    ) == 0
}
