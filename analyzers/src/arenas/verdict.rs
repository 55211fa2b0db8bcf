//! Why the memory is where it is, in a few words with their bytes.

use std::cmp::Reverse;
use std::iter::Peekable;
use std::ops::Range;
use std::slice::Iter;

use super::Moment;
use super::gauge::{Gauge, gauge};
use super::leak::{self, Leak};
use super::memory_map::{Area, AreaKind, Mapper, PAGE, Run};
use super::pages::{Pages, extent};
use super::pieces::Piece;
use super::report::{Culprit, Extent, Part, Verdict, VerdictKind};
use super::tallies::{Tallies, Tally};
use super::trim::Simulation;
use crate::hash::SpreadMap;
use crate::place::Place;

/// A verdict names so many culprits at most.
const CULPRITS: usize = 64;

/// Puts each byte of private memory that can be written, or is resident as anonymous memory, to one
/// verdict:
///
/// * *leak* and *in use*: bytes of living blocks that were touched, and with the latter those of
///   chunks in use that nobody has seen being given;
/// * *retention*: free, touched, and in whole pages that nothing holds: those that `malloc_trim(0)`
///   would return by simulation, and those in the tops of arenas other than the main one, which it
///   does not look at. Of another allocator: pages in which no living block has a byte;
/// * *fragmentation*: free and touched otherwise. The blocks with a byte in the page are to blame;
///   what only caches hold is nobody's;
/// * *overhead*: headers and rounding, touched;
/// * *never touched*: all bytes of blocks and of the allocator that are neither resident nor in swap;
///   they may also have gone back;
/// * *not the allocator's*: the rest, touched or not.
///
/// What is in swap counts in a verdict's bytes, not in those that are resident.
#[derive(Debug)]
pub(super) struct Judge<'a, I: Iterator<Item = Run>> {
    bytes: [Extent; VerdictKind::NotTheAllocators as usize + 1],
    leaks: SpreadMap<Place, Leak>,
    tallies: Tallies,
    mappings: SpreadMap<Mapper, Culprit>,
    pages: Pages<'a>,
    /// Ranges of free memory that nothing holds, which are not passed yet.
    returnable: Peekable<std::vec::IntoIter<Range<u64>>>,
    areas: Peekable<Iter<'a, Area>>,
    gauge: Gauge<I>,
}

/// One that has seen nothing of the moment yet. `simulation`: if chunks were read.
pub(super) fn judge<'a>(
    moment: &'a Moment,
    simulation: Option<&Simulation>,
) -> Judge<'a, impl Iterator<Item = Run> + 'a> {
    let pages = simulation.iter().flat_map(|trim| trim.chunks.iter().chain(&trim.tops));
    let mut returnable: Vec<_> = pages.cloned().collect();
    returnable.sort_unstable_by_key(|pages| pages.start);
    Judge {
        bytes: Default::default(),
        leaks: leak::leaks(moment),
        tallies: Tallies::default(),
        mappings: SpreadMap::default(),
        pages: Pages::default(),
        returnable: returnable.into_iter().peekable(),
        areas: moment.areas.iter().peekable(),
        gauge: gauge(&moment.residency),
    }
}

impl<'a, I: Iterator<Item = Run>> Judge<'a, I> {
    /// Takes the next piece, by ascending address, into account.
    pub(super) fn add(&mut self, piece: &Piece<'a>) {
        match piece.part {
            Part::Live | Part::NotSeen => self.living(piece),
            Part::Rounding | Part::Headers | Part::Reserved => {
                self.touched(VerdictKind::Overhead, piece.extent)
            }
            Part::Tcache | Part::Fast | Part::Bin | Part::Top | Part::Orphan | Part::Retained => {
                self.free(piece)
            }
            Part::Shared | Part::Kernel => return,
            Part::Stacks
            | Part::Direct
            | Part::Code
            | Part::Files
            | Part::Runtime
            | Part::Calltap
            | Part::Unknown => self.elsewhere(piece),
        }
        if matches!(piece.part, Part::Live | Part::NotSeen | Part::Rounding | Part::Headers) {
            self.pages.hold(piece.start, piece.end, piece.live, &mut self.tallies);
        }
    }

    /// The verdicts, most bytes first; those without bytes or culprits are left out.
    pub(super) fn finish(mut self) -> Vec<Verdict> {
        self.pages.finish(&mut self.tallies);
        self.bytes[VerdictKind::Fragmentation as usize] += self.pages.held;
        self.bytes[VerdictKind::Retention as usize] += self.pages.not_held;
        let all: u64 = self.bytes.iter().map(|extent| extent.bytes).sum();
        let verdict = |kind: VerdictKind| {
            let Extent { bytes, resident, .. } = self.bytes[kind as usize];
            let percent = if all == 0 { 0.0 } else { bytes as f64 * 100.0 / all as f64 };
            Verdict { kind, bytes, resident, percent, culprits: self.culprits(kind) }
        };
        let mut verdicts: Vec<_> = VerdictKind::ALL.map(verdict).into();
        verdicts.retain(|verdict| verdict.bytes > 0 || !verdict.culprits.is_empty());
        verdicts.sort_by_key(|verdict| Reverse(verdict.bytes));
        verdicts
    }

