//! How the allocator's regions came to be, grew, shrank and went: from the system calls.

use crate::event::{FunctionId, Thread};

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
