//! What one run of a variant gave.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How a program ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// With this exit status.
    Exited(i32),
    /// Killed by this signal.
    Killed(i32),
    /// By our signal, as was asked: a service that was stopped, whatever its status.
    Stopped,
    /// It took longer than the time limit.
    TimedOut,
    /// A service ended before it was ready, or under its load.
    EndedEarly,
    /// A service never became ready within the time limit.
    NeverReady,
}

/// One reading of a program's memory: all its processes together.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MemoryPoint {
    /// Since it began, in nanoseconds.
    pub at_ns: u64,
    /// Requested and not released; None in untapped runs.
    pub live_bytes: Option<u64>,
    /// Resident, all kinds.
    pub resident_bytes: u64,
    /// Resident and anonymous: neither files nor shared memory.
    pub anonymous_bytes: u64,
}

/// What the load generator did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Load {
    /// How long it took.
    pub wall_ns: u64,
    /// Its exit status, 128 + n if signal n killed it.
    pub status: i32,
    /// What it wrote, stdout and stderr together; the last 64 KiB.
    pub output: String,
}

/// A program's end and output, in either kind of run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// How it ended.
    pub ending: Ending,
    /// CRC-32 of its stdout.
    pub stdout_crc32: u32,
    /// Bytes of its stdout.
    pub stdout_bytes: u64,
    /// The last 4 KiB of its stderr, for messages.
    pub stderr_tail: String,
    /// From its start until it was ready; services only.
    pub ready_ns: Option<u64>,
    /// Its load; services only.
    pub load: Option<Load>,
}

/// A run without calltap in the program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Untapped {
    /// Its end and output.
    pub outcome: Outcome,
    /// From fork to its end.
    pub wall_ns: u64,
    /// CPU time in user mode, with that of children it has waited for (`getrusage(2)`).
    pub user_ns: u64,
    /// CPU time in the kernel, likewise.
    pub system_ns: u64,
    /// Most resident memory of any of its processes (`ru_maxrss`).
    pub peak_rss_bytes: u64,
    /// Page faults without input or output.
    pub minor_faults: u64,
    /// Page faults with it.
    pub major_faults: u64,
    /// Context switches because it waited.
    pub voluntary_switches: u64,
    /// Context switches because its time was up.
    pub involuntary_switches: u64,
    /// Its memory over time; the last point is the last reading before its end.
    pub memory: Vec<MemoryPoint>,
    /// How long before its end the last reading was, in nanoseconds; None without one.
    pub last_reading_ns: Option<u64>,
    /// Objects that define `malloc` and were seen mapped in its processes, each once.
    pub mapped_allocators: Vec<String>,
}

/// Calls of one function, of one size class, at one number of threads, in all processes of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CallClass {
    /// `malloc`, `free`, `calloc`, `realloc`, ...
    pub function: String,
    /// Blocks of more than half of this, up to it; None if the size is not known.
    pub up_to_bytes: Option<u64>,
    /// Threads alive: more than half of this, up to it.
    pub up_to_threads: u64,
    /// Durations in nanoseconds, ascending, each with how many calls took so long.
    pub durations: Vec<(u64, u64)>,
}

/// Which object served `malloc` in a process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Served {
    /// The process.
    pub pid: u32,
    /// Its program.
    pub command: String,
    /// The object's path; None if it is not known, because the process was not tapped or never asked.
    pub object: Option<String>,
    /// Whether calltap was in it.
    pub tapped: bool,
    /// How many allocations it made.
    pub allocations: u64,
}

/// A run under calltap.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tapped {
    /// Its end and output.
    pub outcome: Outcome,
    /// Durations of the allocator's calls.
    pub calls: Vec<CallClass>,
    /// How often each memory system call was made: brk, mmap, munmap, mremap, mprotect, madvise.
    pub memory_calls: BTreeMap<String, u64>,
    /// Arenas of glibc, of all processes' last looks; None under another allocator.
    pub arenas: Option<u64>,
    /// Bytes of all processes' last looks that live blocks do not account for (verdict retention); None if unknown.
    pub retained_bytes: Option<u64>,
    /// The same for fragmentation.
    pub fragmentation_bytes: Option<u64>,
    /// Most live bytes at one time, of the process that had most.
    pub peak_live_bytes: u64,
    /// Live and resident over time.
    pub memory: Vec<MemoryPoint>,
    /// Who served whom.
    pub served: Vec<Served>,
    /// Records that were lost.
    pub lost_records: u64,
}
