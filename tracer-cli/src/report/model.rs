//! The report as data; its JSON is these structs, field by field. `docs/report-json.md` describes
//! each field, `docs/report.schema.json` checks them. Names keep their meaning from release to
//! release; what changes a meaning raises [`SCHEMA_VERSION`].
//!
//! `None` (`null`) is "not known" or "not looked at"; 0 is "looked, and there was none".

use serde::Serialize;

use crate::origin::Site;

mod arenas;
mod descriptors;
mod latency;
mod life;
mod memory;
mod outsized;
mod stacks;
mod system_calls;

pub(super) use arenas::names;
pub use arenas::{
    Advice, Allocator, Arena, Arenas, Birth, Cells, ChangeCount, Culprit, Differences, Extent, KernelCounts,
    LastLook, Ledger, Look, PartBytes, Pin, Region, Strip, Tcache, ThreadBytes, Trim, Verdict, VerdictBytes,
};
pub use descriptors::{
    AtExit, Balance, Call, DescriptorFault, Descriptors, Difference, FailedClose, Forecast, Growing,
    KindTotal, LastUse, PassedOn, PathTotal, RefusedOpen, StillOpen,
};
pub use latency::{Latency, LatencyBySize};
pub use life::{Executed, Life, Lived, MappedObject, SignalGot, SignalSent, Stopped};
pub use memory::{MemoryAtExit, MemoryPoint};
pub use outsized::{LimitBefore, Multiple, Outsized, OutsizedAllocation};
pub use stacks::{Frame, Omitted, Stack, StackCounts, StackEnd, StackTotal, Suppressed, UseTotal, Uses};
pub use system_calls::{
    CostPart, CostSplit, FailedCalls, Maker, Named, PathCalls, Residue, SystemCallTotal, SystemCalls,
};

/// `schema_version` of the reports that this version writes.
pub const SCHEMA_VERSION: u32 = 1;

/// What a session found.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "each field is described in docs/report-json.md")]
pub struct Report {
    pub schema_version: u32,
    pub tool: Tool,
    pub target: Target,
    pub duration_ns: u64,
    pub events: u64,
    pub lost_records: u64,
    pub lost_by_thread: Vec<Lost>,
    pub damaged: Vec<&'static str>,
    pub blind_spots: Vec<String>,
    pub stacks: StackCounts,
    pub system_calls: Vec<SystemCallTotal>,
    pub memory_over_time: Option<Vec<MemoryPoint>>,
    pub processes: Vec<Process>,
    pub life: Life,
}

/// Who wrote the report.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct Tool {
    pub name: String,
    pub version: String,
}

impl Default for Tool {
    fn default() -> Self {
        Self { name: "calltap".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
    }
}

/// The command that was run, and how its process ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct Target {
    pub command: Vec<String>,
    pub exit_code: Option<i32>,
    pub signal: Option<i32>,
    pub signal_name: Option<String>,
}

/// Records that a thread could not write, or that could not be read.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct Lost {
    pub pid: u32,
    pub tid: u32,
    pub name: String,
    pub records: u64,
    pub dropped: u64,
    pub torn: u64,
    pub malformed: u64,
}

/// How a process image ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "see Report")]
pub enum EndedBy {
    Exit,
    Signal,
    Exec,
    #[default]
    Running,
    Detached,
}

/// One program in one process.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct Process {
    pub pid: u32,
    pub parent_pid: Option<u32>,
    pub command: Vec<String>,
    pub ended_by: EndedBy,
    pub exit_code: Option<i32>,
    pub signal: Option<i32>,
    pub signal_name: Option<String>,
    pub tapped: bool,
    pub untapped_reason: Option<String>,
    pub executed: bool,
    pub started_ns: u64,
    pub ended_ns: Option<u64>,
    pub threads: u64,
    pub events: u64,
    pub heap: Option<Heap>,
    pub descriptors: Option<Descriptors>,
    pub mappings: Option<Mappings>,
    pub outsized: Option<Outsized>,
    pub latency: Vec<Latency>,
    pub latency_by_size: Option<Vec<LatencyBySize>>,
    pub system_calls: Option<SystemCalls>,
    pub arenas: Option<Arenas>,
    pub unfinished_calls: Vec<Unfinished>,
    pub memory_at_exit: Option<MemoryAtExit>,
    pub limits: Option<Limits>,
    pub kernel_descriptors_at_exit: Option<u64>,
}

