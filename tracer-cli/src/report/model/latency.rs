//! The parts of a report that tell how long calls took.

use serde::Serialize;

/// How long the calls of a function took, in its real implementation.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct Latency {
    pub function: String,
    pub count: u64,
    pub timed: u64,
    pub errors: u64,
    pub total_ns: u64,
    pub min_ns: u64,
    pub p50_ns: u64,
    pub p90_ns: u64,
    pub p99_ns: u64,
    pub p999_ns: u64,
    pub max_ns: u64,
}

/// Calls of an allocator's function, of one class of sizes and of numbers of threads.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct LatencyBySize {
    pub function: String,
    pub up_to_bytes: Option<u64>,
    pub up_to_threads: u64,
    pub count: u64,
    pub timed: u64,
    pub p50_ns: u64,
    pub p90_ns: u64,
    pub p99_ns: u64,
    pub p999_ns: u64,
    pub max_ns: u64,
    pub total_ns: u64,
    pub durations: Vec<(u64, u64)>,
}
