//! Hooks of functions that return twice or not at all.
//!
//! They cannot be calls inside a hook: `vfork`'s child would return through a frame that its parent
//! still needs. So the hook is entered, records, and *jumps* to the real function, which sees the
//! program's own return address, stack and registers.

use core::arch::naked_asm;
use core::ffi::{c_char, c_void};

use calltap_channel::Function;

use crate::call::Call;
use crate::definer::{Definer, Hooks, Namespace, Next, Program, Reals};
use crate::slot;
use crate::types::Path;

/// Where the return address is, and the caller's `rbp`.
#[derive(Clone, Copy)]
struct Caller {
    slot: u64,
    bp: u64,
}

/// Type of a function that is only ever jumped to.
type Anything = *const c_void;

macro_rules! record_and_jump {
    ($enter:path) => {
        naked_asm!(
            ".cfi_startproc",
            "push rdi", "push rsi", "push rdx", "push rcx", "push r8", "push r9", "push rax",
            ".cfi_adjust_cfa_offset 56",
            "lea rdx, [rsp + 56]",
            "mov rcx, rbp",
            "call {enter}",
            "mov r11, rax",
            "pop rax", "pop r9", "pop r8", "pop rcx", "pop rdx", "pop rsi", "pop rdi",
            ".cfi_adjust_cfa_offset -56",
            "jmp r11",
            ".cfi_endproc",
            enter = sym $enter,
        )
    };
}

macro_rules! entry_hooks {
    ($($name:ident $note:path)*) => {$(
        #[allow(non_snake_case, unreachable_pub, reason = "exported to the loader")]
        pub(crate) mod $name {
            use super::*;

            pub(crate) static REAL: Reals<Anything> =
                Reals::new($crate::hooks::symbol(concat!(stringify!($name), "\0")));

            extern "C" fn enter<D: Definer>(first: u64, second: u64, slot: u64, bp: u64) -> Anything {
                $note(Function::$name, first, second, Caller { slot, bp });
                REAL.of::<D>().get()
            }

            /// Saves what the real function will read, records, restores, jumps.
            ///
            /// # Safety
            /// Called by the program as the C function of this name.
            #[unsafe(naked)]
            #[unsafe(no_mangle)]
            pub unsafe extern "C" fn $name() {
                record_and_jump!(enter::<Next>)
            }

            #[unsafe(naked)]
            unsafe extern "C" fn of_program() {
                record_and_jump!(enter::<Program>)
            }

            #[unsafe(naked)]
            unsafe extern "C" fn of_namespace() {
                record_and_jump!(enter::<Namespace>)
            }

            /// All of them.
            pub(crate) fn hooks() -> Hooks {
                Hooks::new(&REAL, of_program as *const () as u64, of_namespace as *const () as u64)
            }
        }
    )*};
}
entry_hooks! {
    vfork note_vfork
    execve note_path execv note_path execvp note_path execvpe note_path
    execl note_path execle note_path execlp note_path
    fexecve note_number execveat note_below
    _exit note_number _Exit note_number quick_exit note_number
}

fn note_path(function: Function, path: u64, _: u64, caller: Caller) {
    note(function, path, caller, &[], Path(path as *const c_char));
}

fn note_below(function: Function, directory: u64, path: u64, caller: Caller) {
    note(function, directory, caller, &[directory], Path(path as *const c_char));
}

fn note_number(function: Function, number: u64, _: u64, caller: Caller) {
    note(function, number, caller, &[number], Path(core::ptr::null()));
}

/// From here to the parent's next tapped call the thread may be two: its ring is set aside.
fn note_vfork(function: Function, _: u64, _: u64, caller: Caller) {
    note(function, 0, caller, &[], Path(core::ptr::null()));
    let ring = slot::ring();
    if !ring.is_null() {
        slot::set_parked(ring);
        slot::set_ring(core::ptr::null());
    }
}

fn note(function: Function, argument: u64, caller: Caller, words: &[u64], text: Path) {
    let before = crate::types::errno();
    if let Some(call) = Call::<Next>::begin(function, argument) {
        call.enter(caller.slot, caller.bp, words, text.0);
    }
    crate::types::set_errno(i32::from(before));
}
