//! Where blocks come from, and what each place has got.

use super::usage::Usage;
use crate::event::{Event, Giver};
use crate::hash::fold;
use crate::place::Place;

/// Number of an origin in 29 bits: a place's number, and the giver below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Origin(u32);

impl Origin {
    /// The largest number.
    pub(super) const MAX: u32 = (1 << 29) - 1;

    pub(super) const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    pub(super) const fn bits(self) -> u32 {
        self.0
    }

    /// By which family the block was given.
    #[inline]
    pub(super) const fn giver(self) -> Giver {
        match self.0 & 3 {
            0 => Giver::C,
            1 => Giver::New,
            _ => Giver::NewArray,
        }
    }

    /// Number of the place.
    #[inline(always)]
    pub(super) const fn place(self) -> usize {
        (self.0 >> 2) as usize
    }
}

/// Bits of an index entry that are a place's number; those above it are part of the place's hash.
const NUMBER: u32 = Origin::MAX >> 2;
/// Stands for all places after the first 2^27 - 1.
const CROWDED: u32 = NUMBER;
/// An index entry that leads to no place.
const EMPTY: u32 = u32::MAX;
/// Entries of the index when the first place is met.
const FIRST_ENTRIES: usize = 64;

/// Places that gave blocks, numbered in the order of their first one, with their accounts.
///
/// ```text
///  index:  hash -> five more bits of it, number     4 bytes an entry, at least half of them empty
///  rows:   number -> place, account                 88 bytes
/// ```
#[derive(Debug)]
pub(super) struct Origins {
    rows: Vec<Row>,
    index: Box<[u32]>,
    /// So far down must a hash go to be a place in the index.
    shift: u32,
    crowded: Row,
}

/// A place and its account side by side: who finds the one needs the other.
#[derive(Clone, Copy, Debug, Default)]
struct Row {
    place: Place,
    usage: Usage,
}

impl Default for Origins {
    fn default() -> Self {
        let mut origins = Self { rows: Vec::new(), index: Box::default(), shift: 0, crowded: Row::default() };
        origins.rebuild_index(FIRST_ENTRIES);
        origins
    }
}

#[inline(always)]
const fn hash(place: &Place) -> u64 {
    fold(place.site, (place.stack as u64) << 16 | place.function.0 as u64)
}

impl Origins {
    /// The number of the place that made this event.
    #[inline(always)]
    pub(super) fn of(&mut self, event: &Event<'_>, giver: Giver) -> Origin {
        let place = Place::of(event);
        let hash = hash(&place);
        let number = match self.search(&place, hash) {
            Ok(number) => number,
            Err(at) => self.insert(place, hash, at),
        };
        Origin(number << 2 | giver as u32)
    }

    /// Reads the cache lines that [`of`](Self::of) and the account most likely need.
    #[inline(always)]
    pub(super) fn touch(&self, event: &Event<'_>) -> u64 {
        let entry = self.index[(hash(&Place::of(event)) >> self.shift) as usize];
        self.rows.get((entry & NUMBER) as usize).map_or(0, |row| row.place.site ^ row.usage.allocated_bytes)
    }

    /// What the number stands for.
    pub(super) fn place(&self, origin: Origin) -> Place {
        self.rows.get(origin.place()).unwrap_or(&self.crowded).place
    }

    /// The account of the place.
    #[inline(always)]
    pub(super) fn usage(&mut self, origin: Origin) -> &mut Usage {
        &mut self.rows.get_mut(origin.place()).unwrap_or(&mut self.crowded).usage
    }

