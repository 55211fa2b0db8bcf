//! The address space cut in pieces, each for one purpose: every byte is in exactly one of them.

use std::iter::Peekable;
use std::slice::Iter;

use super::Moment;
use super::chunk_map::{ChunkKind, MmappedChunk};
use super::claims::Claim;
use super::gauge::{Gauge, gauge};
use super::join::{self, Held};
use super::memory_map::{Area, AreaKind, Run};
use super::report::{Extent, Part};
use crate::heap::LiveBlock;

/// Where a piece lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In a heap of the arena with this place in the chunk map; whether no thread uses that arena.
    Heap { arena: usize, orphan: bool },
    /// In a chunk with a mapping of its own.
    Mmapped,
    /// In another mapping of the allocator's, or of another allocator's.
    Region,
    /// Not in the allocator's memory.
    Elsewhere,
}

/// A range of addresses.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece<'a> {
    /// First address.
    pub(super) start: u64,
    /// First address behind it.
    pub(super) end: u64,
    /// What for. What is free is so in orphaned arenas, too.
    pub(super) part: Part,
    /// Where.
    pub(super) place: Place,
    /// Whether it belongs to a chunk in use, or is a block of an unknown one.
    pub(super) in_use: bool,
    /// The block that lives in it.
    pub(super) live: Option<&'a LiveBlock>,
    /// Its bytes: all of them if it can be written, else those that are resident or in swap.
    pub(super) extent: Extent,
}

impl Piece<'_> {
    /// Whether it is free, and of an arena that no thread uses.
    #[inline]
    pub(super) const fn is_orphan(&self) -> bool {
        matches!(self.part, Part::Fast | Part::Bin | Part::Top)
            && matches!(self.place, Place::Heap { orphan: true, .. })
    }
}

impl<'a> Piece<'a> {
    /// What `part` has of `place`, from nowhere to nowhere.
    const fn of(part: Part, place: Place) -> Self {
        let extent = Extent { bytes: 0, resident: 0, swapped: 0 };
        Self { start: 0, end: 0, part, place, in_use: false, live: None, extent }
    }

    /// The same in use.
    const fn in_use(part: Part, place: Place, live: Option<&'a LiveBlock>) -> Self {
        Self { in_use: true, live, ..Self::of(part, place) }
    }
}

/// Hands all pieces to `sink`, by ascending address.
///
/// A chunk's bytes are counted as glibc counts them: the header is its first 8 bytes, and what the
/// program may use follows at once. In memory both lie 8 bytes further on, where the next chunk
/// lends its first word; at the border of a resident page that is a difference of 8 bytes.
pub(super) fn walk<'a>(moment: &'a Moment, sink: impl FnMut(&Piece<'a>)) {
    let others = moment.chunk_map().is_none() || moment.allocators.iter().any(|other| other.name != "glibc");
    let mut walk = Walk {
        position: 0,
        areas: moment.areas.iter().peekable(),
        live: moment.live.iter().peekable(),
        unclaimed: if others { Part::Retained } else { Part::Unknown },
        gauge: gauge(&moment.residency),
        sink,
    };
    let claims = moment.claims();
    for (index, claim) in claims.iter().enumerate() {
        walk.areas(claim.start(), None);
        let place = claim.place();
        match claim {
            Claim::Heap { heap, .. } => {
                join::in_heap(heap, &moment.live).for_each(|held| walk.chunk(&held, place));
                walk.emit(heap.end, Piece::of(Part::Unknown, place), true);
            }
            Claim::Mmapped(chunk) => walk.mmapped(chunk, place),
        }
        while walk.live.next_if(|block| block.block.0 < walk.position).is_some() {}
        let next = claims.get(index + 1).map_or(u64::MAX, Claim::start);
        walk.areas(claim.reserved_end().min(next), Some(place));
    }
    walk.areas(u64::MAX, None);
}

struct Walk<'a, I: Iterator<Item = Run>, S> {
    /// First address that is in no piece yet.
    position: u64,
    areas: Peekable<Iter<'a, Area>>,
    live: Peekable<Iter<'a, LiveBlock>>,
    /// What the allocator's memory is that neither chunks nor blocks explain.
    unclaimed: Part,
    gauge: Gauge<I>,
    sink: S,
}

