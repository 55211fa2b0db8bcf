//! The heap's figures, place by place.

use std::cmp::Reverse;

use super::HeapLedger;
use crate::event::FunctionId;

/// What one place got from the heap: a call site with the stack behind it, and the function it
/// called. A block that passed through nested calls belongs to the outermost one's place.
///
/// Over all places the sums are the totals of the [report](super::HeapReport), field by field. A
/// `realloc` of a block counts as a reallocation, and its new size as allocated bytes, of the place
/// that called it; that place has the block from then on. Tools that take it for a free and an
/// allocation show `allocations + reallocations` as one number.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PlaceUse {
    /// Who asked; 0 if unknown.
    pub site: u64,
    /// Id of the call stack; 0 if none was taken.
    pub stack: u32,
    /// Which function gave.
    pub function: FunctionId,
    /// Blocks given, other than by reallocation.
    pub allocations: u64,
    /// Blocks given by reallocation.
    pub reallocations: u64,
    /// Bytes given, by both.
    pub allocated_bytes: u64,
    /// Of the blocks given, those that their thread freed as its very next heap call.
    pub temporary: u64,
    /// Blocks that live.
    pub live_blocks: u64,
    /// Their bytes.
    pub live_bytes: u64,
    /// Blocks that lived when the process had its peak.
    pub peak_blocks: u64,
    /// Their bytes.
    pub peak_bytes: u64,
    /// Bytes of the largest block that lives, 0 if none does.
    pub largest: u64,
    /// When the oldest block that lives was given, 0 if none does.
    pub first_birth_ns: u64,
}

/// Living blocks that come from one place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StillAllocated {
    /// Who asked for them; 0 if unknown.
    pub site: u64,
    /// Id of the call stack; 0 if none was taken.
    pub stack: u32,
    /// Which function gave them.
    pub function: FunctionId,
    /// How many they are.
    pub blocks: u64,
    /// Their bytes.
    pub bytes: u64,
    /// When the oldest was given.
    pub first_birth_ns: u64,
    /// Bytes of the largest.
    pub largest: u64,
}

impl PlaceUse {
    fn is_charged(&self) -> bool {
        let given = self.allocations + self.reallocations + self.temporary;
        given + self.live_blocks + self.peak_blocks > 0
    }

    /// What lives of it, if anything does.
    fn still_allocated(&self) -> Option<StillAllocated> {
        (self.live_blocks > 0).then_some(StillAllocated {
            site: self.site,
            stack: self.stack,
            function: self.function,
            blocks: self.live_blocks,
            bytes: self.live_bytes,
            first_birth_ns: self.first_birth_ns,
            largest: self.largest,
        })
    }
}

/// Every place that was given anything: most living bytes first, then most allocated ones.
pub(super) fn of(ledger: &HeapLedger) -> Vec<PlaceUse> {
    let peak = ledger.totals.peaks;
    let mut places: Vec<_> = ledger
        .origins
        .iter()
        .map(|(place, usage)| PlaceUse {
            site: place.site,
            stack: place.stack,
            function: place.function,
            allocations: usage.allocations,
            reallocations: usage.reallocations,
            allocated_bytes: usage.allocated_bytes,
            temporary: usage.temporary,
            live_blocks: usage.live().blocks,
            live_bytes: usage.live().bytes,
            peak_blocks: usage.at_peak(peak).blocks,
            peak_bytes: usage.at_peak(peak).bytes,
            largest: 0,
            first_birth_ns: if usage.live().blocks > 0 { u64::MAX } else { 0 },
        })
        .collect();
    // Largest and oldest cannot be kept while blocks go: they are looked for among those left.
    let beyond = places.len() - 1;
    for slot in ledger.table.iter().filter(|slot| slot.is_live()) {
        let place = &mut places[slot.origin().place().min(beyond)];
        place.first_birth_ns = place.first_birth_ns.min(slot.birth_ns());
        place.largest = place.largest.max(slot.bytes());
    }
    // A place whose blocks all went to outer calls has nothing.
    places.retain(PlaceUse::is_charged);
    places.sort_unstable_by_key(|place| {
        let bytes = Reverse((place.live_bytes, place.allocated_bytes));
        (bytes, place.site, place.function, place.stack)
    });
    places
}

/// Those of them whose blocks live, in the same order.
pub(super) fn still_allocated(by_place: &[PlaceUse]) -> Vec<StillAllocated> {
    by_place.iter().filter_map(PlaceUse::still_allocated).collect()
}
