//! What `malloc_trim(0)` would give back, by simulation on the chunks.

use std::ops::{AddAssign, Range};

use super::chunk_map::{Chunk, ChunkKind, ChunkMap};
use super::memory_map::{PAGE, PageState, Residency};
use super::report::Trim;

/// `sizeof (struct malloc_chunk)`: what the allocator keeps of a free chunk.
const CHUNK_WORDS: u64 = 48;
/// The smallest chunk, and the least that is left of a top.
const LEAST_CHUNK: u64 = 32;

/// What `malloc_trim(0)` would do.
///
/// glibc does for each arena, in all versions since 2.8:
///
/// * it empties the fast bins: their chunks become one with free neighbours, and with the top
///   (`malloc_consolidate`); threads' caches stay as they are;
/// * of each free chunk it gives the whole pages behind the first 48 bytes back
///   (`madvise(MADV_DONTNEED)` in `mtrim`);
/// * of the main arena's top it gives whole pages back beyond 33 bytes (`systrim`; the pad is
///   `malloc_trim`'s argument, not `top_pad`), if the top ends where the `brk` heap does, which is
///   taken for granted here. Tops of other arenas are in no bin and stay.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Simulation {
    /// For each arena, in the map's order.
    pub arenas: Vec<Trim>,
    /// Whole pages in free chunks, by ascending address, resident or not: they would go back.
    pub chunks: Vec<Range<u64>>,
    /// Whole pages in the arenas' tops, by ascending address: only those of the main one would go back.
    /// A `free` gives all of them back but for a pad, if it finds the top above the threshold for trimming.
    pub tops: Vec<Range<u64>>,
}

impl Simulation {
    /// What all arenas would give back.
    #[must_use]
    pub fn total(&self) -> Trim {
        self.arenas.iter().fold(Trim::default(), |mut sum, arena| {
            sum += *arena;
            sum
        })
    }
}

impl AddAssign for Trim {
    fn add_assign(&mut self, other: Self) {
        self.returned += other.returned;
        self.from_top += other.from_top;
        self.kept += other.kept;
    }
}

/// What `malloc_trim(0)` would do now.
#[must_use]
pub fn simulate(map: &ChunkMap, residency: &Residency) -> Simulation {
    simulate_after(map, residency, |_| false)
}

/// What it would do once these chunks in use were free, and in no cache.
pub(super) fn simulate_after(
    map: &ChunkMap,
    residency: &Residency,
    is_released: impl Fn(&Chunk) -> bool,
) -> Simulation {
    let mut simulation = Simulation::default();
    for arena in &map.arenas {
        let mut trim = Trim::default();
        for heap in &arena.heaps {
            let merges = |chunk: &Chunk| match chunk.kind() {
                ChunkKind::InUse => is_released(chunk),
                kind => is_free(kind),
            };
            for run in heap.chunks.chunk_by(|one, next| merges(one) == merges(next)) {
                let (first, last) = (run[0], run[run.len() - 1]);
                let free = first.address..last.end();
                if !merges(&first) {
                    trim.kept += cached(run, residency);
                    continue;
                }
                let resident = residency.bytes(free.clone(), PageState::Anonymous);
                let is_top = last.kind() == ChunkKind::Top;
                let pages = if is_top { pages_of_top(free) } else { pages_of_chunk(free) };
                let goes = arena.is_main || !is_top;
                let returned = if goes { residency.bytes(pages.clone(), PageState::Anonymous) } else { 0 };
                trim.returned += returned;
                trim.from_top += if is_top { returned } else { 0 };
                trim.kept += resident - returned;
                let kind = if is_top { &mut simulation.tops } else { &mut simulation.chunks };
                kind.extend((!pages.is_empty()).then_some(pages));
            }
        }
        simulation.arenas.push(trim);
    }
    simulation.chunks.sort_unstable_by_key(|pages| pages.start);
    simulation.tops.sort_unstable_by_key(|pages| pages.start);
    simulation
}

/// Whether a chunk can become one with a free neighbour.
pub(super) const fn is_free(kind: ChunkKind) -> bool {
    matches!(kind, ChunkKind::Fast | ChunkKind::Bin | ChunkKind::Top)
}

/// Whole pages behind what the allocator keeps of a free chunk.
pub(super) fn pages_of_chunk(chunk: Range<u64>) -> Range<u64> {
    let start = (chunk.start + CHUNK_WORDS).next_multiple_of(PAGE);
    start..start.max(chunk.end & !(PAGE - 1))
}

/// The end of a top is that of a page, unless somebody else has moved it.
fn pages_of_top(top: Range<u64>) -> Range<u64> {
    let surplus = (top.end - top.start).saturating_sub(LEAST_CHUNK + 1) & !(PAGE - 1);
    (top.end - surplus).next_multiple_of(PAGE)..top.end.next_multiple_of(PAGE)
}

