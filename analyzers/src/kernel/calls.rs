//! How often each system call was made, by whom, and how long it took.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::tables::Told;
use super::{CallId, Enclosing, SystemCallRow};
use crate::event::FunctionId;
use crate::latency::{Calls, Latency};

/// The system calls of one image or of several, of which the figures can be added.
#[derive(Clone, Debug, Default)]
pub struct CallTotals {
    totals: BTreeMap<CallId, Total>,
}

#[derive(Clone, Debug, Default)]
struct Total {
    calls: Calls,
    stopped: u64,
    by: BTreeMap<Option<FunctionId>, u64>,
}

impl CallTotals {
    pub(super) fn count(&mut self, call: &Told, function: Option<FunctionId>) {
        let total = self.totals.entry(call.id).or_default();
        total.calls.count(call.errno, call.duration_ns);
        total.stopped += 1;
        *total.by.entry(function).or_default() += 1;
    }

    /// Adds the library calls that are a system call each.
    pub(super) fn add_wrappers(&mut self, latency: &Latency, wrappers: &[Option<CallId>]) {
        for (function, calls) in latency.without_system_call() {
            if let Some(Some(id)) = wrappers.get(usize::from(function.0)) {
                let total = self.totals.entry(*id).or_default();
                total.calls.add(calls);
                *total.by.entry(Some(function)).or_default() += calls.how_many();
            }
        }
    }

    /// Adds everything `other` has counted.
    pub fn add(&mut self, other: &Self) {
        for (id, theirs) in &other.totals {
            let mine = self.totals.entry(*id).or_default();
            mine.calls.add(&theirs.calls);
            mine.stopped += theirs.stopped;
            theirs.by.iter().for_each(|(function, count)| *mine.by.entry(*function).or_default() += count);
        }
    }

    /// One row for each call, most calls first.
    #[must_use]
    pub fn rows(&self) -> Vec<SystemCallRow> {
        let mut rows: Vec<SystemCallRow> = self.totals.iter().map(|(id, total)| total.row(*id)).collect();
        rows.sort_by_key(|row| Reverse(row.count));
        rows
    }
}

impl Total {
    fn row(&self, id: CallId) -> SystemCallRow {
        let by = self.by.iter().map(|(function, count)| Enclosing { function: *function, count: *count });
        let mut by: Vec<Enclosing> = by.collect();
        by.sort_by_key(|row| Reverse(row.count));
        let figures = self.calls.split_row(None, 0);
        SystemCallRow {
            id,
            count: figures.count,
            stopped: self.stopped,
            errors: figures.errors,
            timed: figures.timed,
            total_ns: figures.total_ns,
            min_ns: figures.min_ns,
            p50_ns: figures.p50_ns,
            p99_ns: figures.p99_ns,
            max_ns: figures.max_ns,
            by,
        }
    }
}
