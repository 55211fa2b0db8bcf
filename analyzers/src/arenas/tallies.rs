//! Living memory by the places that asked for it.

use super::report::{Culprit, Extent};
use crate::hash::SpreadMap;
use crate::heap::LiveBlock;
use crate::place::Place;

impl LiveBlock {
    /// Who asked for it.
    #[inline]
    pub(super) const fn place(&self) -> Place {
        Place { site: self.site, stack: self.stack, function: self.function }
    }
}

/// What is put to the account of one place.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    /// Who.
    pub(super) place: Place,
    /// Its living blocks.
    pub(super) all: Share,
    /// Bytes of them that were touched.
    pub(super) touched: u64,
    /// Blocks with bytes that were never touched, and those bytes.
    pub(super) untouched: Share,
    /// Blocks that keep free memory from going back, and that memory.
    pub(super) kept: Share,
    /// When the oldest was given.
    oldest_ns: u64,
    /// When the youngest was given.
    newest_ns: u64,
}

/// Some of a place's blocks.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Share {
    /// How many.
    pub(super) blocks: u64,
    /// What they were asked for with.
    pub(super) own_bytes: u64,
    /// What they are charged with.
    pub(super) bytes: u64,
    /// Address of the one that was counted last.
    last: u64,
}

impl Share {
    /// Charges the block with more bytes; each block's pieces come one after the other.
    #[inline]
    pub(super) fn charge(&mut self, block: &LiveBlock, bytes: u64) {
        self.bytes += bytes;
        if self.last != block.block.0 {
            self.last = block.block.0;
            self.blocks += 1;
            self.own_bytes += block.bytes;
        }
    }
}

impl Tally {
    /// The place as the culprit of what `share` says.
    pub(super) const fn culprit(&self, share: &Share) -> Culprit {
        Culprit {
            stack: self.place.stack,
            site: self.place.site,
            function: Some(self.place.function),
            blocks: share.blocks,
            bytes: share.bytes,
            own_bytes: share.own_bytes,
            bytes_per_second: None,
            oldest_ns: self.oldest_ns,
            newest_ns: self.newest_ns,
        }
    }

    /// The place as the culprit of what it was given and has touched.
    pub(super) const fn holder(&self) -> Culprit {
        Culprit { bytes: self.touched, ..self.culprit(&self.all) }
    }
}

/// All places.
#[derive(Debug, Default)]
pub(super) struct Tallies {
    numbers: SpreadMap<Place, usize>,
    tallies: Vec<Tally>,
}

impl Tallies {
    /// The account of the one who asked for this block.
    #[inline]
    pub(super) fn of(&mut self, block: &LiveBlock) -> &mut Tally {
        let place = block.place();
        let number = *self.numbers.entry(place).or_insert_with(|| {
            self.tallies.push(Tally { place, oldest_ns: u64::MAX, ..Tally::default() });
            self.tallies.len() - 1
        });
        let tally = &mut self.tallies[number];
        tally.oldest_ns = tally.oldest_ns.min(block.birth_ns);
        tally.newest_ns = tally.newest_ns.max(block.birth_ns);
        tally
    }

    /// Counts a piece of the block itself in.
    #[inline]
    pub(super) fn add(&mut self, block: &LiveBlock, extent: Extent) {
        let tally = self.of(block);
        let touched = extent.resident + extent.swapped;
        tally.all.charge(block, extent.bytes);
        tally.touched += touched;
        if touched < extent.bytes {
            tally.untouched.charge(block, extent.bytes - touched);
        }
    }

    /// All accounts.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Tally> {
        self.tallies.iter()
    }
}
