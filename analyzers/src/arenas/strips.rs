//! The map: what lies where in the allocator's memory, in strips of cells.

use std::cmp::Reverse;

use super::Moment;
use super::claims::Claim;
use super::gauge::{Gauge, gauge};
use super::memory_map::{AreaKind, PAGE, Run};
use super::pieces::Piece;
use super::report::{Cell, Part, Strip};

/// The most strips of a map; the largest are drawn.
const STRIPS: usize = 200;

/// Paints the strips, piece by piece.
pub(super) struct Map<I: Iterator<Item = Run>> {
    strips: Vec<Strip>,
    left_out: u64,
    /// Where it is: a strip, a cell of it, and the first address behind that.
    strip: usize,
    cell: usize,
    cell_end: u64,
    gauge: Gauge<I>,
}

/// Empty strips: one for each heap, as far as it can be written; one for mapped chunks side by side; one
/// for each piece of the allocator's memory between them.
pub(super) fn map(moment: &Moment) -> Map<impl Iterator<Item = Run> + '_> {
    let mut strips = outlines(moment);
    let left_out = strips.len().saturating_sub(STRIPS) as u64;
    strips.sort_by_key(|strip| Reverse(strip.end - strip.start));
    strips.truncate(STRIPS);
    strips.sort_by_key(|strip| strip.start);
    for strip in &mut strips {
        let pages = (strip.end - strip.start).div_ceil(PAGE);
        strip.cells = vec![Cell::default(); pages.min(Strip::CELLS as u64) as usize];
    }
    let cell_end = strips.first().map_or(0, |strip| strip.cell_end(0));
    Map { strips, left_out, strip: 0, cell: 0, cell_end, gauge: gauge(&moment.residency) }
}

/// Strips without cells, in no order; no two overlap.
fn outlines(moment: &Moment) -> Vec<Strip> {
    let claims = moment.claims();
    let (mut strips, mut mapped) = (Vec::new(), Vec::new());
    for claim in &claims {
        match claim {
            Claim::Heap { arena, heap, .. } => {
                let end = heap.end.max(heap.writable_end);
                strips.push(Strip { start: heap.start, end, arena: arena.address, cells: Vec::new() });
            }
            Claim::Mmapped(chunk) => join(&mut mapped, chunk.start, chunk.end),
        }
    }
    let mut others = Vec::new();
    let mut claims = claims.iter().peekable();
    for area in moment.areas.iter().filter(|area| area.kind == AreaKind::Allocator) {
        let mut start = area.start;
        while start < area.end {
            while claims.next_if(|claim| claim.reserved_end() <= start).is_some() {}
            let claim = claims.peek().filter(|claim| claim.start() < area.end);
            join(&mut others, start, claim.map_or(area.end, |claim| claim.start()));
            start = claim.map_or(area.end, |claim| claim.reserved_end());
        }
    }
    strips.into_iter().chain(mapped).chain(others).filter(|strip| strip.start < strip.end).collect()
}

/// Adds a range to strips by ascending address; it becomes one with the last if both touch.
fn join(strips: &mut Vec<Strip>, start: u64, end: u64) {
    match strips.last_mut() {
        _ if start >= end => {}
        Some(last) if last.end == start => last.end = end,
        _ => strips.push(Strip { start, end, ..Strip::default() }),
    }
}

impl Strip {
    /// First address behind a cell.
    fn cell_end(&self, cell: usize) -> u64 {
        self.start + (self.end - self.start) * (cell as u64 + 1) / self.cells.len() as u64
    }
}

impl<I: Iterator<Item = Run>> Map<I> {
    /// Paints a piece, if it is in a strip. Pieces come by ascending address.
    #[inline]
    pub(super) fn add(&mut self, piece: &Piece<'_>) {
        let mut start = piece.start;
        while let Some(strip) = self.strips.get_mut(self.strip)
            && strip.start < piece.end
            && start < piece.end
        {
            start = start.max(strip.start);
            if start < self.cell_end {
                let end = piece.end.min(self.cell_end);
                fill(&mut strip.cells[self.cell], piece.part, start, end, &mut self.gauge);
                start = end;
            }
            if start >= self.cell_end {
                self.turn();
            }
        }
    }

    /// On to the next cell.
    fn turn(&mut self) {
        self.cell += 1;
        if self.cell == self.strips[self.strip].cells.len() {
            (self.strip, self.cell) = (self.strip + 1, 0);
        }
        self.cell_end = self.strips.get(self.strip).map_or(u64::MAX, |strip| strip.cell_end(self.cell));
    }

    /// The strips by address, and how many more there would be.
    pub(super) fn finish(self) -> (Vec<Strip>, u64) {
        (self.strips, self.left_out)
    }
}

#[inline]
fn fill<I: Iterator<Item = Run>>(cell: &mut Cell, part: Part, start: u64, end: u64, gauge: &mut Gauge<I>) {
    match part {
        Part::Live | Part::Rounding | Part::Headers | Part::NotSeen => cell.live += end - start,
        Part::Tcache => cell.tcache += end - start,
        _ => {
            let found = gauge.measure(start, end);
            let resident = found.anonymous + found.file;
            cell.free += resident;
            cell.untouched += end - start - resident;
        }
    }
}
