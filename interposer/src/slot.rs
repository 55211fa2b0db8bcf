//! Three words of this thread's own: where its ring is, and what it remembers of stacks.
//!
//! Initial-exec thread-local storage, reserved in assembly: reading it is one instruction, never
//! allocates and never calls `__tls_get_addr`, as `thread_local!` in a shared library would.

use core::arch::{asm, global_asm};

use calltap_channel::ring::Control;

use crate::unwind::Memory;

global_asm!(
    ".section .tbss,\"awT\",@nobits",
    ".balign 8",
    ".hidden calltap_slot",
    ".type calltap_slot,@object",
    ".size calltap_slot,24",
    "calltap_slot:",
    ".zero 24",
    ".text",
);

/// The control block of this thread's ring; null before its first tapped call.
#[inline(always)]
pub(crate) fn ring() -> *const Control {
    let ring: *const Control;
    // SAFETY: reads this thread's own word; the offset is fixed when the library is loaded.
    unsafe {
        asm!(
            "mov {0}, qword ptr [rip + calltap_slot@GOTTPOFF]",
            "mov {0}, qword ptr fs:[{0}]",
            out(reg) ring,
            options(nostack, readonly, preserves_flags),
        );
    }
    ring
}

/// Sets what [`ring`] gives.
pub(crate) fn set_ring(ring: *const Control) {
    // SAFETY: writes this thread's own word.
    unsafe {
        asm!(
            "mov {0}, qword ptr [rip + calltap_slot@GOTTPOFF]",
            "mov qword ptr fs:[{0}], {1}",
            out(reg) _,
            in(reg) ring,
            options(nostack, preserves_flags),
        );
    }
}

/// The ring set aside while this thread may be two (`vfork`); null otherwise.
pub(crate) fn parked() -> *const Control {
    let ring: *const Control;
    // SAFETY: as in `ring`, the word behind it.
    unsafe {
        asm!(
            "mov {0}, qword ptr [rip + calltap_slot@GOTTPOFF]",
            "mov {0}, qword ptr fs:[{0} + 8]",
            out(reg) ring,
            options(nostack, readonly, preserves_flags),
        );
    }
    ring
}

/// Sets what [`parked`] gives.
pub(crate) fn set_parked(ring: *const Control) {
    // SAFETY: as in `set_ring`, the word behind it.
    unsafe {
        asm!(
            "mov {0}, qword ptr [rip + calltap_slot@GOTTPOFF]",
            "mov qword ptr fs:[{0} + 8], {1}",
            out(reg) _,
            in(reg) ring,
            options(nostack, preserves_flags),
        );
    }
}

/// What this thread remembers of its stacks; null if none are taken.
#[inline(always)]
pub(crate) fn memory() -> *mut Memory {
    let memory: *mut Memory;
    // SAFETY: as in `ring`, the third word.
    unsafe {
        asm!(
            "mov {0}, qword ptr [rip + calltap_slot@GOTTPOFF]",
            "mov {0}, qword ptr fs:[{0} + 16]",
            out(reg) memory,
            options(nostack, readonly, preserves_flags),
        );
    }
    memory
}

/// Sets what [`memory`] gives.
pub(crate) fn set_memory(memory: *mut Memory) {
    // SAFETY: as in `set_ring`, the third word.
    unsafe {
        asm!(
            "mov {0}, qword ptr [rip + calltap_slot@GOTTPOFF]",
            "mov qword ptr fs:[{0} + 16], {1}",
            out(reg) _,
            in(reg) memory,
            options(nostack, preserves_flags),
        );
    }
}
