//! Hooks of what a program confines itself by: nothing is recorded, but it must be known of.
//!
//! They jump to the real function, whose arguments, and how many there are, are none of our business.

use core::arch::naked_asm;
use core::ffi::c_void;

use crate::confined;
use crate::definer::{Definer, Hooks, Namespace, Next, Program, Reals};

/// Type of a function that is only ever jumped to.
type Anything = *const c_void;

macro_rules! notice_and_jump {
    ($enter:path) => {
        naked_asm!(
            ".cfi_startproc",
            "push rax",
            ".cfi_adjust_cfa_offset 8",
            // The last pushed is the first of the array.
            "push r9", "push r8", "push rcx", "push rdx", "push rsi", "push rdi",
            ".cfi_adjust_cfa_offset 48",
            "mov rdi, rsp",
            "call {enter}",
            "mov r11, rax",
            "pop rdi", "pop rsi", "pop rdx", "pop rcx", "pop r8", "pop r9", "pop rax",
            ".cfi_adjust_cfa_offset -56",
            "jmp r11",
            ".cfi_endproc",
            enter = sym $enter,
        )
    };
}

macro_rules! confining_hooks {
    ($($name:ident $notice:path)*) => {$(
        #[allow(unreachable_pub, reason = "exported to the loader")]
        pub(crate) mod $name {
            use super::*;

            pub(crate) static REAL: Reals<Anything> =
                Reals::new($crate::hooks::symbol(concat!(stringify!($name), "\0")));

            extern "C" fn enter<D: Definer>(arguments: &[u64; 6]) -> Anything {
                let before = crate::types::errno();
                $notice(*arguments);
                crate::types::set_errno(i32::from(before));
                REAL.of::<D>().get()
            }

            /// Saves what the real function will read, looks at it, restores, jumps.
            ///
            /// # Safety
            /// Called by the program as the C function of this name.
            #[unsafe(naked)]
            #[unsafe(no_mangle)]
            pub unsafe extern "C" fn $name() {
                notice_and_jump!(enter::<Next>)
            }

            #[unsafe(naked)]
            unsafe extern "C" fn of_program() {
                notice_and_jump!(enter::<Program>)
            }

            #[unsafe(naked)]
            unsafe extern "C" fn of_namespace() {
                notice_and_jump!(enter::<Namespace>)
            }

            /// All of them.
            pub(crate) fn hooks() -> Hooks {
                Hooks::new(&REAL, of_program as *const () as u64, of_namespace as *const () as u64)
            }
        }
    )*};
}
confining_hooks! {
    prctl confined::before_prctl
    syscall confined::before_syscall
}
