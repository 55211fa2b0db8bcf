//! The part of a JSON report that a comparison needs; the fields are described in docs/report-json.md.

use serde::Deserialize;

/// A report.
#[derive(Debug, Deserialize)]
pub(super) struct Report {
    pub(super) lost_records: u64,
    pub(super) system_calls: Vec<SystemCall>,
    pub(super) memory_over_time: Option<Vec<MemoryPoint>>,
    pub(super) processes: Vec<Process>,
}

/// How often a system call was made.
#[derive(Debug, Deserialize)]
pub(super) struct SystemCall {
    pub(super) system_call: String,
    pub(super) count: u64,
}

/// A reading of all processes' memory.
#[derive(Debug, Deserialize)]
pub(super) struct MemoryPoint {
    pub(super) at_ns: u64,
    pub(super) live_bytes: u64,
    pub(super) resident_bytes: u64,
    pub(super) anonymous_bytes: u64,
}

/// One program in one process.
#[derive(Debug, Deserialize)]
pub(super) struct Process {
    pub(super) pid: u32,
    pub(super) command: Vec<String>,
    pub(super) tapped: bool,
    pub(super) executed: bool,
    pub(super) started_ns: u64,
    pub(super) latency_by_size: Option<Vec<Latency>>,
    ended_by: String,
    heap: Option<Heap>,
    arenas: Option<Arenas>,
}

#[derive(Debug, Deserialize)]
struct Heap {
    allocations: u64,
    peak_live_bytes: u64,
}

#[derive(Debug, Deserialize)]
struct Arenas {
    last: LastLook,
}

/// Calls of one function and one class.
#[derive(Debug, Deserialize)]
pub(super) struct Latency {
    pub(super) function: String,
    pub(super) up_to_bytes: Option<u64>,
    pub(super) up_to_threads: u64,
    pub(super) durations: Vec<(u64, u64)>,
}

/// The last look at a process's memory.
#[derive(Debug, Deserialize)]
pub(super) struct LastLook {
    pub(super) not_decoded: Option<String>,
    pub(super) allocators: Vec<Allocator>,
    pub(super) verdicts: Vec<Verdict>,
    pub(super) arenas: Vec<serde::de::IgnoredAny>,
    glibc: Option<String>,
}

/// An allocator that a process has.
#[derive(Debug, Deserialize)]
pub(super) struct Allocator {
    pub(super) object: String,
    pub(super) serves: bool,
}

/// A reason why memory is held.
#[derive(Debug, Deserialize)]
pub(super) struct Verdict {
    pub(super) kind: String,
    pub(super) bytes: u64,
}

impl Process {
    /// Whether another program took its place.
    pub(super) fn is_replaced(&self) -> bool {
        self.ended_by == "exec"
    }

    /// Blocks that it was given; 0 if calltap was not in it.
    pub(super) fn allocations(&self) -> u64 {
        self.heap.as_ref().map_or(0, |heap| heap.allocations)
    }

    /// Most bytes that lived at one time.
    pub(super) fn peak_live_bytes(&self) -> u64 {
        self.heap.as_ref().map_or(0, |heap| heap.peak_live_bytes)
    }

    /// The last look at it.
    pub(super) fn last_look(&self) -> Option<&LastLook> {
        self.arenas.as_ref().map(|arenas| &arenas.last)
    }
}

impl LastLook {
    /// Whether its chunks were read, as they can be of glibc's allocator only.
    pub(super) fn is_decoded_glibc(&self) -> bool {
        self.glibc.is_some() && self.not_decoded.is_none()
    }
}
