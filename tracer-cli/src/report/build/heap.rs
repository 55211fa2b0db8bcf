//! The heap's part.

use calltap_analyzers::heap::HeapReport;

use super::super::model::{Allocation, Heap, Lifetimes, SizeClass};
use super::leaks::{self, Leaks};
use super::uses::{self, Grouping};
use super::{Sites, faults, function_name};

pub(super) fn heap(report: &HeapReport, sites: &mut Sites<'_, '_>) -> Heap {
    let Leaks { still_allocated, runtime_owned, not_judged, suppressed } = leaks::of(report, sites);
    let by_stack = uses::of(&report.by_place, Grouping::AsAsked, sites);
    let by_caller = uses::of(&report.by_place, Grouping::ByCaller, sites);
    uses::fold(&report.by_place, sites);
    let (mismatched_frees, mismatches) = faults::mismatches(report, sites);
    Heap {
        allocations: report.allocations,
        frees: report.frees,
        reallocations: report.reallocations,
        failed_allocations: report.failed_allocations,
        unmatched_frees: report.unmatched_frees.count,
        double_frees: report.double_frees.count,
        inherited_frees: report.inherited_frees,
        releases_unseen: report.releases_unseen,
        mismatched_frees,
        releases_not_judged: report.releases_not_judged,
        allocated_bytes: report.allocated_bytes,
        freed_bytes: report.freed_bytes,
        peak_live_bytes: report.peak_live_bytes,
        peak_live_blocks: report.peak_live_blocks,
        peak_live_at_ns: report.peak_ns,
        temporary_allocations: report.temporary_allocations,
        still_allocated,
        suppressed,
        runtime_owned,
        not_judged,
        by_stack,
        by_caller,
        faults: faults::wrong_releases(report, sites),
        mismatches,
        largest_allocation: report.largest_allocation.map(|largest| Allocation {
            bytes: largest.bytes,
            function: function_name(largest.function),
            site: sites.at(largest.site, largest.stack),
            stack: sites.stack(largest.site, largest.stack),
        }),
        size_classes: report
            .size_classes
            .iter()
            .map(|c| SizeClass { up_to_bytes: c.up_to_bytes, blocks: c.blocks, bytes: c.bytes })
            .collect(),
        lifetime_ns: (report.freed_bytes > 0 || report.frees > 0).then_some(Lifetimes {
            p50: report.lifetimes.p50_ns,
            p90: report.lifetimes.p90_ns,
            p99: report.lifetimes.p99_ns,
            max: report.lifetimes.max_ns,
        }),
    }
}
