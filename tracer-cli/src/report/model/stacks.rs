//! The parts of a report that have to do with stacks.

use std::sync::Arc;

use serde::Serialize;

use crate::report::stacks::GroupBy;

/// How stacks were taken.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct StackCounts {
    pub depth: u64,
    pub group_by: GroupBy,
    pub distinct: u64,
    pub table_full: u64,
    pub checked: Option<u64>,
    pub differing: Option<u64>,
    pub lost: u64,
    pub guessed: u64,
}

/// A call stack as it is shown, innermost frame first.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct Stack {
    pub id: Option<u32>,
    pub end: Option<StackEnd>,
    pub frames: Vec<Arc<Frame>>,
}

/// Why a stack has no more frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "see Report")]
pub enum StackEnd {
    Outermost,
    Depth,
    Lost,
}

/// A function that was under way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct Frame {
    pub function: Option<Arc<str>>,
    pub file: Option<Arc<str>>,
    pub line: Option<u32>,
    pub inlined: bool,
    pub object: Option<Arc<str>>,
    pub offset: u64,
    pub address: u64,
    pub guessed: bool,
}

/// Blocks of one group of stacks that were never released.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct StackTotal {
    pub group: Option<String>,
    pub function: String,
    pub blocks: u64,
    pub bytes: u64,
    pub largest_bytes: u64,
    pub oldest_at_ns: u64,
    pub guess: bool,
    pub stack: Stack,
}

/// What a list leaves out.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct Omitted {
    pub groups: u64,
    pub blocks: u64,
    pub bytes: u64,
}

/// Blocks still allocated that the user does not want to hear of.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct Suppressed {
    pub pattern: String,
    pub blocks: u64,
    pub bytes: u64,
}

/// Who used the heap, most of each first.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct Uses {
    pub groups: u64,
    pub peak: Vec<UseTotal>,
    pub allocated: Vec<UseTotal>,
    pub allocations: Vec<UseTotal>,
    pub temporary: Vec<UseTotal>,
}

/// What one group of stacks did with the heap.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct UseTotal {
    pub group: Option<String>,
    pub function: String,
    pub allocations: u64,
    pub reallocations: u64,
    pub allocated_bytes: u64,
    pub temporary: u64,
    pub peak_blocks: u64,
    pub peak_bytes: u64,
    pub stack: Stack,
}
