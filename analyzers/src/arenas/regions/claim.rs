//! What system calls were made for, once the library call around them is known.
//!
//! The patterns are glibc's: a thread arena reserves 64 MiB (or 128, and unmaps what is not aligned) and
//! makes its beginning writable; it grows by `mprotect`, shrinks by `madvise` at its end, and dies by
//! `munmap`. The main arena moves the program's break. Large blocks have a mapping of their own, which
//! begins 16 bytes before them unless they are aligned.

use std::ops::Range;

use super::calls::MemoryCall;
use super::ranges::{Mapping, Purpose};
use super::waiting::Waiting;
use super::{Birth, Change, HEAP_BYTES, Regions};
use crate::arenas::memory_map::Mapper;
use crate::event::{Action, Event, FunctionId, Thread};

/// The `brk` heap: what of it is in use, and who moved its end first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Brk {
    pub(super) mapping: Mapping,
}

impl Brk {
    /// Nothing is in use yet.
    pub(super) fn new(start: u64, thread: Thread, born_ns: u64) -> Self {
        let (mapper, function) = (Mapper::default(), None);
        Self {
            mapping: Mapping {
                start,
                end: start,
                purpose: Purpose::Break,
                mapper,
                thread,
                function,
                born_ns,
            },
        }
    }
}

/// The library call around some system calls.
pub(super) struct Cause {
    thread: Thread,
    /// The allocation function, if it is one.
    function: Option<FunctionId>,
    mapper: Mapper,
    /// The block it gave.
    block: Option<u64>,
}

impl Cause {
    /// There was none, or it did not allocate.
    pub(super) fn nobody(thread: Thread) -> Self {
        Self { thread, function: None, mapper: Mapper::default(), block: None }
    }

    /// A call that allocates or releases.
    pub(super) fn allocation(event: &Event<'_>) -> Self {
        let block = match event.action {
            Action::Allocated { block, .. } | Action::Reallocated { new: block, .. } => Some(block.0),
            _ => None,
        };
        Self {
            thread: event.thread,
            function: Some(event.function),
            mapper: Mapper { stack: event.stack, site: event.site },
            block,
        }
    }
}

impl Regions {
    /// Notes what `calls`, in their order, were made for.
    pub(super) fn claim(&mut self, calls: &[Waiting], cause: &Cause) {
        let mut fresh: Vec<(Range<u64>, bool, &Waiting)> = Vec::new();
        for waiting in calls {
            match &waiting.call {
                MemoryCall::Break { from, to } => self.moved_break(*from, *to, waiting, cause),
                MemoryCall::Map { stack: true, .. } | MemoryCall::Map { file: true, .. } => {}
                MemoryCall::Map { range, reserved, .. } => fresh.push((range.clone(), *reserved, waiting)),
                MemoryCall::Unmap { range } => {
                    if !fresh.iter().any(|(new, ..)| overlap(new, range)) {
                        self.unmapped(range, waiting, cause);
                    }
                    let left = |(new, reserved, by): (Range<u64>, bool, _)| {
                        without(&new, range).map(move |part| (part, reserved, by))
                    };
                    fresh = fresh.into_iter().flat_map(left).collect();
                }
                MemoryCall::Move { from, to } => {
                    self.unmapped(from, waiting, cause);
                    fresh.push((to.clone(), false, waiting));
                }
                MemoryCall::Protect { range } => {
                    if !fresh.iter().any(|(new, ..)| overlap(new, range)) && self.is_in_heap(range) {
                        self.heap_users.insert(cause.thread);
                        self.tell(Change::Grown, range, waiting, cause);
                    }
                }
                MemoryCall::Discard { range } => self.discarded(range, waiting, cause),
            }
        }
        if cause.function.is_some() {
            fresh.into_iter().for_each(|(range, reserved, by)| self.mapped(&range, reserved, by, cause));
        }
    }

