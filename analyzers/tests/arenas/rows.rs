//! One row for each arena, cache and region.

use calltap_analyzers::arenas::chunk_map::{ChunkKind, Tcache};
use calltap_analyzers::arenas::memory_map::{AreaKind, Mapper, PAGE, PageState};
use calltap_analyzers::arenas::regions::{Birth, Change};
use calltap_analyzers::arenas::report::{Extent, Part, TcacheRow};
use calltap_analyzers::arenas::{Moment, analyse};
use calltap_analyzers::event::Thread;

use crate::build::{BASE, Builder, live};

const RESIDENT: [Option<PageState>; 1] = [Some(PageState::Anonymous)];

fn birth(change: Change, start: u64, end: u64, at_ns: u64) -> Birth {
    Birth { change, start, end, at_ns, thread: Thread(at_ns as u32), function: None, stack: 7, site: 9 }
}

const fn resident(bytes: u64) -> Extent {
    Extent { bytes, resident: bytes, swapped: 0 }
}

/// A main arena of one page, and an orphan with two heaps of 32 pages each.
fn two_arenas() -> Moment {
    let mut builder = Builder::new();
    builder.arena(1);
    builder.heap(1, &[(0x100, ChunkKind::InUse, Some(0xf8))], 0, 0);
    builder.arena(0);
    let used = (0x8000, ChunkKind::InUse, Some(0x7000));
    builder.heap(
        32,
        &[used, (0x60, ChunkKind::Tcache, None), (0x40, ChunkKind::Fast, None), used, used],
        0,
        0,
    );
    builder.heap(32, &[used, (0x300, ChunkKind::Bin, None)], 0, 1);
    builder.moment(&RESIDENT)
}

#[test]
fn an_arena_has_the_figures_that_glibc_prints() {
    let report = analyse(&two_arenas());
    let [main, other] = &report.arenas[..] else { panic!("not two arenas: {:?}", report.arenas) };
    assert!(main.is_main && main.heaps == 1 && main.attached_threads == Some(1));
    assert_eq!((main.system, main.in_use_bytes, main.live_bytes), (resident(PAGE), 0x100, 0xf8));
    assert!(!other.is_main && other.heaps == 2 && other.attached_threads == Some(0));
    assert_eq!((other.system, other.live_blocks, other.live_bytes), (resident(64 * PAGE), 4, 4 * 0x7000));
    assert_eq!((other.tcache, other.fast, other.bin), (resident(0x60), resident(0x40), resident(0x300)));
    assert_eq!(other.in_use_bytes, 4 * 0x8000 + 0x60);
    assert_eq!(other.top.bytes, 64 * PAGE - 4 * 0x8000 - 0x60 - 0x40 - 0x300);
    let orphan = report.parts.iter().find(|row| row.part == Part::Orphan).expect("an orphan has free memory");
    assert_eq!(orphan.extent.bytes, other.fast.bytes + other.bin.bytes + other.top.bytes);
}

#[test]
fn an_arena_names_the_threads_of_its_blocks() {
    let report = analyse(&two_arenas());
    let threads: Vec<u64> = report.arenas[1].threads.iter().map(|(_, bytes)| *bytes).collect();
    assert_eq!(threads.iter().sum::<u64>(), 4 * 0x7000);
    assert!(threads.len() > 1 && threads.is_sorted_by(|one, other| one >= other), "{threads:?}");
}

#[test]
fn an_arena_was_made_by_the_thread_that_mapped_its_first_heap() {
    let mut moment = two_arenas();
    let first = BASE + PAGE;
    moment.births = vec![
        birth(Change::ArenaBorn, first, first + 64 * PAGE, 20),
        birth(Change::Died, first, first + 64 * PAGE, 25),
        birth(Change::ArenaBorn, first, first + 64 * PAGE, 30),
        birth(Change::HeapBorn, first, first + 32 * PAGE, 40),
    ];
    let report = analyse(&moment);
    assert_eq!((report.arenas[0].made_by, report.arenas[0].born_ns), (None, None));
    let row = &report.arenas[1];
    assert_eq!((row.made_by, row.born_ns, row.stack, row.site), (Some(Thread(30)), Some(30), 7, 9));
    assert_eq!(report.births, moment.births);
}

