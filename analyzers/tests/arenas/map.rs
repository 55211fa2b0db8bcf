//! The strips of the map.

use calltap_analyzers::arenas::analyse;
use calltap_analyzers::arenas::chunk_map::ChunkKind;
use calltap_analyzers::arenas::memory_map::{AreaKind, PAGE, PageState};
use calltap_analyzers::arenas::report::{Cell, Strip};

use crate::build::{BASE, Builder, live};

const RESIDENT: Option<PageState> = Some(PageState::Anonymous);

fn bytes(cell: &Cell) -> u64 {
    cell.live + cell.tcache + cell.free + cell.untouched
}

/// Every byte of a strip is in a cell, and no cell is more than a byte larger than another.
fn check(strip: &Strip) {
    let sizes = || strip.cells.iter().map(bytes);
    assert_eq!(sizes().sum::<u64>(), strip.end - strip.start);
    assert!(sizes().max().unwrap_or(0) - sizes().min().unwrap_or(0) <= 1, "{strip:?}");
    assert!(!strip.cells.is_empty() && strip.cells.len() <= Strip::CELLS);
}

#[test]
fn a_page_of_a_small_heap_is_a_cell() {
    let mut builder = Builder::new();
    builder.arena(1);
    let chunks = [
        (PAGE, ChunkKind::InUse, Some(100)),
        (PAGE / 2, ChunkKind::Tcache, None),
        (PAGE / 2, ChunkKind::Bin, None),
        (PAGE, ChunkKind::InUse, None),
    ];
    builder.heap(5, &chunks, 1, 9);
    let report = analyse(&builder.moment(&[RESIDENT, RESIDENT, RESIDENT, RESIDENT, None, RESIDENT, None]));
    let [strip] = &report.strips[..] else { panic!("not one strip: {:?}", report.strips) };
    check(strip);
    let cell = |live, tcache, free, untouched| Cell { live, tcache, free, untouched };
    let expected = [
        cell(PAGE, 0, 0, 0),
        cell(0, PAGE / 2, PAGE / 2, 0),
        cell(PAGE, 0, 0, 0),
        cell(0, 0, PAGE, 0),
        cell(0, 0, 0, PAGE),
        cell(0, 0, PAGE, 0),
    ];
    assert_eq!((strip.start, strip.end, &strip.cells[..]), (BASE, BASE + 6 * PAGE, &expected[..]));
    assert_eq!((strip.arena, report.strips_left_out), (report.arenas[0].address, 0));
}

#[test]
fn a_large_heap_has_as_many_cells_as_a_strip_can() {
    let mut builder = Builder::new();
    builder.arena(1);
    let chunks = [(0x7ff0, ChunkKind::InUse, Some(0x7000)), (0x1_2340, ChunkKind::Bin, None)].repeat(40);
    builder.heap(1_051, &chunks, 0, 0);
    let report = analyse(&builder.moment(&[RESIDENT, None, RESIDENT]));
    check(&report.strips[0]);
    assert_eq!(report.strips[0].cells.len(), Strip::CELLS);
    let live: u64 = report.strips[0].cells.iter().map(|cell| cell.live).sum();
    assert_eq!(live, 40 * 0x7ff0);
}

#[test]
fn mapped_chunks_side_by_side_share_a_strip() {
    let mut builder = Builder::new();
    (0..3).for_each(|_| builder.mmapped(2, 0, Some(100)));
    builder.gap(1);
    builder.mmapped(1, 0, None);
    let strips = analyse(&builder.moment(&[RESIDENT])).strips;
    let ranges: Vec<_> =
        strips.iter().map(|strip| ((strip.start - BASE) / PAGE, (strip.end - BASE) / PAGE)).collect();
    assert_eq!(ranges, [(0, 6), (7, 8)]);
    strips.iter().for_each(check);
}

#[test]
fn a_region_shows_its_blocks() {
    let mut builder = Builder::new();
    let start = builder.area(2, AreaKind::Allocator, true);
    builder.live.push(live(start + 96, PAGE));
    let strips = analyse(&builder.moment_of_regions(&[RESIDENT, None])).strips;
    check(&strips[0]);
    let cell = |live, free, untouched| Cell { live, tcache: 0, free, untouched };
    assert_eq!(strips[0].cells, [cell(PAGE - 96, 96, 0), cell(96, 0, PAGE - 96)]);
}

#[test]
fn only_the_largest_strips_are_drawn() {
    let mut builder = Builder::new();
    for number in 0..230 {
        builder.mmapped(1 + number % 23, 0, Some(10));
        builder.gap(1);
    }
    let report = analyse(&builder.moment(&[RESIDENT]));
    assert_eq!((report.strips.len(), report.strips_left_out), (200, 30));
    assert!(report.strips.iter().all(|strip| strip.end - strip.start > 3 * PAGE));
    assert!(report.strips.is_sorted_by_key(|strip| strip.start));
    report.strips.iter().for_each(check);
}
