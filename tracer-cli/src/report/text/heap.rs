//! The heap's part of a section.

use std::collections::BTreeMap;

use super::Page;
use super::leaks::leaks_part;
use super::place::{at, called, caller};
use super::table::table;
use super::uses::uses_part;
use crate::report::model::Heap;
use crate::report::units::{bytes, bytes_exactly, plural, time};

pub(super) fn heap_part(heap: &Heap, page: &Page<'_>) -> String {
    if heap.allocations + heap.reallocations + heap.failed_allocations == 0 && heap.faults.is_empty() {
        return "  heap: nothing allocated\n".to_owned();
    }
    let mut text = format!(
        "  heap: {}, {}, {}, {} in all; peak {} at {}\n",
        plural(heap.allocations, "allocation"),
        plural(heap.frees, "free"),
        plural(heap.reallocations, "reallocation"),
        bytes(heap.allocated_bytes),
        bytes_exactly(heap.peak_live_bytes),
        time(heap.peak_live_at_ns),
    );
    if let Some(largest) = &heap.largest_allocation {
        text += &format!(
            "    largest {} by {} {}; {} temporary; {} failed\n",
            bytes(largest.bytes),
            called(&largest.function),
            at(&largest.stack, Some(&largest.site), &page.paths),
            heap.temporary_allocations,
            heap.failed_allocations,
        );
    }
    if let Some(lived) = &heap.lifetime_ns {
        let [p50, p90, p99, max] = [lived.p50, lived.p90, lived.p99, lived.max].map(time);
        text += &format!("    released blocks lived p50 {p50}, p90 {p90}, p99 {p99}, max {max}\n");
    }
    text += &leaks_part(heap, page);
    text += &uses_part(heap, page);
    text + &faults_part(heap, page)
}

fn faults_part(heap: &Heap, page: &Page<'_>) -> String {
    let mut text = String::new();
    let counts = [
        (heap.double_frees, "double"),
        (heap.unmatched_frees, "of an address that was never given"),
        (heap.mismatched_frees, "by a function of another family"),
    ];
    let said: Vec<_> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    if !said.is_empty() {
        text += &format!("  wrong releases: {}\n", said.join(", "));
    }
    if heap.releases_not_judged > 0 {
        text += &format!(
            "  releases not judged: {} (the program defines their functions itself, and calls them unseen)\n",
            heap.releases_not_judged
        );
    }
    let faults = heap.faults.iter().map(|fault| {
        [
            fault.kind.to_owned(),
            format!("{:#x}", fault.address),
            called(&fault.function).to_owned(),
            caller(&fault.stack, Some(&fault.site), &page.paths),
        ]
    });
    text += &table(["fault", "address", "function", "in"], 0, faults, "faults", page.view.top);
    let mut alike: BTreeMap<[String; 2], u64> = BTreeMap::new();
    for m in &heap.mismatches {
        let given = at(&m.allocated_stack, Some(&m.allocated_at), &page.paths);
        let released = at(&m.released_stack, Some(&m.released_at), &page.paths);
        let pair = [
            format!("{} {given}", called(&m.allocated_by)),
            format!("{} {released}", called(&m.released_by)),
        ];
        *alike.entry(pair).or_default() += m.times;
    }
    let pairs = alike.into_iter().map(|([given, released], times)| [times.to_string(), given, released]);
    text + &table(["times", "given by", "released by"], 1, pairs, "pairs", page.view.top)
}
