//! The trampoline: what every entry goes on in.
//!
//! ```text
//! entry ─ counted? ─────────────────────────────> jmp function
//!       └ enter ─ not followed ─────────────────> jmp function
//!               └ frame: return address off the stack, rbx = frame
//!                 call function      the stack is as the program left it
//!                 leave
//!                 return address back on the stack, rbx back ─> ret
//! ```
//! Each call has its return, so the processor's prediction of returns, and its shadow stack, agree. The unwind
//! information says where the return address and `rbx` are at each instruction: exceptions, cancellation, `backtrace` and
//! debuggers pass. The call's frame has no size of its own, which unwinders take for its caller's: so there is a
//! landing pad, from which they go on ([`super::personality`]).
//!
//! Up to [`enter`] and from [`leave`] on, no vector register is written, and none is read that no function's row asks
//! for. What may use them is called with them saved ([`super::save`]).

use core::arch::global_asm;

use super::call::{enter, enter_copying, leave, leave_copying};
use super::functions::{
    ASKS_CALLER, BACKTRACES, COUNT, GIVES_ADDRESS, LAZY, LEAVES, RETURNS_VECTORS, RETURNS_X87, SILENT,
    TAKES_ADDRESS, UNWINDS, VECTORS, VFORKS, WATCHED,
};
use super::personality::personality;
use super::rare::{enter_slowly, leave_slowly, left};
use crate::state;

/// What [`enter`] and [`leave`] answer if other libraries are needed for it: [`enter_slowly`], [`leave_slowly`] do it.
pub(crate) const SLOWLY: u64 = 1;
/// What they answer if memory is to be copied: [`enter_copying`], [`leave_copying`] do it, or answer [`SLOWLY`].
pub(crate) const COPYING: u64 = 2;

/// Flags of functions for which more is to be done than to count.
const SPECIAL: u64 = ASKS_CALLER
    | BACKTRACES
    | GIVES_ADDRESS
    | LAZY
    | LEAVES
    | SILENT
    | TAKES_ADDRESS
    | UNWINDS
    | VFORKS
    | WATCHED;

unsafe extern "C" {
    static calltap_returned: u8;
    static calltap_left: u8;
    static calltap_only_return: u8;
}

/// The address that stands on the stack instead of a return address while a call is followed.
#[inline(always)]
pub(crate) fn returned() -> u64 {
    (&raw const calltap_returned) as u64
}

/// Code that does nothing but return.
pub(crate) fn only_return() -> u64 {
    (&raw const calltap_only_return) as u64
}

/// Where an exception goes on that leaves a call.
pub(crate) fn landing_pad() -> u64 {
    (&raw const calltap_left) as u64
}

