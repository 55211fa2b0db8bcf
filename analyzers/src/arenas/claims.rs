//! The ranges of addresses whose every byte the chunks explain.

use super::chunk_map::{Arena, ChunkMap, Heap, MmappedChunk};
use super::pieces::Place;
use super::{Decoding, Moment};

/// A heap or a mapped chunk.
#[derive(Clone, Copy, Debug)]
pub(super) enum Claim<'a> {
    /// A heap of the arena with this place in the chunk map.
    Heap { index: usize, arena: &'a Arena, heap: &'a Heap },
    /// A chunk with a mapping of its own.
    Mmapped(&'a MmappedChunk),
}

impl Claim<'_> {
    /// Where its pieces lie.
    pub(super) fn place(&self) -> Place {
        match self {
            Self::Heap { index, arena, .. } => {
                Place::Heap { arena: *index, orphan: arena.attached_threads == Some(0) }
            }
            Self::Mmapped(_) => Place::Mmapped,
        }
    }

    /// First address.
    pub(super) const fn start(&self) -> u64 {
        match self {
            Self::Heap { heap, .. } => heap.start,
            Self::Mmapped(chunk) => chunk.start,
        }
    }

    /// First address behind what is reserved for it.
    pub(super) fn reserved_end(&self) -> u64 {
        match self {
            Self::Heap { heap, .. } => heap.reserved_end.max(heap.end),
            Self::Mmapped(chunk) => chunk.end,
        }
    }
}

impl Moment {
    /// The chunks, if they were read.
    pub const fn chunk_map(&self) -> Option<&ChunkMap> {
        match &self.decoding {
            Decoding::Chunks(map) => Some(map),
            Decoding::Regions | Decoding::NotDecoded(_) => None,
        }
    }

    /// All heaps and mapped chunks by ascending address; none if chunks were not read.
    pub(super) fn claims(&self) -> Vec<Claim<'_>> {
        let Some(map) = self.chunk_map() else { return Vec::new() };
        let heaps = map.arenas.iter().enumerate().flat_map(|(index, arena)| {
            arena.heaps.iter().map(move |heap| Claim::Heap { index, arena, heap })
        });
        let mut claims: Vec<_> = heaps.chain(map.mmapped.iter().map(Claim::Mmapped)).collect();
        claims.sort_by_key(Claim::start);
        claims
    }
}
