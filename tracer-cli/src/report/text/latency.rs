//! The tables of durations in a section.

use std::cmp::Reverse;

use super::Page;
use super::table::aligned;
use crate::report::model::{Latency, LatencyBySize};
use crate::report::units::{bytes, time};
use crate::symbols::demangled;

pub(super) fn latency_part(latency: &[Latency], page: &Page<'_>) -> String {
    let mut by_total: Vec<_> = latency.iter().filter(|row| row.timed > 0).collect();
    by_total.sort_by_key(|row| (Reverse(row.total_ns), &row.function));
    if by_total.is_empty() {
        return String::new();
    }
    let rows = by_total.into_iter().map(|row| {
        let percentiles = [row.min_ns, row.p50_ns, row.p90_ns, row.p99_ns, row.p999_ns, row.max_ns];
        let [min, p50, p90, p99, p999, max] = percentiles.map(time);
        let (count, errors) = (row.count.to_string(), row.errors.to_string());
        [
            demangled(&row.function).into_owned(),
            count,
            errors,
            time(row.total_ns),
            min,
            p50,
            p90,
            p99,
            p999,
            max,
        ]
    });
    let header = ["function", "count", "errors", "total", "min", "p50", "p90", "p99", "p99.9", "max"];
    let mut text = "  latency of the real functions, by total time\n".to_owned();
    text += &aligned(header, |column| column > 0, rows, "functions", page.view.top);
    text
}

/// The largest classes by total time.
pub(super) fn by_size_part(latency: &[LatencyBySize], page: &Page<'_>) -> String {
    let mut by_total: Vec<_> = latency.iter().filter(|row| row.timed > 0).collect();
    by_total.sort_by_key(|row| Reverse(row.total_ns));
    if by_total.is_empty() {
        return String::new();
    }
    let rows = by_total.into_iter().map(|row| {
        let [total, p50, p90, p99, p999, max] =
            [row.total_ns, row.p50_ns, row.p90_ns, row.p99_ns, row.p999_ns, row.max_ns].map(time);
        let size = row.up_to_bytes.map_or_else(|| "not known".to_owned(), bytes);
        let (threads, count) = (row.up_to_threads.to_string(), row.count.to_string());
        [demangled(&row.function).into_owned(), size, threads, count, total, p50, p90, p99, p999, max]
    });
    let header =
        ["function", "size up to", "threads up to", "count", "total", "p50", "p90", "p99", "p99.9", "max"];
    let mut text = "  latency of the allocator by size and threads alive, by total time\n".to_owned();
    text += &aligned(header, |column| column > 0, rows, "classes", page.view.top);
    text
}
