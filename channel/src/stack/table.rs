//! The stack table: each call stack once, under a number that records carry.
//!
//! ```text
//! word 0      next free word of the store
//! word 1      stacks whose frames found no room
//! word 2      stacks in the table
//! 8           index: hash, place; two words a slot
//! then        store: for each stack one word (length, end, check), then its frames, innermost first
//! ```
//! Neighbouring frames mostly have the upper halves of their words in common. So the store is counted in
//! halves: for each 32 frames one whose bits say which of them bring a new upper half, then for each frame its
//! upper half, if it is new, and its lower half. That is little more than half of the memory, and new memory
//! is what a new stack costs most.
//!
//!
//! A stack's number is its slot's, plus one, so it is known as soon as the hash has been written by a
//! compare-and-exchange: nobody waits for the one who writes the frames. Two stacks are taken for the
//! same if their 64-bit hashes are equal; among a million stacks that is wrong once in 37 million runs.

use core::sync::atomic::{AtomicU64, Ordering};

use super::pack::{pack, packed, unpack};
use super::{End, Frame, MAX_DEPTH, Stack};

/// Words before the index.
const PREFIX: u64 = 8;
/// Words of the store for each slot of the index: a stack of 15 frames. With half of the slots in use, 31.
const STORE_PER_SLOT: u64 = 16;
/// Slots looked at before a table counts as full.
const PROBES: u64 = 64;
/// Slots that are tried first, so that a program with few stacks touches few pages.
const FIRST_SLOTS: u64 = 1 << 16;
/// How many of them.
const FIRST_PROBES: u64 = 16;

/// A table in mapped memory. Copies are views of the same table.
#[derive(Clone, Copy, Debug)]
pub struct StackTable {
    words: *const AtomicU64,
    slots: u64,
}

// SAFETY: shared memory made of atomics; any thread may look at it.
unsafe impl Send for StackTable {}
// SAFETY: as above.
unsafe impl Sync for StackTable {}

/// Bytes that a thread needs to remember its walks of stacks of at most `depth` frames; a multiple of 64.
#[must_use]
pub const fn walk_bytes(depth: u64) -> u64 {
    ((7 << 10) + (depth + 40) * 2 * 48).next_multiple_of(64)
}

/// Size in bytes of a table with this many slots, a power of two; 0 for none.
#[must_use]
pub const fn bytes_of(slots: u64) -> u64 {
    if slots == 0 { 0 } else { (PREFIX + slots * (2 + STORE_PER_SLOT)) * 8 }
}

/// How many slots a table of this size has; None if no table has this size.
#[must_use]
pub const fn slots_in(bytes: u64) -> Option<u64> {
    if bytes == 0 {
        return Some(0);
    }
    let slots = (bytes / 8).saturating_sub(PREFIX) / (2 + STORE_PER_SLOT);
    if slots.is_power_of_two() && slots <= 1 << 28 && bytes_of(slots) == bytes { Some(slots) } else { None }
}

impl StackTable {
    /// Views the table at `base`.
    ///
    /// # Safety
    /// `bytes_of(slots)` bytes from `base`, 8-aligned, stay mapped, readable and writable, as long as
    /// any copy is used. They were zero when the table was new.
    #[must_use]
    pub unsafe fn at(base: *const u8, slots: u64) -> Self {
        Self { words: base.cast(), slots }
    }

    #[inline]
    fn word(&self, index: u64) -> &AtomicU64 {
        debug_assert!(index < bytes_of(self.slots) / 8);
        // SAFETY: callers give an index below the table's size, which `at`'s contract keeps mapped.
        unsafe { &*self.words.add(index as usize) }
    }

    const fn store(&self) -> u64 {
        PREFIX + self.slots * 2
    }

    const fn store_words(&self) -> u64 {
        self.slots * STORE_PER_SLOT
    }

