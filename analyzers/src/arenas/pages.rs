//! Free memory in pages that something holds.

use super::gauge::Found;
use super::memory_map::PAGE;
use super::report::Extent;
use super::tallies::Tallies;
use crate::heap::LiveBlock;

/// Goes over the pages by ascending address, and charges the free memory of each to the blocks that
/// have a byte in it: to each of them the same, as each is enough to hold the page, whatever its size.
///
/// What caches, headers and blocks that were not seen hold together with living blocks is charged to
/// these in part only, and to nobody if they hold it alone.
#[derive(Debug, Default)]
pub(super) struct Pages<'a> {
    number: u64,
    /// In the page: free, and touched.
    free: Extent,
    /// Nobody but blocks that are known can hold it.
    is_region: bool,
    /// Those that have a byte in it; `None` is somebody else.
    holders: Vec<Option<&'a LiveBlock>>,
    /// Free in pages that something holds.
    pub(super) held: Extent,
    /// Free in pages that nothing holds.
    pub(super) not_held: Extent,
}

impl<'a> Pages<'a> {
    /// The piece of a page behind `start` is free; `found` says what of it was touched.
    pub(super) fn free(&mut self, start: u64, found: Found, is_region: bool, tallies: &mut Tallies) {
        self.turn_to(start / PAGE, tallies);
        self.free += extent(found);
        self.is_region = is_region;
    }

    /// `start..end` is in use by a block, or by somebody else.
    #[inline]
    pub(super) fn hold(&mut self, start: u64, end: u64, block: Option<&'a LiveBlock>, tallies: &mut Tallies) {
        for page in [start / PAGE, (end - 1) / PAGE] {
            self.turn_to(page, tallies);
            let address = |holder: &Option<&LiveBlock>| holder.map(|block| block.block);
            if self.holders.last().map(address) != Some(address(&block)) {
                self.holders.push(block);
            }
        }
    }

    /// Counts the last page in.
    pub(super) fn finish(&mut self, tallies: &mut Tallies) {
        self.turn_to(u64::MAX, tallies);
    }

    #[inline]
    fn turn_to(&mut self, number: u64, tallies: &mut Tallies) {
        if number == self.number {
            return;
        }
        self.number = number;
        let free = std::mem::take(&mut self.free);
        if self.is_region && self.holders.is_empty() {
            self.not_held += free;
        } else {
            self.held += free;
        }
        if free.bytes > 0 {
            let share = free.bytes / (self.holders.len() as u64).max(1);
            for block in self.holders.iter().flatten() {
                tallies.of(block).kept.charge(block, share);
            }
        }
        self.holders.clear();
    }
}

/// What was touched.
pub(super) const fn extent(found: Found) -> Extent {
    Extent { bytes: found.anonymous + found.swapped, resident: found.anonymous, swapped: found.swapped }
}
