//! Room for the copying of memory that is not on the program's stack, which may have 4 KiB and a page below it that is
//! for nobody.
//!
//! A thread takes the first of a few places that is free; a signal handler that interrupts it there takes the next. Whoever
//! finds none works on the stack: so it is for all in the end if handlers jump out of the middle of it again and again, and
//! leave their places taken.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, Ordering};

use calltap_channel::ring::Control;
use calltap_channel::trace::walk::Scratch;

/// All places.
const PLACES: usize = 64;
/// How many are tried: more are wanted only by handlers within handlers, or if threads happen to begin at one.
const TRIED: usize = 8;

struct Place {
    taken: AtomicBool,
    scratch: UnsafeCell<Scratch>,
}

// SAFETY: only who has taken a place touches what is in it.
unsafe impl Sync for Place {}

static ALL: [Place; PLACES] =
    [const { Place { taken: AtomicBool::new(false), scratch: UnsafeCell::new(Scratch::new()) } }; PLACES];

/// Calls `act` with room that nobody else uses meanwhile.
pub(crate) fn with(control: &Control, act: impl FnOnce(&mut Scratch)) {
    let first = core::ptr::from_ref(control) as usize / size_of::<Control>();
    let free = (0..TRIED).map(|next| &ALL[(first + next) % PLACES]).find(|place| {
        // Acquire: pairs with the Release below.
        place.taken.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed).is_ok()
    });
    match free {
        Some(place) => {
            // SAFETY: taken by us just now.
            act(unsafe { &mut *place.scratch.get() });
            // Release: pairs with the Acquire of who takes it next.
            place.taken.store(false, Ordering::Release);
        }
        None => on_stack(act),
    }
}

/// Apart, so that nobody else's frame has this room in it.
#[inline(never)]
fn on_stack(act: impl FnOnce(&mut Scratch)) {
    act(&mut Scratch::new());
}
