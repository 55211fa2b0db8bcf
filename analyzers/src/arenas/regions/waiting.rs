//! Calls about memory that wait for the library call around them.

use std::collections::VecDeque;

use super::calls::MemoryCall;
use super::ranges::Mapping;
use crate::arenas::memory_map::Mapper;
use crate::event::{Event, Thread};
use crate::hash::SpreadMap;

/// So many calls of a thread wait at most.
const MOST: usize = 1024;

/// A call that has taken effect.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    pub(super) call: MemoryCall,
    /// What lay where it has unmapped.
    pub(super) was: Option<Mapping>,
    pub(super) start_ns: u64,
    /// When it had taken effect.
    pub(super) at_ns: u64,
    pub(super) mapper: Mapper,
    /// Made by a wrapper that is hooked: `mmap` and its like.
    pub(super) wrapped: bool,
}

/// Those of all threads.
#[derive(Clone, Debug, Default)]
pub(super) struct WaitingCalls {
    threads: SpreadMap<u32, VecDeque<Waiting>>,
    count: usize,
}

impl WaitingCalls {
    /// Whether there are any.
    #[inline]
    pub(super) const fn any(&self) -> bool {
        self.count > 0
    }

    /// Adds one, which is its thread's newest; gives the oldest if there were too many.
    pub(super) fn push(&mut self, thread: Thread, waiting: Waiting) -> Option<Waiting> {
        let calls = self.threads.entry(thread.0).or_default();
        let oldest = if calls.len() == MOST { calls.pop_front() } else { None };
        calls.push_back(waiting);
        self.count += usize::from(oldest.is_none());
        oldest
    }

    /// The kernel's account of the call that `event` tells of, if it was stopped.
    pub(super) fn told(&mut self, event: &Event<'_>, call: &MemoryCall) -> Option<Waiting> {
        let calls = self.threads.get_mut(&event.thread.0)?;
        let same = |told: &Waiting| !told.wrapped && told.call.is_same(call);
        let inside = |told: &Waiting| !event.timed || told.start_ns >= event.start_ns;
        let at = calls.iter().rposition(|told| same(told) && inside(told))?;
        self.count -= 1;
        calls.remove(at)
    }

    /// Takes what waits of the event's thread: what no allocation call has made, as this one shows, and
    /// what was made inside it.
    ///
    /// Inner library calls are told before outer ones, and no allocator calls another after it has
    /// mapped something: what began before this call and was not claimed is nobody's.
    pub(super) fn take(&mut self, event: &Event<'_>) -> (Vec<Waiting>, Vec<Waiting>) {
        let Some(calls) = self.threads.get_mut(&event.thread.0) else { return Default::default() };
        let all = std::mem::take(calls);
        self.count -= all.len();
        let is_inside = |waiting: &Waiting| {
            if event.timed { waiting.start_ns >= event.start_ns } else { !waiting.wrapped }
        };
        all.into_iter().partition(|waiting| !is_inside(waiting))
    }

    /// Takes everything of a thread.
    pub(super) fn remove(&mut self, thread: Thread) -> Vec<Waiting> {
        let calls = self.threads.remove(&thread.0).unwrap_or_default();
        self.count -= calls.len();
        calls.into()
    }
}
