//! What a comparison found, as data: its JSON is these structs, field by field.
//!
//! `None` (`null`) is "not known" or "not measured".

use std::collections::BTreeMap;

use serde::Serialize;

use crate::compare::run::{MemoryPoint, Tapped, Untapped};

/// `schema_version` of what this version writes.
pub const SCHEMA_VERSION: u32 = 1;

/// A comparison.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "each field is described in docs/compare-json.md")]
pub struct Compared {
    pub schema_version: u32,
    pub tool: crate::report::model::Tool,
    pub command: Vec<String>,
    /// Runs asked for, of each variant.
    pub runs: u32,
    /// Rounds that were finished: fewer if it was interrupted.
    pub rounds: u32,
    pub interrupted: bool,
    pub seed: u64,
    pub machine: Machine,
    /// As given; the first is the baseline. The baseline's second series (`again`) is the last one.
    pub variants: Vec<Variant>,
    pub figures: Vec<Figure>,
    /// What could not be seen, and what else a reader must know.
    pub notes: Vec<String>,
}

/// Where it was measured.
#[derive(Clone, Debug, Default, Serialize)]
#[allow(missing_docs, reason = "see Compared")]
pub struct Machine {
    pub cpus: u32,
    pub cpu_model: Option<String>,
    pub kernel: Option<String>,
    pub memory_bytes: Option<u64>,
    pub load_average: Option<f64>,
}

/// One variant, and all of its runs.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "see Compared")]
pub struct Variant {
    /// How it is called in tables, such as `jemalloc` or `glibc MALLOC_ARENA_MAX=1`.
    pub label: String,
    pub allocator: String,
    /// The library that is preloaded; None for the C library's own.
    pub library: Option<String>,
    pub environment: BTreeMap<String, Option<String>>,
    /// This is the baseline a second time, to measure noise.
    pub again: bool,
    /// Why its figures are not shown, such as "killed by SIGSEGV in 10 of 10 runs"; None if all is well.
    pub failure: Option<String>,
    /// By round; None where a run was not made or failed.
    pub untapped: Vec<Option<Untapped>>,
    pub tapped: Vec<Option<Tapped>>,
    /// All tapped runs together.
    pub calls: Vec<CallRow>,
    /// Of the untapped run whose peak is the median one.
    pub memory_untapped: Vec<MemoryPoint>,
    /// Of the tapped run whose peak is the median one.
    pub memory_tapped: Vec<MemoryPoint>,
}

/// Latency of one function: of one size class and number of threads, or of all (`None`).
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "see Compared")]
pub struct CallRow {
    pub function: String,
    pub up_to_bytes: Option<u64>,
    pub up_to_threads: Option<u64>,
    pub count: u64,
    pub p50_ns: u64,
    pub p90_ns: u64,
    pub p99_ns: u64,
    pub p999_ns: u64,
    pub max_ns: u64,
    /// Ascending durations in nanoseconds, each with how many calls took so long.
    pub durations: Vec<(u64, u64)>,
}

/// In what a figure is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "see Compared")]
pub enum Unit {
    Nanoseconds,
    Bytes,
    Count,
    /// A quotient.
    Ratio,
}

/// What a figure says of an allocator in one word, in the first lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Headline {
    /// Least wall time, of the load if there is one.
    Fastest,
    /// Least peak RSS.
    Smallest,
    /// Least p99 of all allocator calls.
    BestTail,
}

/// One figure of all variants. Less is better in all of them.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "see Compared")]
pub struct Figure {
    /// Such as `wall_time`, `malloc_p99`.
    pub name: String,
    /// For a table's head, such as `wall time`.
    pub title: String,
    pub unit: Unit,
    pub headline: Option<Headline>,
    /// Whether it comes from tapped runs.
    pub tapped: bool,
    /// By variant; None if the variant has no such figure.
    pub estimates: Vec<Option<Estimate>>,
    /// Against the first variant; None for itself. That of the last variant (`again`) is the noise.
    pub differences: Vec<Option<Difference>>,
    /// Variants that have the least, the first of them the least median; all of them if none can be told apart.
    pub leaders: Vec<usize>,
}

/// A median with its 95% confidence interval.
#[derive(Clone, Copy, Debug, Serialize)]
#[allow(missing_docs, reason = "see Compared")]
pub struct Estimate {
    pub median: f64,
    pub low: f64,
    pub high: f64,
    pub rounds: usize,
}

/// A difference from the first variant: median of the differences within rounds.
#[derive(Clone, Copy, Debug, Serialize)]
#[allow(missing_docs, reason = "see Compared")]
pub struct Difference {
    pub median: f64,
    pub low: f64,
    pub high: f64,
    /// As part of the first variant's median; None if that is 0.
    pub relative: Option<f64>,
    pub relative_low: Option<f64>,
    pub relative_high: Option<f64>,
    pub verdict: Verdict,
}

/// What is to be said of a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "see Compared")]
pub enum Verdict {
    Lower,
    Higher,
    NoDifference,
    TooFewRounds,
}
