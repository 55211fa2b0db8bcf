//! What a look at a process's memory found.

use super::memory_map::{KernelCounts, Mapper};
use super::regions::Birth;
use super::{Allocator, Occasion};
use crate::event::{FunctionId, Thread};

/// Where the memory is, and why. Bytes, and nanoseconds since the session began.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ArenaReport {
    /// When the process was looked at.
    pub at_ns: u64,
    /// Why.
    pub occasion: Occasion,
    /// How long it was stopped for it; `None` if it was not, or at its exit.
    pub stopped_ns: Option<u64>,
    /// Whether everything was read at one moment.
    pub consistent: bool,
    /// Version of glibc if its chunks were read: major, minor.
    pub glibc: Option<(u32, u32)>,
    /// Why its chunks were not read, if so; follows "not decoded, because".
    pub not_decoded: Option<String>,
    /// The allocators the process has, the one that serves first.
    pub allocators: Vec<Allocator>,
    /// The sums: requested <= usable <= in use <= system <= mapped.
    pub ledger: Ledger,
    /// Every byte that is mapped and writable, or resident, in one part; parts without bytes are left out.
    pub parts: Vec<PartBytes>,
    /// The arenas of glibc, the main one first, then most system bytes first.
    pub arenas: Vec<ArenaRow>,
    /// Threads' caches, most bytes first.
    pub tcaches: Vec<TcacheRow>,
    /// Regions of another allocator, or of one that could not be decoded; most mapped bytes first.
    pub regions: Vec<RegionRow>,
    /// What is to be said of it, most bytes first.
    pub verdicts: Vec<Verdict>,
    /// What keeps free memory from going back, most bytes first.
    pub pins: Vec<Pin>,
    /// What can be done about it, largest effect first.
    pub advice: Vec<Advice>,
    /// What `malloc_trim(0)` would do, by simulation on the chunks.
    pub trim: Option<Trim>,
    /// The map: one strip for each heap and mapped region of the allocator, by address.
    pub strips: Vec<Strip>,
    /// Strips that were left out, the smallest of them.
    pub strips_left_out: u64,
    /// What happened to the allocator's regions, by time.
    pub births: Vec<Birth>,
    /// Blocks that the ledger and the allocator do not agree on.
    pub differences: Differences,
}

impl ArenaReport {
    /// Leaves out everything but figures, for a look that is not the last one.
    pub fn reduce_to_figures(&mut self) {
        let figures = std::mem::take(self);
        let verdicts = figures.verdicts.into_iter();
        *self = Self {
            at_ns: figures.at_ns,
            occasion: figures.occasion,
            stopped_ns: figures.stopped_ns,
            consistent: figures.consistent,
            glibc: figures.glibc,
            not_decoded: figures.not_decoded,
            ledger: figures.ledger,
            parts: figures.parts,
            verdicts: verdicts.map(|verdict| Verdict { culprits: Vec::new(), ..verdict }).collect(),
            trim: figures.trim,
            differences: figures.differences,
            ..Self::default()
        };
    }
}

/// The sums, and how much of each is resident.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// What the program asked for and has not released.
    pub requested: Extent,
    /// What it may use of it. `None` if chunks were not read.
    pub usable: Option<Extent>,
    /// What the allocator counts as in use: chunks with headers; without caches, unlike `mallinfo`.
    pub in_use: Option<Extent>,
    /// What the allocator has taken from the kernel and counts as its own.
    pub system: Extent,
    /// What is mapped for it, reserved address space included.
    pub mapped: Extent,
    /// What the kernel counts of the whole process.
    pub kernel: KernelCounts,
    /// Resident anonymous bytes by the page tables, all of which are in one of the parts.
    pub anonymous: u64,
    /// Of those, the bytes in parts that have a name: all but [`Part::Unknown`].
    pub explained: u64,
}

/// Bytes, and how many of them are where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// All of them.
    pub bytes: u64,
    /// Resident as anonymous memory.
    pub resident: u64,
    /// In swap.
    pub swapped: u64,
}

/// What a byte is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// Requested by the program, and not released.
    Live,
    /// Behind a living block's requested bytes, within its chunk.
    Rounding,
    /// Headers of chunks in use, of heaps and arenas; threads' cache structures; fenceposts.
    Headers,
    /// In use, but not by a block that the hooks know.
    NotSeen,
    /// Free, in a thread's cache.
    Tcache,
    /// Free, in a fast bin.
    Fast,
    /// Free, in another bin.
    Bin,
    /// Free, an arena's top.
    Top,
    /// Free, in an arena that no thread uses.
    Orphan,
    /// Another allocator's, without a living block: its own structures, caches and free pages.
    Retained,
    /// Allocator's region, reserved and not counted as its own yet.
    Reserved,
    /// Stacks of threads.
    Stacks,
    /// Mapped by the program itself.
    Direct,
    /// Code made at run time.
    Code,
    /// Private copies of pages of files, and objects' data.
    Files,
    /// Shared memory.
    Shared,
    /// The loader's and the C library's own.
    Runtime,
    /// calltap's own.
    Calltap,
    /// The kernel's.
    Kernel,
    /// Nothing is known of it.
    Unknown,
}

