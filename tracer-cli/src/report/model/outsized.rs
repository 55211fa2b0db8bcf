//! Allocations of more than a share of the memory that there is.

use serde::Serialize;

use super::Stack;
use crate::origin::Site;

/// Allocations of more than `above_bytes`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct Outsized {
    pub capacity_bytes: u64,
    /// `ram` or `cgroup`.
    pub capacity_set_by: &'static str,
    pub percent: u64,
    pub above_bytes: u64,
    pub count: u64,
    pub allocations: Vec<OutsizedAllocation>,
}

/// One of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct OutsizedAllocation {
    pub bytes: u64,
    /// Of the capacity, rounded.
    pub percent: u64,
    pub function: String,
    pub given: bool,
    pub errno: u16,
    pub error: Option<String>,
    pub tid: u32,
    pub at_ns: u64,
    pub killed_after_ns: Option<u64>,
    pub site: Site,
    pub stack: Stack,
    pub limits: Vec<LimitBefore>,
}

/// A limit that was read before.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct LimitBefore {
    pub function: String,
    pub limit: String,
    pub value: Option<u64>,
    pub hard: Option<u64>,
    pub tid: u32,
    pub before_ns: u64,
    pub multiple: Option<Multiple>,
}

/// That the size is so many bytes for each of a limit's value.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct Multiple {
    pub value: u64,
    pub bytes_each: u64,
    pub beyond_bytes: i64,
}
