//! The ledger and the chunks, block by block.

use calltap_analyzers::arenas::analyse;
use calltap_analyzers::arenas::chunk_map::ChunkKind;
use calltap_analyzers::arenas::memory_map::AreaKind;
use calltap_analyzers::arenas::report::Differences;

use crate::build::{BASE, Builder, live};

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.arena(1);
    let chunks = [
        (0x40, ChunkKind::InUse, Some(0x38)),
        (0x40, ChunkKind::InUse, Some(0)),
        (0x50, ChunkKind::InUse, None),
        (0x290, ChunkKind::TcacheStruct, None),
        (0x60, ChunkKind::Tcache, None),
        (0x70, ChunkKind::Bin, None),
    ];
    builder.heap(2, &chunks, 0, 0);
    builder.mmapped(3, 0, Some(3 * 4096 - 16));
    builder.mmapped(2, 0xff0, None);
    builder
}

#[test]
fn each_chunk_in_use_has_its_block() {
    let found = analyse(&builder().moment(&[None])).differences;
    let not_seen = Differences {
        matched: 3,
        chunks_not_seen: 2,
        chunks_not_seen_bytes: 0x50 + 2 * 4096,
        ..Differences::default()
    };
    assert_eq!(found, not_seen);
}

#[test]
fn a_block_that_does_not_fit_its_chunk_is_counted() {
    let mut builder = builder();
    builder.live[0].bytes = 0x39;
    builder.live[2].bytes += 1;
    let found = analyse(&builder.moment(&[None])).differences;
    assert_eq!((found.matched, found.too_small, found.blocks_without_chunk), (1, 2, 0));
}

#[test]
fn blocks_without_a_chunk_in_use_are_counted() {
    let mut builder = builder();
    let (inside, cached, outside) = (0x20, 0x40 + 0x40 + 0x50 + 0x290 + 0x10, 0x10_0000);
    builder.live.extend([inside, cached, outside].map(|distance| live(BASE + distance, 10)));
    let found = analyse(&builder.moment(&[None])).differences;
    assert_eq!((found.matched, found.blocks_without_chunk, found.blocks_without_chunk_bytes), (3, 3, 30));
}

#[test]
fn mapped_chunks_that_were_not_found_are_missing() {
    let mut moment = builder().moment(&[None]);
    let calltap_analyzers::arenas::Decoding::Chunks(map) = &mut moment.decoding else {
        unreachable!("the builder reads chunks")
    };
    map.parameters.mmapped_chunks = Some(5);
    moment.calls_under_way = 2;
    let found = analyse(&moment).differences;
    assert_eq!((found.mmapped_missing, found.under_way), (3, 2));
}

#[test]
fn without_chunks_a_block_outside_the_allocators_memory_differs() {
    let mut builder = Builder::new();
    let stack = builder.area(1, AreaKind::Stack, true);
    let region = builder.area(1, AreaKind::Allocator, true);
    builder.live.extend([live(stack, 30), live(region, 40), live(region + 4096, 50)]);
    let found = analyse(&builder.moment_of_regions(&[None])).differences;
    assert_eq!((found.blocks_without_chunk, found.blocks_without_chunk_bytes, found.matched), (2, 80, 0));
}
