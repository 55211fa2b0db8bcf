//! What a traced call's arguments point to, into the ring: before the call's own records.

use core::sync::atomic::Ordering;

use calltap_channel::Note;
use calltap_channel::record::{self, MAX_TEXT, PREFIX_WORDS};
use calltap_channel::ring::{Control, Words};
use calltap_channel::trace::plan::Plan;
use calltap_channel::trace::walk::{self, Sink, Values};

use super::functions::Function;
use super::guarded::Guarded;
use super::scratch;
use crate::{call, image, slot, thread};

/// Words of a note before its bytes: with the address and how many there are.
const BEFORE_BYTES: usize = PREFIX_WORDS + 2;

/// Records what is to be seen before the call, stack arguments included. `stamp` and `sp` are those of its entry.
///
/// Allocates nothing and takes no lock, but changes vector registers: its caller has saved them.
pub(crate) fn at_entry(function: &Function, values: &Values, stamp: u64, sp: u64) {
    let Some(mut notes) = Notes::of_this_thread(stamp, sp) else { return };
    let stack_bytes = function.number.load(Ordering::Relaxed) >> 48;
    if stack_bytes != 0 {
        scratch::with(notes.control, |scratch| {
            walk::copy(values.stack_argument(0), stack_bytes, &mut Guarded::at(stamp), &mut notes, scratch);
        });
    }
    notes.follow(function.captures.load(Ordering::Relaxed) as u32, values);
}

/// Records what is to be seen after the call; as [`at_entry`]. `values` has the registers of the entry and the result.
pub(crate) fn at_exit(function: &Function, values: &Values, stamp: u64, sp: u64) {
    let Some(mut notes) = Notes::of_this_thread(stamp, sp) else { return };
    notes.follow((function.captures.load(Ordering::Relaxed) >> 32) as u32, values);
}

/// Notes of one moment of one call.
struct Notes {
    control: &'static Control,
    stamp: u64,
    sp: u64,
}

impl Notes {
    fn of_this_thread(stamp: u64, sp: u64) -> Option<Self> {
        let ring = slot::ring();
        let control = if ring.is_null() {
            thread::find()?.control
        } else {
            // SAFETY: the slot holds a control block of the mapped segment.
            unsafe { &*ring }
        };
        Some(Self { control, stamp, sp })
    }

    fn follow(&mut self, captures: u32, values: &Values) {
        if captures == 0 {
            return;
        }
        let Some(segment) = image::segment() else { return };
        // SAFETY: the CLI has written it before the target began.
        let Some(plan) = Plan::new(unsafe { segment.plan() }) else { return };
        scratch::with(self.control, |scratch| {
            walk::walk(&plan, captures as usize, values, &mut Guarded::at(self.stamp), self, scratch);
        });
    }
}

impl Sink for Notes {
    fn region(&mut self, address: u64, bytes: &[u8]) {
        for (index, bytes) in bytes.chunks(MAX_TEXT).enumerate() {
            let words = BEFORE_BYTES + bytes.len().div_ceil(8);
            let Some((at, outer)) = call::open(self.control, words) else { return };
            // SAFETY: the ring was claimed in this image.
            let ring = unsafe { call::words_of(self.control) };
            let place = self.control.place(at);
            let address = address.wrapping_add((index * MAX_TEXT) as u64);
            let before = [self.stamp, 0, self.sp, address, bytes.len() as u64];
            for (word, value) in before.into_iter().enumerate() {
                ring.store(place + 1 + word, value, Ordering::Relaxed);
            }
            for (word, chunk) in bytes.chunks(8).enumerate() {
                let mut eight = [0; 8];
                for (to, from) in eight.iter_mut().zip(chunk) {
                    *to = *from;
                }
                ring.store(place + BEFORE_BYTES + word, u64::from_le_bytes(eight), Ordering::Relaxed);
            }
            let header = record::header(words, record::VOID | record::TEXT, Note::Memory as u16, 0);
            // Release: pairs with the Acquire in `Consumer::peek`.
            ring.store(place, header, Ordering::Release);
            self.control.close(outer);
        }
    }
}
