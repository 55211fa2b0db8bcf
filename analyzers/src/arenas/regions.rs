//! How the allocator's regions came to be, grew, shrank and went: from the system calls.
//!
//! A system call about memory takes effect at once on what is known to be mapped (`ranges`). Whom it
//! was made for is known only when the library call around it has been told: until then it waits with
//! its thread. What an allocation call has mapped is the allocator's; what glibc has done there shows in
//! the pattern of its calls (`claim`).

mod calls;
mod claim;
mod log;
mod ranges;
mod settled;
#[cfg(test)]
mod tests;
mod waiting;

use std::collections::BTreeSet;

pub use ranges::{Mapping, Purpose};
pub use settled::settled;

use calls::{MemoryCall, pages};
use claim::{Brk, Cause};
use log::Log;
use ranges::Ranges;
use waiting::{Waiting, WaitingCalls};

use super::memory_map::Mapper;
use crate::event::{Action, Event, FunctionId, Thread};
use crate::kernel::SystemCall;

/// What happened to a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// An arena began: its first heap was mapped, or the `brk` heap was begun.
    ArenaBorn,
    /// A further heap of an arena was mapped.
    HeapBorn,
    /// A heap, or the `brk` heap, grew.
    Grown,
    /// It shrank: pages at its end went back to the kernel.
    Trimmed,
    /// Pages in its middle went back (`malloc_trim`, purging).
    Purged,
    /// A heap was unmapped.
    Died,
    /// A chunk got a mapping of its own.
    ChunkMapped,
    /// Such a chunk was unmapped.
    ChunkUnmapped,
    /// Another allocator mapped a region.
    RegionMapped,
    /// Another allocator unmapped a region.
    RegionUnmapped,
}

/// A change of a region, and the call that caused it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Birth {
    /// What happened.
    pub change: Change,
    /// First address concerned.
    pub start: u64,
    /// First address behind it.
    pub end: u64,
    /// When, in nanoseconds since the session began.
    pub at_ns: u64,
    /// By which thread.
    pub thread: Thread,
    /// The library call around it; `None` if there was none.
    pub function: Option<FunctionId>,
    /// Id of the call stack; 0 if none was taken.
    pub stack: u32,
    /// Called from where; 0 if unknown.
    pub site: u64,
}

/// Bytes of a heap of a thread arena of glibc's, to which it is aligned (without `hugetlb` tunables).
pub const HEAP_BYTES: u64 = 64 << 20;

/// What one process image has mapped, for what, and how that came to be.
///
/// Memory grows with what is mapped and with the threads; of what happened, a bounded part is kept.
#[derive(Clone, Debug, Default)]
pub struct Regions {
    ranges: Ranges,
    brk: Option<Brk>,
    /// Threads that have mapped or grown a heap of a thread arena.
    heap_users: BTreeSet<Thread>,
    log: Log,
    waiting: WaitingCalls,
}

impl Regions {
    /// Those of a child that is forked now: what is mapped, and since when, but nothing else.
    #[must_use]
    pub fn inherit(&self) -> Self {
        Self { ranges: self.ranges.clone(), brk: self.brk, log: Log::inherited(), ..Self::default() }
    }

    /// Takes a system call into account. It is told before the library call around it.
    pub fn system_call(&mut self, call: &SystemCall<'_>) {
        let Some(made) = MemoryCall::of(call) else { return };
        let mapper = Mapper { stack: call.stack, site: call.site };
        let waiting = self.apply(made, call.thread, mapper, (call.start_ns, call.end_ns));
        if call.in_hook == Some(false) {
            self.claim(&[waiting], &Cause::nobody(call.thread));
        } else if let Some(oldest) = self.waiting.push(call.thread, waiting) {
            self.claim(&[oldest], &Cause::nobody(call.thread));
        }
    }

    /// Whether an event that is not about mappings has to be shown to [`Self::library_call`].
    #[inline]
    #[must_use]
    pub const fn waiting(&self) -> bool {
        self.waiting.any()
    }

