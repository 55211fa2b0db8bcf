//! Hooks of functions that make processes and name threads.

use core::ffi::{c_char, c_void};
use core::sync::atomic::Ordering;

use super::custom_hook;
use crate::types::Path;

macro_rules! spawn_hooks {
    ($($name:ident)*) => {$(
        custom_hook! {
            $name(
                child: *mut i32,
                path: Path,
                actions: *const c_void,
                attributes: *const c_void,
                arguments: *const *mut c_char,
                environment: *const *mut c_char
            ) -> Code, first 0,
            |real, call| {
                // SAFETY: the program's own arguments.
                let returned = unsafe { real(child, path, actions, attributes, arguments, environment) };
                let made = if returned.0 == 0 && !child.is_null() {
                    // SAFETY: a call that succeeded has stored the child's id.
                    i64::from(unsafe { *child })
                } else {
                    0
                };
                call.finish_long(returned, &[made as u64], path.0);
                returned
            }
        }
    )*};
}
spawn_hooks!(posix_spawn posix_spawnp);

/// `pthread_self()`, without a call: the thread control block's own address (x86-64 TLS ABI).
fn this_thread() -> usize {
    let thread;
    // SAFETY: fs:0x10 is the thread pointer's copy of itself in every glibc thread.
    unsafe {
        core::arch::asm!("mov {}, fs:[0x10]", out(reg) thread, options(nostack, readonly, preserves_flags));
    }
    thread
}

/// A thread's name, 15 bytes at most, as it is kept in a ring: the kernel is not asked for what it was told just now.
///
/// # Safety
/// It is a zero-terminated string.
unsafe fn words_of(name: *const c_char) -> [u64; 2] {
    let mut words = [0; 2];
    for at in 0..15_usize {
        // SAFETY: stops at the terminator.
        let byte = unsafe { *name.add(at) } as u8;
        if byte == 0 {
            break;
        }
        words[at / 8] |= u64::from(byte) << (at % 8 * 8);
    }
    words
}

custom_hook! {
    pthread_setname_np(thread: usize, name: Path) -> Code, first thread as u64,
    |real, call| {
        // SAFETY: the program's own arguments.
        let returned = unsafe { real(thread, name) };
        let slot = crate::slot::ring();
        if returned.0 == 0 && thread == this_thread() && !slot.is_null() {
            // SAFETY: the slot holds a control block of the mapped segment.
            let control = unsafe { &*slot };
            // SAFETY: a call that succeeded has read it.
            let [low, high] = unsafe { words_of(name.0) };
            control.name[0].store(low, Ordering::Relaxed);
            control.name[1].store(high, Ordering::Relaxed);
        }
        call.finish_long(returned, &[thread as u64], name.0);
        returned
    }
}