    /// The number of the stack with this hash; if it is new, `frames` (at most [`MAX_DEPTH`]) are
    /// stored. 0 if the table is full, which is counted.
    pub fn intern(&self, hash: u64, end: End, frames: impl ExactSizeIterator<Item = Frame> + Clone) -> u32 {
        if self.slots == 0 {
            return 0;
        }
        // 0 stands for an empty slot.
        let hash = hash.max(1);
        let start = hash >> 32;
        let among_first = (0..FIRST_PROBES).map(|probe| (start + probe) & (FIRST_SLOTS.min(self.slots) - 1));
        let among_all = (0..PROBES).map(|probe| (start + probe) & (self.slots - 1));
        for slot in among_first.chain(among_all) {
            let at = PREFIX + slot * 2;
            let mut seen = self.word(at).load(Ordering::Relaxed);
            if seen == 0 {
                let claimed = self.word(at).compare_exchange(0, hash, Ordering::Relaxed, Ordering::Relaxed);
                match claimed {
                    Ok(_) => {
                        self.write(hash, at + 1, end, frames);
                        return slot as u32 + 1;
                    }
                    Err(other) => seen = other,
                }
            }
            if seen == hash {
                return slot as u32 + 1;
            }
        }
        self.word(1).fetch_add(1, Ordering::Relaxed);
        0
    }

    /// What stands beside a stack's frames to tell whether they are still those that were stored: 24 bits.
    fn check(hash: u64, end: u64, frames: impl Iterator<Item = Frame>) -> u64 {
        let all = frames.fold(hash ^ end, |all, frame| {
            (all ^ frame.0).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
        });
        all.wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40
    }

    #[cold]
    fn write(&self, hash: u64, place: u64, end: End, frames: impl ExactSizeIterator<Item = Frame> + Clone) {
        let length = frames.len();
        let words = 1 + packed(frames.clone()).div_ceil(2) as u64;
        let at = self.word(0).fetch_add(words, Ordering::Relaxed);
        if length > MAX_DEPTH || at.saturating_add(words) > self.store_words() {
            self.word(1).fetch_add(1, Ordering::Relaxed);
            return;
        }
        let first = self.store() + at;
        let check = Self::check(hash, end as u64, frames.clone());
        self.word(first).store(length as u64 | (end as u64) << 32 | check << 40, Ordering::Relaxed);
        let (mut next, mut low) = (first + 1, None);
        pack(frames, |half| match low.take() {
            None => low = Some(half),
            Some(low) => {
                self.word(next).store(u64::from(low) | u64::from(half) << 32, Ordering::Relaxed);
                next += 1;
            }
        });
        if let Some(low) = low {
            self.word(next).store(u64::from(low), Ordering::Relaxed);
        }
        self.word(2).fetch_add(1, Ordering::Relaxed);
        // Release: pairs with the Acquire in `get`. Places count from 1.
        self.word(place).store(at + 1, Ordering::Release);
    }

    /// The stack with this number; None if there is none, its frames found no room or were never
    /// written, or what is there makes no sense.
    #[must_use]
    pub fn get(&self, id: u32) -> Option<Stack> {
        let slot = u64::from(id).checked_sub(1).filter(|slot| *slot < self.slots)?;
        let at = self.word(PREFIX + slot * 2 + 1).load(Ordering::Acquire).checked_sub(1)?;
        let hash = self.word(PREFIX + slot * 2).load(Ordering::Relaxed);
        let load = |index: u64| {
            (index < self.store_words()).then(|| self.word(self.store() + index).load(Ordering::Relaxed))
        };
        let header = load(at)?;
        let length = (header & 0xffff_ffff) as usize;
        let end = match header >> 32 & 0xff {
            1 => End::Outermost,
            2 => End::Depth,
            3 => End::Lost,
            _ => return None,
        };
        if length > MAX_DEPTH {
            return None;
        }
        let mut next = 0;
        let half = || {
            let word = load(at + 1 + next / 2)?;
            let half = (word >> (next % 2 * 32)) as u32;
            next += 1;
            Some(half)
        };
        let frames = unpack(length, half)?;
        (Self::check(hash, end as u64, frames.iter().copied()) == header >> 40)
            .then_some(Stack { frames, end })
    }

    /// Whether a stack was stored under this number that [`Self::get`] does not give: somebody has scribbled over it,
    /// or over the record that has the number.
    #[must_use]
    pub fn is_damaged(&self, id: u32) -> bool {
        let Some(slot) = u64::from(id).checked_sub(1) else { return false };
        // Without a place its frames found no room.
        let is_stored = |slot| self.word(PREFIX + slot * 2 + 1).load(Ordering::Acquire) != 0;
        slot >= self.slots || (is_stored(slot) && self.get(id).is_none())
    }

