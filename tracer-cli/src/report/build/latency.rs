//! How long calls took: by function, and the allocator's by size and threads.

use std::sync::OnceLock;

use calltap_analyzers::allocation_latency::AllocationLatencyRow;
use calltap_analyzers::latency::LatencyReport;
use calltap_channel::function::Function;

use super::function_name;
use crate::report::model::{Latency, LatencyBySize};

/// The C functions that give and take blocks and do nothing else; the C++ operators are known by their names' start.
const ALLOCATOR: [&str; 20] = [
    "malloc",
    "calloc",
    "realloc",
    "reallocarray",
    "free",
    "cfree",
    "free_sized",
    "free_aligned_sized",
    "posix_memalign",
    "aligned_alloc",
    "memalign",
    "valloc",
    "pvalloc",
    "__libc_malloc",
    "__libc_calloc",
    "__libc_realloc",
    "__libc_free",
    "__libc_memalign",
    "__libc_valloc",
    "__libc_pvalloc",
];

/// For each function, by its number, whether it is the allocator's: `malloc`, `free`, `operator new` and so on.
/// What only uses the allocator (`strdup`) is not.
#[must_use]
pub fn allocator_calls() -> &'static [bool] {
    static CALLS: OnceLock<Vec<bool>> = OnceLock::new();
    CALLS.get_or_init(|| {
        let is_operator =
            |name: &str| ["_Znw", "_Zna", "_Zdl", "_Zda"].iter().any(|new| name.starts_with(new));
        let functions = (0..=u16::MAX).map_while(Function::from_number);
        functions
            .map(|function| ALLOCATOR.contains(&function.name()) || is_operator(function.name()))
            .collect()
    })
}

/// Most total time first.
pub(super) fn rows(report: &LatencyReport) -> Vec<Latency> {
    let mut rows: Vec<_> = report
        .rows
        .iter()
        .map(|row| Latency {
            function: function_name(row.function),
            count: row.count,
            timed: row.timed,
            errors: row.errors,
            total_ns: row.total_ns,
            min_ns: row.min_ns,
            p50_ns: row.p50_ns,
            p90_ns: row.p90_ns,
            p99_ns: row.p99_ns,
            p999_ns: row.p999_ns,
            max_ns: row.max_ns,
        })
        .collect();
    rows.sort_by(|a, b| (b.total_ns, b.count, &a.function).cmp(&(a.total_ns, a.count, &b.function)));
    rows
}

/// By function, threads and size, in the order of the list of functions.
pub(super) fn by_size(rows: &[AllocationLatencyRow]) -> Vec<LatencyBySize> {
    rows.iter()
        .map(|row| LatencyBySize {
            function: function_name(row.calls.function),
            up_to_bytes: row.up_to_bytes,
            up_to_threads: row.up_to_threads,
            count: row.calls.count,
            timed: row.calls.timed,
            p50_ns: row.calls.p50_ns,
            p90_ns: row.calls.p90_ns,
            p99_ns: row.calls.p99_ns,
            p999_ns: row.calls.p999_ns,
            max_ns: row.calls.max_ns,
            total_ns: row.calls.total_ns,
            durations: row.durations.clone(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_a_function_and_the_operators_are_found() {
        let calls = allocator_calls();
        let names: Vec<_> = (0..=u16::MAX).map_while(Function::from_number).map(Function::name).collect();
        let chosen = names.iter().zip(calls).filter(|(_, chosen)| **chosen).map(|(name, _)| *name);
        let (operators, others): (Vec<_>, Vec<_>) = chosen.partition(|name| name.starts_with("_Z"));
        assert_eq!((operators.len(), others.len()), (20, ALLOCATOR.len()));
        assert!(!others.contains(&"strdup"));
    }
}
