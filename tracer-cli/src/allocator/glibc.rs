//! glibc's heap, chunk by chunk.
//!
//! [`Glibc::find`] looks for the allocator's two roots in libc's data once for a process image.
//! [`Glibc::capture`] then copies what is needed of every heap, which is all that the process must
//! hold still for, and [`Captured::classify`] makes a [`ChunkMap`] of it. Everything that is read is
//! held against everything else; what contradicts itself is an error, never a number.
//!
//! An error is said in words that follow "not decoded, because".

mod bins;
mod cache;
mod capture;
mod classify;
mod layout;
mod main_arena;
mod mmapped;
mod parameters;
mod pieces;
mod places;
mod search;
mod state;
mod tcache;
#[cfg(test)]
mod tests;
mod version;
mod walk;
mod window;

use calltap_analyzers::arenas::chunk_map::{ChunkMap, MmappedChunk};

pub use capture::Captured;

use super::memory::Memory;
use crate::exit_snapshot::Mapped;
use layout::Layout;
use search::Roots;

/// How often a running process is read in the hope that it did nothing meanwhile.
const ATTEMPTS: usize = 8;

/// The allocator of one process image, found.
#[derive(Clone, Copy, Debug)]
pub struct Glibc {
    memory: Memory,
    version: (u32, u32),
    layout: Layout,
    roots: Roots,
}

impl Glibc {
    /// Finds it in the process that `pid` is, or is a thread of, by what is mapped there.
    ///
    /// # Errors
    ///
    /// If there is no glibc, or one of an unknown version, or its roots are not found.
    pub fn find(pid: u32, maps: &[Mapped]) -> Result<Self, String> {
        let memory = Memory::of(pid);
        let library = version::library(maps)?;
        let version = version::version(pid, memory, &library)?;
        let layout = Layout::of(version)
            .ok_or_else(|| format!("the layout of glibc {}.{} is not known", version.0, version.1))?;
        let roots = search::roots(memory, &library, layout)?;
        Ok(Self { memory, version, layout, roots })
    }

    /// The same, read through another thread of the process: memory can be read only by the id of a
    /// thread that has not ended, and the process's own is that of its first one.
    #[must_use]
    pub fn through(self, tid: u32) -> Self {
        Self { memory: Memory::of(tid), ..self }
    }

    /// Copies what is needed of all heaps. The process must not run meanwhile.
    ///
    /// A few pages that the process never touched may get the kernel's page of zeros by it, as reading
    /// them does: who wants to know which are resident asks before.
    ///
    /// # Errors
    ///
    /// If something cannot be read, or contradicts itself.
    pub fn capture(&self, maps: &[Mapped]) -> Result<Captured, String> {
        capture::capture(self, maps)
    }

    /// Reads all heaps of a process that does not run: [`Glibc::capture`] and [`Captured::classify`].
    ///
    /// # Errors
    ///
    /// If something cannot be read, or contradicts itself.
    pub fn read(&self, maps: &[Mapped]) -> Result<ChunkMap, String> {
        self.capture(maps)?.classify()
    }

    /// Reads all heaps of a process that runs, until two readings in a row are equal and nobody held
    /// a lock. `maps` gives what is mapped, each time anew.
    ///
    /// # Errors
    ///
    /// If it changed each time, or as for [`Glibc::read`] in the last attempt.
    pub fn read_running(&self, maps: impl Fn() -> Vec<Mapped>) -> Result<ChunkMap, String> {
        let mut last = Err(String::new());
        for _ in 0..ATTEMPTS {
            let reading = self.read(&maps());
            match reading {
                Ok(map) if last.as_ref() == Ok(&map) && !map.arenas.iter().any(|arena| arena.locked) => {
                    return Ok(map);
                }
                reading => last = reading,
            }
        }
        let why = last.map_or_else(|error| format!(": {error}"), |_| String::new());
        Err(format!("it changed while it was read ({ATTEMPTS} attempts){why}"))
    }

    /// Corrects what was read by the addresses where the program has blocks of its own: one that is all
    /// zero looks like the empty cache of a thread.
    #[must_use]
    pub fn beside(mut map: ChunkMap, is_block: impl Fn(u64) -> bool) -> ChunkMap {
        tcache::unmark(&mut map, is_block);
        map
    }

    /// Those of `candidates`, addresses of blocks outside of all heaps, that are chunks with a mapping
    /// of their own, by ascending address. Whether these are all is told by the counters in
    /// [`ChunkMap::parameters`].
    #[must_use]
    pub fn mmapped(&self, candidates: impl Iterator<Item = u64>) -> Vec<MmappedChunk> {
        mmapped::among(self.memory, candidates)
    }
}
