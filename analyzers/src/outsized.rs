//! Outsized allocations: those of more than a share of the memory that there is, with the limits that
//! were read before. A server that makes a table with a row for every descriptor it may open asks for
//! gigabytes where that limit is a billion.

use std::collections::VecDeque;

use crate::event::{Action, Event, FunctionId, Thread};
use crate::hash::SpreadMap;

mod multiple;

pub use multiple::Multiple;

/// So many are told of; later ones are counted.
const TOLD: usize = 50;
/// Of each thread so many different limits are remembered, and of all threads together.
const READS: usize = 8;
/// A limit read so long before is told of also if the size is no multiple of it: one second.
const SHORTLY_NS: u64 = 1_000_000_000;

/// What an allocation is measured against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// The memory that the program can use: not 0.
    pub bytes: u64,
    /// What sets it.
    pub set_by: CapacitySetBy,
    /// An allocation of more than so much of it is outsized: 1 to 100.
    pub percent: u64,
}

/// What sets how much memory a program can use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CapacitySetBy {
    /// The machine has no more.
    #[default]
    Ram,
    /// A control group's limit is lower.
    Cgroup,
}

impl Capacity {
    /// The largest allocation that is not outsized, in bytes.
    #[must_use]
    pub const fn most_bytes(&self) -> u64 {
        (self.bytes as u128 * self.percent as u128 / 100) as u64
    }
}

/// Looks for outsized allocations. Memory grows with the number of threads that read limits.
#[derive(Debug)]
pub struct Outsized {
    capacity: Option<Capacity>,
    most_bytes: u64,
    count: u64,
    told: Vec<OutsizedAllocation>,
    threads: SpreadMap<Thread, PerThread>,
    /// The last reads of different limits by any thread.
    reads: VecDeque<LimitRead>,
}

#[derive(Debug, Default)]
struct PerThread {
    reads: VecDeque<LimitRead>,
    newest: Option<OutsizedAllocation>,
}

/// What was found of outsized allocations.
#[derive(Clone, Debug, PartialEq)]
pub struct OutsizedReport {
    /// What they were measured against.
    pub capacity: Capacity,
    /// How many there were. One made inside another is the same.
    pub count: u64,
    /// The first 50.
    pub allocations: Vec<OutsizedAllocation>,
}

/// One outsized allocation.
#[derive(Clone, Debug, PartialEq)]
pub struct OutsizedAllocation {
    /// How many bytes were asked for; `u64::MAX` also stands for more.
    pub bytes: u64,
    /// Of which function.
    pub function: FunctionId,
    /// Called from where; 0 if unknown.
    pub site: u64,
    /// Id of the call stack; 0 if none was taken.
    pub stack: u32,
    /// By which thread.
    pub thread: Thread,
    /// When, in nanoseconds since the session began.
    pub at_ns: u64,
    /// When the call was over.
    pub end_ns: u64,
    /// Where the memory is; None if it was not given.
    pub address: Option<u64>,
    /// Error number if it was not given and the call told one, else 0.
    pub errno: u16,
    /// The limits read before, the latest first: those that the thread itself has read if it has read
    /// any, else those that others have.
    pub limits: Vec<LimitBefore>,
}

/// A limit that was read before an allocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitBefore {
    /// The read.
    pub read: LimitRead,
    /// How long before the allocation, in nanoseconds.
    pub before_ns: u64,
    /// That the allocation's size is a multiple of the limit, if it is.
    pub multiple: Option<Multiple>,
}

/// A limit that a thread has read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitRead {
    /// By which function.
    pub function: FunctionId,
    /// Its name in manuals, empty if the function has one only.
    pub limit: &'static str,
    /// What it is: of a resource limit the soft one. None if unlimited.
    pub value: Option<u64>,
    /// The hard resource limit. None if unlimited, or if the function tells none.
    pub hard: Option<u64>,
    /// Whether it is a number of things, not of bytes or seconds.
    pub counts: bool,
    /// By which thread.
    pub thread: Thread,
    /// When, in nanoseconds since the session began.
    pub at_ns: u64,
}

impl Outsized {
    /// Measures against `capacity`; finds nothing without one. A forked process knows what its parent
    /// has read.
    #[must_use]
    pub fn new(capacity: Option<Capacity>, parent: Option<&Self>) -> Self {
        Self {
            capacity,
            most_bytes: capacity.map_or(u64::MAX, |capacity| capacity.most_bytes()),
            count: 0,
            told: Vec::new(),
            threads: SpreadMap::default(),
            reads: parent.map(|parent| parent.reads.clone()).unwrap_or_default(),
        }
    }

