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

custom_hook! {
    pthread_setname_np(thread: usize, name: Path) -> Code, first thread as u64,
    |real, call| {
        // SAFETY: the program's own arguments.
        let returned = unsafe { real(thread, name) };
        let slot = crate::slot::ring();
        if returned.0 == 0 && thread == this_thread() && !slot.is_null() {
            // SAFETY: the slot holds a control block of the mapped segment.
            let control = unsafe { &*slot };
            let [low, high] = crate::kernel::thread_name();
            control.name[0].store(low, Ordering::Relaxed);
            control.name[1].store(high, Ordering::Relaxed);
        }
        call.finish_long(returned, &[thread as u64], name.0);
        returned
    }
}