#[test]
fn caches_come_by_their_bytes() {
    let mut builder = Builder::new();
    builder.map.tcaches = vec![
        Tcache { address: 1, thread: None, chunks: 2, bytes: 64 },
        Tcache { address: 2, thread: Some(Thread(5)), chunks: 1, bytes: 80 },
    ];
    let rows = analyse(&builder.moment(&RESIDENT)).tcaches;
    let row = |thread, chunks, bytes| TcacheRow { thread, chunks, bytes };
    assert_eq!(rows, [row(Some(Thread(5)), 1, 80), row(None, 2, 64)]);
}

#[test]
fn pages_of_a_region_are_empty_or_sparse_or_well_used() {
    let mut builder = Builder::new();
    let start = builder.area(6, AreaKind::Allocator, true);
    builder.area(2, AreaKind::Allocator, false);
    // A quarter of page 0; two small blocks in page 1; nothing in 2; from 3 to 4; nothing in 5.
    let blocks = [(0, 1024), (PAGE, 100), (PAGE + 900, 23), (3 * PAGE + 96, PAGE), (5 * PAGE, 0)];
    builder.live.extend(blocks.map(|(distance, bytes)| live(start + distance, bytes)));
    let states = [RESIDENT[0], RESIDENT[0], RESIDENT[0], RESIDENT[0], RESIDENT[0], RESIDENT[0], None, None];
    let rows = analyse(&builder.moment_of_regions(&states)).regions;
    assert_eq!(rows.len(), 1, "{rows:?}");
    let row = rows[0];
    assert_eq!((row.start, row.end, row.extent), (start, start + 8 * PAGE, resident(6 * PAGE)));
    assert_eq!((row.live_blocks, row.live_bytes), (5, 1024 + 123 + PAGE));
    assert_eq!((row.empty_pages, row.sparse_pages), (2, 2));
}

#[test]
fn a_page_that_is_not_resident_is_neither_empty_nor_sparse() {
    let mut builder = Builder::new();
    let start = builder.area(4, AreaKind::Allocator, true);
    builder.live.push(live(start + 10, 3 * PAGE));
    let states = [None, RESIDENT[0], Some(PageState::Swapped), RESIDENT[0]];
    let row = analyse(&builder.moment_of_regions(&states)).regions[0];
    assert_eq!((row.empty_pages, row.sparse_pages), (0, 1));
    assert_eq!(row.extent, Extent { bytes: 4 * PAGE, resident: 2 * PAGE, swapped: PAGE });
}

#[test]
fn a_region_is_its_first_mappers_since_it_was_unmapped() {
    let mut builder = Builder::new();
    let first = builder.area(4, AreaKind::Allocator, true);
    builder.gap(1);
    let second = builder.area(2, AreaKind::Allocator, true);
    let mut moment = builder.moment_of_regions(&RESIDENT);
    moment.births = vec![
        birth(Change::RegionMapped, first, first + 4 * PAGE, 10),
        birth(Change::RegionUnmapped, first, first + 4 * PAGE, 20),
        birth(Change::RegionMapped, first + PAGE, first + 2 * PAGE, 30),
        birth(Change::RegionUnmapped, first + PAGE, first + 2 * PAGE, 40),
        birth(Change::RegionMapped, first, first + PAGE, 50),
    ];
    let rows = analyse(&moment).regions;
    let mapper = Some(Mapper { stack: 7, site: 9 });
    assert_eq!((rows[0].start, rows[0].mapper, rows[0].thread), (first, mapper, Some(Thread(30))));
    assert_eq!((rows[1].start, rows[1].mapper, rows[1].born_ns), (second, None, None));
}