    /// What an allocation call has mapped.
    fn mapped(&mut self, range: &Range<u64>, reserved: bool, waiting: &Waiting, cause: &Cause) {
        let is_heap = !waiting.wrapped
            && reserved
            && range.start.is_multiple_of(HEAP_BYTES)
            && range.end - range.start == HEAP_BYTES;
        let is_chunk =
            !waiting.wrapped && !reserved && cause.block.is_some_and(|block| range.contains(&block));
        let purpose = match () {
            // A thread stays with its arena: only its first heap can begin one.
            () if is_heap => Purpose::Heap { first: self.heap_users.insert(cause.thread) },
            () if is_chunk => Purpose::Chunk,
            () => Purpose::Region,
        };
        let change = match purpose {
            Purpose::Heap { first: true } => Change::ArenaBorn,
            Purpose::Heap { .. } => Change::HeapBorn,
            Purpose::Chunk => Change::ChunkMapped,
            _ => Change::RegionMapped,
        };
        self.ranges.change(range, |mapping| {
            mapping.purpose = purpose;
            mapping.mapper = cause.mapper;
            mapping.function = cause.function;
        });
        self.tell(change, range, waiting, cause);
    }

    /// What was unmapped: the end of something that is known?
    fn unmapped(&mut self, range: &Range<u64>, waiting: &Waiting, cause: &Cause) {
        let change = match waiting.was.map(|was| was.purpose) {
            Some(Purpose::Heap { .. }) => Change::Died,
            Some(Purpose::Chunk) => Change::ChunkUnmapped,
            Some(Purpose::Region) => Change::RegionUnmapped,
            _ => return,
        };
        self.tell(change, range, waiting, cause);
    }

    /// Pages that went back. A release trims a heap's end, `malloc_trim` and purges all of it.
    fn discarded(&mut self, range: &Range<u64>, waiting: &Waiting, cause: &Cause) {
        let purpose = self.ranges.at(range.start).map(|mapping| mapping.purpose);
        let in_brk =
            self.brk.is_some_and(|brk| brk.mapping.start <= range.start && range.end <= brk.mapping.end);
        let change = match purpose {
            Some(Purpose::Heap { .. }) if cause.function.is_some() && !waiting.wrapped => Change::Trimmed,
            Some(purpose) if purpose.is_allocator() => Change::Purged,
            _ if in_brk => Change::Purged,
            _ => return,
        };
        self.tell(change, range, waiting, cause);
    }

    /// The program's break has moved.
    fn moved_break(&mut self, from: u64, to: u64, waiting: &Waiting, cause: &Cause) {
        let Some(Brk { mapping }) = &mut self.brk else { return };
        let change = match () {
            () if to > from && from == mapping.start => {
                let mapper = cause.mapper_of(waiting);
                let (function, born_ns) = (cause.function, waiting.at_ns);
                *mapping = Mapping { mapper, thread: cause.thread, function, born_ns, ..*mapping };
                Change::ArenaBorn
            }
            () if to > from => Change::Grown,
            () if to < from => Change::Trimmed,
            () => return,
        };
        self.tell(change, &(to.min(from)..to.max(from)), waiting, cause);
    }

    fn tell(&mut self, change: Change, range: &Range<u64>, waiting: &Waiting, cause: &Cause) {
        let mapper = cause.mapper_of(waiting);
        self.log.push(Birth {
            change,
            start: range.start,
            end: range.end,
            at_ns: waiting.at_ns,
            thread: cause.thread,
            function: cause.function,
            stack: mapper.stack,
            site: mapper.site,
        });
    }

    fn is_in_heap(&self, range: &Range<u64>) -> bool {
        self.ranges.at(range.start).is_some_and(|mapping| matches!(mapping.purpose, Purpose::Heap { .. }))
    }
}

impl Cause {
    /// Who called the allocation function, or else who made the system call.
    fn mapper_of(&self, waiting: &Waiting) -> Mapper {
        if self.function.is_some() { self.mapper } else { waiting.mapper }
    }
}

fn overlap(one: &Range<u64>, other: &Range<u64>) -> bool {
    one.start < other.end && other.start < one.end
}

/// What is left of `range` without `gone`.
fn without(range: &Range<u64>, gone: &Range<u64>) -> impl Iterator<Item = Range<u64>> + use<> {
    let below = range.start..range.end.min(gone.start.max(range.start));
    let above = range.start.max(gone.end.min(range.end))..range.end;
    let parts = if overlap(range, gone) { [below, above] } else { [range.clone(), 0..0] };
    parts.into_iter().filter(|part| !part.is_empty())
}
