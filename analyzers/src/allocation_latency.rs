//! How long the allocator's calls took, by the size of their blocks and by how many threads there were.

mod threads;

use crate::event::{Action, Event, FunctionId};
use crate::hash::SpreadMap;
use crate::heap::HeapLedger;
use crate::kernel::Made;
use crate::latency::{Calls, LatencyRow};
use threads::Threads;

/// Size classes below this are powers of two, this one is sizes that are not known.
const UNKNOWN: u8 = u8::MAX;

/// Durations of the allocator's calls as [`Latency`](crate::latency::Latency) has them, in classes.
///
/// Memory grows with the classes that were met and the spread of their durations.
#[derive(Debug)]
pub struct AllocationLatency {
    functions: &'static [bool],
    threads: Threads,
    classes: SpreadMap<u32, Calls>,
}

/// The calls of one function and one class.
#[derive(Clone, Debug, PartialEq)]
pub struct AllocationLatencyRow {
    /// Blocks of more than half of this, up to it; 1 has those of size 0, too. None: the size is not known.
    pub up_to_bytes: Option<u64>,
    /// Threads alive when the calls began: more than half of this, up to it.
    pub up_to_threads: u64,
    /// The calls.
    pub calls: LatencyRow,
    /// Durations in nanoseconds, ascending, each with how many calls took so long; as percentiles at most one part
    /// in a thousand too high.
    pub durations: Vec<(u64, u64)>,
}

impl AllocationLatency {
    /// Of the functions whose number has `true` in `functions`; in a process that has one thread.
    #[must_use]
    pub fn new(functions: &'static [bool]) -> Self {
        Self { functions, threads: Threads::default(), classes: SpreadMap::default() }
    }

    /// Takes a call into account, before `heap` does: what it releases lives there still.
    pub fn observe_call(&mut self, event: &Event<'_>, made: Made, heap: &mut HeapLedger) {
        if !self.functions.get(usize::from(event.function.0)).is_some_and(|wanted| *wanted) {
            return;
        }
        let bytes = match event.action {
            Action::Allocated { bytes, .. }
            | Action::AllocationFailed { bytes }
            | Action::Reallocated { bytes, .. } => Some(bytes),
            Action::Freed { block, .. } => heap.released_bytes(event, block.0),
            _ => None,
        };
        let threads = class_of(self.threads.alive_at(event.start_ns));
        let key = key(event.function, bytes.map_or(UNKNOWN, class_of), threads);
        self.classes.entry(key).or_default().observe(event, made.sums.stopped_ns);
    }

    /// A thread began at `at_ns`.
    pub fn thread_began(&mut self, at_ns: u64) {
        self.threads.began(at_ns);
    }

    /// A thread was seen to be gone at `at_ns`.
    pub fn thread_ended(&mut self, at_ns: u64) {
        self.threads.ended(at_ns);
    }

    /// Takes over what was found of this image before it was known by its number.
    pub(crate) fn adopt(&mut self, provisional: Self) {
        self.threads = provisional.threads;
        for (key, calls) in provisional.classes {
            self.classes.entry(key).or_default().add(&calls);
        }
    }

    /// What was found, by function, size and threads.
    #[must_use]
    pub fn report(&self) -> Vec<AllocationLatencyRow> {
        let mut classes: Vec<_> = self.classes.iter().collect();
        classes.sort_unstable_by_key(|(key, _)| **key);
        classes.into_iter().map(|(key, calls)| row(*key, calls)).collect()
    }
}

fn row(key: u32, calls: &Calls) -> AllocationLatencyRow {
    let [threads, size, ..] = key.to_le_bytes();
    AllocationLatencyRow {
        up_to_bytes: (size != UNKNOWN).then(|| up_to(size)),
        up_to_threads: up_to(threads),
        calls: calls.row(FunctionId((key >> 16) as u16)),
        durations: calls.durations().collect(),
    }
}

fn key(function: FunctionId, size: u8, threads: u8) -> u32 {
    u32::from(function.0) << 16 | u32::from(size) << 8 | u32::from(threads)
}

/// The power of two that is not exceeded, by its exponent: 0 to 64.
fn class_of(value: u64) -> u8 {
    (u64::BITS - value.saturating_sub(1).leading_zeros()) as u8
}

/// The largest value of a class.
fn up_to(class: u8) -> u64 {
    1_u64.checked_shl(class.into()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
