//! Leaks of blocks and descriptors by stack, as a JSON report tells them.

use serde::Deserialize;

use crate::report::Process;

/// Blocks that calls from one stack have left allocated.
#[derive(Debug, Deserialize)]
pub(crate) struct Leak {
    /// What several stacks have in common, if they were to be one group.
    pub(crate) group: Option<String>,
    pub(crate) function: String,
    pub(crate) blocks: i64,
    pub(crate) bytes: i64,
    pub(crate) stack: Stack,
}

/// A descriptor that was left open.
#[derive(Debug, Deserialize)]
pub(crate) struct Open {
    pub(crate) opened_by: String,
    pub(crate) stack: Stack,
}

/// A call stack.
#[derive(Debug, Deserialize)]
pub(crate) struct Stack {
    /// None if only the call site was to be known.
    pub(crate) end: Option<End>,
    /// Innermost first.
    pub(crate) frames: Vec<Frame>,
}

/// Why a stack has no more frames.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum End {
    Outermost,
    Depth,
    Lost,
}

/// A function on a stack.
#[derive(Debug, Deserialize)]
pub(crate) struct Frame {
    pub(crate) function: Option<String>,
    pub(crate) file: Option<String>,
    pub(crate) line: Option<i64>,
    pub(crate) inlined: bool,
    pub(crate) object: Option<String>,
    pub(crate) offset: i64,
    pub(crate) guessed: bool,
}

impl Leak {
    /// All leaks that a process's section tells, by stack.
    pub(crate) fn all(process: Process<'_>) -> Vec<Self> {
        let groups = process.at("/heap/still_allocated/by_stack");
        Vec::deserialize(groups).unwrap_or_else(|error| panic!("{error} in {groups:#}"))
    }

    /// Blocks and bytes of several.
    pub(crate) fn sum<'a>(leaks: impl IntoIterator<Item = &'a Self>) -> (i64, i64) {
        let mut sum = (0, 0);
        for leak in leaks {
            sum = (sum.0 + leak.blocks, sum.1 + leak.bytes);
        }
        sum
    }
}

impl Open {
    /// All that a process's section tells.
    pub(crate) fn all(process: Process<'_>) -> Vec<Self> {
        let rows = process.at("/descriptors/still_open");
        Vec::deserialize(rows).unwrap_or_else(|error| panic!("{error} in {rows:#}"))
    }
}

impl Stack {
    /// Whether some frame is at this line of this source, which is named without its directory.
    pub(crate) fn passes(&self, (source, line): (&str, i64)) -> bool {
        self.frames.iter().any(|frame| frame.is_of(source) && frame.line == Some(line))
    }

    /// The frame of a function.
    pub(crate) fn frame_of(&self, function: &str) -> Option<&Frame> {
        self.frames.iter().find(|frame| frame.function.as_deref() == Some(function))
    }
}

impl Frame {
    /// Its source without the directory.
    pub(crate) fn source(&self) -> Option<&str> {
        self.file.as_deref().and_then(|file| file.rsplit('/').next())
    }

    /// Whether it is a function of this source, which is named without its directory.
    pub(crate) fn is_of(&self, source: &str) -> bool {
        self.source() == Some(source)
    }

    /// Whether its function's name contains `text`.
    pub(crate) fn is_named(&self, text: &str) -> bool {
        self.function.as_deref().is_some_and(|function| function.contains(text))
    }
}
