//! What is mapped, by address.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::arenas::memory_map::Mapper;
use crate::event::{FunctionId, Thread};

/// What a range was mapped for, as far as calls told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The `brk` heap.
    Break,
    /// A heap of one of glibc's thread arenas; whether it began an arena, by the calls before it.
    Heap {
        /// It did.
        first: bool,
    },
    /// A chunk of glibc's with a mapping of its own.
    Chunk,
    /// Mapped inside an allocation call by another allocator.
    Region,
    /// A thread's stack.
    Stack,
    /// Of a file.
    File,
    /// Outside any allocation call: by the program, or by a run-time. The mapper tells.
    Other,
}

impl Purpose {
    /// Whether it is the allocator's.
    #[must_use]
    pub const fn is_allocator(self) -> bool {
        matches!(self, Self::Break | Self::Heap { .. } | Self::Chunk | Self::Region)
    }
}

/// A range and what is known of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mapping {
    /// First address.
    pub start: u64,
    /// First address behind it.
    pub end: u64,
    /// What for.
    pub purpose: Purpose,
    /// By whom.
    pub mapper: Mapper,
    /// By which thread.
    pub thread: Thread,
    /// The allocation function around it, if it is the allocator's and there was one.
    pub function: Option<FunctionId>,
    /// When, in nanoseconds since the session began.
    pub born_ns: u64,
}

/// Ranges that do not overlap. Neighbours that differ in nothing but their time are one, as they are for
/// the kernel, so that there are not more than it has by much.
#[derive(Clone, Debug, Default)]
pub(super) struct Ranges {
    by_start: BTreeMap<u64, Mapping>,
}

impl Ranges {
    /// By address.
    pub(super) fn iter(&self) -> impl Iterator<Item = Mapping> + '_ {
        self.by_start.values().copied()
    }

    /// The one that holds an address.
    pub(super) fn at(&self, address: u64) -> Option<&Mapping> {
        let (_, mapping) = self.by_start.range(..=address).next_back()?;
        (address < mapping.end).then_some(mapping)
    }

    /// Mapped over whatever was there.
    pub(super) fn map(
        &mut self,
        range: Range<u64>,
        purpose: Purpose,
        mapper: Mapper,
        thread: Thread,
        born_ns: u64,
    ) {
        self.remove(&range, |_| true);
        let Range { start, end } = range;
        self.insert(Mapping { start, end, purpose, mapper, thread, function: None, born_ns });
    }

    /// Takes away what was mapped in `range` when a call began at `start_ns`; gives the first of that.
    /// What is younger was mapped where the call had unmapped, and told before it.
    pub(super) fn unmap(&mut self, range: &Range<u64>, start_ns: u64) -> Option<Mapping> {
        self.remove(range, |mapping| mapping.born_ns <= start_ns)
    }

    fn remove(&mut self, range: &Range<u64>, goes: impl Fn(&Mapping) -> bool) -> Option<Mapping> {
        let mut first = None;
        let mut rest = range.clone();
        while let Some(mapping) = self.last_in(&rest) {
            rest.end = mapping.start;
            if !goes(&mapping) {
                continue;
            }
            self.by_start.remove(&mapping.start);
            if mapping.start < range.start {
                self.by_start.insert(mapping.start, Mapping { end: range.start, ..mapping });
            }
            if mapping.end > range.end {
                self.by_start.insert(range.end, Mapping { start: range.end, ..mapping });
            }
            first = Some(mapping);
        }
        first
    }

    /// Changes everything that lies in `range`.
    pub(super) fn change(&mut self, range: &Range<u64>, change: impl Fn(&mut Mapping)) {
        let mut inside = Vec::new();
        while let Some(mapping) = self.last_in(range) {
            let (start, end) = (mapping.start.max(range.start), mapping.end.min(range.end));
            self.remove(&(start..end), |_| true);
            inside.push(Mapping { start, end, ..mapping });
        }
        for mut mapping in inside {
            change(&mut mapping);
            self.insert(mapping);
        }
    }

    /// The wrapper that has mapped `range` is known now.
    pub(super) fn mapped_by(&mut self, range: &Range<u64>, mapper: Mapper) {
        self.change(range, |mapping| mapping.mapper = mapper);
    }

    fn last_in(&self, range: &Range<u64>) -> Option<Mapping> {
        if range.start >= range.end {
            return None;
        }
        let (_, mapping) = self.by_start.range(..range.end).next_back()?;
        (mapping.end > range.start).then_some(*mapping)
    }

    /// Adds one where nothing is.
    fn insert(&mut self, mut mapping: Mapping) {
        if mapping.start >= mapping.end {
            return;
        }
        if let Some((_, before)) = self.by_start.range(..mapping.start).next_back()
            && before.end == mapping.start
            && before.is_like(&mapping)
        {
            let before = *before;
            self.by_start.remove(&before.start);
            mapping.start = before.start;
            mapping.born_ns = mapping.born_ns.min(before.born_ns);
        }
        if let Some(behind) = self.by_start.get(&mapping.end).copied()
            && behind.is_like(&mapping)
        {
            self.by_start.remove(&behind.start);
            mapping.end = behind.end;
            mapping.born_ns = mapping.born_ns.min(behind.born_ns);
        }
        self.by_start.insert(mapping.start, mapping);
    }
}

impl Mapping {
    /// Whether two neighbours can be one.
    fn is_like(&self, other: &Self) -> bool {
        let separate = matches!(self.purpose, Purpose::Heap { .. } | Purpose::Chunk | Purpose::Stack);
        !separate
            && self.purpose == other.purpose
            && self.mapper == other.mapper
            && self.thread == other.thread
            && self.function == other.function
    }
}
