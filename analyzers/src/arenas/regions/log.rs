//! What happened to the allocator's regions.

use std::collections::VecDeque;

use super::claim::Brk;
use super::ranges::{Mapping, Purpose, Ranges};
use super::{Birth, Change};

/// So many changes are kept.
const MOST: usize = 10_000;

/// The newest changes.
#[derive(Clone, Debug, Default)]
pub(super) struct Log {
    births: VecDeque<Birth>,
    forgotten: u64,
    /// What made the regions that still are may not be in `births`.
    incomplete: bool,
}

impl Log {
    /// That of a forked child, which has regions that its parent made.
    pub(super) fn inherited() -> Self {
        Self { incomplete: true, ..Self::default() }
    }

    pub(super) const fn forgotten(&self) -> u64 {
        self.forgotten
    }

    pub(super) fn push(&mut self, birth: Birth) {
        if self.births.len() == MOST {
            self.births.pop_front();
            self.forgotten += 1;
            self.incomplete = true;
        }
        self.births.push_back(birth);
    }

    /// What is kept, and what made the regions that still are, by time.
    pub(super) fn births(&self, ranges: &Ranges, brk: Option<&Brk>) -> Vec<Birth> {
        let mut all: Vec<Birth> = self.births.iter().copied().collect();
        if self.incomplete {
            let kept: Vec<(u64, u64)> = all
                .iter()
                .filter(|birth| birth.change.is_birth())
                .map(|birth| (birth.at_ns, birth.start))
                .collect();
            let living = ranges.iter().chain(brk.map(|brk| brk.mapping));
            all.extend(living.filter_map(birth_of).filter(|b| !kept.contains(&(b.at_ns, b.start))));
        }
        all.sort_by_key(|birth| birth.at_ns);
        all
    }
}

/// How a region that is there must have come to be.
fn birth_of(mapping: Mapping) -> Option<Birth> {
    let change = match mapping.purpose {
        Purpose::Break | Purpose::Heap { first: true } => Change::ArenaBorn,
        Purpose::Heap { first: false } => Change::HeapBorn,
        Purpose::Chunk => Change::ChunkMapped,
        Purpose::Region => Change::RegionMapped,
        Purpose::Stack | Purpose::File | Purpose::Other => return None,
    };
    Some(Birth {
        change,
        start: mapping.start,
        end: mapping.end,
        at_ns: mapping.born_ns,
        thread: mapping.thread,
        function: mapping.function,
        stack: mapping.mapper.stack,
        site: mapping.mapper.site,
    })
}

impl Change {
    const fn is_birth(self) -> bool {
        matches!(self, Self::ArenaBorn | Self::HeapBorn | Self::ChunkMapped | Self::RegionMapped)
    }
}
