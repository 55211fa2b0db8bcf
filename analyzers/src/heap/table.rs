//! All addresses of one heap: an open-addressing table that grows a piece at a time.

use super::slot::Slot;
use crate::hash::spread;

/// Segments of the table: while one grows, the others stay, so memory never doubles at once.
const SEGMENTS: usize = 256;
const SEGMENT_SHIFT: u32 = 64 - SEGMENTS.trailing_zeros();
/// Slots of a segment when it is first used.
const FIRST_SLOTS: usize = 8;
/// Below this many slots, a segment grows rather than forget who was released.
const REMEMBERING_SLOTS: usize = 64;

/// Linear probing over 32-byte slots. Released owners stay until their slot is taken by another
/// address or the segment is rebuilt: a second release of the same address is recognised by them.
///
/// A segment doubles only when more than 21/32 of its slots live: at worst 32 * 2 * 32 / 21 = 98
/// bytes per live block.
#[derive(Debug)]
pub(super) struct Table {
    segments: Box<[Segment]>,
    /// What a segment keeps while it is rebuilt. One array for all of them, and a segment's own is used again if it stays
    /// as large: new ones with other memory given out in between would make the heap grow little by little, for ever.
    kept: Vec<Slot>,
}

#[derive(Clone, Debug, Default)]
struct Segment {
    slots: Box<[Slot]>,
    /// Slots with an address, alive or not.
    used: usize,
    /// Rebuilt when so many are used.
    limit: usize,
}

impl Default for Table {
    fn default() -> Self {
        Self { segments: vec![Segment::default(); SEGMENTS].into_boxed_slice(), kept: Vec::new() }
    }
}

impl Table {
    /// The slot of `address`, if there is one.
    #[inline(always)]
    pub(super) fn find_mut(&mut self, address: u64) -> Option<&mut Slot> {
        let hash = spread(address);
        let segment = &mut self.segments[(hash >> SEGMENT_SHIFT) as usize];
        let at = segment.search(address, hash).found?;
        segment.slots.get_mut(at)
    }

    /// The slot of `address`, which is not 0, made if there was none.
    #[inline(always)]
    pub(super) fn entry(&mut self, address: u64) -> &mut Slot {
        let hash = spread(address);
        let segment = &mut self.segments[(hash >> SEGMENT_SHIFT) as usize];
        let search = segment.search(address, hash);
        match search.found {
            Some(at) => &mut segment.slots[at],
            None => segment.claim(address, hash, search.place, &mut self.kept),
        }
    }

    /// Reads the cache lines where the search for `address` begins: two slots fill one, and most
    /// searches end in the second.
    #[inline(always)]
    pub(super) fn touch(&self, address: u64) -> u64 {
        let hash = spread(address);
        let segment = &self.segments[(hash >> SEGMENT_SHIFT) as usize];
        let home = segment.home(hash);
        let at = |slot: usize| segment.slots.get(slot).map_or(0, Slot::address);
        at(home) ^ at(home + 2)
    }

    /// All slots with an address.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Slot> {
        self.segments.iter().flat_map(|segment| segment.slots.iter()).filter(|slot| slot.address() != 0)
    }
}

/// Where an address is, or could be.
struct Search {
    found: Option<usize>,
    place: Place,
}

#[derive(Clone, Copy)]
enum Place {
    /// The segment has no slots at all.
    Nowhere,
    /// A slot never used.
    Fresh(usize),
    /// A slot whose last owner can be forgotten.
    Idle(usize),
}

impl Segment {
    #[inline(always)]
    fn home(&self, hash: u64) -> usize {
        (hash >> 24) as usize & self.slots.len().wrapping_sub(1)
    }

