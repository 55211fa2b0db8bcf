//! Moments for tests.

use std::ops::Range;

use super::chunk_map::{Arena, Chunk, ChunkKind, ChunkMap, Heap};
use super::memory_map::{Area, AreaKind, KernelCounts, PageState, Residency, Run};
use super::{Decoding, Moment, Occasion};
use crate::event::{Block, FunctionId, Thread};
use crate::heap::LiveBlock;

/// A heap at `start` with chunks of these sizes, one behind the other.
pub(super) fn heap(start: u64, chunks: &[(u64, ChunkKind)]) -> Heap {
    let mut end = start;
    let chunks = chunks.iter().map(|(bytes, kind)| {
        let chunk = Chunk::new(end, *bytes, *kind);
        end = chunk.end();
        chunk
    });
    let chunks = chunks.collect();
    Heap { start, end, writable_end: end, reserved_end: end, chunks }
}

/// An arena of these heaps, whose structure lies in the first.
pub(super) fn arena(is_main: bool, heaps: Vec<Heap>) -> Arena {
    let system_bytes = heaps.iter().map(|heap| heap.end - heap.start).sum();
    let address = if is_main { 0x7000_0000_0000 } else { heaps[0].start + 0x30 };
    Arena { address, is_main, system_bytes, heaps, ..Arena::default() }
}

/// All pages of a range are resident, and no others.
pub(super) fn resident(range: Range<u64>) -> Residency {
    let page = |address: u64| address.next_multiple_of(super::memory_map::PAGE);
    let run = Run { start: range.start, end: page(range.end), state: PageState::Anonymous };
    Residency::new(vec![run])
}

/// Private memory for `kind`, writable.
pub(super) fn area(range: Range<u64>, kind: AreaKind) -> Area {
    Area { start: range.start, end: range.end, kind, writable: true, private: true }
}

impl LiveBlock {
    /// Of no bytes, by nobody.
    pub(super) fn test() -> Self {
        Self {
            block: Block(0),
            bytes: 0,
            site: 0,
            stack: 0,
            function: FunctionId(1),
            birth_ns: 0,
            thread: Thread(1),
        }
    }
}

impl Moment {
    /// Of a process with no memory.
    pub(super) fn test() -> Self {
        Self {
            at_ns: 0,
            began_ns: 0,
            occasion: Occasion::Exit,
            stopped_ns: None,
            consistent: true,
            calls_under_way: 0,
            allocators: Vec::new(),
            decoding: Decoding::Regions,
            live: Vec::new(),
            areas: Vec::new(),
            residency: Residency::default(),
            kernel: KernelCounts::default(),
            births: Vec::new(),
        }
    }

    /// Of a process that has these arenas, all of whose pages are resident, and these blocks.
    pub(super) fn of(arenas: Vec<Arena>, live: Vec<LiveBlock>) -> Self {
        let heaps = || arenas.iter().flat_map(|arena| &arena.heaps);
        let mut areas: Vec<_> =
            heaps().map(|heap| area(heap.start..heap.reserved_end, AreaKind::Allocator)).collect();
        areas.sort_by_key(|area| area.start);
        let run = |area: &Area| Run { start: area.start, end: area.end, state: PageState::Anonymous };
        let residency = Residency::new(areas.iter().map(run).collect());
        let decoding = Decoding::Chunks(ChunkMap { arenas, ..ChunkMap::default() });
        Self { decoding, live, areas, residency, ..Self::test() }
    }
}
