//! The tag: how a hook tells the kernel that a system call is recorded already.
//!
//! The session's filter stops system calls for the tracer, except where the sixth argument register
//! holds the session's secret. Hooks of plain wrappers call the real function with the secret in that
//! register; a wrapper of five arguments or fewer does not touch it, so the kernel sees it. Where a
//! wrapper does, the call is stopped: slower, and seen twice, which the reader sorts out.

use core::arch::asm;
use core::sync::atomic::{AtomicU64, Ordering};

static TAG: AtomicU64 = AtomicU64::new(0);

/// Sets the tag of this session. Only the constructor calls this.
pub(crate) fn set(tag: u64) {
    TAG.store(tag, Ordering::Relaxed);
}

/// The tag; 0 if no system call is stopped.
#[inline(always)]
pub(crate) fn get() -> u64 {
    TAG.load(Ordering::Relaxed)
}

/// Calls `real` with the tag in the register that would be its sixth argument, and clears that
/// register when it returns. Gives the register of the returned value.
///
/// # Safety
/// `real` is a C function that takes up to five integer or pointer arguments, which these are.
#[inline(always)]
pub(crate) unsafe fn call(real: usize, arguments: [u64; 5], tag: u64) -> u64 {
    let returned;
    // SAFETY: the contract, and the C calling convention: an asm block without `nostack` has an aligned
    // stack, all registers that a C function may change are named, and `al` is 0 for variadic ones.
    unsafe {
        asm!(
            "call {real}",
            "xor r9d, r9d",
            real = in(reg) real,
            inlateout("rax") 0u64 => returned,
            in("rdi") arguments[0],
            in("rsi") arguments[1],
            in("rdx") arguments[2],
            in("rcx") arguments[3],
            in("r8") arguments[4],
            in("r9") tag,
            clobber_abi("C"),
        );
    }
    returned
}

/// The first five of `arguments`; what is missing is zero.
#[inline(always)]
pub(crate) fn filled<const N: usize>(arguments: [u64; N]) -> [u64; 5] {
    let mut five = [0; 5];
    let taken = N.min(5);
    five[..taken].copy_from_slice(&arguments[..taken]);
    five
}

/// `real` called with a tag if it is libc's own function and system calls are stopped at all.
///
/// `tagged!(Function::name, REAL.of::<D>(), real(a, b))`
macro_rules! tagged {
    ($function:expr, $place:expr, $real:ident($($argument:expr),*)) => {
        if const { $function.wraps().is_some() } {
            let arguments = $crate::tag::filled([$($crate::types::Word::word($argument)),*]);
            let tag = $crate::tag::get() & $place.in_libc();
            // SAFETY: the program's own arguments, for the function it meant to call; wrappers of
            // system calls take integers and pointers, five at most.
            let returned = unsafe { $crate::tag::call($real as usize, arguments, tag) };
            $crate::types::FromRegister::from_register(returned)
        } else {
            // SAFETY: as above.
            unsafe { $real($($argument),*) }
        }
    };
}
pub(crate) use tagged;
