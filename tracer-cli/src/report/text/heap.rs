//! The heap's part of a section.

use std::collections::BTreeMap;

use super::table::table;
use crate::report::model::Heap;
use crate::report::units::{bytes, bytes_exactly, plural, time};

pub(super) fn heap_part(heap: &Heap) -> String {
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
            "    largest {} by {} at {}; {} temporary; {} failed\n",
            bytes(largest.bytes),
            largest.function,
            largest.site,
            heap.temporary_allocations,
            heap.failed_allocations,
        );
    }
    if let Some(lived) = &heap.lifetime_ns {
        let [p50, p90, p99, max] = [lived.p50, lived.p90, lived.p99, lived.max].map(time);
        text += &format!("    released blocks lived p50 {p50}, p90 {p90}, p99 {p99}, max {max}\n");
    }
    let left = &heap.still_allocated;
    text += &format!("  still allocated: {}, {}\n", plural(left.blocks, "block"), bytes_exactly(left.bytes));
    let rows = left.by_site.iter().map(|s| {
        let guess = if s.guess && s.site.object.is_some() { "  (or the C library's?)" } else { "" };
        [bytes(s.bytes), s.blocks.to_string(), s.function.clone(), format!("{}{guess}", s.site)]
    });
    text += &table(["bytes", "blocks", "function", "call site"], 2, rows, "call sites");
    let kept = &heap.runtime_owned;
    if kept.blocks > 0 {
        let origins: Vec<_> =
            kept.by_origin.iter().map(|o| format!("{} {}", o.origin, bytes(o.bytes))).collect();
        text += &format!(
            "  kept by the C and C++ run-times: {}, {} ({})\n",
            plural(kept.blocks, "block"),
            bytes(kept.bytes),
            origins.join(", "),
        );
    }
    text + &faults_part(heap)
}

fn faults_part(heap: &Heap) -> String {
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
    let faults = heap.faults.iter().map(|fault| {
        [
            fault.kind.to_owned(),
            format!("{:#x}", fault.address),
            fault.function.clone(),
            fault.site.to_string(),
        ]
    });
    text += &table(["fault", "address", "function", "call site"], 0, faults, "faults");
    let mut alike: BTreeMap<[String; 2], u64> = BTreeMap::new();
    for m in &heap.mismatches {
        let given = format!("{} at {}", m.allocated_by, m.allocated_at);
        *alike.entry([given, format!("{} at {}", m.released_by, m.released_at)]).or_default() += 1;
    }
    let pairs = alike.into_iter().map(|([given, released], times)| [times.to_string(), given, released]);
    text + &table(["times", "given by", "released by"], 1, pairs, "pairs")
}