    fn touched(&mut self, kind: VerdictKind, extent: Extent) {
        let touched = extent.resident + extent.swapped;
        self.bytes[kind as usize] += Extent { bytes: touched, ..extent };
        self.bytes[VerdictKind::NeverTouched as usize].bytes += extent.bytes - touched;
    }

    fn living(&mut self, piece: &Piece<'a>) {
        let leaks = piece.live.is_some_and(|block| self.leaks.contains_key(&block.place()));
        self.touched(if leaks { VerdictKind::Leak } else { VerdictKind::InUse }, piece.extent);
        if let Some(block) = piece.live {
            self.tallies.add(block, piece.extent);
        }
    }

    fn free(&mut self, piece: &Piece<'a>) {
        let Extent { bytes, resident, swapped } = piece.extent;
        self.bytes[VerdictKind::NeverTouched as usize].bytes += bytes - resident - swapped;
        let is_region = piece.part == Part::Retained;
        let mut position = piece.start;
        while position < piece.end {
            while self.returnable.next_if(|pages| pages.end <= position).is_some() {}
            let next = self.returnable.peek();
            let returned = next.is_some_and(|pages| pages.start <= position);
            let end = match next {
                Some(pages) if returned => pages.end,
                Some(pages) => pages.start.min(page_end(position)),
                None => page_end(position),
            };
            let end = end.min(piece.end);
            let found = self.gauge.measure(position, end);
            if returned {
                self.bytes[VerdictKind::Retention as usize] += extent(found);
            } else {
                self.pages.free(position, found, is_region, &mut self.tallies);
            }
            position = end;
        }
    }

    fn elsewhere(&mut self, piece: &Piece<'a>) {
        while self.areas.next_if(|area| area.end <= piece.start).is_some() {}
        let area = self.areas.peek().filter(|area| area.start <= piece.start);
        if area.is_some_and(|area| !area.private) {
            return;
        }
        let Extent { bytes, resident, swapped } = piece.extent;
        // Our own tables are mostly empty, and none of the program's affair but for what they take.
        let counts = area.is_some_and(|area| area.writable && area.kind != AreaKind::Calltap);
        let bytes = if counts { bytes } else { resident + swapped };
        self.bytes[VerdictKind::NotTheAllocators as usize] += Extent { bytes, ..piece.extent };
        if let (Part::Direct, Some(AreaKind::Direct(mapper))) = (piece.part, area.map(|area| &area.kind)) {
            let new = Culprit { stack: mapper.stack, site: mapper.site, ..Culprit::default() };
            let culprit = self.mappings.entry(*mapper).or_insert(new);
            culprit.blocks += 1;
            culprit.bytes += bytes;
            culprit.own_bytes += bytes;
        }
    }

    fn culprits(&self, kind: VerdictKind) -> Vec<Culprit> {
        let places = self.tallies.iter();
        let leak = |tally: &Tally| self.leaks.get(&tally.place);
        let mut culprits: Vec<_> = match kind {
            VerdictKind::Leak => places
                .filter_map(|tally| {
                    let bytes_per_second = Some(leak(tally)?.bytes_per_second);
                    Some(Culprit { bytes_per_second, ..tally.holder() })
                })
                .collect(),
            VerdictKind::InUse => {
                places.filter(|tally| leak(tally).is_none() && tally.touched > 0).map(Tally::holder).collect()
            }
            VerdictKind::NeverTouched => {
                let some = places.filter(|tally| tally.untouched.bytes > 0);
                some.map(|tally| tally.culprit(&tally.untouched)).collect()
            }
            VerdictKind::Fragmentation => {
                let some = places.filter(|tally| tally.kept.bytes > 0);
                some.map(|tally| tally.culprit(&tally.kept)).collect()
            }
            VerdictKind::NotTheAllocators => self.mappings.values().copied().collect(),
            VerdictKind::Retention | VerdictKind::Overhead => Vec::new(),
        };
        culprits.sort_unstable_by_key(|culprit| {
            (Reverse(culprit.bytes), Reverse(culprit.own_bytes), culprit.site, culprit.stack)
        });
        culprits.truncate(CULPRITS);
        culprits
    }
}

const fn page_end(address: u64) -> u64 {
    (address / PAGE + 1) * PAGE
}

impl VerdictKind {
    /// All of them, in their order.
    pub const ALL: [Self; Self::NotTheAllocators as usize + 1] = [
        Self::Leak,
        Self::InUse,
        Self::Retention,
        Self::Fragmentation,
        Self::NeverTouched,
        Self::Overhead,
        Self::NotTheAllocators,
    ];
}

#[cfg(test)]
mod tests;