/// A part and its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartBytes {
    /// Which.
    pub part: Part,
    /// Its bytes; what is neither resident nor swapped of them was never touched, or went back.
    pub extent: Extent,
}

/// One arena of glibc.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ArenaRow {
    /// Address of its `malloc_state`.
    pub address: u64,
    /// The main one.
    pub is_main: bool,
    /// Bytes taken from the kernel (`malloc_info`: system, current).
    pub system: Extent,
    /// The most there ever were.
    pub max_system_bytes: u64,
    /// In use as `malloc_stats` has it: system bytes less bins, fast bins and top; caches included.
    pub in_use_bytes: u64,
    /// Living blocks' requested bytes in it.
    pub live_bytes: u64,
    /// Living blocks in it.
    pub live_blocks: u64,
    /// Free bytes in threads' caches.
    pub tcache: Extent,
    /// Free bytes in fast bins.
    pub fast: Extent,
    /// Free bytes in other bins.
    pub bin: Extent,
    /// Bytes of its top.
    pub top: Extent,
    /// Heaps it has.
    pub heaps: u64,
    /// Threads that use it now; 0: an orphan. `None` if that is not known.
    pub attached_threads: Option<u64>,
    /// The thread that made it, if its birth was seen.
    pub made_by: Option<Thread>,
    /// When it was made.
    pub born_ns: Option<u64>,
    /// Id of the stack that made it; 0 if none was taken.
    pub stack: u32,
    /// Called from where; 0 if unknown.
    pub site: u64,
    /// Threads that own the living blocks in it, most bytes first: thread, bytes. At most eight.
    pub threads: Vec<(Thread, u64)>,
    /// Its lock was held while it was read.
    pub locked: bool,
    /// What `malloc_trim(0)` would give back of it.
    pub trim_bytes: u64,
}

/// A thread's cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TcacheRow {
    /// Whose; `None` if that is not known.
    pub thread: Option<Thread>,
    /// Chunks.
    pub chunks: u64,
    /// Bytes, headers included.
    pub bytes: u64,
}

/// A region of an allocator whose chunks are not read.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RegionRow {
    /// First address.
    pub start: u64,
    /// First address behind it.
    pub end: u64,
    /// Mapped and writable.
    pub extent: Extent,
    /// Living blocks' requested bytes in it.
    pub live_bytes: u64,
    /// Living blocks in it.
    pub live_blocks: u64,
    /// Resident pages in which no living block has a byte.
    pub empty_pages: u64,
    /// Resident pages that have a living byte, but of less than a quarter.
    pub sparse_pages: u64,
    /// Who mapped it first, if that was seen.
    pub mapper: Option<Mapper>,
    /// The thread that did.
    pub thread: Option<Thread>,
    /// When.
    pub born_ns: Option<u64>,
}

/// A word for why memory is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VerdictKind {
    /// Living blocks of stacks that leave more and more.
    Leak,
    /// Other living blocks.
    InUse,
    /// Free and resident in whole pages that nothing holds: `malloc_trim` (or the allocator's purge) would
    /// return it, or it is in a thread arena's top.
    Retention,
    /// Other free memory that is resident: living blocks share its pages, or caches hold it.
    Fragmentation,
    /// Taken from the kernel by the allocator or asked for by the program, and never touched.
    NeverTouched,
    /// Rounding, headers, caches' structures.
    Overhead,
    /// Not the allocator's.
    NotTheAllocators,
}

/// One of the answers to why the memory is where it is. All of them together are all bytes that are
/// writable and private.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// Which.
    pub kind: VerdictKind,
    /// Bytes.
    pub bytes: u64,
    /// Of those, resident as anonymous memory.
    pub resident: u64,
    /// Share of the bytes of all verdicts, 0 to 100.
    pub percent: f64,
    /// By whom, most bytes first: for leaks, blocks in use, fragmentation, direct mappings.
    pub culprits: Vec<Culprit>,
}

