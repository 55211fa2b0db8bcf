//! Moments for which the right advice is known.

use super::*;
use crate::arenas::chunk_map::ChunkKind::{Bin, InUse, Tcache, Top};
use crate::arenas::chunk_map::{Arena, MmappedChunk, Parameters};
use crate::arenas::memory_map::{AreaKind, Residency, Run};
use crate::arenas::samples::{area, arena, heap};
use crate::arenas::{Decoding, analyse};
use crate::event::Block;

const MIB: u64 = 1 << 20;
const PAGE: u64 = 4096;
const START: u64 = 0x1000_0000;

/// A moment at which each chunk in use is a block; its site is its size.
fn moment(arenas: Vec<Arena>, parameters: Parameters) -> Moment {
    let chunks = arenas.iter().flat_map(|arena| &arena.heaps).flat_map(|heap| &heap.chunks);
    let block = |chunk: &Chunk| LiveBlock {
        block: Block(chunk.block()),
        bytes: chunk.usable_bytes(),
        site: chunk.bytes(),
        ..LiveBlock::test()
    };
    let live = chunks.filter(|chunk| chunk.kind() == InUse).map(block).collect();
    let mut moment = Moment::of(arenas, live);
    let Decoding::Chunks(map) = &mut moment.decoding else { unreachable!() };
    map.parameters = parameters;
    moment
}

fn saved(moment: &Moment) -> Vec<(Remedy, u64, bool)> {
    let advice = analyse(moment).advice;
    advice.into_iter().map(|advice| (advice.remedy, advice.saves, advice.simulated)).collect()
}

#[test]
fn what_trimming_returns_is_what_it_saves() {
    let run = [(PAGE, InUse), (8 * MIB, Bin), (0x40, InUse), (2 * MIB, Top)];
    let moment = moment(vec![arena(true, vec![heap(START, &run)])], Parameters::default());
    let trim = analyse(&moment).trim.expect("simulated");
    assert_eq!(saved(&moment), [(Remedy::Trim, trim.returned, true)]);
    let because = &analyse(&moment).advice[0].because;
    assert!(because.starts_with("10.5 MB are free in whole pages that nothing holds, 2.09 MB"), "{because}");
}

#[test]
fn a_grown_threshold_keeps_tops_but_for_a_pad() {
    let parameters = Parameters { trim_threshold: Some(64 * MIB), ..Parameters::default() };
    let run = [(PAGE - 0x30, InUse), (8 * MIB + 0x30, Top)];
    let arenas = |start| vec![arena(false, vec![heap(start, &run)])];
    let saves = 8 * MIB - OWN_DEFAULT;
    let advice = saved(&moment(arenas(START), parameters));
    assert_eq!(advice, [(Remedy::TrimThreshold(OWN_DEFAULT), saves, true)]);
    let grown = Parameters { trim_threshold: Some(OWN_DEFAULT), ..parameters };
    assert_eq!(saved(&moment(arenas(START), grown)), []);
}

#[test]
fn arenas_beyond_two_are_too_many() {
    let run = [(PAGE - 0x30, InUse), (4 * MIB + 0x30, Top)];
    let thread = |number| arena(false, vec![heap(number * START, &run)]);
    let arenas = (2..6).map(thread).chain([arena(true, vec![heap(START, &[(PAGE, InUse)])])]);
    let advice = saved(&moment(arenas.collect(), Parameters::default()));
    assert_eq!(advice, [(Remedy::ArenaMax(2), 2 * (4 * MIB + 0x30), false)]);
}

#[test]
fn large_holes_beside_large_blocks_come_of_a_grown_threshold() {
    let run = [(MIB, InUse), (MIB, Bin), (MIB, InUse), (0x40, InUse), (MIB, Bin), (0x40, InUse), (PAGE, Top)];
    let parameters = Parameters { mmap_threshold: Some(32 * MIB), ..Parameters::default() };
    let advice = saved(&moment(vec![arena(true, vec![heap(START, &run)])], parameters));
    // Which blocks the second hole had is not known.
    let hole = MIB - PAGE;
    assert!(advice.contains(&(Remedy::MmapThreshold(OWN_DEFAULT), hole, false)), "{advice:?}");
}

