//! Where blocks come from: a call site, its stack, and the function it called.

use crate::event::{Event, FunctionId, Giver};
use crate::hash::{SpreadMap, spread};

/// Number of an origin in 29 bits: an index, and the giver below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Origin(u32);

/// What a number stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub(super) site: u64,
    pub(super) stack: u32,
    pub(super) function: FunctionId,
}

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

    pub(super) const fn index(self) -> usize {
        (self.0 >> 2) as usize
    }
}

/// Entries of the cache that stands before the map.
const CACHED: usize = 256;
/// Stands for all places after the first 2^27.
const CROWDED: u32 = Origin::MAX >> 2;

/// Places that gave blocks, numbered in the order of their first one.
#[derive(Debug)]
pub(super) struct Origins {
    places: Vec<Place>,
    numbers: SpreadMap<(u64, u64), u32>,
    cache: Box<[Cached; CACHED]>,
}

#[derive(Clone, Copy, Debug)]
struct Cached {
    site: u64,
    /// Stack and function; no place has this much set.
    rest: u64,
    index: u32,
}

impl Default for Origins {
    fn default() -> Self {
        let unused = Cached { site: 0, rest: u64::MAX, index: 0 };
        Self { places: Vec::new(), numbers: SpreadMap::default(), cache: Box::new([unused; CACHED]) }
    }
}

impl Origins {
    /// The number of the place that made this event.
    #[inline(always)]
    pub(super) fn of(&mut self, event: &Event<'_>, giver: Giver) -> Origin {
        let rest = u64::from(event.stack) << 16 | u64::from(event.function.0);
        let at = (spread(event.site ^ rest << 40) >> (64 - CACHED.trailing_zeros())) as usize;
        let cached = &self.cache[at];
        let index = if cached.site == event.site && cached.rest == rest {
            cached.index
        } else {
            self.look_up(event, rest, at)
        };
        Origin(index << 2 | giver as u32)
    }

    /// What the number stands for.
    pub(super) fn place(&self, origin: Origin) -> Place {
        let unknown = Place { site: 0, stack: 0, function: FunctionId(0) };
        self.places.get(origin.index()).copied().unwrap_or(unknown)
    }

    /// How many places there are.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    #[inline(never)]
    fn look_up(&mut self, event: &Event<'_>, rest: u64, at: usize) -> u32 {
        let next = self.places.len() as u32;
        let index = *self.numbers.entry((event.site, rest)).or_insert(next);
        if index == next {
            if next >= CROWDED {
                self.numbers.remove(&(event.site, rest));
                return CROWDED;
            }
            self.places.push(Place { site: event.site, stack: event.stack, function: event.function });
        }
        self.cache[at] = Cached { site: event.site, rest, index };
        index
    }
}