/// A place that is to blame for some memory.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Culprit {
    /// Id of the call stack; 0 if none was taken.
    pub stack: u32,
    /// Called from where; 0 if unknown.
    pub site: u64,
    /// The function that gave the memory; `None` for what no function gave.
    pub function: Option<FunctionId>,
    /// Blocks, or mappings.
    pub blocks: u64,
    /// Bytes it is to blame for: its own of a leak, those it keeps from going back of fragmentation.
    pub bytes: u64,
    /// Its own bytes.
    pub own_bytes: u64,
    /// Bytes it left behind in each second of the time it was seen to, if it is a leak.
    pub bytes_per_second: Option<f64>,
    /// When its oldest was given.
    pub oldest_ns: u64,
    /// When its youngest was given.
    pub newest_ns: u64,
}

/// Why a pin holds what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinKind {
    /// It is the last chunk in use below an arena's top, which could otherwise shrink.
    Top,
    /// It keeps a heap of a thread arena from being unmapped.
    Heap,
}

/// A block that keeps free memory from going back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pin {
    /// Why.
    pub kind: PinKind,
    /// The chunk's block.
    pub block: u64,
    /// Its size as the program asked; `None` if it is in a cache or was not seen.
    pub bytes: Option<u64>,
    /// Bytes that it keeps: free, and in one piece with it gone.
    pub pinned_bytes: u64,
    /// Of those, resident.
    pub pinned_resident: u64,
    /// The arena.
    pub arena: u64,
    /// When it was given.
    pub birth_ns: Option<u64>,
    /// To which thread.
    pub thread: Option<Thread>,
    /// The function that gave it.
    pub function: Option<FunctionId>,
    /// Id of its stack; 0 if none was taken.
    pub stack: u32,
    /// Called from where; 0 if unknown.
    pub site: u64,
    /// It is free, in a thread's cache or a fast bin, and holds all the same.
    pub is_cached: bool,
}

/// What `malloc_trim(0)` would give back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trim {
    /// Resident bytes that would go back.
    pub returned: u64,
    /// Of those, from the main arena's top.
    pub from_top: u64,
    /// Free resident bytes that would stay: pages shared with blocks, tops of thread arenas, caches.
    pub kept: u64,
}

/// A remedy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Remedy {
    /// Call `malloc_trim(0)`.
    Trim,
    /// Fewer arenas (`MALLOC_ARENA_MAX`): the value.
    ArenaMax(u64),
    /// `glibc.malloc.trim_threshold`: the value in bytes.
    TrimThreshold(u64),
    /// `glibc.malloc.mmap_threshold`: the value in bytes.
    MmapThreshold(u64),
    /// `glibc.malloc.top_pad`: the value in bytes.
    TopPad(u64),
    /// `glibc.malloc.tcache_count`: the value.
    TcacheCount(u64),
    /// Another allocator, by name.
    Allocator(&'static str),
    /// Release what the largest culprit leaves behind.
    Release(Culprit),
}

/// A remedy and what it is expected to bring.
#[derive(Clone, Debug, PartialEq)]
pub struct Advice {
    /// What to do.
    pub remedy: Remedy,
    /// Resident bytes that it would save, by this moment's figures.
    pub saves: u64,
    /// Whether that was computed from the chunks (else it is an upper bound).
    pub simulated: bool,
    /// The figures that it rests on, in words.
    pub because: String,
}

/// One strip of the map.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Strip {
    /// First address.
    pub start: u64,
    /// First address behind it.
    pub end: u64,
    /// The arena it belongs to; 0: none.
    pub arena: u64,
    /// Cells of equal size by address, at most [`Strip::CELLS`].
    pub cells: Vec<Cell>,
}

impl Strip {
    /// The most cells of a strip.
    pub const CELLS: usize = 512;
}

/// What is in one cell of a strip, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// Living blocks, with rounding and headers, and what is in use unseen.
    pub live: u64,
    /// In threads' caches.
    pub tcache: u64,
    /// In bins, fast bins and tops, resident.
    pub free: u64,
    /// Free and not resident; not counted as its own.
    pub untouched: u64,
}

/// What the ledger and the allocator do not agree on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Differences {
    /// Blocks that live by the ledger and are chunks in use of the right size.
    pub matched: u64,
    /// Chunks in use that the ledger does not know.
    pub chunks_not_seen: u64,
    /// Their bytes.
    pub chunks_not_seen_bytes: u64,
    /// Blocks that live by the ledger, and are no chunk in use.
    pub blocks_without_chunk: u64,
    /// Their bytes.
    pub blocks_without_chunk_bytes: u64,
    /// Blocks whose chunk is smaller than what was asked for.
    pub too_small: u64,
    /// Mapped chunks by the allocator's own count, less those that were found.
    pub mmapped_missing: i64,
    /// Allocation calls that were under way, which can make so many of them differ.
    pub under_way: u64,
}