#[test]
fn a_raised_pad_stays_resident() {
    let run = [(PAGE - 0x30, InUse), (8 * MIB + 0x30, Top)];
    let parameters = Parameters { top_pad: Some(2 * MIB), ..Parameters::default() };
    let advice = saved(&moment(vec![arena(false, vec![heap(START, &run)])], parameters));
    assert_eq!(advice, [(Remedy::TopPad(OWN_DEFAULT), 2 * MIB - OWN_DEFAULT, false)]);
}

#[test]
fn caches_of_many_threads_are_worth_a_word() {
    let run: Vec<_> = (0..1000).flat_map(|_| [(0x200, Tcache), (0x200, InUse)]).collect();
    let advice = saved(&moment(vec![arena(true, vec![heap(START, &run)])], Parameters::default()));
    assert!(advice.contains(&(Remedy::TcacheCount(0), 1000 * 0x200, false)), "{advice:?}");
}

#[test]
fn without_the_blocks_that_hold_the_pages_these_would_go_back() {
    let pairs = (0..256).flat_map(|_| [(PAGE - 0x40, Bin), (0x40, InUse)]);
    let run: Vec<_> = pairs.chain([(PAGE, InUse), (PAGE, Top)]).collect();
    let moment = moment(vec![arena(true, vec![heap(START, &run)])], Parameters::default());
    let held = 256 * (PAGE - 0x40);
    let advice = analyse(&moment).advice;
    // The first page keeps the words of the free chunk that all become.
    let Remedy::Release(culprit) = advice[0].remedy else { panic!("{advice:?}") };
    assert_eq!((culprit.site, culprit.blocks, culprit.bytes), (0x40, 256, held));
    assert_eq!((advice[0].saves, advice[0].simulated), (255 * PAGE, true));
    assert_eq!((advice[1].remedy, advice[1].saves), (Remedy::Allocator("jemalloc"), held + 0x1000));
}

#[test]
fn a_leak_takes_its_chunks_and_its_mappings() {
    let main = arena(true, vec![heap(START, &[(0x1000, InUse); 64])]);
    let mut moment = Moment { at_ns: 65, ..moment(vec![main], Parameters::default()) };
    let large = LiveBlock { block: Block(0x8000_0010), bytes: MIB, site: 0x1000, ..LiveBlock::test() };
    moment.live.push(large);
    for (index, block) in moment.live.iter_mut().enumerate() {
        block.birth_ns = index as u64;
    }
    let Decoding::Chunks(map) = &mut moment.decoding else { unreachable!() };
    let (start, end) = (0x8000_0000, 0x8010_1000);
    map.mmapped = vec![MmappedChunk { start, end, block: 0x8000_0010 }];
    moment.areas.push(area(start..end, AreaKind::Allocator));
    let run = |start, end| Run { start, end, state: PageState::Anonymous };
    moment.residency = Residency::new(vec![run(START, START + 64 * PAGE), run(start, end)]);
    let advice = analyse(&moment).advice;
    let Remedy::Release(culprit) = advice[0].remedy else { panic!("{advice:?}") };
    assert_eq!((culprit.site, culprit.blocks), (0x1000, 65));
    assert_eq!((advice[0].saves, advice[0].simulated), (64 * 0x1000 + MIB + PAGE, true));
}

#[test]
fn little_is_not_worth_a_word() {
    let run = [(PAGE - 0x40, InUse), (0x40, InUse), (LEAST_SAVED, Bin), (0x40, InUse)];
    assert_eq!(saved(&moment(vec![arena(true, vec![heap(START, &run)])], Parameters::default())), []);
    // A share of the whole counts, too.
    let run = [(400 * MIB, InUse), (2 * MIB, Bin), (0x40, InUse)];
    assert_eq!(saved(&moment(vec![arena(true, vec![heap(START, &run)])], Parameters::default())), []);
}

#[test]
fn a_leak_that_holds_pages_is_told_once() {
    let pairs: Vec<_> = (0..256).flat_map(|_| [(PAGE - 0x40, Bin), (0x40, InUse)]).collect();
    let mut moment =
        Moment { at_ns: 256, ..moment(vec![arena(true, vec![heap(START, &pairs)])], Parameters::default()) };
    for (index, block) in moment.live.iter_mut().enumerate() {
        block.birth_ns = index as u64;
    }
    let advice = saved(&moment);
    let releases = advice.iter().filter(|(remedy, ..)| matches!(remedy, Remedy::Release(_)));
    let saves: Vec<_> = releases.map(|(_, saves, _)| *saves).collect();
    assert_eq!(saves, [255 * PAGE]);
}
