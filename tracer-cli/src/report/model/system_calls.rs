//! The parts of a report that have to do with system calls.

use serde::Serialize;

use super::Stack;
use crate::origin::Site;

/// What a process asked of the kernel.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct SystemCalls {
    pub stops: u64,
    pub stopped_ns: u64,
    pub calls: Vec<SystemCallTotal>,
    pub cost_split: Vec<CostSplit>,
    pub by_path: Vec<PathCalls>,
    pub by_path_omitted: u64,
    pub errors: Vec<FailedCalls>,
    pub errors_omitted: u64,
    pub residue: Vec<Residue>,
    pub residue_omitted: u64,
    pub residue_calls: u64,
    pub residue_descriptors: u64,
    pub unclaimed: u64,
    pub decided_early: u64,
}

/// One system call: how often, how long, by whom.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct SystemCallTotal {
    pub system_call: String,
    pub count: u64,
    pub stopped: u64,
    pub errors: u64,
    pub timed: u64,
    pub total_ns: u64,
    pub min_ns: u64,
    pub p50_ns: u64,
    pub p99_ns: u64,
    pub max_ns: u64,
    pub made_by: Vec<Maker>,
}

/// A library function that made a system call.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct Maker {
    pub function: Option<String>,
    pub count: u64,
}

/// How the latency of a library function divides by what it did in the kernel.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct CostSplit {
    pub function: String,
    pub count: u64,
    pub stopped_ns: u64,
    pub slow: Option<u64>,
    pub slow_above_ns: Option<u64>,
    pub parts: Vec<CostPart>,
}

/// The calls of a function that made the same first system call, or none.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct CostPart {
    pub system_call: Option<String>,
    pub count: u64,
    pub errors: u64,
    pub timed: u64,
    pub system_calls: u64,
    pub total_ns: u64,
    pub min_ns: u64,
    pub p50_ns: u64,
    pub p99_ns: u64,
    pub max_ns: u64,
}

/// What happened with one path or peer.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct PathCalls {
    pub path: String,
    pub count: u64,
    pub errors: u64,
    pub total_ns: u64,
    pub system_calls: Vec<Named>,
    pub error_names: Vec<Named>,
}

/// How often something of this name happened.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct Named {
    pub name: String,
    pub count: u64,
}

/// Calls that failed alike.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct FailedCalls {
    pub error: String,
    pub errno: u16,
    pub system_call: Option<String>,
    pub function: Option<String>,
    pub path: Option<String>,
    pub count: u64,
    pub site: Site,
    pub stack: Stack,
}

/// System calls under no library call.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct Residue {
    pub system_call: String,
    pub count: u64,
    pub descriptors: u64,
    pub sure: bool,
    pub site: Site,
    pub stack: Stack,
}
