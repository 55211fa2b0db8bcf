//! Where the memory is: between what a program asked for and what is resident.
//!
//! A [`Moment`] is everything that is known of a process's memory at one time: the allocator's chunks
//! as they were read from outside ([`chunk_map`]), what is mapped and resident ([`memory_map`]), the
//! blocks that live by the hooks' ledger, and how each region came to be ([`regions`]).
//! [`analyse`] makes an [`ArenaReport`] of it: each byte in one [part](report::Part), and who is to blame.

mod advice;
mod amount;
mod analyse;
pub mod areas;
mod arena_rows;
pub mod chunk_map;
mod claims;
mod differences;
mod gauge;
mod join;
mod leak;
mod ledger;
pub mod memory_map;
mod pages;
pub mod parts;
mod pieces;
mod pins;
mod region_rows;
pub mod regions;
pub mod report;
#[cfg(test)]
mod samples;
mod strips;
mod tallies;
mod tcaches;
pub mod trim;
mod verdict;

pub use analyse::analyse;
pub use report::ArenaReport;

use crate::heap::LiveBlock;
use chunk_map::ChunkMap;
use memory_map::{Area, KernelCounts, Residency};
use regions::Birth;

/// Why a process was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Occasion {
    /// Its last thread was held in its exit stop.
    #[default]
    Exit,
    /// Its time had come (`--snapshot-every`).
    Periodic,
    /// Somebody asked (`calltap snapshot`).
    OnDemand,
}

/// How the allocator's memory was read.
#[derive(Clone, Debug, PartialEq)]
pub enum Decoding {
    /// Chunk by chunk.
    Chunks(ChunkMap),
    /// It is not glibc's, which alone is read chunk by chunk: only its regions are known.
    Regions,
    /// It could not be read; why, in words that follow "not decoded, because".
    NotDecoded(String),
}

/// An allocator that a process has loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allocator {
    /// `glibc`, `jemalloc`, `tcmalloc`, `mimalloc`, or the base name of the object that defines it.
    pub name: String,
    /// Path of that object.
    pub object: String,
    /// Whether the hooks' real `malloc` is this one's.
    pub serves: bool,
}

/// All that is known of a process's memory at one time.
#[derive(Clone, Debug)]
pub struct Moment {
    /// When, in nanoseconds since the session began.
    pub at_ns: u64,
    /// When its process image began.
    pub began_ns: u64,
    /// Why.
    pub occasion: Occasion,
    /// How long the process was stopped for it; `None` if it was not, or at its exit.
    pub stopped_ns: Option<u64>,
    /// Whether all of it is of one moment: false if the process ran while it was read.
    pub consistent: bool,
    /// Allocation calls that were under way: so many blocks more or less than the ledger's can be in use.
    pub calls_under_way: u64,
    /// The allocators it has, the one that serves first.
    pub allocators: Vec<Allocator>,
    /// The allocator's memory.
    pub decoding: Decoding,
    /// The blocks that live, by ascending address.
    pub live: Vec<LiveBlock>,
    /// What is mapped, by ascending address.
    pub areas: Vec<Area>,
    /// Which pages of it are resident.
    pub residency: Residency,
    /// What the kernel counts.
    pub kernel: KernelCounts,
    /// What happened to the allocator's regions since the process began.
    pub births: Vec<Birth>,
}
