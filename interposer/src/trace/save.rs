//! What a function's caller may have left in vector registers, saved around code that may use them.
//!
//! A program's arguments and results are there, and no calling convention says how many. There are two ways. Code of this
//! library alone uses the low halves of the first sixteen (see [`crate::bytes`]): these are kept, which takes some
//! nanoseconds. Where other libraries are called, all that the system has enabled is saved, but for x87 (which code made by
//! a compiler here does not use) and the tiles of AMX (too large, and no arguments): more than a hundred nanoseconds.

use core::arch::global_asm;
use core::arch::x86_64::{__cpuid, __cpuid_count};
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// SSE, AVX, MPX bounds, the three of AVX-512, the additional registers of APX.
const COMPONENTS: u32 = 1 << 1 | 1 << 2 | 1 << 3 | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 19;
/// Bytes of the part that every processor has, and of the header behind it.
const LEGACY: u32 = 512;
const HEADER: u32 = 64;

/// `HOW`: `fxsave64`, on a processor that has nothing else.
const FXSAVE: u32 = 0;
/// `HOW`: `xsave`.
const XSAVE: u32 = 1;
/// `HOW`: `xsavec`: packed.
const XSAVEC: u32 = 2;

static HOW: AtomicU32 = AtomicU32::new(FXSAVE);
static MASK: AtomicU32 = AtomicU32::new(0);
/// Room that is taken on the stack.
static ROOM: AtomicU64 = AtomicU64::new(LEGACY as u64);

/// Finds out what there is to save. Called by the constructor.
pub(crate) fn examine() {
    const HAS_OSXSAVE: u32 = 1 << 27;
    const HAS_XSAVEC: u32 = 1 << 1;
    if __cpuid(1).ecx & HAS_OSXSAVE == 0 {
        return;
    }
    let mask = enabled() & COMPONENTS;
    let packed = __cpuid_count(0xd, 1).eax & HAS_XSAVEC != 0;
    let mut room = LEGACY + HEADER;
    for component in (2..32).filter(|component| mask & 1 << component != 0) {
        let place = __cpuid_count(0xd, component);
        // Packed, a component begins where the one before ends, or at the next multiple of 64.
        room = if packed { room.next_multiple_of(64) + place.eax } else { room.max(place.ebx + place.eax) };
    }
    MASK.store(mask, Ordering::Relaxed);
    ROOM.store(u64::from(room), Ordering::Relaxed);
    HOW.store(if packed { XSAVEC } else { XSAVE }, Ordering::Relaxed);
}

/// The components that the system has enabled.
fn enabled() -> u32 {
    let low;
    // SAFETY: allowed once the system has announced it, which the caller has asked for.
    unsafe {
        core::arch::asm!(
            "xgetbv",
            in("ecx") 0,
            out("eax") low,
            out("edx") _,
            options(nomem, nostack, preserves_flags),
        );
    }
    low
}

// calltap_keeping(first, second, function): as the next one, for a function that stays within this library.
global_asm!(
    ".pushsection calltap_fast,\"ax\",@progbits",
    ".balign 16",
    ".hidden calltap_keeping",
    ".globl calltap_keeping",
    ".type calltap_keeping,@function",
    "calltap_keeping:",
    ".cfi_startproc",
    "sub rsp, 264",
    ".cfi_adjust_cfa_offset 264",
    ".irp number, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15",
    "movups xmmword ptr [rsp + 16 * \\number], xmm\\number",
    ".endr",
    "call rdx",
    ".irp number, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15",
    "movups xmm\\number, xmmword ptr [rsp + 16 * \\number]",
    ".endr",
    "add rsp, 264",
    ".cfi_adjust_cfa_offset -264",
    "ret",
    ".cfi_endproc",
    ".size calltap_keeping,.-calltap_keeping",
    ".popsection",
);

// calltap_saving(first, second, function): calls `function(first, second)`, and gives what that gives.
global_asm!(
    ".pushsection calltap_fast,\"ax\",@progbits",
    ".balign 16",
    ".hidden calltap_saving",
    ".globl calltap_saving",
    ".type calltap_saving,@function",
    "calltap_saving:",
    ".cfi_startproc",
    "push rbp",
    ".cfi_adjust_cfa_offset 8",
    ".cfi_offset rbp,-16",
    "mov rbp, rsp",
    ".cfi_def_cfa_register rbp",
    "mov rcx, rdx",
    "sub rsp, qword ptr [rip + {room}]",
    "and rsp, -64",
    "mov eax, dword ptr [rip + {mask}]",
    "xor edx, edx",
    "cmp dword ptr [rip + {how}], {xsave}",
    "jb 3f",
    // Of the header, the processor writes two words at most, and wants the others to be zero.
    "mov qword ptr [rsp + 512], rdx",
    "mov qword ptr [rsp + 520], rdx",
    "mov qword ptr [rsp + 528], rdx",
    "mov qword ptr [rsp + 536], rdx",
    "mov qword ptr [rsp + 544], rdx",
    "mov qword ptr [rsp + 552], rdx",
    "mov qword ptr [rsp + 560], rdx",
    "mov qword ptr [rsp + 568], rdx",
    "je 2f",
    "xsavec64 [rsp]",
    "jmp 4f",
    "2: xsave64 [rsp]",
    "jmp 4f",
    "3: fxsave64 [rsp]",
    "4: call rcx",
    "mov rcx, rax",
    "mov eax, dword ptr [rip + {mask}]",
    "xor edx, edx",
    "cmp dword ptr [rip + {how}], {xsave}",
    "jb 5f",
    "xrstor64 [rsp]",
    "jmp 6f",
    "5: fxrstor64 [rsp]",
    "6: mov rax, rcx",
    "mov rsp, rbp",
    "pop rbp",
    ".cfi_def_cfa rsp,8",
    ".cfi_same_value rbp",
    "ret",
    ".cfi_endproc",
    ".size calltap_saving,.-calltap_saving",
    ".popsection",
    room = sym ROOM,
    mask = sym MASK,
    how = sym HOW,
    xsave = const XSAVE,
);