    #[inline(always)]
    fn search(&self, address: u64, hash: u64) -> Search {
        let mut at = self.home(hash);
        let mut idle = None;
        // At least 3/16 of the slots are empty, so the search ends.
        while let Some(slot) = self.slots.get(at) {
            if slot.address() == address {
                return Search { found: Some(at), place: Place::Nowhere };
            }
            if slot.address() == 0 {
                return Search { found: None, place: idle.map_or(Place::Fresh(at), Place::Idle) };
            }
            if idle.is_none() && slot.is_idle() {
                idle = Some(at);
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
        Search { found: None, place: Place::Nowhere }
    }

    #[inline]
    fn claim(&mut self, address: u64, hash: u64, place: Place, kept: &mut Vec<Slot>) -> &mut Slot {
        let at = match place {
            Place::Idle(at) => at,
            Place::Fresh(at) if self.used < self.limit => {
                self.used += 1;
                at
            }
            _ => {
                self.rebuild(kept);
                self.used += 1;
                self.first_empty(hash)
            }
        };
        self.slots[at] = Slot::new(address);
        &mut self.slots[at]
    }

    fn first_empty(&self, hash: u64) -> usize {
        let mut at = self.home(hash);
        while self.slots[at].address() != 0 {
            at = (at + 1) & (self.slots.len() - 1);
        }
        at
    }

    /// Makes room: forgets released owners, or doubles. Uses `kept`, whatever is in it.
    #[cold]
    fn rebuild(&mut self, kept: &mut Vec<Slot>) {
        let remembers = self.slots.len() < REMEMBERING_SLOTS;
        let keep = |slot: &&Slot| slot.address() != 0 && (remembers || !slot.is_idle());
        kept.clear();
        kept.extend(self.slots.iter().filter(keep));
        let mut slots = self.slots.len().max(FIRST_SLOTS / 2);
        if kept.len() * 32 > slots * 21 || remembers {
            slots *= 2;
        } else {
            while kept.len() * 4 < slots && slots > REMEMBERING_SLOTS {
                slots /= 2;
            }
        }
        if slots == self.slots.len() {
            self.slots.fill(Slot::EMPTY);
        } else {
            self.slots = vec![Slot::EMPTY; slots].into_boxed_slice();
        }
        self.used = kept.len();
        // Released owners make searches long and rebuilding is cheap: they may take a third of the rest.
        self.limit = (self.used + (slots - self.used).div_ceil(3)).min(slots / 16 * 13 + slots % 16 / 2);
        for slot in &*kept {
            let at = self.first_empty(spread(slot.address()));
            self.slots[at] = *slot;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::origins::Origin;
    use super::super::owner::Got;
    use super::*;

    impl Table {
        fn find(&mut self, address: u64) -> Option<&Slot> {
            self.find_mut(address).map(|slot| &*slot)
        }

        fn memory_bytes(&self) -> usize {
            self.segments.iter().map(|segment| size_of_val(&*segment.slots)).sum()
        }
    }

    fn got(bytes: u64) -> Got {
        Got { bytes, origin: Origin::from_bits(0) }
    }

    fn address(n: u64) -> u64 {
        0x7f00_0000_1000 + n * 48
    }

    fn with_live(blocks: u64) -> Table {
        let mut table = Table::default();
        (0..blocks).for_each(|n| table.entry(address(n)).own(n, got(n), 0));
        table
    }

    #[test]
    fn every_address_is_found_again_while_the_table_grows() {
        let mut table = with_live(100_000);
        for n in 0..100_000 {
            assert_eq!(table.find(address(n)).map(Slot::bytes), Some(n));
        }
        assert!(table.find(address(100_000)).is_none());
        assert_eq!(table.iter().count(), 100_000);
    }

    #[test]
    fn memory_stays_below_a_hundred_bytes_per_live_block() {
        let mut table = Table::default();
        for n in 0..300_000 {
            table.entry(address(n)).own(n, got(1), 0);
            if n > 20_000 && n % 1_000 == 0 {
                let each = table.memory_bytes() as u64 / n;
                assert!(each < 100, "{each} bytes for each of {n} blocks");
            }
        }
    }

    #[test]
    fn released_addresses_do_not_make_the_table_grow() {
        let mut table = with_live(50_000);
        let before = table.memory_bytes();
        for n in 50_000..1_000_000 {
            table.find_mut(address(n - 50_000)).expect("it is live").release(n);
            table.entry(address(n)).own(n, got(1), 0);
        }
        assert!(table.memory_bytes() <= 2 * before, "{} after {before}", table.memory_bytes());
        assert_eq!(table.iter().filter(|slot| slot.is_live()).count(), 50_000);
    }

    #[test]
    fn a_small_heap_forgets_no_release() {
        let mut table = with_live(5_000);
        (0..5_000).for_each(|n| table.find_mut(address(n)).expect("it is live").release(n));
        (5_000..6_000).for_each(|n| table.entry(address(n)).own(n, got(1), 0));
        let remembered =
            (0..5_000).filter(|n| table.find(address(*n)).is_some_and(Slot::was_released)).count();
        assert!(remembered > 4_500, "{remembered}");
    }
}
