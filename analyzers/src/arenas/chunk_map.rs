//! glibc's heap as it was read from outside: arenas, heaps, chunks, caches.

use crate::event::Thread;

/// Everything the allocator has, at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChunkMap {
    /// Version of glibc: major, minor.
    pub version: (u32, u32),
    /// The main arena first, then by address.
    pub arenas: Vec<Arena>,
    /// Chunks with a mapping of their own, by ascending address.
    pub mmapped: Vec<MmappedChunk>,
    /// One for each thread that has a cache.
    pub tcaches: Vec<Tcache>,
    /// The allocator's parameters and counters; a field that this version has not, or that could not
    /// be read, is `None`.
    pub parameters: Parameters,
}

/// An arena.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Arena {
    /// Address of its `malloc_state`.
    pub address: u64,
    /// Whether it is the main arena, which lives in the `brk` heap.
    pub is_main: bool,
    /// Bytes taken from the kernel (`system_mem`).
    pub system_bytes: u64,
    /// The most bytes there ever were (`max_system_mem`).
    pub max_system_bytes: u64,
    /// Threads that use it; 0: an orphan. `None` for versions that do not count them.
    pub attached_threads: Option<u64>,
    /// Its lock was held: the last operation may be half done.
    pub locked: bool,
    /// Bytes in the fast bins, by its lists.
    pub fast_bytes: u64,
    /// Bytes in the other bins, by its lists.
    pub bin_bytes: u64,
    /// Its pieces of memory, by ascending address. The main arena has one for each contiguous piece
    /// of the `brk` heap.
    pub heaps: Vec<Heap>,
}

/// A contiguous piece of an arena.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Heap {
    /// First address, that of its `heap_info` in a thread arena.
    pub start: u64,
    /// First address behind what the arena counts as its own.
    pub end: u64,
    /// First address behind what can be used without another system call (`mprotect_size`);
    /// equal to `end` in the main arena.
    pub writable_end: u64,
    /// First address behind what is reserved for it; equal to `end` in the main arena.
    pub reserved_end: u64,
    /// All chunks without a gap from the first to the end, by ascending address.
    pub chunks: Vec<Chunk>,
}

/// What a chunk is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ChunkKind {
    /// Given to the program, or to somebody whose calls were not seen.
    InUse = 0,
    /// In a thread's cache.
    Tcache = 1,
    /// In a fast bin.
    Fast = 2,
    /// In the unsorted, a small or a large bin.
    Bin = 3,
    /// The arena's top.
    Top = 4,
    /// Marks the end of a heap that is not the last; belongs to nobody.
    Fencepost = 5,
    /// A `tcache_perthread_struct`.
    TcacheStruct = 6,
    /// `heap_info` and, in an arena's first heap, `malloc_state`; padding before the first chunk.
    Header = 7,
}

/// A chunk: address, size and kind in two words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Chunk {
    /// First address, that of the header; the block begins 16 bytes behind it.
    pub address: u64,
    /// The size, a multiple of 16, and the kind in the low four bits.
    word: u64,
}

impl Chunk {
    /// A chunk of `bytes`, header included: a multiple of 16.
    #[must_use]
    pub const fn new(address: u64, bytes: u64, kind: ChunkKind) -> Self {
        Self { address, word: bytes & !0xf | kind as u64 }
    }

    /// Its size with its header.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        self.word & !0xf
    }

    /// First address behind it.
    #[must_use]
    pub const fn end(self) -> u64 {
        self.address + self.bytes()
    }

    /// The address that `malloc` returned for it.
    #[must_use]
    pub const fn block(self) -> u64 {
        self.address + 16
    }

    /// What the program may use of it (`malloc_usable_size`): its own size without its size word; the
    /// next chunk's first word belongs to it.
    #[must_use]
    pub const fn usable_bytes(self) -> u64 {
        self.bytes() - 8
    }

    /// What it is used for.
    #[must_use]
    pub const fn kind(self) -> ChunkKind {
        match self.word & 0xf {
            1 => ChunkKind::Tcache,
            2 => ChunkKind::Fast,
            3 => ChunkKind::Bin,
            4 => ChunkKind::Top,
            5 => ChunkKind::Fencepost,
            6 => ChunkKind::TcacheStruct,
            7 => ChunkKind::Header,
            _ => ChunkKind::InUse,
        }
    }

    /// The same chunk, used for something else.
    #[must_use]
    pub const fn with(self, kind: ChunkKind) -> Self {
        Self::new(self.address, self.bytes(), kind)
    }
}

/// A chunk with a mapping of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MmappedChunk {
    /// First address of the mapping.
    pub start: u64,
    /// First address behind it.
    pub end: u64,
    /// The address that was returned.
    pub block: u64,
}

impl MmappedChunk {
    /// What the program may use of it.
    #[must_use]
    pub const fn usable_bytes(self) -> u64 {
        self.end - self.block
    }
}

/// A thread's cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tcache {
    /// Address of its `tcache_perthread_struct`.
    pub address: u64,
    /// Whose it is, if that is known.
    pub thread: Option<Thread>,
    /// Chunks in it.
    pub chunks: u64,
    /// Their bytes, headers included.
    pub bytes: u64,
}

/// `mp_`: parameters, and counters of mapped chunks. Bytes unless said otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    /// A top larger than this is given back by `free`.
    pub trim_threshold: Option<u64>,
    /// What is taken from the kernel beyond what is needed.
    pub top_pad: Option<u64>,
    /// Requests from here on get a mapping of their own.
    pub mmap_threshold: Option<u64>,
    /// Whether the thresholds stay as they are.
    pub no_dynamic_threshold: Option<bool>,
    /// The most arenas, a number; 0: by the CPUs.
    pub arena_max: Option<u64>,
    /// Mapped chunks now, a number.
    pub mmapped_chunks: Option<u64>,
    /// Their bytes.
    pub mmapped_bytes: Option<u64>,
    /// Chunks that a thread's cache keeps of each size, a number.
    pub tcache_count: Option<u64>,
    /// The largest request that is cached.
    pub tcache_max: Option<u64>,
}
