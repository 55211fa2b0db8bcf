//! This thread's id as the C library keeps it: a sandbox need not know the call that asks the kernel for it.
//!
//! glibc tells debuggers (libthread_db) where in a thread's descriptor its id stands. The kernel itself writes it there, for
//! `pthread_create` and `fork` alike, before the thread runs. What was not seen to hold is not used.

use core::arch::asm;
use core::sync::atomic::{AtomicU32, Ordering};

use calltap_channel::ring::Control;

use crate::{confined, kernel};

/// No descriptor is larger, in bytes.
const MOST: u32 = 1 << 14;
/// No id is larger (`PID_MAX_LIMIT`).
const LARGEST: u32 = 1 << 22;

/// Where in a descriptor; 0 if that is not known.
static PLACE: AtomicU32 = AtomicU32::new(0);

/// Asks the C library. Called by the constructor.
pub(crate) fn resolve() {
    // SAFETY: dlsym takes any string.
    let told = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"_thread_db_pthread_tid".as_ptr()) };
    if told.is_null() {
        return;
    }
    // SAFETY: three words under a name that is reserved to glibc: bits, number, and offset of the field.
    let [bits, _, place] = unsafe { told.cast::<[u32; 3]>().read_unaligned() };
    if bits == u32::BITS && place != 0 && place < MOST && place.is_multiple_of(4) {
        PLACE.store(place, Ordering::Relaxed);
    }
}

/// Looks whether it is so of this thread, whose id is told by somebody else.
pub(crate) fn check(id: u32) {
    if kept() != Some(id) {
        PLACE.store(0, Ordering::Relaxed);
    }
}

/// What the C library keeps of this thread. A process made by a raw system call has its parent's there.
fn kept() -> Option<u32> {
    let place = PLACE.load(Ordering::Relaxed);
    if place == 0 {
        return None;
    }
    let id: u32;
    // SAFETY: the thread pointer is the address of the thread's descriptor, in which glibc has a word here.
    unsafe {
        asm!(
            "mov {id:e}, dword ptr fs:[{place}]",
            place = in(reg) u64::from(place),
            id = out(reg) id,
            options(nostack, readonly, preserves_flags),
        );
    }
    (1..=LARGEST).contains(&id).then_some(id)
}

/// This thread's id: of a process that is registered.
pub(crate) fn get() -> u32 {
    confined::is_confined().then(kept).flatten().unwrap_or_else(kernel::thread_id)
}

/// The id of a process that was forked off this one's image in a sandbox, and of its first thread, if it can be known.
///
/// `parent` is the ring that the caller has inherited: so it is the thread that forked, not one that the child has made.
/// `pid` is the parent's. If one of theirs is kept the child's never was.
pub(crate) fn of_forked(parent: Option<&Control>, pid: u32) -> Option<u32> {
    let (_, forked_by) = parent.filter(|_| confined::is_confined())?.owner();
    kept().filter(|id| ![pid, forked_by].contains(id))
}