    /// Takes in that `bytes` were asked for.
    #[inline(always)]
    pub(crate) fn asked(&mut self, event: &Event<'_>, bytes: u64) {
        if bytes > self.most_bytes {
            self.found(event, bytes);
        }
    }

    /// Takes in any call.
    pub(crate) fn observe(&mut self, event: &Event<'_>) {
        match event.action {
            Action::Allocated { bytes, .. }
            | Action::AllocationFailed { bytes }
            | Action::Reallocated { bytes, .. }
            | Action::Mapped { bytes, fd: None, reserves: false, .. }
            | Action::MapFailed { bytes } => self.asked(event, bytes),
            Action::LimitRead { limit, value, hard, counts } if self.capacity.is_some() => {
                let (function, thread, at_ns) = (event.function, event.thread, event.end_ns);
                let read = LimitRead { function, limit, value, hard, counts, thread, at_ns };
                remember(&mut self.reads, read);
                remember(&mut self.threads.entry(thread).or_default().reads, read);
            }
            _ => {}
        }
    }

    /// Nothing of `thread` will come any more.
    pub(crate) fn thread_ended(&mut self, thread: Thread) {
        self.threads.remove(&thread);
    }

    #[cold]
    fn found(&mut self, event: &Event<'_>, bytes: u64) {
        let found = OutsizedAllocation {
            bytes,
            function: event.function,
            site: event.site,
            stack: event.stack,
            thread: event.thread,
            at_ns: event.start_ns,
            end_ns: event.end_ns,
            address: address(&event.action),
            errno: event.errno,
            limits: self.limits_before(event, bytes),
        };
        // The outer call is told after those inside it, and stands for them.
        let newest = self.threads.entry(event.thread).or_default().newest.replace(found.clone());
        let is_inside = |inner: &OutsizedAllocation| match event.timed {
            true => inner.is_within(&found),
            false => newest.as_ref() == Some(inner) && inner.is_likely_of(&found),
        };
        let told = self.told.len();
        self.told.retain(|inner| !is_inside(inner));
        let inside = match told - self.told.len() {
            0 => u64::from(newest.as_ref().is_some_and(is_inside)),
            inside => inside as u64,
        };
        self.count = self.count + 1 - inside;
        if self.told.len() < TOLD {
            self.told.push(found);
        }
    }

    fn limits_before(&self, event: &Event<'_>, bytes: u64) -> Vec<LimitBefore> {
        let before = |read: &LimitRead| {
            let before_ns = event.start_ns.checked_sub(read.at_ns)?;
            let values = [read.value, read.hard].into_iter().flatten().filter(|_| read.counts);
            let multiple = values.into_iter().find_map(|value| Multiple::of(bytes, value));
            let told = before_ns <= SHORTLY_NS || multiple.is_some();
            told.then_some(LimitBefore { read: *read, before_ns, multiple })
        };
        let own = self.threads.get(&event.thread).map(|thread| &thread.reads);
        let own: Vec<_> = own.into_iter().flatten().rev().filter_map(before).collect();
        if own.is_empty() { self.reads.iter().rev().filter_map(before).collect() } else { own }
    }

    /// What was found so far; None without a capacity to measure against.
    #[must_use]
    pub fn report(&self) -> Option<OutsizedReport> {
        let capacity = self.capacity?;
        Some(OutsizedReport { capacity, count: self.count, allocations: self.told.clone() })
    }
}

impl OutsizedAllocation {
    /// Whether `outer`, told later, had this one made.
    fn is_within(&self, outer: &Self) -> bool {
        self.thread == outer.thread && outer.at_ns <= self.at_ns && self.end_ns <= outer.end_ns
    }

    /// The same where there is one stamp, taken at the end. The next allocation is seldom given the same
    /// memory, or refused the same size, by another function.
    fn is_likely_of(&self, outer: &Self) -> bool {
        let same = self.address == outer.address && self.bytes == outer.bytes;
        same && self.function != outer.function
    }
}

/// Puts the read behind the others, in the place of an earlier one of the same limit.
fn remember(reads: &mut VecDeque<LimitRead>, read: LimitRead) {
    let of_same = |known: &LimitRead| (known.limit, known.function) == (read.limit, read.function);
    reads.retain(|known| !of_same(known));
    if reads.len() == READS {
        reads.pop_front();
    }
    reads.push_back(read);
}

/// Where the memory is that was given.
fn address(action: &Action<'_>) -> Option<u64> {
    match action {
        Action::Allocated { block, .. } | Action::Reallocated { new: block, .. } => Some(block.0),
        Action::Mapped { address, .. } => Some(*address),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
