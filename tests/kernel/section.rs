//! The system calls of a JSON report.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::report::{Process, Report};
use crate::stack::Stack;

/// How often a system call was made, and how often it failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) calls: i64,
    pub(super) errors: i64,
}

/// Counts by the system call's name.
pub(super) type Table = BTreeMap<String, Counts>;

/// What is told of one process's system calls.
#[derive(Debug, Deserialize)]
pub(super) struct SystemCalls {
    pub(super) stops: i64,
    pub(super) calls: Vec<Row>,
    pub(super) cost_split: Vec<Split>,
    pub(super) residue: Vec<Residue>,
}

/// One system call.
#[derive(Debug, Deserialize)]
pub(super) struct Row {
    pub(super) system_call: String,
    pub(super) count: i64,
    pub(super) errors: i64,
    pub(super) made_by: Vec<Maker>,
}

/// The library function above some of them.
#[derive(Debug, Deserialize)]
pub(super) struct Maker {
    pub(super) function: Option<String>,
    pub(super) count: i64,
}

/// How a library function's calls divide.
#[derive(Debug, Deserialize)]
pub(super) struct Split {
    pub(super) function: String,
    pub(super) count: i64,
    pub(super) stopped_ns: i64,
    pub(super) parts: Vec<Part>,
}

/// Its calls that made the same first system call, or none.
#[derive(Debug, Deserialize)]
pub(super) struct Part {
    pub(super) system_call: Option<String>,
    pub(super) count: i64,
    pub(super) p50_ns: i64,
}

/// System calls under no library call, from one stack.
#[derive(Debug, Deserialize)]
pub(super) struct Residue {
    pub(super) system_call: String,
    pub(super) count: i64,
    pub(super) descriptors: i64,
    pub(super) stack: Stack,
}

impl SystemCalls {
    /// Those of one process.
    pub(super) fn of(process: Process<'_>) -> Self {
        let section = process.at("/system_calls");
        Self::deserialize(section).unwrap_or_else(|error| panic!("{error} in {section:#}"))
    }

    /// Those of all processes.
    pub(super) fn all(report: &Report) -> Vec<Self> {
        report.processes().into_iter().map(Self::of).collect()
    }

    /// How often `function` made the system call `name`; `None`: no function.
    pub(super) fn made(&self, function: Option<&str>, name: &str) -> i64 {
        let rows = self.calls.iter().filter(|row| row.system_call == name).flat_map(|row| &row.made_by);
        rows.filter(|by| by.function.as_deref() == function).map(|by| by.count).sum()
    }
}

/// How often each system call was made by all processes together.
pub(super) fn table(report: &Report) -> Table {
    let rows = Vec::<Row>::deserialize(report.at("/system_calls")).unwrap_or_else(|error| panic!("{error}"));
    let counts = |row: Row| (row.system_call, Counts { calls: row.count, errors: row.errors });
    rows.into_iter().map(counts).collect()
}

/// How many stops there were in all.
pub(super) fn stops(report: &Report) -> i64 {
    SystemCalls::all(report).iter().map(|process| process.stops).sum()
}
