//! What a thread does when its ring is full.

use core::sync::atomic::Ordering;

use calltap_channel::ring::{Control, Outer};
use calltap_channel::segment::{DROP_WHEN_FULL, READER_GONE};

use crate::{image, kernel, state};

/// Looks at the tail so often before sleeping; a few microseconds.
const SPINS: u32 = 100;
/// One sleep, in milliseconds; then the reader's state is looked at again.
const SLEEP_MS: u64 = 20;
/// Sleeps without a sign of life from the reader before it is given up: 60 seconds.
const PATIENCE: u32 = 60_000 / SLEEP_MS as u32;
/// Waits for room for `words` words and opens a push; None if the record is given up, which is
/// counted.
///
/// By default the caller waits, because a lost `free` would be a false leak. A signal handler that has
/// itself filled the ring while it interrupted a push (`outer`) cannot wait for the reader to get past
/// that.
#[cold]
#[inline(never)]
pub(crate) fn open_when_there_is_room(
    control: &Control,
    words: u64,
    frame: u64,
    outer: Outer,
) -> Option<u64> {
    let header = image::segment()?.header();
    let drops = header.flags.load(Ordering::Relaxed) & DROP_WHEN_FULL != 0;
    let mut heartbeat = header.heartbeat.load(Ordering::Relaxed);
    let mut silent = 0;
    loop {
        for _ in 0..SPINS {
            // Asked before the tail is looked at again: if it was in vain then, and there is still no
            // room, it is in vain.
            let vain = control.is_waiting_in_vain(outer);
            if control.refresh(words)
                && let Ok(at) = control.open(words, frame)
            {
                return Some(at);
            }
            if drops || vain {
                return give_up(control);
            }
            core::hint::spin_loop();
        }
        if header.reader.load(Ordering::Relaxed) == READER_GONE || silent > PATIENCE {
            // Nobody reads any more: the program runs on alone. Should the reader be only asleep,
            // its report must not call the counts exact.
            header.gave_up.fetch_add(1, Ordering::Relaxed);
            state::set_taps(state::REGISTERED);
            return give_up(control);
        }
        // SeqCst: pairs with the fence in `Consumer::release`; either the reader sees that we wait
        // or we see its tail.
        control.waiting.store(1, Ordering::SeqCst);
        if !control.refresh(words) {
            kernel::futex_wait(control.waiting.as_ptr().cast(), 1, SLEEP_MS);
        }
        let beat = header.heartbeat.load(Ordering::Relaxed);
        silent = if beat == heartbeat { silent + 1 } else { 0 };
        heartbeat = beat;
    }
}

fn give_up(control: &Control) -> Option<u64> {
    control.dropped.fetch_add(1, Ordering::Relaxed);
    None
}

/// What an open push means to the one that begins now; see [`Control::examine`].
#[cold]
#[inline(never)]
pub(crate) fn examine(control: &Control, outer: Outer, frame: u64) -> Outer {
    // SAFETY: the ring was claimed in this image.
    let words = unsafe { crate::call::words_of(control) };
    control.examine(&words, outer, frame, !kernel::is_on_signal_stack())
}
