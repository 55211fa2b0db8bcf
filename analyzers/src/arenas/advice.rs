//! What can be done about it, and what that would bring.

use std::cmp::Reverse;

use super::Moment;
use super::amount::amount;
use super::chunk_map::{Chunk, ChunkKind, ChunkMap};
use super::join;
use super::memory_map::PageState;
use super::parts::Parts;
use super::report::{Advice, Culprit, Part, Remedy, Verdict, VerdictKind};
use super::trim::{self, Simulation};
use crate::hash::SpreadMap;
use crate::heap::LiveBlock;

/// glibc's own value of `trim_threshold`, `mmap_threshold` and `top_pad`, before they grow.
const OWN_DEFAULT: u64 = 128 << 10;
/// So many arenas are proposed.
const ARENAS: u64 = 2;
/// What saves less than this is not told, and neither what saves less than a hundredth of the
/// resident anonymous memory.
const LEAST_SAVED: u64 = 128 << 10;

/// Remedies, the largest effect first, each with its effect by itself: they do not add up.
///
/// Computed from the chunks, and what a measurement is to find:
///
/// * [`Remedy::Trim`]: what the simulation returns, at this moment;
/// * [`Remedy::TrimThreshold`], if the threshold has grown: tops of all arenas beyond the pad of
///   128 KiB that trimming leaves;
/// * [`Remedy::Release`] of the largest leak: the chunks of its living blocks. Of the place that
///   holds most free memory, if that is more than its own: what `malloc_trim(0)` would return more
///   than now, were its blocks free.
///
/// Upper bounds, as the chunks do not tell when their neighbours lived, nor what a program does next:
///
/// * [`Remedy::ArenaMax`]: all free memory but that of the two arenas that have most of it;
/// * [`Remedy::MmapThreshold`], if the threshold has grown: whole pages of free chunks of at least
///   128 KiB beside blocks of that size, all of which would have had mappings of their own;
/// * [`Remedy::TopPad`], if it was raised: tops up to it, beyond 128 KiB;
/// * [`Remedy::TcacheCount`]: what is in threads' caches;
/// * [`Remedy::Allocator`]: what is free in pages that blocks of other sizes hold, and in whole pages.
pub(super) fn give(
    moment: &Moment,
    parts: &Parts,
    simulation: Option<&Simulation>,
    verdicts: &[Verdict],
) -> Vec<Advice> {
    let mut advice = Vec::new();
    let least = LEAST_SAVED.max(parts.all().resident / 100);
    let of_kind = |kind| verdicts.iter().find(|verdict| verdict.kind == kind);
    if let (Some(map), Some(simulation)) = (moment.chunk_map(), simulation) {
        let evidence = Evidence { moment, map, simulation };
        advice.extend([
            evidence.trim(),
            evidence.trim_threshold(),
            evidence.mmap_threshold(),
            evidence.top_pad(),
            evidence.arena_max(),
            tcache_count(map, parts.of(Part::Tcache).resident),
        ]);
        if let Some(fragmentation) = of_kind(VerdictKind::Fragmentation) {
            if fragmentation.resident >= least {
                advice.push(another_allocator(fragmentation, of_kind(VerdictKind::Retention)));
            }
            let holder = fragmentation.culprits.first().filter(|holder| is_small(holder));
            advice.extend(holder.map(|holder| evidence.release_holder(holder)));
        }
    }
    let leak = of_kind(VerdictKind::Leak).and_then(|leak| leak.culprits.first());
    advice.extend(leak.map(|culprit| release_leak(moment, culprit)));
    advice.retain(|advice| advice.saves >= least);
    advice.sort_by_key(|advice| Reverse(advice.saves));
    let mut released: Vec<Culprit> = Vec::new();
    advice.retain(|advice| {
        let Remedy::Release(culprit) = advice.remedy else { return true };
        let is_new = !released.iter().any(|known| is_same(known, &culprit));
        released.push(culprit);
        is_new
    });
    advice
}

/// The chunks, and what trimming would do to them.
struct Evidence<'a> {
    moment: &'a Moment,
    map: &'a ChunkMap,
    simulation: &'a Simulation,
}

