//! What is mapped, what it is for, and which pages of it are resident.

use std::ops::Range;

/// Bytes of a page.
pub const PAGE: u64 = 4096;

/// What a mapping is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AreaKind {
    /// The allocator's: the `brk` heap, or mapped inside an allocation call.
    Allocator,
    /// A thread's stack: mapped by `pthread_create`, or the kernel's `[stack]`.
    Stack,
    /// Mapped by the program itself, by this call.
    Direct(Mapper),
    /// Anonymous and executable: code made at run time.
    Code,
    /// A private mapping of a file: objects' code and data, and their zero-initialised data.
    File(String),
    /// Shared memory, or a shared mapping of a file.
    Shared(String),
    /// The loader's and the C library's own: mapped before or beside any call that was seen.
    Runtime,
    /// calltap's own.
    Calltap,
    /// The kernel's (`[vdso]`, `[vvar]`, `[vsyscall]`).
    Kernel,
    /// Nothing is known of it.
    Unknown,
}

/// Who mapped something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Mapper {
    /// Id of the call stack; 0 if none was taken.
    pub stack: u32,
    /// Called from where; 0 if unknown.
    pub site: u64,
}

/// A contiguous range that is mapped for one purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Area {
    /// First address.
    pub start: u64,
    /// First address behind it.
    pub end: u64,
    /// What for.
    pub kind: AreaKind,
    /// Whether it can be written: what cannot be (`PROT_NONE` reserves) costs nothing.
    pub writable: bool,
    /// Whether it is private: only then its pages may count as anonymous memory.
    pub private: bool,
}

impl Area {
    /// Its addresses.
    #[must_use]
    pub const fn range(&self) -> Range<u64> {
        self.start..self.end
    }
}

/// How a page is backed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageState {
    /// Resident, anonymous: counts in `RssAnon`.
    Anonymous,
    /// Resident, of a file or shared.
    File,
    /// In swap.
    Swapped,
}

/// Consecutive pages in one state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// First address.
    pub start: u64,
    /// First address behind it.
    pub end: u64,
    /// Their state.
    pub state: PageState,
}

/// Which pages are resident: runs by ascending address; pages in none are not, and not in swap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Residency {
    runs: Vec<Run>,
}

impl Residency {
    /// From runs by ascending address that do not overlap.
    #[must_use]
    pub fn new(runs: Vec<Run>) -> Self {
        debug_assert!(runs.windows(2).all(|pair| pair[0].end <= pair[1].start));
        Self { runs }
    }

    /// The parts of runs that lie in `range`, by ascending address.
    pub fn within(&self, range: Range<u64>) -> impl Iterator<Item = Run> + '_ {
        let first = self.runs.partition_point(|run| run.end <= range.start);
        let cut = move |run: &Run| Run {
            start: run.start.max(range.start),
            end: run.end.min(range.end),
            state: run.state,
        };
        self.runs[first..].iter().take_while(move |run| run.start < range.end).map(cut)
    }

    /// Bytes of `range` that are in this state.
    #[must_use]
    pub fn bytes(&self, range: Range<u64>, state: PageState) -> u64 {
        self.within(range).filter(|run| run.state == state).map(|run| run.end - run.start).sum()
    }
}

/// What the kernel counts of a process; `None` where it did not say. Bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KernelCounts {
    /// Resident, of anonymous memory (`RssAnon`).
    pub rss_anon: Option<u64>,
    /// Resident, of files (`RssFile`).
    pub rss_file: Option<u64>,
    /// Resident, of shared memory (`RssShmem`).
    pub rss_shmem: Option<u64>,
    /// Swapped out.
    pub swap: Option<u64>,
    /// Given back with `MADV_FREE`, and still resident until the kernel wants it (`LazyFree`).
    pub lazily_freed: Option<u64>,
    /// Anonymous memory by `smaps` (`Anonymous`).
    pub anonymous: Option<u64>,
    /// Transparent huge pages in it (`AnonHugePages`).
    pub huge: Option<u64>,
}
