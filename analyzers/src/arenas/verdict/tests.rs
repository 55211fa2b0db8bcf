//! Moments whose verdicts are known.

use super::*;
use crate::arenas::chunk_map::ChunkKind::{Bin, Fast, Header, InUse, Tcache, TcacheStruct, Top};
use crate::arenas::chunk_map::{Arena, MmappedChunk};
use crate::arenas::memory_map::{PageState, Residency};
use crate::arenas::samples::{area, arena, heap};
use crate::arenas::{Decoding, pieces, trim};
use crate::event::{Block, FunctionId};
use crate::heap::LiveBlock;

const START: u64 = 0x10_0000;

fn verdicts(moment: &Moment) -> Vec<Verdict> {
    let simulation = moment.chunk_map().map(|map| trim::simulate(map, &moment.residency));
    let mut judge = judge(moment, simulation.as_ref());
    pieces::walk(moment, |piece| judge.add(piece));
    judge.finish()
}

fn found(moment: &Moment) -> Vec<(VerdictKind, u64, u64)> {
    let mut found: Vec<_> =
        verdicts(moment).iter().map(|verdict| (verdict.kind, verdict.bytes, verdict.resident)).collect();
    found.sort_unstable();
    found
}

fn culprits(moment: &Moment, kind: VerdictKind) -> Vec<Culprit> {
    verdicts(moment)
        .into_iter()
        .find(|verdict| verdict.kind == kind)
        .map_or_else(Vec::new, |found| found.culprits)
}

/// A block of `bytes` in the chunk at `chunk`, asked for from `site`.
fn block(chunk: u64, bytes: u64, site: u64) -> LiveBlock {
    LiveBlock { block: Block(chunk + 16), bytes, site, ..LiveBlock::test() }
}

/// The blocks of all chunks in use, whose whole room was asked for from one site.
fn blocks(arena: &Arena, site: u64) -> Vec<LiveBlock> {
    let chunks = arena.heaps.iter().flat_map(|heap| &heap.chunks);
    let in_use = chunks.filter(|chunk| chunk.kind() == InUse);
    in_use.map(|chunk| block(chunk.address, chunk.usable_bytes(), site)).collect()
}

#[test]
fn each_byte_is_in_one_verdict() {
    use VerdictKind::{Fragmentation, InUse as Used, NeverTouched, NotTheAllocators, Overhead, Retention};
    let chunks = [
        (0x290, TcacheStruct),
        (0x40, InUse),
        (0x30, InUse),
        (0x40, Tcache),
        (3 * PAGE, Bin),
        (2 * PAGE, InUse),
        (0xcc0, Top),
    ];
    let main = arena(true, vec![heap(START, &chunks)]);
    let (end, large) = (main.heaps[0].end, main.heaps[0].chunks[5].address);
    assert_eq!(end, START + 6 * PAGE);
    let mut moment =
        Moment::of(vec![main], vec![block(START + 0x290, 0x30, 7), block(large, 2 * PAGE - 8, 8)]);
    moment.areas.extend([
        area(0x20_0000..0x20_4000, AreaKind::Stack),
        Area { private: false, ..area(0x30_0000..0x30_4000, AreaKind::Shared(String::new())) },
        Area { writable: false, ..area(0x40_0000..0x40_4000, AreaKind::File("libc".into())) },
    ]);
    let run = |start, end, state| Run { start, end, state };
    moment.residency = Residency::new(vec![
        run(START, START + 4 * PAGE, PageState::Anonymous),
        // The large block's second page was never touched, the end of it is in swap with the top.
        run(START + 5 * PAGE, end, PageState::Swapped),
        run(0x20_3000, 0x20_4000, PageState::Anonymous),
        run(0x30_0000, 0x30_4000, PageState::Anonymous),
        run(0x40_0000, 0x40_1000, PageState::Anonymous),
        run(0x40_1000, 0x40_2000, PageState::File),
    ]);
    let in_front = START + 4 * PAGE - large;
    let behind = PAGE - 0xcc0;
    let seen = 0x30 + in_front - 8;
    let (swapped, gaps) = (behind, (START + PAGE) - (START + 0x340));
    let rest = large - (START + 3 * PAGE);
    let expected = [
        (Used, seen + 0x28 + swapped, seen + 0x28),
        (Retention, 2 * PAGE, 2 * PAGE),
        (Fragmentation, 0x40 + gaps + rest + 0xcc0, 0x40 + gaps + rest),
        (NeverTouched, PAGE, 0),
        (Overhead, 0x290 + 8 + 8 + 8 + 8, 0x290 + 8 + 8 + 8 + 8),
        (NotTheAllocators, 4 * PAGE + PAGE, PAGE + PAGE),
    ];
    assert_eq!(found(&moment), expected);
    let all: u64 = expected.iter().map(|(_, bytes, _)| bytes).sum();
    assert_eq!(all, 6 * PAGE + 4 * PAGE + PAGE);
    let percents: f64 = verdicts(&moment).iter().map(|verdict| verdict.percent).sum();
    assert!((percents - 100.0).abs() < 1e-9, "{percents}");
}

