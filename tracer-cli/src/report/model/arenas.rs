//! The part of a report that tells where the memory is.

use calltap_analyzers::arenas::Occasion;
use calltap_analyzers::arenas::regions::Change;
use calltap_analyzers::arenas::report::{Part, PinKind, VerdictKind};
use serde::Serialize;

use super::Stack;
use crate::origin::Site;

pub(in crate::report) mod names;

/// Where a process's memory was, at each look.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct Arenas {
    pub looks: Vec<Look>,
    pub last: LastLook,
}

/// The figures of one look.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct Look {
    pub at_ns: u64,
    #[serde(serialize_with = "names::occasion")]
    pub occasion: Occasion,
    pub stopped_ns: Option<u64>,
    pub consistent: bool,
    pub requested_bytes: u64,
    pub usable_bytes: Option<u64>,
    pub in_use_bytes: Option<u64>,
    pub system_bytes: u64,
    pub system_resident_bytes: u64,
    pub mapped_bytes: u64,
    pub anonymous_resident_bytes: u64,
    pub explained_bytes: u64,
    pub rss_anon_bytes: Option<u64>,
    pub trim_returned_bytes: Option<u64>,
    pub verdicts: VerdictBytes,
}

/// The bytes of each verdict.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct VerdictBytes {
    pub leak_bytes: u64,
    pub in_use_bytes: u64,
    pub retention_bytes: u64,
    pub fragmentation_bytes: u64,
    pub never_touched_bytes: u64,
    pub overhead_bytes: u64,
    pub not_the_allocators_bytes: u64,
}

/// Everything that the last look found.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct LastLook {
    pub at_ns: u64,
    #[serde(serialize_with = "names::occasion")]
    pub occasion: Occasion,
    pub stopped_ns: Option<u64>,
    pub consistent: bool,
    pub glibc: Option<String>,
    pub not_decoded: Option<String>,
    pub allocators: Vec<Allocator>,
    pub ledger: Ledger,
    pub parts: Vec<PartBytes>,
    pub verdicts: Vec<Verdict>,
    pub pins: Vec<Pin>,
    pub advice: Vec<Advice>,
    pub trim: Option<Trim>,
    pub arenas: Vec<Arena>,
    pub tcaches: Vec<Tcache>,
    pub regions: Vec<Region>,
    pub differences: Differences,
    pub births: Vec<Birth>,
    pub births_omitted: u64,
    pub births_by_change: Vec<ChangeCount>,
    pub strips: Vec<Strip>,
}

impl LastLook {
    /// What is said of one reason, if anything is.
    #[must_use]
    pub fn verdict(&self, kind: VerdictKind) -> Option<&Verdict> {
        self.verdicts.iter().find(|verdict| verdict.kind == kind)
    }
}

/// An allocator that a process has loaded.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct Allocator {
    pub name: String,
    pub object: String,
    pub serves: bool,
}

/// Bytes, and where they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct Extent {
    pub bytes: u64,
    pub resident_bytes: u64,
    pub swapped_bytes: u64,
}

/// requested <= usable <= in use <= system <= mapped.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct Ledger {
    pub requested: Extent,
    pub usable: Option<Extent>,
    pub in_use: Option<Extent>,
    pub system: Extent,
    pub mapped: Extent,
    pub kernel: KernelCounts,
    pub anonymous_bytes: u64,
    pub explained_bytes: u64,
}

/// What the kernel counts of a process.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct KernelCounts {
    pub rss_anon_bytes: Option<u64>,
    pub rss_file_bytes: Option<u64>,
    pub rss_shmem_bytes: Option<u64>,
    pub swap_bytes: Option<u64>,
    pub lazily_freed_bytes: Option<u64>,
    pub anonymous_bytes: Option<u64>,
    pub huge_bytes: Option<u64>,
}

/// What bytes are used for.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct PartBytes {
    #[serde(serialize_with = "names::part")]
    pub part: Part,
    #[serde(flatten)]
    pub extent: Extent,
}

