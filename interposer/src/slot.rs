//! A few words of this thread's own: where its ring is, what it remembers of stacks, and what tracing needs.
//!
//! Initial-exec thread-local storage, reserved in assembly: reading it is one instruction, never
//! allocates and never calls `__tls_get_addr`, as `thread_local!` in a shared library would.

use core::arch::{asm, global_asm};

use calltap_channel::ring::Control;

use crate::trace::frames::Pool;
use crate::unwind::Memory;

const RING: usize = 0;
const PARKED: usize = 8;
const MEMORY: usize = 16;
/// Where the word is that [`counts`] gives; the machine code of [`crate::trace`] reads it, too.
pub(crate) const COUNTS: usize = 24;
const POOL: usize = 32;

global_asm!(
    ".section .tbss,\"awT\",@nobits",
    ".balign 8",
    ".hidden calltap_slot",
    ".type calltap_slot,@object",
    ".size calltap_slot,40",
    "calltap_slot:",
    ".zero 40",
    ".text",
);

/// The word at an offset.
#[inline(always)]
fn get<const AT: usize>() -> u64 {
    let word;
    // SAFETY: reads this thread's own word; the offset is fixed when the library is loaded.
    unsafe {
        asm!(
            "mov {0}, qword ptr [rip + calltap_slot@GOTTPOFF]",
            "mov {0}, qword ptr fs:[{0} + {at}]",
            out(reg) word,
            at = const AT,
            options(nostack, readonly, preserves_flags),
        );
    }
    word
}

fn set<const AT: usize>(word: u64) {
    // SAFETY: writes this thread's own word.
    unsafe {
        asm!(
            "mov {0}, qword ptr [rip + calltap_slot@GOTTPOFF]",
            "mov qword ptr fs:[{0} + {at}], {1}",
            out(reg) _,
            in(reg) word,
            at = const AT,
            options(nostack, preserves_flags),
        );
    }
}

/// The control block of this thread's ring; null before its first tapped call.
#[inline(always)]
pub(crate) fn ring() -> *const Control {
    get::<RING>() as *const Control
}

/// Sets what [`ring`] gives.
pub(crate) fn set_ring(ring: *const Control) {
    set::<RING>(ring as u64);
}

/// The ring set aside while this thread may be two (`vfork`); null otherwise.
pub(crate) fn parked() -> *const Control {
    get::<PARKED>() as *const Control
}

/// Sets what [`parked`] gives.
pub(crate) fn set_parked(ring: *const Control) {
    set::<PARKED>(ring as u64);
}

/// What this thread remembers of its stacks; null if none are taken.
#[inline(always)]
pub(crate) fn memory() -> *mut Memory {
    get::<MEMORY>() as *mut Memory
}

/// Sets what [`memory`] gives.
pub(crate) fn set_memory(memory: *mut Memory) {
    set::<MEMORY>(memory as u64);
}

/// Address of this thread's counts of calls; 0 if it has none now.
#[inline(always)]
pub(crate) fn counts() -> u64 {
    get::<COUNTS>()
}

/// Sets what [`counts`] gives.
pub(crate) fn set_counts(address: u64) {
    set::<COUNTS>(address);
}

/// This thread's frames of traced calls; null before its first one.
#[inline(always)]
pub(crate) fn pool() -> *mut Pool {
    get::<POOL>() as *mut Pool
}

/// Sets what [`pool`] gives.
pub(crate) fn set_pool(pool: *mut Pool) {
    set::<POOL>(pool as u64);
}