#[test]
fn a_block_in_each_page_is_to_blame_for_what_is_free_in_it() {
    let pairs: Vec<_> = (0..64).flat_map(|_| [(PAGE - 0x40, Bin), (0x40, InUse)]).collect();
    let main = arena(true, vec![heap(START, &pairs)]);
    let live = blocks(&main, 9);
    let moment = Moment::of(vec![main], live);
    let culprit = culprits(&moment, VerdictKind::Fragmentation)[0];
    assert_eq!((culprit.site, culprit.function), (9, Some(FunctionId(1))));
    assert_eq!((culprit.blocks, culprit.own_bytes, culprit.bytes), (64, 64 * 0x38, 64 * (PAGE - 0x40)));
    assert_eq!(found(&moment)[1], (VerdictKind::Fragmentation, 64 * (PAGE - 0x40), 64 * (PAGE - 0x40)));
}

#[test]
fn all_that_hold_a_page_share_the_blame() {
    let run = [(0x100, InUse), (0xb00, Bin), (0x200, InUse), (0x200, InUse), (PAGE, Bin), (PAGE, InUse)];
    let main = arena(true, vec![heap(START, &run)]);
    let at = |index: usize| main.heaps[0].chunks[index].address;
    // Nobody has seen the second chunk in use being given; the last one is in the third page only.
    let live = vec![block(at(0), 0xf8, 1), block(at(3), 0x1f8, 2), block(at(5), PAGE - 8, 3)];
    let moment = Moment::of(vec![main], live);
    let blamed: Vec<_> = culprits(&moment, VerdictKind::Fragmentation)
        .iter()
        .map(|culprit| (culprit.site, culprit.blocks, culprit.bytes))
        .collect();
    assert_eq!(blamed, [(2, 1, 0xb00 / 3), (1, 1, 0xb00 / 3)]);
}

#[test]
fn tops_of_thread_arenas_are_kept_though_nothing_holds_them() {
    let run = [(0x8d0, Header), (0x290, TcacheStruct), (0x20, InUse), (9 * PAGE + 0x480, Top)];
    let thread = arena(false, vec![heap(0x4000_0000, &run)]);
    let moment = Moment::of(vec![thread], Vec::new());
    let simulation = trim::simulate(moment.chunk_map().expect("chunks"), &moment.residency);
    assert_eq!(simulation.total().returned, 0);
    assert!(found(&moment).contains(&(VerdictKind::Retention, 9 * PAGE, 9 * PAGE)));
    assert!(found(&moment).contains(&(VerdictKind::Fragmentation, 0x480, 0x480)));
}

#[test]
fn fast_chunks_go_with_their_neighbours() {
    let run = [(PAGE - 0x30, InUse), (PAGE, Bin), (0x30, Fast), (PAGE, Bin), (PAGE, InUse)];
    let main = arena(true, vec![heap(START, &run)]);
    let live = blocks(&main, 1);
    let moment = Moment::of(vec![main], live);
    assert!(found(&moment).contains(&(VerdictKind::Retention, 2 * PAGE, 2 * PAGE)));
}

