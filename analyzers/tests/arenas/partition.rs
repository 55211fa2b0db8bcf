//! Every byte is in exactly one part, and the sums are in their order.

use std::collections::BTreeMap;

use calltap_analyzers::arenas::analyse;
use calltap_analyzers::arenas::chunk_map::ChunkKind;
use calltap_analyzers::arenas::memory_map::{AreaKind, Mapper, PageState};
use calltap_analyzers::arenas::report::{ArenaReport, Extent, Part, Verdict};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::build::{Builder, Wanted, live};
use crate::model;

/// One thing in the address space.
#[derive(Clone, Debug)]
enum Thing {
    /// Pages that are not mapped.
    Gap(u64),
    /// Pages, what for, and whether they can be written.
    Area(u64, AreaKind, bool),
    /// The allocator's, with blocks at these bytes of it, of so many bytes.
    Region(u64, bool, Vec<(u64, u64)>),
    /// A new arena, and how many threads use it.
    Arena(u64),
    /// Of the last arena: pages, chunks, pages not counted yet, reserved pages.
    Heap(u64, Vec<Wanted>, u64, u64),
    /// Pages, bytes of lead-in, what was asked for.
    Mmapped(u64, u64, Option<u64>),
}

fn kind() -> impl Strategy<Value = AreaKind> {
    prop_oneof![
        Just(AreaKind::Stack),
        Just(AreaKind::File("/lib/x.so".into())),
        Just(AreaKind::Direct(Mapper::default())),
        Just(AreaKind::Unknown),
    ]
}

fn chunk_kind() -> impl Strategy<Value = ChunkKind> {
    prop_oneof![
        4 => Just(ChunkKind::InUse),
        1 => Just(ChunkKind::Tcache),
        1 => Just(ChunkKind::Fast),
        1 => Just(ChunkKind::Bin),
        1 => Just(ChunkKind::Fencepost),
        1 => Just(ChunkKind::TcacheStruct),
        1 => Just(ChunkKind::Header),
    ]
}

/// A chunk of 32 bytes to 3 KiB; the ledger has a block in most of those in use, and may be wrong.
fn wanted() -> impl Strategy<Value = Wanted> {
    (2..200_u64, chunk_kind(), option::weighted(0.7, 0..=104_u64), 0..40_u8).prop_map(
        |(units, kind, percent, odd)| {
            let bytes = units * 16;
            let known = percent.filter(|_| kind == ChunkKind::InUse || odd == 0);
            (bytes, kind, known.map(|percent| (bytes - 8) * percent / 100))
        },
    )
}

fn thing() -> impl Strategy<Value = Thing> {
    prop_oneof![
        (1..4_u64).prop_map(Thing::Gap),
        (1..6_u64, kind(), any::<bool>())
            .prop_map(|(pages, kind, writable)| Thing::Area(pages, kind, writable)),
        (1..6_u64, prop::bool::weighted(0.8), vec((0..6_000_u64, 0..5_000_u64), 0..6))
            .prop_map(|(pages, writable, blocks)| Thing::Region(pages, writable, blocks)),
        (0..2_u64).prop_map(Thing::Arena),
        (1..8_u64, vec(wanted(), 0..30), 0..2_u64, 0..4_u64)
            .prop_map(|(pages, chunks, further, reserved)| Thing::Heap(pages, chunks, further, reserved)),
        (1..4_u64, 0..100_u64, option::of(0..4_000_u64))
            .prop_map(|(pages, lead_in, requested)| Thing::Mmapped(pages, lead_in * 16, requested)),
    ]
}

fn state() -> impl Strategy<Value = Option<PageState>> {
    prop_oneof![
        Just(None),
        Just(Some(PageState::Anonymous)),
        Just(Some(PageState::File)),
        Just(Some(PageState::Swapped)),
    ]
}

/// Blocks of a region, each at a distance from the one before, and none behind its end.
fn blocks(builder: &mut Builder, start: u64, wanted: &[(u64, u64)]) {
    let mut address = start;
    for (distance, bytes) in wanted {
        address += distance;
        if address + bytes > builder.position {
            break;
        }
        builder.live.push(live(address, *bytes));
        address += bytes.max(&1);
    }
}

fn build(things: &[Thing], by_chunks: bool) -> Builder {
    let mut builder = Builder::new();
    builder.arena(1);
    for thing in things {
        match thing {
            Thing::Gap(pages) => builder.gap(*pages),
            Thing::Area(pages, kind, writable) => {
                builder.area(*pages, kind.clone(), *writable);
            }
            Thing::Region(pages, writable, wanted) => {
                let start = builder.area(*pages, AreaKind::Allocator, *writable);
                blocks(&mut builder, start, wanted);
            }
            Thing::Arena(attached) => builder.arena(*attached),
            Thing::Heap(pages, chunks, further, reserved) if by_chunks => {
                builder.heap(*pages, chunks, *further, *reserved);
            }
            Thing::Mmapped(pages, lead_in, requested) if by_chunks => {
                builder.mmapped(*pages, *lead_in, *requested);
            }
            Thing::Heap(..) | Thing::Mmapped(..) => {}
        }
    }
    builder
}