    /// Takes a library call into account: it may be the one that system calls wait for.
    #[cold]
    pub fn library_call(&mut self, event: &Event<'_>) {
        match event.action {
            Action::Mapped { address, bytes, fd, .. } => {
                let call = MemoryCall::Map {
                    range: pages(address, bytes),
                    reserved: false,
                    stack: false,
                    file: fd.is_some(),
                };
                self.mapping_call(event, call);
            }
            Action::Unmapped { address, bytes } => {
                self.mapping_call(event, MemoryCall::Unmap { range: pages(address, bytes) });
            }
            Action::Remapped { old, old_bytes, new, new_bytes } => {
                let call = MemoryCall::Move { from: pages(old, old_bytes), to: pages(new, new_bytes) };
                self.mapping_call(event, call);
            }
            _ if event.action.is_heap() => {
                let (earlier, inside) = self.waiting.take(event);
                self.claim(&earlier, &Cause::nobody(event.thread));
                self.claim(&inside, &Cause::allocation(event));
            }
            // Without intervals the first call that is told has made everything that waits.
            _ if !event.timed => {
                let (earlier, inside) = self.waiting.take(event);
                self.claim(&earlier, &Cause::nobody(event.thread));
                self.claim(&inside, &Cause::nobody(event.thread));
            }
            _ => {}
        }
    }

    /// `thread` is gone: no library call will claim what of it still waits.
    pub fn thread_ended(&mut self, thread: Thread) {
        let left = self.waiting.remove(thread);
        self.claim(&left, &Cause::nobody(thread));
        self.heap_users.remove(&thread);
    }

    /// What happened to the allocator's regions, by time: at least what made those that still are, and
    /// the newest of the rest. Where an arena begins is a guess; see [`settled`].
    #[must_use]
    pub fn births(&self) -> Vec<Birth> {
        self.log.births(&self.ranges, self.brk.as_ref())
    }

    /// How many changes were forgotten because there were too many.
    #[must_use]
    pub const fn forgotten(&self) -> u64 {
        self.log.forgotten()
    }

    /// What is mapped as far as calls told, by ascending address; it does not overlap. Only what
    /// `/proc` shows there, too, is really there.
    #[must_use]
    pub fn ranges(&self) -> Vec<Mapping> {
        let mut all: Vec<Mapping> = self.ranges.iter().collect();
        if let Some(brk) = &self.brk {
            let at = all.partition_point(|mapping| mapping.start < brk.mapping.start);
            all.insert(at, brk.mapping);
        }
        all
    }

    /// A call of a hooked wrapper. The kernel's own account of it may have been told before.
    fn mapping_call(&mut self, event: &Event<'_>, call: MemoryCall) {
        let mapper = Mapper { stack: event.stack, site: event.site };
        let waiting = match self.waiting.told(event, &call) {
            Some(told) => {
                if let MemoryCall::Map { range, .. } | MemoryCall::Move { to: range, .. } = &told.call {
                    self.ranges.mapped_by(range, mapper);
                }
                Waiting { mapper, wrapped: true, ..told }
            }
            None => {
                let applied = self.apply(call, event.thread, mapper, (event.start_ns, event.end_ns));
                Waiting { wrapped: true, ..applied }
            }
        };
        if let Some(oldest) = self.waiting.push(event.thread, waiting) {
            self.claim(&[oldest], &Cause::nobody(event.thread));
        }
    }

    /// Changes what is mapped.
    fn apply(&mut self, mut call: MemoryCall, thread: Thread, mapper: Mapper, time: (u64, u64)) -> Waiting {
        let (start_ns, end_ns) = time;
        let mut was = None;
        match &mut call {
            MemoryCall::Map { range, stack, file, .. } => {
                let purpose = match (stack, file) {
                    (true, _) => Purpose::Stack,
                    (false, true) => Purpose::File,
                    (false, false) => Purpose::Other,
                };
                self.ranges.map(range.clone(), purpose, mapper, thread, end_ns);
            }
            MemoryCall::Unmap { range } => was = self.ranges.unmap(range, start_ns),
            MemoryCall::Move { from, to } => {
                was = self.ranges.unmap(from, start_ns);
                let purpose = was.map_or(Purpose::Other, |was| was.purpose);
                self.ranges.map(to.clone(), purpose, mapper, thread, end_ns);
            }
            MemoryCall::Break { from, to } => {
                let brk = self.brk.get_or_insert(Brk::new(*to, thread, end_ns));
                *from = std::mem::replace(&mut brk.mapping.end, *to);
            }
            MemoryCall::Protect { .. } | MemoryCall::Discard { .. } => {}
        }
        Waiting { call, was, start_ns, at_ns: end_ns, mapper, wrapped: false }
    }
}