#[test]
fn who_never_touches_what_it_asked_for_is_named() {
    let main = arena(true, vec![heap(START, &[(PAGE, InUse), (8 * PAGE, InUse), (PAGE, Top)])]);
    let mut live = blocks(&main, 5);
    live[1].site = 6;
    live.push(LiveBlock { block: Block(0x800_0010), bytes: 16 * PAGE - 16, site: 7, ..LiveBlock::test() });
    let mut moment = Moment::of(vec![main], live);
    let Decoding::Chunks(map) = &mut moment.decoding else { unreachable!() };
    map.mmapped = vec![MmappedChunk { start: 0x800_0000, end: 0x801_0000, block: 0x800_0010 }];
    moment.areas.push(area(0x800_0000..0x801_0000, AreaKind::Allocator));
    let run = |start, end| Run { start, end, state: PageState::Anonymous };
    moment.residency = Residency::new(vec![run(START, START + 2 * PAGE), run(0x800_0000, 0x800_1000)]);
    let named: Vec<_> = culprits(&moment, VerdictKind::NeverTouched)
        .iter()
        .map(|culprit| (culprit.site, culprit.blocks, culprit.bytes, culprit.own_bytes))
        .collect();
    assert_eq!(named, [(7, 1, 15 * PAGE, 16 * PAGE - 16), (6, 1, 7 * PAGE, 8 * PAGE - 8)]);
    assert!(found(&moment).contains(&(VerdictKind::NeverTouched, 23 * PAGE, 0)));
}

#[test]
fn a_leak_is_told_from_what_is_in_use() {
    let chunks = [(0x40, InUse); 128];
    let main = arena(true, vec![heap(START, &chunks)]);
    let mut live = blocks(&main, 1);
    for (index, block) in live.iter_mut().enumerate().skip(64) {
        (block.site, block.birth_ns) = (2, index as u64 * 1_000_000_000);
    }
    let moment = Moment { at_ns: 128_000_000_000, ..Moment::of(vec![main], live) };
    let leak = culprits(&moment, VerdictKind::Leak);
    assert_eq!((leak.len(), leak[0].site, leak[0].blocks, leak[0].bytes), (1, 2, 64, 64 * 0x38));
    assert_eq!((leak[0].oldest_ns, leak[0].newest_ns), (64_000_000_000, 127_000_000_000));
    assert!(leak[0].bytes_per_second.is_some_and(|speed| (speed - 56.0).abs() < 1e-9));
    let used = culprits(&moment, VerdictKind::InUse);
    assert_eq!((used.len(), used[0].site, used[0].bytes_per_second), (1, 1, None));
    let half = 64 * 0x38;
    assert_eq!(found(&moment)[..2], [(VerdictKind::Leak, half, half), (VerdictKind::InUse, half, half)]);
}

#[test]
fn of_another_allocators_memory_pages_without_a_living_byte_are_retained() {
    let region = area(START..START + 8 * PAGE, AreaKind::Allocator);
    let live = vec![block(START + PAGE, 0x30, 1), block(START + 5 * PAGE - 0x20, 0x20, 2)];
    let resident = Run { start: START, end: START + 6 * PAGE, state: PageState::Anonymous };
    let moment =
        Moment { live, areas: vec![region], residency: Residency::new(vec![resident]), ..Moment::test() };
    // The second block lies in two pages.
    let held = 3 * PAGE - 0x50;
    assert_eq!(
        found(&moment),
        [
            (VerdictKind::InUse, 0x50, 0x50),
            (VerdictKind::Retention, 3 * PAGE, 3 * PAGE),
            (VerdictKind::Fragmentation, held, held),
            (VerdictKind::NeverTouched, 2 * PAGE, 0),
        ]
    );
}

#[test]
fn what_the_program_maps_itself_is_its_mappers() {
    let mapper = |site| AreaKind::Direct(Mapper { stack: 3, site });
    let areas = vec![
        area(START..START + PAGE, mapper(1)),
        area(START + PAGE..START + 4 * PAGE, mapper(2)),
        area(START + 8 * PAGE..START + 9 * PAGE, mapper(1)),
    ];
    let moment = Moment { areas, ..Moment::test() };
    let named: Vec<_> = culprits(&moment, VerdictKind::NotTheAllocators)
        .iter()
        .map(|culprit| (culprit.stack, culprit.site, culprit.blocks, culprit.bytes))
        .collect();
    assert_eq!(named, [(3, 2, 1, 3 * PAGE), (3, 1, 2, 2 * PAGE)]);
    assert_eq!(found(&moment), [(VerdictKind::NotTheAllocators, 5 * PAGE, 0)]);
}