fn counted(report: &ArenaReport) -> model::Counted {
    let parts: BTreeMap<Part, Extent> = report.parts.iter().map(|row| (row.part, row.extent)).collect();
    assert_eq!(parts.len(), report.parts.len(), "a part has two rows");
    let ledger = &report.ledger;
    let by_blocks = report.regions.iter().filter(|_| ledger.in_use.is_none());
    let pages = by_blocks.fold((0, 0), |sum, row| (sum.0 + row.empty_pages, sum.1 + row.sparse_pages));
    model::Counted { parts, in_use: ledger.in_use.unwrap_or_default(), mapped: ledger.mapped, pages }
}

/// `requested <= usable <= in use <= system <= mapped`, in every column.
fn is_ordered(report: &ArenaReport) -> bool {
    let ledger = &report.ledger;
    let sums =
        [Some(ledger.requested), ledger.usable, ledger.in_use, Some(ledger.system), Some(ledger.mapped)];
    let sums: Vec<Extent> = sums.into_iter().flatten().collect();
    sums.windows(2).all(|pair| {
        let [less, more] = [pair[0], pair[1]];
        less.bytes <= more.bytes && less.resident <= more.resident && less.swapped <= more.swapped
    })
}

fn check(builder: Builder, states: &[Option<PageState>], by_chunks: bool) -> Result<(), TestCaseError> {
    let end = builder.position;
    let moment = if by_chunks { builder.moment(states) } else { builder.moment_of_regions(states) };
    let report = analyse(&moment);
    let mut expected = model::count(&moment, end);
    let unknown = expected.parts.get(&Part::Unknown).map_or(0, |extent| extent.resident);
    let anonymous = moment.residency.bytes(0..u64::MAX, PageState::Anonymous);
    if !by_chunks {
        prop_assert_eq!(report.ledger.in_use, None);
        expected.in_use = Extent::default();
    }
    prop_assert_eq!(counted(&report), expected);
    prop_assert!(is_ordered(&report), "{:?}", report.ledger);
    prop_assert_eq!(report.ledger.anonymous, anonymous);
    prop_assert_eq!(report.parts.iter().map(|row| row.extent.resident).sum::<u64>(), anonymous);
    prop_assert_eq!(report.ledger.explained, anonymous - unknown);
    let judged = |of: fn(&Verdict) -> u64| report.verdicts.iter().map(of).sum::<u64>();
    prop_assert_eq!(judged(|verdict| verdict.resident), anonymous);
    let found = &report.differences;
    if by_chunks {
        let blocks = found.matched + found.too_small + found.blocks_without_chunk;
        prop_assert_eq!(blocks, moment.live.len() as u64);
    }
    Ok(())
}

proptest! {
    #[test]
    fn every_byte_is_in_one_part(things in vec(thing(), 1..14), states in vec(state(), 1..40)) {
        check(build(&things, true), &states, true)?;
    }

    #[test]
    fn every_byte_of_another_allocator_is_in_one_part(
        things in vec(thing(), 1..14),
        states in vec(state(), 1..40),
    ) {
        check(build(&things, false), &states, false)?;
    }
}

#[test]
fn a_block_in_a_resident_page_counts_its_own_bytes() {
    let mut builder = Builder::new();
    builder.arena(1);
    builder.heap(2, &[(64, ChunkKind::InUse, Some(48))], 0, 0);
    let report = analyse(&builder.moment(&[Some(PageState::Anonymous), None]));
    let part = |part| report.parts.iter().find(|row| row.part == part).map(|row| row.extent);
    let all_resident = |bytes| Some(Extent { bytes, resident: bytes, swapped: 0 });
    assert_eq!(part(Part::Live), all_resident(48));
    assert_eq!(part(Part::Rounding), all_resident(8));
    assert_eq!(part(Part::Headers), all_resident(8));
    assert_eq!(part(Part::Top), Some(Extent { bytes: 8192 - 64, resident: 4096 - 64, swapped: 0 }));
}

#[test]
fn what_is_resident_and_in_no_area_is_unknown() {
    let mut builder = Builder::new();
    builder.gap(3);
    let report = analyse(&builder.moment(&[None, Some(PageState::Anonymous), None]));
    assert_eq!((report.ledger.anonymous, report.ledger.explained), (4096, 0));
    assert_eq!(report.parts.len(), 1);
    assert_eq!(report.parts[0].part, Part::Unknown);
}

#[test]
fn what_the_chunks_do_not_explain_is_another_allocators_if_there_is_one() {
    for (other, part) in [(false, Part::Unknown), (true, Part::Retained)] {
        let mut builder = Builder::new();
        builder.area(1, AreaKind::Allocator, true);
        let mut moment = builder.moment(&[Some(PageState::Anonymous)]);
        if other {
            let jemalloc =
                calltap_analyzers::arenas::Allocator { name: "jemalloc".into(), ..Default::default() };
            moment.allocators.push(jemalloc);
        }
        assert_eq!(analyse(&moment).parts[0].part, part);
    }
}