    /// How many places there are.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// All places and their accounts, by their numbers; the last stands for those beyond count.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Place, &Usage)> {
        self.rows.iter().chain([&self.crowded]).map(|row| (row.place, &row.usage))
    }

    /// Its number, or where in the index it belongs.
    #[inline(always)]
    fn search(&self, place: &Place, hash: u64) -> Result<u32, usize> {
        let mut at = (hash >> self.shift) as usize;
        loop {
            let entry = self.index[at];
            if entry == EMPTY {
                return Err(at);
            }
            let number = entry & NUMBER;
            if (entry ^ hash as u32) & !NUMBER == 0 && self.rows[number as usize].place == *place {
                return Ok(number);
            }
            at = (at + 1) & (self.index.len() - 1);
        }
    }

    #[cold]
    fn insert(&mut self, place: Place, hash: u64, at: usize) -> u32 {
        let number = self.rows.len() as u32;
        if number >= CROWDED {
            return CROWDED;
        }
        self.rows.push(Row { place, usage: Usage::default() });
        self.index[at] = hash as u32 & !NUMBER | number;
        if self.rows.len() * 2 > self.index.len() {
            self.rebuild_index(self.index.len() * 2);
        }
        number
    }

    fn rebuild_index(&mut self, entries: usize) {
        self.index = vec![EMPTY; entries].into_boxed_slice();
        self.shift = u64::BITS - entries.trailing_zeros();
        for (row, number) in self.rows.iter().zip(0_u32..) {
            let hash = hash(&row.place);
            let mut at = (hash >> self.shift) as usize;
            while self.index[at] != EMPTY {
                at = (at + 1) & (entries - 1);
            }
            self.index[at] = hash as u32 & !NUMBER | number;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Action, FunctionId, Image, Thread};

    fn at(site: u64, stack: u32, function: u16) -> Event<'static> {
        Event {
            image: Image(1),
            thread: Thread(1),
            function: FunctionId(function),
            start_ns: 0,
            end_ns: 0,
            timed: true,
            errno: 0,
            site,
            stack,
            vfork_child: false,
            text: b"",
            used: None,
            action: Action::None,
        }
    }

    /// Ids as a hash table with room for a million gives them.
    fn scattered(number: u32) -> u32 {
        number.wrapping_mul(0x9e37_79b1) & 0xf_ffff
    }

    #[test]
    fn every_place_is_found_again_while_they_become_many() {
        let mut origins = Origins::default();
        let place = |n: u32| at(0x5555_0000_1000 + u64::from(n / 7) * 16, scattered(n), n as u16 % 3);
        for n in 0..200_000 {
            assert_eq!(origins.of(&place(n), Giver::New).place(), n as usize);
        }
        for n in 0..200_000 {
            let origin = origins.of(&place(n), Giver::C);
            assert_eq!((origin.place(), origins.place(origin)), (n as usize, Place::of(&place(n))));
        }
        assert_eq!(origins.len(), 200_000);
    }

    #[test]
    fn site_stack_and_function_tell_places_apart() {
        let mut origins = Origins::default();
        let events = [at(1, 2, 3), at(2, 2, 3), at(1, 3, 3), at(1, 2, 4)];
        let numbers = events.map(|event| origins.of(&event, Giver::C).place());
        assert_eq!(numbers, [0, 1, 2, 3]);
    }

    #[test]
    fn a_place_takes_no_more_memory_than_promised() {
        let mut origins = Origins::default();
        for n in 0..300_000 {
            origins.of(&at(0x1000, scattered(n), 0), Giver::C);
            let index = size_of_val(&*origins.index) / origins.len();
            assert!(n < 1000 || size_of::<Row>() + index <= 104, "{index} bytes of index at {n} places");
        }
    }

    /// One site, many stacks: the hash must use all of the stack.
    #[test]
    fn searches_stay_short() {
        let mut origins = Origins::default();
        let stacks = 60_000;
        for n in 0..stacks {
            origins.of(&at(0x5555_0000_1234, scattered(n), 0), Giver::C);
        }
        let steps = |row: &Row| {
            let home = (hash(&row.place) >> origins.shift) as usize;
            let entries = (home..).map(|at| origins.index[at & (origins.index.len() - 1)]);
            let is_it = |entry: u32| origins.rows[(entry & NUMBER) as usize].place == row.place;
            entries.take_while(|entry| !is_it(*entry)).count()
        };
        let all: usize = origins.rows.iter().map(steps).sum();
        assert!(all < stacks as usize, "{all} steps beyond the first in {stacks} searches");
    }
}