impl Evidence<'_> {
    fn resident(&self, start: u64, end: u64) -> u64 {
        self.moment.residency.bytes(start..end.max(start), PageState::Anonymous)
    }

    fn trim(&self) -> Advice {
        let trim = self.simulation.total();
        let because = format!(
            "{} are free in whole pages that nothing holds, {} of them at the main arena's top; {} are free \
             and would stay",
            amount(trim.returned),
            amount(trim.from_top),
            amount(trim.kept)
        );
        Advice { remedy: Remedy::Trim, saves: trim.returned, simulated: true, because }
    }

    fn trim_threshold(&self) -> Advice {
        let threshold = self.map.parameters.trim_threshold.unwrap_or(0);
        let beyond = self.simulation.tops.iter().map(|top| self.resident(top.start + OWN_DEFAULT, top.end));
        let saves = if threshold > OWN_DEFAULT { beyond.sum() } else { 0 };
        let because = format!(
            "{} are free and resident at the tops of arenas, {} beyond the {} that trimming leaves to each: \
             they are kept up to the threshold, which is now {}",
            amount(self.simulation.tops.iter().map(|top| self.resident(top.start, top.end)).sum()),
            amount(saves),
            amount(OWN_DEFAULT),
            amount(threshold)
        );
        Advice { remedy: Remedy::TrimThreshold(OWN_DEFAULT), saves, simulated: true, because }
    }

    fn top_pad(&self) -> Advice {
        let pad = self.map.parameters.top_pad.unwrap_or(0);
        let tops = self.simulation.tops.iter();
        let padding = tops
            .map(|top| self.resident(top.start + OWN_DEFAULT, top.end.min(top.start.saturating_add(pad))));
        let saves = padding.sum();
        let because = format!(
            "the pad that trimming leaves at an arena's top is {}: {} are resident there beyond {}",
            amount(pad),
            amount(saves),
            amount(OWN_DEFAULT)
        );
        Advice { remedy: Remedy::TopPad(OWN_DEFAULT), saves, simulated: false, because }
    }

    fn mmap_threshold(&self) -> Advice {
        let threshold = self.map.parameters.mmap_threshold.unwrap_or(0);
        let (mut saves, mut chunks) = (0, 0_u64);
        let heaps = self.map.arenas.iter().flat_map(|arena| &arena.heaps);
        for run in heaps.filter(|_| threshold > OWN_DEFAULT).flat_map(|heap| heap.chunks.windows(3)) {
            let is_large = |chunk: &Chunk, kind| chunk.kind() == kind && chunk.bytes() > OWN_DEFAULT;
            let beside_large = [run[0], run[2]].iter().any(|chunk| is_large(chunk, ChunkKind::InUse));
            if is_large(&run[1], ChunkKind::Bin) && beside_large {
                let pages = trim::pages_of_chunk(run[1].address..run[1].end());
                saves += self.resident(pages.start, pages.end);
                chunks += 1;
            }
        }
        let because = format!(
            "{chunks} free chunks of more than {} lie beside blocks of that size, with {} resident: the threshold \
             from which blocks have mappings of their own, which go back at once, has grown to {}",
            amount(OWN_DEFAULT),
            amount(saves),
            amount(threshold)
        );
        Advice { remedy: Remedy::MmapThreshold(OWN_DEFAULT), saves, simulated: false, because }
    }

    fn arena_max(&self) -> Advice {
        let mut free: Vec<_> =
            self.simulation.arenas.iter().map(|arena| arena.returned + arena.kept).collect();
        free.sort_unstable_by_key(|free| Reverse(*free));
        let saves = free.iter().skip(ARENAS as usize).sum();
        let because = format!(
            "{} arenas have {} free and resident, {} of it not in the two that have most: what is free in one \
             arena is of no use to another",
            free.len(),
            amount(free.iter().sum()),
            amount(saves)
        );
        Advice { remedy: Remedy::ArenaMax(ARENAS), saves, simulated: false, because }
    }

    fn release_holder(&self, holder: &Culprit) -> Advice {
        let moment = self.moment;
        let blocks = moment.live.iter().filter(|block| is_of(block, holder)).map(|block| (block.block.0, ()));
        let blocks: SpreadMap<u64, ()> = blocks.collect();
        let is_released = |chunk: &Chunk| blocks.contains_key(&chunk.block());
        let without = trim::simulate_after(self.map, &moment.residency, is_released).total();
        let now = self.simulation.total();
        let because = format!(
            "{} of its blocks, of {} in all, share pages with {} of free memory; without them malloc_trim(0) \
             would return {} instead of {}",
            holder.blocks,
            amount(holder.own_bytes),
            amount(holder.bytes),
            amount(without.returned),
            amount(now.returned)
        );
        let saves = without.returned.saturating_sub(now.returned);
        Advice { remedy: Remedy::Release(*holder), saves, simulated: true, because }
    }
}