global_asm!(
    ".pushsection calltap_fast,\"ax\",@progbits",
    ".balign 64",
    ".hidden calltap_trampoline",
    ".globl calltap_trampoline",
    ".type calltap_trampoline,@function",
    "calltap_trampoline:",
    ".cfi_startproc",
    ".cfi_personality 0x1b,{personality}",
    "test dword ptr [rip + {page}], {traced}",
    "jz .Lcalltap_not_traced",
    "test dword ptr [r11 + 8], {count}",
    "jz .Lcalltap_enter",
    "test dword ptr [r11 + 8], {special}",
    "jnz .Lcalltap_enter",
    // Below the stack pointer there are 128 bytes that no signal handler touches.
    "mov qword ptr [rsp - 8], r10",
    "mov r10, qword ptr [rip + calltap_slot@GOTTPOFF]",
    "mov r10, qword ptr fs:[r10 + {counts}]",
    "test r10, r10",
    "jz .Lcalltap_no_counts",
    "mov qword ptr [rsp - 16], rax",
    "mov eax, dword ptr [r11 + 16]",
    "inc qword ptr [r10 + rax * 8]",
    "mov rax, qword ptr [rsp - 16]",
    "mov r10, qword ptr [rsp - 8]",
    "jmp qword ptr [r11]",
    ".Lcalltap_no_counts:",
    "mov r10, qword ptr [rsp - 8]",
    "jmp .Lcalltap_enter",
    // No more, or in a forked child not yet.
    ".Lcalltap_not_traced:",
    "cmp dword ptr [rip + {page}], 0",
    "je .Lcalltap_enter",
    "test dword ptr [r11 + 8], {always}",
    "jnz .Lcalltap_enter",
    "jmp qword ptr [r11]",
    ".Lcalltap_enter:",
    "sub rsp, 152",
    ".cfi_adjust_cfa_offset 152",
    "mov qword ptr [rsp], rdi",
    "mov qword ptr [rsp + 8], rsi",
    "mov qword ptr [rsp + 16], rdx",
    "mov qword ptr [rsp + 24], rcx",
    "mov qword ptr [rsp + 32], r8",
    "mov qword ptr [rsp + 40], r9",
    "mov qword ptr [rsp + 48], rax",
    "mov qword ptr [rsp + 56], r10",
    "mov qword ptr [rsp + 128], r11",
    "mov qword ptr [rsp + 136], rbx",
    "mov qword ptr [rsp + 144], rbp",
    "test dword ptr [r11 + 8], {vectors}",
    "jz 2f",
    "movq qword ptr [rsp + 64], xmm0",
    "movq qword ptr [rsp + 72], xmm1",
    "movq qword ptr [rsp + 80], xmm2",
    "movq qword ptr [rsp + 88], xmm3",
    "movq qword ptr [rsp + 96], xmm4",
    "movq qword ptr [rsp + 104], xmm5",
    "movq qword ptr [rsp + 112], xmm6",
    "movq qword ptr [rsp + 120], xmm7",
    "2: mov rdi, rsp",
    "call {enter}",
    ".Lcalltap_entered:",
    "cmp rax, {copying}",
    "jbe .Lcalltap_not_followed",
    "mov r11, rax",
    "mov rdi, qword ptr [rsp]",
    "mov rsi, qword ptr [rsp + 8]",
    "mov rdx, qword ptr [rsp + 16]",
    "mov rcx, qword ptr [rsp + 24]",
    "mov r8, qword ptr [rsp + 32]",
    "mov r9, qword ptr [rsp + 40]",
    "mov rax, qword ptr [rsp + 48]",
    "mov r10, qword ptr [rsp + 56]",
    ".cfi_remember_state",
    "add rsp, 152",
    ".cfi_adjust_cfa_offset -152",
    "pop qword ptr [r11]",
    ".cfi_def_cfa_offset 0",
    // The return address is where r11 points.
    ".cfi_escape 0x10,0x10,0x02,0x7b,0x00",
    "mov qword ptr [r11 + 8], rbx",
    "mov rbx, r11",
    // It is where rbx points, and the caller's rbx behind it.
    ".cfi_escape 0x10,0x10,0x02,0x73,0x00",
    ".cfi_escape 0x10,0x03,0x02,0x73,0x08",
    "mov qword ptr [rbx + 24], 1",
    "call qword ptr [rbx + 32]",
    ".hidden calltap_returned",
    ".globl calltap_returned",
    "calltap_returned:",
    ".cfi_remember_state",
    "sub rsp, 80",
    ".cfi_adjust_cfa_offset 80",
    "mov qword ptr [rbx + 24], 0",
    "mov qword ptr [rsp], rax",
    "mov qword ptr [rsp + 8], rdx",
    "cmp dword ptr [rbx + 48], 0",
    "jne .Lcalltap_other_results",
    ".Lcalltap_leave:",
    "mov rdi, rbx",
    "mov rsi, rsp",
    "call {leave}",
    "test rax, rax",
    "jnz .Lcalltap_not_left",
    ".Lcalltap_have_left:",
    "mov rax, qword ptr [rsp]",
    "mov rdx, qword ptr [rsp + 8]",
    ".cfi_remember_state",
    "add rsp, 80",
    ".cfi_adjust_cfa_offset -80",
    "push qword ptr [rbx]",
    ".cfi_def_cfa_offset 8",
    ".cfi_offset rip,-8",
    "mov r11, rbx",
    "mov rbx, qword ptr [rbx + 8]",
    ".cfi_same_value rbx",
    // The frame is given back, and is the next one to be claimed.
    "mov rcx, qword ptr [r11 + 40]",
    "mov qword ptr [r11 + 16], 0",
    "mov qword ptr [rcx], r11",
    "ret",
    ".cfi_restore_state",
    ".Lcalltap_not_left:",
    "mov rdi, rbx",
    "mov rsi, rsp",
    "cmp rax, {slowly}",
    "je .Lcalltap_leave_slowly",
    "lea rdx, [rip + {leave_copying}]",
    "call calltap_keeping",
    "test rax, rax",
    "jz .Lcalltap_have_left",
    "mov rdi, rbx",
    "mov rsi, rsp",
    ".Lcalltap_leave_slowly:",
    "lea rdx, [rip + {leave_slowly}]",
    "call calltap_saving",
    "jmp .Lcalltap_have_left",
    ".Lcalltap_other_results:",
    "test dword ptr [rbx + 48], {returns_vectors}",
    "jz 2f",
    "movq qword ptr [rsp + 16], xmm0",
    "movq qword ptr [rsp + 24], xmm1",
    "2: test dword ptr [rbx + 48], {returns_x87}",
    "jz .Lcalltap_leave",
    "xor eax, eax",
    "mov qword ptr [rsp + 32], rax",
    "mov qword ptr [rsp + 40], rax",
    "mov qword ptr [rsp + 48], rax",
    "mov qword ptr [rsp + 56], rax",
    // A register is empty if fxam says 1 0 1: storing it would raise an exception.
    "fxam",
    "fnstsw ax",
    "and eax, 0x4500",
    "cmp eax, 0x4100",
    "je .Lcalltap_leave",
    "fstp tbyte ptr [rsp + 32]",
    "fxam",
    "fnstsw ax",
    "and eax, 0x4500",
    "cmp eax, 0x4100",
    "je 3f",
    "fstp tbyte ptr [rsp + 48]",
    "fld tbyte ptr [rsp + 48]",
    "3: fld tbyte ptr [rsp + 32]",
    "jmp .Lcalltap_leave",
    // An exception leaves the call; rbx is the frame, rax the exception. What the unwinder needs from here on is put
    // where a caller's registers usually are.
    ".cfi_restore_state",
    ".hidden calltap_left",
    ".globl calltap_left",
    "calltap_left:",
    "endbr64",
    "push qword ptr [rbx]",
    ".cfi_def_cfa_offset 8",
    ".cfi_offset rip,-8",
    "push qword ptr [rbx + 8]",
    ".cfi_def_cfa_offset 16",
    ".cfi_offset rbx,-16",
    "mov rdi, rbx",
    "mov rbx, rax",
    "call {left}",
    "mov rdi, rbx",
    "call rax",
    "ud2",
    ".cfi_restore_state",
    ".Lcalltap_not_followed:",
    "test rax, rax",
    "jz .Lcalltap_jump",
    "mov rdi, rsp",
    "cmp rax, {slowly}",
    "je .Lcalltap_enter_slowly",
    "lea rdx, [rip + {enter_copying}]",
    "call calltap_keeping",
    "jmp .Lcalltap_entered",
    ".Lcalltap_enter_slowly:",
    "lea rdx, [rip + {enter_slowly}]",
    "call calltap_saving",
    "jmp .Lcalltap_entered",
    ".Lcalltap_jump:",
    "mov rdi, qword ptr [rsp]",
    "mov rsi, qword ptr [rsp + 8]",
    "mov rdx, qword ptr [rsp + 16]",
    "mov rcx, qword ptr [rsp + 24]",
    "mov r8, qword ptr [rsp + 32]",
    "mov r9, qword ptr [rsp + 40]",
    "mov rax, qword ptr [rsp + 48]",
    "mov r10, qword ptr [rsp + 56]",
    "mov r11, qword ptr [rsp + 128]",
    "add rsp, 152",
    ".cfi_adjust_cfa_offset -152",
    "jmp r11",
    ".hidden calltap_only_return",
    ".globl calltap_only_return",
    "calltap_only_return:",
    "endbr64",
    "ret",
    ".cfi_endproc",
    ".size calltap_trampoline,.-calltap_trampoline",
    ".popsection",
    personality = sym personality,
    page = sym state::PAGE,
    traced = const state::TRACED,
    counts = const crate::slot::COUNTS,
    count = const COUNT,
    special = const SPECIAL,
    always = const LAZY | TAKES_ADDRESS | WATCHED,
    vectors = const VECTORS,
    returns_vectors = const RETURNS_VECTORS,
    returns_x87 = const RETURNS_X87,
    slowly = const SLOWLY,
    copying = const COPYING,
    enter = sym enter,
    enter_copying = sym enter_copying,
    enter_slowly = sym enter_slowly,
    leave = sym leave,
    leave_copying = sym leave_copying,
    leave_slowly = sym leave_slowly,
    left = sym left,
);
