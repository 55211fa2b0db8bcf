//! Heaps in which something is pinned.

use super::*;
use crate::arenas::chunk_map::ChunkKind::{Bin, Fast, Fencepost, Header, InUse, Tcache, Top};
use crate::arenas::memory_map::{Residency, Run};
use crate::arenas::samples::{arena, heap};
use crate::event::{Block, Thread};
use crate::heap::LiveBlock;

const MIB: u64 = 1 << 20;
const START: u64 = 0x10_0000;

/// The pins of a moment at which every chunk in use is a block; its site is its place in the heap.
fn pins(arena: Arena) -> Vec<(PinKind, u64, u64)> {
    let chunks = arena.heaps.iter().flat_map(|heap| heap.chunks.iter().enumerate());
    let live = chunks.filter(|(_, chunk)| chunk.kind() == InUse).map(|(index, chunk)| LiveBlock {
        block: Block(chunk.block()),
        bytes: chunk.usable_bytes(),
        site: index as u64,
        ..LiveBlock::test()
    });
    let live = live.collect();
    let moment = Moment::of(vec![arena], live);
    let found = find(&moment, moment.chunk_map().expect("chunks"));
    found.iter().map(|pin| (pin.kind, pin.site, pin.pinned_bytes)).collect()
}

#[test]
fn a_small_block_below_the_top_pins_what_is_free_below_it() {
    let run = heap(START, &[(0x20, InUse), (190 * MIB, Bin), (0x40, InUse), (0x1000, Top)]);
    let pin = run.chunks[2].block();
    let live = vec![LiveBlock {
        block: Block(pin),
        bytes: 48,
        site: 5,
        stack: 6,
        birth_ns: 7,
        thread: Thread(8),
        ..LiveBlock::test()
    }];
    let mut moment = Moment::of(vec![arena(true, vec![run])], live);
    let touched = Run { start: START, end: START + MIB, state: PageState::Anonymous };
    moment.residency = Residency::new(vec![touched]);
    let expected = Pin {
        kind: PinKind::Top,
        block: pin,
        bytes: Some(48),
        pinned_bytes: 190 * MIB,
        pinned_resident: MIB - 0x20,
        arena: 0x7000_0000_0000,
        birth_ns: Some(7),
        thread: Some(Thread(8)),
        function: Some(crate::event::FunctionId(1)),
        stack: 6,
        site: 5,
        is_cached: false,
    };
    assert_eq!(find(&moment, moment.chunk_map().expect("chunks")), [expected]);
}

#[test]
fn blocks_that_stand_together_are_named_each_the_lowest_first() {
    let run = [(MIB, Bin), (0x40, InUse), (0x20, Tcache), (0x400, InUse), (0x200, Bin), (0x40, InUse)];
    let run: Vec<_> = run.into_iter().chain([(0x1000, Top)]).collect();
    let found = pins(arena(true, vec![heap(START, &run)]));
    assert_eq!(found, [(PinKind::Top, 1, MIB), (PinKind::Top, 3, MIB), (PinKind::Top, 5, MIB)]);
}

#[test]
fn what_is_further_down_is_found_most_first() {
    let run = [(8 * MIB, Bin), (0x40, InUse), (MIB, Bin), (0x40, InUse), (0x1000, Top)];
    let found = pins(arena(true, vec![heap(START, &run)]));
    assert_eq!(found, [(PinKind::Top, 1, 8 * MIB), (PinKind::Top, 3, MIB)]);
}

#[test]
fn a_cached_chunk_holds_just_as_well() {
    for kind in [Tcache, Fast] {
        let run = heap(START, &[(0x20, InUse), (MIB, Bin), (0x40, kind), (0x1000, Top)]);
        let moment = Moment::of(vec![arena(true, vec![run])], Vec::new());
        let found = find(&moment, moment.chunk_map().expect("chunks"));
        assert_eq!((found.len(), found[0].is_cached, found[0].bytes), (1, true, None));
    }
}

#[test]
fn many_chunks_and_large_ones_are_no_pin() {
    let many = [(MIB, Bin)].into_iter().chain([(0x40, InUse); 17]).chain([(0x1000, Top)]);
    assert_eq!(pins(arena(true, vec![heap(START, &many.collect::<Vec<_>>())])), []);
    let large = [(MIB, Bin), (MIB / 8 + 16, InUse), (0x1000, Top)];
    assert_eq!(pins(arena(true, vec![heap(START, &large)])), []);
    let little = [(LEAST_PINNED - 16, Bin), (0x40, InUse), (0x1000, Top)];
    assert_eq!(pins(arena(true, vec![heap(START, &little)])), []);
}

#[test]
fn one_block_keeps_a_heap_of_a_thread_arena() {
    let first = heap(0x400_0000, &[(0x8d0, Header), (2 * MIB, Bin), (0x40, InUse), (0x20, Fencepost)]);
    let second = [(0x30, Header), (MIB, Bin), (0x40, InUse), (3 * MIB, Bin), (0x1000, Top)];
    let second = heap(0x800_0000, &second);
    let bytes = second.end - second.start;
    // Of the first heap nothing is pinned: it would not go.
    assert_eq!(pins(arena(false, vec![first, second])), [(PinKind::Heap, 2, bytes - 0x40)]);
}
