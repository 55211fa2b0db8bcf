//! A thread's ring: claimed at its first tapped call.

use core::sync::atomic::Ordering;

use calltap_channel::ring::Control;
use calltap_channel::segment::Segment;

use crate::trace::frames;
use crate::unwind::Memory;
use crate::{confined, image, kernel, slot, thread_id};

/// The ring of this thread, and whether the caller is a `vfork` child using its parent's.
pub(crate) struct Ring {
    pub(crate) control: &'static Control,
    pub(crate) vfork_child: bool,
}

/// Finds or claims the ring of a thread whose slot is empty.
#[cold]
#[inline(never)]
pub(crate) fn find() -> Option<Ring> {
    let parked = slot::parked();
    if !parked.is_null() {
        // SAFETY: a parked ring is a control block of the mapped segment.
        let control = unsafe { &*parked };
        if kernel::process_id() != image::pid() {
            return Some(Ring { control, vfork_child: true });
        }
        // The vfork is over: we are its parent.
        slot::set_parked(core::ptr::null());
        slot::set_ring(parked);
        if let Some(segment) = image::segment() {
            slot::set_counts(segment.counts(index_of(&segment, control)));
        }
        return Some(Ring { control, vfork_child: false });
    }
    match claim(thread_id::get(), given_name()) {
        Some(control) => Some(Ring { control, vfork_child: false }),
        None => {
            let header = image::segment()?.header();
            header.lost_without_ring.fetch_add(1, Ordering::Relaxed);
            None
        }
    }
}

/// This thread's name; none in a sandbox, which need not know the call that tells it.
pub(crate) fn given_name() -> [u64; 2] {
    if confined::is_confined() { [0; 2] } else { kernel::thread_name() }
}

/// Claims a free ring for this thread, of this id and name.
pub(crate) fn claim(tid: u32, [low, high]: [u64; 2]) -> Option<&'static Control> {
    let segment = image::segment()?;
    let capacity = segment.layout().capacity;
    for index in 0..segment.layout().ring_count as usize {
        let control = segment.control(index);
        let base = segment.words(index).address();
        let claimed =
            control.claim(image::pid(), tid, image::serial(), image::parent_serial(), base, capacity);
        if claimed {
            control.name[0].store(low, Ordering::Relaxed);
            control.name[1].store(high, Ordering::Relaxed);
            raise_high_water(&segment, index as u32 + 1);
            let memory = Memory::claim(&segment, index).map_or(core::ptr::null_mut(), core::ptr::from_mut);
            slot::set_memory(memory);
            if segment.header().traces.load(Ordering::Relaxed) != 0 {
                frames::claim_pool(index);
                slot::set_counts(segment.counts(index));
            }
            slot::set_ring(control);
            return Some(control);
        }
    }
    segment.header().threads_without_ring.fetch_add(1, Ordering::Relaxed);
    None
}

/// Which ring of the segment this is.
pub(crate) fn index_of(segment: &Segment, control: &Control) -> usize {
    let first = core::ptr::from_ref(segment.control(0));
    (core::ptr::from_ref(control) as usize - first as usize) / size_of::<Control>()
}

/// Release: the reader that sees the new mark also sees the claim.
fn raise_high_water(segment: &Segment, mark: u32) {
    segment.header().high_water.fetch_max(mark, Ordering::Release);
}