impl<'a, I: Iterator<Item = Run>, S: FnMut(&Piece<'a>)> Walk<'a, I, S> {
    /// The next piece ends at `end`; nothing if that is no further than the last one.
    #[inline]
    fn emit(&mut self, end: u64, piece: Piece<'a>, whole: bool) {
        let start = self.position;
        if end <= start {
            return;
        }
        let found = self.gauge.measure(start, end);
        let bytes = if whole { end - start } else { found.anonymous + found.file + found.swapped };
        let extent = Extent { bytes, resident: found.anonymous, swapped: found.swapped };
        self.position = end;
        (self.sink)(&Piece { start, end, extent, ..piece });
    }

    /// A chunk of a heap.
    #[inline]
    fn chunk(&mut self, held: &Held<'a>, place: Place) {
        let chunk = held.chunk;
        let end = chunk.end().min(held.heap.end);
        self.emit(chunk.address.min(end), Piece::of(Part::Unknown, place), true);
        let part = match chunk.kind() {
            ChunkKind::InUse => return self.in_use(chunk.address + 8, end, held.live, place),
            ChunkKind::Tcache => Part::Tcache,
            ChunkKind::Fast => Part::Fast,
            ChunkKind::Bin => Part::Bin,
            ChunkKind::Top => Part::Top,
            ChunkKind::Fencepost | ChunkKind::TcacheStruct | ChunkKind::Header => Part::Headers,
        };
        self.emit(end, Piece::of(part, place), true);
    }

    /// A chunk in use: its header ends at `block`, itself at `end`.
    #[inline]
    fn in_use(&mut self, block: u64, end: u64, live: Option<&'a LiveBlock>, place: Place) {
        self.emit(block.min(end), Piece::in_use(Part::Headers, place, live), true);
        if let Some(known) = live {
            let requested_end = block.saturating_add(known.bytes).min(end);
            self.emit(requested_end, Piece::in_use(Part::Live, place, live), true);
            self.emit(end, Piece::in_use(Part::Rounding, place, live), true);
        } else {
            self.emit(end, Piece::in_use(Part::NotSeen, place, None), true);
        }
    }

    fn mmapped(&mut self, chunk: &MmappedChunk, place: Place) {
        while self.live.next_if(|block| block.block.0 < chunk.block).is_some() {}
        let live = self.live.next_if(|block| block.block.0 == chunk.block);
        self.in_use(chunk.block, chunk.end, live, place);
    }

    /// All up to `limit`, by what the areas are for, or as reserved for the claim at `reserved_for`.
    fn areas(&mut self, limit: u64, reserved_for: Option<Place>) {
        while self.position < limit {
            while self.areas.next_if(|area| area.end <= self.position).is_some() {}
            let area = self.areas.peek().copied().filter(|area| area.start < limit);
            match area.filter(|area| area.start <= self.position) {
                None => {
                    let end = area.map_or(limit, |area| area.start);
                    self.emit(end, Piece::of(Part::Unknown, Place::Elsewhere), false);
                }
                Some(area) => self.area(area, area.end.min(limit), reserved_for),
            }
        }
    }

    fn area(&mut self, area: &'a Area, end: u64, reserved_for: Option<Place>) {
        let part = match (reserved_for, &area.kind) {
            (Some(place), _) => return self.emit(end, Piece::of(Part::Reserved, place), area.writable),
            (None, AreaKind::Allocator) => return self.region(area, end),
            (None, AreaKind::Stack) => Part::Stacks,
            (None, AreaKind::Direct(_)) => Part::Direct,
            (None, AreaKind::Code) => Part::Code,
            (None, AreaKind::File(_)) => Part::Files,
            (None, AreaKind::Shared(_)) => Part::Shared,
            (None, AreaKind::Runtime) => Part::Runtime,
            (None, AreaKind::Calltap) => Part::Calltap,
            (None, AreaKind::Kernel) => Part::Kernel,
            (None, AreaKind::Unknown) => Part::Unknown,
        };
        self.emit(end, Piece::of(part, Place::Elsewhere), area.writable);
    }

    /// The allocator's memory, up to `end`, of which only the blocks are known.
    fn region(&mut self, area: &'a Area, end: u64) {
        let rest = if area.writable { self.unclaimed } else { Part::Reserved };
        let rest = Piece::of(rest, Place::Region);
        while self.position < end {
            while self.live.next_if(|block| block.end() <= self.position).is_some() {}
            let Some(block) = self.live.peek().copied().filter(|block| block.block.0 < end) else {
                return self.emit(end, rest, area.writable);
            };
            self.emit(block.block.0, rest, area.writable);
            let live = Piece::in_use(Part::Live, Place::Region, Some(block));
            self.emit(block.end().min(end), live, true);
        }
    }
}

impl LiveBlock {
    /// First address behind what was asked for.
    pub(super) const fn end(&self) -> u64 {
        self.block.0.saturating_add(self.bytes)
    }
}