/// What became of heap blocks.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct Heap {
    pub allocations: u64,
    pub frees: u64,
    pub reallocations: u64,
    pub failed_allocations: u64,
    pub unmatched_frees: u64,
    pub double_frees: u64,
    pub inherited_frees: u64,
    pub releases_unseen: u64,
    pub mismatched_frees: u64,
    pub releases_not_judged: u64,
    pub allocated_bytes: u64,
    pub freed_bytes: u64,
    pub peak_live_bytes: u64,
    pub peak_live_blocks: u64,
    pub peak_live_at_ns: u64,
    pub temporary_allocations: u64,
    pub still_allocated: StillAllocated,
    pub suppressed: Vec<Suppressed>,
    pub runtime_owned: RuntimeOwned,
    pub not_judged: NotJudged,
    pub by_stack: Uses,
    /// The same by innermost frame and innermost frame of the program's own: what the text shows if
    /// no grouping was asked for.
    #[serde(skip)]
    pub by_caller: Uses,
    pub faults: Vec<Fault>,
    pub mismatches: Vec<Mismatch>,
    pub largest_allocation: Option<Allocation>,
    pub size_classes: Vec<SizeClass>,
    pub lifetime_ns: Option<Lifetimes>,
}

/// The program's own blocks that were never released.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct StillAllocated {
    pub blocks: u64,
    pub bytes: u64,
    pub by_site: Vec<SiteTotal>,
    pub by_stack: Vec<StackTotal>,
    pub by_stack_omitted: Omitted,
    /// What comes from one caller, most bytes: where to look first.
    #[serde(skip)]
    pub largest: Option<StackTotal>,
}

/// Blocks of one call site that were never released.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct SiteTotal {
    pub site: Site,
    pub function: String,
    pub blocks: u64,
    pub bytes: u64,
    pub largest_bytes: u64,
    pub oldest_at_ns: u64,
    pub guess: bool,
}

/// Blocks that live as far as is known, but may have been released by calls that are not seen.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct NotJudged {
    pub blocks: u64,
    pub bytes: u64,
}

/// Blocks that the C and C++ run-times keep for the process's life.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct RuntimeOwned {
    pub blocks: u64,
    pub bytes: u64,
    pub by_origin: Vec<OriginTotal>,
}

/// Blocks that a run-time keeps for one purpose.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct OriginTotal {
    pub origin: String,
    pub blocks: u64,
    pub bytes: u64,
}

/// A release of what was not allocated.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct Fault {
    pub kind: &'static str,
    pub address: u64,
    pub function: String,
    pub site: Site,
    pub stack: Stack,
    pub tid: u32,
    pub at_ns: u64,
}

/// A block released by a function of another family than the one that gave it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct Mismatch {
    pub times: u64,
    pub address: u64,
    pub bytes: u64,
    pub allocated_by: String,
    pub allocated_at: Site,
    pub allocated_stack: Stack,
    pub released_by: String,
    pub released_at: Site,
    pub released_stack: Stack,
}

/// One allocation.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct Allocation {
    pub bytes: u64,
    pub function: String,
    pub site: Site,
    pub stack: Stack,
}

/// Blocks of more than half of `up_to_bytes`, up to it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct SizeClass {
    pub up_to_bytes: u64,
    pub blocks: u64,
    pub bytes: u64,
}

/// How long released blocks lived.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct Lifetimes {
    pub p50: u64,
    pub p90: u64,
    pub p99: u64,
    pub max: u64,
}

/// What was mapped by library calls.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct Mappings {
    pub mapped: u64,
    pub mapped_bytes: u64,
    pub unmapped: u64,
    pub unmapped_bytes: u64,
    pub remapped: u64,
    pub remapped_bytes: u64,
    pub peak_bytes: u64,
    pub peak_at_ns: u64,
    pub still_mapped_ranges: u64,
    pub still_mapped_bytes: u64,
}

/// A call that had begun and not ended when its thread did.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct Unfinished {
    pub tid: u32,
    pub function: String,
    pub first_argument: u64,
}

/// Resource limits at exit.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct Limits {
    pub open_files: Option<SoftHard>,
    pub open_files_ceiling: Option<u64>,
    pub system_open_files: Option<SystemOpenFiles>,
    pub address_space: Option<SoftHard>,
}

/// Open files of the whole system (`/proc/sys/fs/file-nr`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct SystemOpenFiles {
    pub allocated: u64,
    pub maximum: u64,
}

/// A resource limit; `None` (`null`) is "unlimited".
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct SoftHard {
    pub soft: Option<u64>,
    pub hard: Option<u64>,
}
