//! Noticing that objects come and go, without wrapping `dlopen`.
//!
//! The loader calls `_dl_catch_exception` through a slot of its own, with a null first argument right before it runs the
//! constructors of what it has loaded, and right before it runs the destructors of what it unloads (then the third
//! argument is the object's `struct link_map`). It holds its lock meanwhile.
//!
//! A loader without that slot is looked at when the program calls one of the functions below.

use core::arch::naked_asm;
use core::ffi::{c_int, c_void};
use core::sync::atomic::{AtomicU64, Ordering};

use super::functions::Function;
use super::relocations::{self, Use};
use super::slots::Writer;
use super::{binding, objects};

/// The function behind the loader's own slot.
const OF_LOADER: &[u8] = b"_dl_catch_exception";

/// The function itself; 0 while it is not watched.
static REAL: AtomicU64 = AtomicU64::new(0);

/// Whether an object is a dynamic loader.
pub(crate) fn is_loader(object: &objects::Object) -> bool {
    object.soname().starts_with(b"ld-linux") || object.soname().starts_with(b"ld.so")
}

/// Puts the watch into the loader's own slot.
pub(crate) fn set(loader: &objects::Object, writer: &mut Writer) {
    let Some(tables) = loader.tables else { return };
    let named = |slot: &relocations::Slot| {
        matches!(slot.used, Use::Call(_)) && tables.name(tables.symbol(slot.symbol)) == OF_LOADER
    };
    let Some(slot) = relocations::all(loader).find(named) else { return };
    let real = slot.value();
    if objects::place_of_code(real).is_none() {
        return;
    }
    REAL.store(real, Ordering::Relaxed);
    if !writer.write(&loader.image, slot.address, pass as *const () as u64) {
        REAL.store(0, Ordering::Relaxed);
    }
}

/// Stands in the loader's slot: looks at the arguments, and goes on to the real function with the caller's stack and
/// registers as they are. No argument is in a vector register.
#[unsafe(naked)]
unsafe extern "C" fn pass() {
    naked_asm!(
        ".cfi_startproc",
        "endbr64",
        "push rdi", "push rsi", "push rdx", "push rcx", "push r8", "push r9", "push rax",
        ".cfi_adjust_cfa_offset 56",
        "mov rsi, rdx",
        "call {see}",
        "pop rax", "pop r9", "pop r8", "pop rcx", "pop rdx", "pop rsi", "pop rdi",
        ".cfi_adjust_cfa_offset -56",
        "jmp qword ptr [rip + {real}]",
        ".cfi_endproc",
        see = sym see,
        real = sym REAL,
    )
}

/// The loader is about to call something of the objects it has loaded, or unloads.
extern "C" fn see(exception: u64, argument: u64) {
    if exception != 0 {
        return;
    }
    let before = crate::types::errno();
    let leaving = objects::place_of_map(argument);
    // SAFETY: the loader holds its lock while it does this.
    unsafe {
        binding::look_again(leaving.is_some());
        if let Some(place) = leaving {
            objects::leaves(place);
        }
    }
    crate::types::set_errno(i32::from(before));
}

/// Whether a function of this name has to be watched.
pub(crate) fn is_wanted(name: &[u8]) -> bool {
    REAL.load(Ordering::Relaxed) == 0
        && matches!(name, b"dlsym" | b"dlvsym" | b"dlerror" | b"dlclose" | b"dlopen" | b"dlmopen")
}

/// A watched function is about to be called: objects may have come or gone.
pub(crate) fn watched(_: &Function, _: [u64; 6]) {
    binding::rescan();
}

/// Calls `act` while no other thread can load or unload objects.
pub(crate) fn while_nothing_is_loaded(act: fn()) {
    unsafe extern "C" fn first(_: *mut libc::dl_phdr_info, _: usize, act: *mut c_void) -> c_int {
        // SAFETY: the pointer that is passed below.
        let act: fn() = unsafe { core::mem::transmute(act) };
        act();
        1
    }
    // SAFETY: the loader holds its lock while it calls back; the first call ends it.
    unsafe { libc::dl_iterate_phdr(Some(first), act as *const () as *mut c_void) };
}