    /// Stacks in the table.
    #[must_use]
    pub fn len(&self) -> u64 {
        if self.slots == 0 { 0 } else { self.word(2).load(Ordering::Relaxed) }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How often a stack found no room.
    #[must_use]
    pub fn refused(&self) -> u64 {
        if self.slots == 0 { 0 } else { self.word(1).load(Ordering::Relaxed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(slots: u64) -> StackTable {
        let words: Vec<AtomicU64> = (0..bytes_of(slots) / 8).map(|_| AtomicU64::new(0)).collect();
        // SAFETY: leaked, zero, of the size asked for.
        unsafe { StackTable::at(Vec::leak(words).as_ptr().cast(), slots) }
    }

    fn frames(count: u64) -> impl ExactSizeIterator<Item = Frame> + Clone {
        (0..count as usize).map(|index| Frame(index as u64 + 7))
    }

    #[test]
    fn a_stack_is_stored_once_and_comes_back_whole() {
        let table = table(64);
        let id = table.intern(99 << 32, End::Depth, frames(3));
        assert_eq!(table.intern(99 << 32, End::Depth, frames(3)), id);
        let other = table.intern(98 << 32, End::Lost, frames(0));
        assert_ne!(other, id);
        assert_eq!(
            table.get(id),
            Some(Stack { frames: vec![Frame(7), Frame(8), Frame(9)], end: End::Depth })
        );
        assert_eq!(table.get(other), Some(Stack { frames: vec![], end: End::Lost }));
        assert_eq!((table.len(), table.refused()), (2, 0));
    }

    #[test]
    fn a_full_table_counts_what_it_refuses() {
        let table = table(4);
        let ids: Vec<u32> = (1..=6).map(|hash| table.intern(hash << 32, End::Outermost, frames(1))).collect();
        assert_eq!(ids.iter().filter(|id| **id == 0).count(), 2);
        assert_eq!((table.len(), table.refused()), (4, 2));
        let big = self::table(4);
        let id = big.intern(1, End::Outermost, frames(130));
        assert_eq!((big.get(id), big.refused()), (None, 1), "known by its number, but not stored");
    }

    #[test]
    fn frames_of_any_addresses_come_back() {
        let table = table(1 << 12);
        let mut random = 1_u64;
        for (depth, hash) in [0_usize, 1, 31, 32, 33, 64, 65, MAX_DEPTH].into_iter().cycle().take(64).zip(1..)
        {
            let frames: Vec<Frame> = (0..depth)
                .map(|index| {
                    random = random.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(index as u64);
                    // Often the same upper half, sometimes another.
                    Frame(random >> 40 | ((random >> 61) / 3) << 32)
                })
                .collect();
            let id = table.intern(hash << 32, End::Lost, frames.iter().copied());
            assert_eq!(table.get(id), Some(Stack { frames, end: End::Lost }));
        }
    }

    #[test]
    fn numbers_and_places_that_make_no_sense_give_nothing() {
        let table = table(8);
        assert_eq!(table.get(0), None);
        assert_eq!(table.get(3), None);
        assert_eq!(table.get(9), None);
        assert_eq!(table.get(u32::MAX), None);
        for place in [u64::MAX, 8 * STORE_PER_SLOT + 1, 8 * STORE_PER_SLOT] {
            table.word(PREFIX + 1).store(place, Ordering::Relaxed);
            table.word(table.store() + 8 * STORE_PER_SLOT - 1).store(1 << 32 | 5, Ordering::Relaxed);
            assert_eq!(table.get(1), None, "{place}");
        }
    }

    #[test]
    fn threads_agree_on_numbers() {
        let table = table(1 << 12);
        let all: Vec<Vec<u32>> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    let each = |hash: u64| table.intern(hash << 32, End::Outermost, frames(hash % 20));
                    scope.spawn(move || (1..1000).map(each).collect())
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(all.iter().all(|ids| *ids == all[0]));
        assert_eq!(table.len(), 999);
        for (id, hash) in all[0].iter().zip(1_u64..) {
            assert_eq!(table.get(*id).unwrap().frames.len() as u64, hash % 20);
        }
    }

    #[test]
    fn only_sizes_that_tables_have_are_accepted() {
        assert_eq!(slots_in(0), Some(0));
        assert_eq!(slots_in(bytes_of(1 << 20)), Some(1 << 20));
        assert_eq!(slots_in(bytes_of(1 << 20) + 8), None);
        assert_eq!(slots_in(4096), None);
        assert_eq!(slots_in(u64::MAX), None);
    }
}