/// A reason why memory is held.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct Verdict {
    #[serde(serialize_with = "names::verdict")]
    pub kind: VerdictKind,
    pub bytes: u64,
    pub resident_bytes: u64,
    pub percent: f64,
    pub culprits: Vec<Culprit>,
}

/// A place that is to blame.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct Culprit {
    pub function: Option<String>,
    pub blocks: u64,
    pub bytes: u64,
    pub own_bytes: u64,
    pub bytes_per_second: Option<f64>,
    pub oldest_ns: u64,
    pub newest_ns: u64,
    pub site: Site,
    pub stack: Stack,
}

/// A block that keeps free memory from going back.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct Pin {
    #[serde(serialize_with = "names::pin")]
    pub kind: PinKind,
    pub block: u64,
    pub bytes: Option<u64>,
    pub pinned_bytes: u64,
    pub pinned_resident_bytes: u64,
    pub arena: u64,
    pub birth_ns: Option<u64>,
    pub tid: Option<u32>,
    pub function: Option<String>,
    pub is_cached: bool,
    pub site: Site,
    pub stack: Stack,
}

/// What can be done.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct Advice {
    pub remedy: &'static str,
    pub value: Option<u64>,
    pub allocator: Option<String>,
    pub command: Option<String>,
    pub saves_bytes: u64,
    pub simulated: bool,
    pub because: String,
    pub culprit: Option<Culprit>,
}

/// What `malloc_trim(0)` would do.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct Trim {
    pub returned_bytes: u64,
    pub from_top_bytes: u64,
    pub kept_bytes: u64,
}

/// One arena of glibc.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct Arena {
    pub address: u64,
    pub is_main: bool,
    pub system: Extent,
    pub max_system_bytes: u64,
    pub in_use_bytes: u64,
    pub live_bytes: u64,
    pub live_blocks: u64,
    pub tcache: Extent,
    pub fast: Extent,
    pub bin: Extent,
    pub top: Extent,
    pub heaps: u64,
    pub attached_threads: Option<u64>,
    pub threads: Vec<ThreadBytes>,
    pub locked: bool,
    pub trim_bytes: u64,
    pub born_ns: Option<u64>,
    pub made_by_tid: Option<u32>,
    pub site: Site,
    pub stack: Stack,
}

/// What the blocks of one thread need in an arena.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct ThreadBytes {
    pub tid: u32,
    pub bytes: u64,
}

/// A thread's cache.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct Tcache {
    pub tid: Option<u32>,
    pub chunks: u64,
    pub bytes: u64,
}

/// A region of an allocator whose chunks are not read.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct Region {
    pub start: u64,
    pub end: u64,
    #[serde(flatten)]
    pub extent: Extent,
    pub live_bytes: u64,
    pub live_blocks: u64,
    pub empty_pages: u64,
    pub sparse_pages: u64,
    pub born_ns: Option<u64>,
    pub tid: Option<u32>,
    pub site: Site,
    pub stack: Stack,
}

/// What the ledger and the allocator do not agree on.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct Differences {
    pub matched: u64,
    pub chunks_not_seen: u64,
    pub chunks_not_seen_bytes: u64,
    pub blocks_without_chunk: u64,
    pub blocks_without_chunk_bytes: u64,
    pub too_small: u64,
    pub mmapped_missing: i64,
    pub under_way: u64,
}

/// Something that happened to a region of an allocator.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct Birth {
    #[serde(serialize_with = "names::change")]
    pub change: Change,
    pub start: u64,
    pub end: u64,
    pub at_ns: u64,
    pub tid: u32,
    pub function: Option<String>,
    pub site: Site,
    pub stack: Stack,
}

/// How often something happened to a region.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct ChangeCount {
    #[serde(serialize_with = "names::change")]
    pub change: Change,
    pub count: u64,
}

/// One strip of the map.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct Strip {
    pub start: u64,
    pub end: u64,
    pub arena: u64,
    pub cells: Cells,
}

/// What is in the cells of a strip, one number for each cell.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct Cells {
    pub live_bytes: Vec<u64>,
    pub tcache_bytes: Vec<u64>,
    pub free_bytes: Vec<u64>,
    pub untouched_bytes: Vec<u64>,
}
