//! The parts of a report that tell of memory as the kernel counts it.

use serde::Serialize;

/// What the kernel said of the process's memory at its exit.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct MemoryAtExit {
    pub vm_hwm_bytes: Option<u64>,
    pub vm_peak_bytes: Option<u64>,
    pub rss_bytes: Option<u64>,
    pub rss_anon_bytes: Option<u64>,
    pub rss_file_bytes: Option<u64>,
    pub rss_shmem_bytes: Option<u64>,
    pub pss_bytes: Option<u64>,
    pub anonymous_bytes: Option<u64>,
    pub swap_bytes: Option<u64>,
}

/// A reading of the memory of all processes together.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct MemoryPoint {
    pub at_ns: u64,
    pub live_bytes: u64,
    pub live_blocks: u64,
    pub resident_bytes: u64,
    pub anonymous_bytes: u64,
    pub processes: u64,
}