fn cached(run: &[Chunk], residency: &Residency) -> u64 {
    let cached = run.iter().filter(|chunk| chunk.kind() == ChunkKind::Tcache);
    cached.map(|chunk| residency.bytes(chunk.address..chunk.end(), PageState::Anonymous)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arenas::chunk_map::ChunkKind::{Bin, Fast, Fencepost, InUse, Tcache, Top};
    use crate::arenas::memory_map::Run;
    use crate::arenas::samples::{arena, heap, resident};

    const START: u64 = 0x10000;

    fn trimmed(is_main: bool, chunks: &[(u64, ChunkKind)]) -> Simulation {
        let heap = heap(START, chunks);
        let residency = resident(START..heap.end);
        simulate(&ChunkMap { arenas: vec![arena(is_main, vec![heap])], ..ChunkMap::default() }, &residency)
    }

    fn trim(returned: u64, from_top: u64, kept: u64) -> Trim {
        Trim { returned, from_top, kept }
    }

    /// From one page of the heap up to another.
    fn only(first: u64, end: u64) -> Vec<Range<u64>> {
        let page = |number| START + number * PAGE;
        std::iter::once(page(first)..page(end)).collect()
    }

    #[test]
    fn of_a_free_chunk_the_whole_pages_behind_its_first_words_go() {
        // From START + 0x20, so that its words end in the first page.
        let found = trimmed(true, &[(0x20, InUse), (3 * PAGE, Bin), (2 * PAGE - 0x20, InUse), (0x20, Top)]);
        assert_eq!(found.chunks, only(1, 3));
        assert_eq!(found.total(), trim(2 * PAGE, 0, PAGE + 0x20));
    }

    #[test]
    fn words_that_reach_into_a_page_keep_it() {
        let found = trimmed(true, &[(PAGE - 0x30, InUse), (3 * PAGE + 0x30, Bin), (0x1000, InUse)]);
        assert_eq!(found.chunks, only(1, 4));
        let found = trimmed(true, &[(PAGE - 0x20, InUse), (3 * PAGE + 0x20, Bin), (0x1000, InUse)]);
        assert_eq!(found.chunks, only(2, 4));
    }

    #[test]
    fn a_chunk_without_a_whole_page_stays() {
        let found = trimmed(true, &[(0x20, InUse), (2 * PAGE - 0x40, Bin), (0x20, InUse)]);
        assert_eq!((found.chunks.len(), found.total()), (0, trim(0, 0, 2 * PAGE - 0x40)));
    }

    #[test]
    fn the_main_top_goes_but_for_what_it_needs() {
        let found = trimmed(true, &[(PAGE - 0x30, InUse), (0x30 + 2 * PAGE, Top)]);
        assert_eq!(found.tops, only(1, 3));
        assert_eq!(found.total(), trim(2 * PAGE, 2 * PAGE, 0x30));
        // With 32 bytes and whole pages, one page more stays.
        let found = trimmed(true, &[(PAGE - 0x20, InUse), (0x20 + 2 * PAGE, Top)]);
        assert_eq!(found.total(), trim(PAGE, PAGE, PAGE + 0x20));
    }

    #[test]
    fn other_tops_stay() {
        let found = trimmed(false, &[(PAGE - 0x30, InUse), (0x30 + 2 * PAGE, Top)]);
        assert_eq!((found.chunks.len(), found.total()), (0, trim(0, 0, 0x30 + 2 * PAGE)));
        assert_eq!(found.tops, only(1, 3));
    }

    #[test]
    fn fast_chunks_become_one_with_their_neighbours() {
        let run = [(0x20, InUse), (PAGE, Bin), (0x40, Fast), (0x40, Fast), (PAGE, Bin), (PAGE - 0xa0, InUse)];
        let found = trimmed(true, &run);
        assert_eq!(found.chunks, only(1, 2));
        // Also with the top: what is free below another arena's stays with it.
        let run = [(0x20, InUse), (3 * PAGE, Bin), (0x40, Fast), (PAGE - 0x60, Top)];
        assert_eq!(trimmed(true, &run).total(), trim(3 * PAGE, 3 * PAGE, PAGE - 0x20));
        assert_eq!(trimmed(false, &run).total(), trim(0, 0, 4 * PAGE - 0x20));
    }

    #[test]
    fn caches_keep_what_they_have_and_what_they_part() {
        let found = trimmed(true, &[(3 * PAGE, Tcache), (PAGE - 0x20, Bin), (0x20, Tcache), (PAGE, Bin)]);
        assert_eq!(found.total(), trim(0, 0, 5 * PAGE));
    }

    #[test]
    fn only_what_is_resident_is_returned() {
        let heap = heap(START, &[(0x20, InUse), (4 * PAGE, Bin), (0x20, Fencepost)]);
        let run = |page, state| Run { start: START + page * PAGE, end: START + (page + 1) * PAGE, state };
        let states =
            vec![run(0, PageState::Anonymous), run(1, PageState::Anonymous), run(3, PageState::Swapped)];
        let map = ChunkMap { arenas: vec![arena(false, vec![heap])], ..ChunkMap::default() };
        let found = simulate(&map, &Residency::new(states));
        assert_eq!(found.chunks, only(1, 4));
        assert_eq!(found.total(), trim(PAGE, 0, PAGE - 0x20));
    }

    #[test]
    fn released_chunks_join_what_is_free_around_them() {
        let heap =
            heap(START, &[(0x20, InUse), (PAGE, Bin), (0x40, InUse), (2 * PAGE, Bin), (0x1000, InUse)]);
        let pin = heap.chunks[2];
        let residency = resident(START..heap.end);
        let map = ChunkMap { arenas: vec![arena(false, vec![heap])], ..ChunkMap::default() };
        assert_eq!(simulate(&map, &residency).total().returned, PAGE);
        let found = simulate_after(&map, &residency, |chunk| *chunk == pin);
        assert_eq!(found.total(), trim(2 * PAGE, 0, PAGE + 0x40));
    }
}