fn tcache_count(map: &ChunkMap, saves: u64) -> Advice {
    let chunks: u64 = map.tcaches.iter().map(|cache| cache.chunks).sum();
    let threads = match map.tcaches.len() {
        1 => "1 thread has".to_owned(),
        threads => format!("{threads} threads have"),
    };
    let because = format!("{threads} {chunks} free chunks in their caches");
    Advice { remedy: Remedy::TcacheCount(0), saves, simulated: false, because }
}

fn another_allocator(fragmentation: &Verdict, retention: Option<&Verdict>) -> Advice {
    let mut because = format!(
        "{} are free in pages that blocks of other sizes hold: an allocator that keeps sizes apart would need \
         fewer pages for these",
        amount(fragmentation.resident)
    );
    let mut saves = fragmentation.resident;
    if let Some(retention) = retention.filter(|retention| retention.resident >= LEAST_SAVED) {
        because +=
            &format!("; {} are free in whole pages, which it gives back, too", amount(retention.resident));
        saves += retention.resident;
    }
    Advice { remedy: Remedy::Allocator("jemalloc"), saves, simulated: false, because }
}

fn release_leak(moment: &Moment, culprit: &Culprit) -> Advice {
    let resident = |start, end| moment.residency.bytes(start..end, PageState::Anonymous);
    let is_culprit = |block: &LiveBlock| is_of(block, culprit);
    let saves = match moment.chunk_map() {
        None => moment
            .live
            .iter()
            .filter(|block| is_culprit(block))
            .map(|block| resident(block.block.0, block.end()))
            .sum(),
        Some(map) => {
            let chunks = join::chunks(map, &moment.live).filter(|held| held.live.is_some_and(is_culprit));
            let in_heaps: u64 = chunks.map(|held| resident(held.chunk.address, held.chunk.end())).sum();
            let is_leaked = |start: u64| {
                let found = moment.live.binary_search_by_key(&start, |block| block.block.0);
                found.is_ok_and(|at| is_culprit(&moment.live[at]))
            };
            let mapped = map.mmapped.iter().filter(|chunk| is_leaked(chunk.block));
            in_heaps + mapped.map(|chunk| resident(chunk.start, chunk.end)).sum::<u64>()
        }
    };
    let because = format!(
        "{} blocks of {} in all were left behind here, {} in each second",
        culprit.blocks,
        amount(culprit.own_bytes),
        amount(culprit.bytes_per_second.unwrap_or(0.0) as u64)
    );
    Advice { remedy: Remedy::Release(*culprit), saves, simulated: moment.chunk_map().is_some(), because }
}

/// Whether its blocks hold more than they are: larger ones are there for themselves.
const fn is_small(holder: &Culprit) -> bool {
    holder.own_bytes < holder.bytes
}

fn is_same(one: &Culprit, other: &Culprit) -> bool {
    (one.stack, one.site, one.function) == (other.stack, other.site, other.function)
}

fn is_of(block: &LiveBlock, culprit: &Culprit) -> bool {
    (block.stack, block.site, Some(block.function)) == (culprit.stack, culprit.site, culprit.function)
}

#[cfg(test)]
mod tests;
