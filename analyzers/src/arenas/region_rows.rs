//! The rows of regions whose chunks are not known: another allocator's.

use std::cmp::Reverse;
use std::ops::Range;

use super::Moment;
use super::memory_map::{Mapper, PAGE, PageState, Residency};
use super::pieces::{Piece, Place};
use super::regions::{Birth, Change};
use super::report::{Part, RegionRow};
use crate::heap::LiveBlock;

/// Gathers the pieces of each region; what touches is one region.
#[derive(Debug, Default)]
pub(super) struct RegionRows {
    rows: Vec<RegionRow>,
}

impl RegionRows {
    /// Counts a piece in, if it is a region's.
    #[inline]
    pub(super) fn add(&mut self, piece: &Piece<'_>) {
        if piece.place != Place::Region {
            return;
        }
        if self.rows.last().is_none_or(|row| row.end != piece.start) {
            self.rows.push(RegionRow { start: piece.start, ..RegionRow::default() });
        }
        let Some(row) = self.rows.last_mut() else { return };
        row.end = piece.end;
        row.extent += piece.extent;
        if piece.part == Part::Live {
            row.live_bytes += piece.extent.bytes;
        }
    }

    /// The rows, most mapped bytes first.
    pub(super) fn finish(mut self, moment: &Moment) -> Vec<RegionRow> {
        for row in &mut self.rows {
            let blocks = blocks_in(&moment.live, row.start..row.end);
            row.live_blocks = blocks.iter().filter(|block| block.block.0 >= row.start).count() as u64;
            let pages = Pages::count(&moment.residency, blocks, row.start..row.end);
            row.empty_pages = pages.resident - pages.used;
            row.sparse_pages = pages.sparse;
        }
        moment.births.iter().for_each(|birth| mark(&mut self.rows, birth));
        self.rows.sort_by_key(|row| (Reverse(row.end - row.start), row.start));
        self.rows
    }
}

/// Who maps a region first is its mapper, until it is unmapped. `rows` are by ascending address.
fn mark(rows: &mut [RegionRow], birth: &Birth) {
    let first = rows.partition_point(|row| row.end <= birth.start);
    for row in rows[first..].iter_mut().take_while(|row| row.start < birth.end) {
        match birth.change {
            Change::RegionMapped if row.born_ns.is_none() => {
                row.mapper = Some(Mapper { stack: birth.stack, site: birth.site });
                row.thread = Some(birth.thread);
                row.born_ns = Some(birth.at_ns);
            }
            Change::RegionUnmapped if birth.start <= row.start && row.end <= birth.end => {
                (row.mapper, row.thread, row.born_ns) = (None, None, None);
            }
            _ => {}
        }
    }
}

/// The blocks with bytes in `range`, and those of no bytes. Only one can begin before it.
fn blocks_in(live: &[LiveBlock], range: Range<u64>) -> &[LiveBlock] {
    let begins = live.partition_point(|block| block.block.0 < range.start);
    let ends = live.partition_point(|block| block.block.0 < range.end);
    let before = begins.checked_sub(1).filter(|index| live[*index].end() > range.start);
    &live[before.unwrap_or(begins)..ends]
}

/// Resident pages of a region.
#[derive(Debug, Default)]
struct Pages {
    /// All of them.
    resident: u64,
    /// Those with a living byte.
    used: u64,
    /// Those with a living byte, but of less than a quarter.
    sparse: u64,
    /// The last page with a living byte, and how many it has so far.
    last: (u64, u64),
}

impl Pages {
    fn count(residency: &Residency, blocks: &[LiveBlock], range: Range<u64>) -> Self {
        let mut pages = Self::default();
        let mut rest = blocks;
        for run in residency.within(range).filter(|run| run.state != PageState::Swapped) {
            pages.resident += (run.end - run.start).div_ceil(PAGE);
            while let Some(block) = rest.first().filter(|block| block.block.0 < run.end) {
                let (start, end) = (block.block.0.max(run.start), block.end().min(run.end));
                if start < end {
                    pages.block(start, end);
                }
                if block.end() > run.end {
                    break;
                }
                rest = &rest[1..];
            }
        }
        pages.close();
        pages
    }

    /// Living bytes in resident pages, by ascending address.
    fn block(&mut self, start: u64, end: u64) {
        let (first, last) = (start / PAGE, (end - 1) / PAGE);
        self.in_page(first, end.min((first + 1) * PAGE) - start);
        if first < last {
            self.used += last - first - 1;
            self.in_page(last, end - last * PAGE);
        }
    }

    fn in_page(&mut self, page: u64, bytes: u64) {
        if self.last.0 != page {
            self.close();
            self.last = (page, 0);
        }
        self.last.1 += bytes;
    }

    fn close(&mut self) {
        let bytes = self.last.1;
        self.used += u64::from(bytes > 0);
        self.sparse += u64::from(bytes > 0 && bytes * 4 < PAGE);
    }
}
