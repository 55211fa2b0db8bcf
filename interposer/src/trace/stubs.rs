//! The entries: what stands in slots instead of a function's address. All are assembled beforehand, so that no memory
//! is ever both written and executed.
//!
//! An entry leaves the address of its [`Function`] in `r11`, which a call may change on its way to a function (a
//! procedure linkage table does), and goes on in [`super::entry`].

use core::arch::global_asm;

use super::functions::{FUNCTIONS, Function, MOST};

/// Size of an entry.
pub(crate) const BYTES: usize = 16;

const _: () = assert!(size_of::<Function>() == 64);

global_asm!(
    ".pushsection calltap_entries,\"ax\",@progbits",
    ".balign 16",
    ".hidden calltap_entries_begin",
    ".globl calltap_entries_begin",
    ".type calltap_entries_begin,@function",
    "calltap_entries_begin:",
    ".cfi_startproc",
    ".set calltap_entry,0",
    ".rept {most}",
    // 4, 7 and 5 bytes: the first is where an indirect call may land.
    "endbr64",
    "lea r11, [rip + {functions} + 64 * calltap_entry]",
    // Not `jmp`, of which the assembler would make a short one where it can.
    ".byte 0xe9",
    ".long calltap_trampoline - . - 4",
    ".set calltap_entry,calltap_entry+1",
    ".endr",
    ".cfi_endproc",
    ".size calltap_entries_begin,.-calltap_entries_begin",
    ".popsection",
    most = const MOST,
    functions = sym FUNCTIONS,
);

unsafe extern "C" {
    static calltap_entries_begin: u8;
}

/// Address of the entry of function `index`, which is less than [`MOST`].
pub(crate) fn address_of(index: usize) -> u64 {
    (&raw const calltap_entries_begin) as u64 + (index * BYTES) as u64
}
