//! The heap's part: what still lives is divided into the program's own and what the C and C++
//! run-times keep.

use std::collections::BTreeMap;

use calltap_analyzers::heap::{FreeFault, HeapReport, StillAllocated as Living};

use super::super::model::{
    Allocation, Fault, Heap, Lifetimes, Mismatch, OriginTotal, RuntimeOwned, SiteTotal, SizeClass,
    StillAllocated,
};
use super::{Sites, function_name};
use crate::origin::Ownership;

pub(super) fn heap(report: &HeapReport, sites: &mut Sites<'_>) -> Heap {
    let (still_allocated, runtime_owned) = divide(&report.still_allocated, sites);
    let double = report.double_frees.examples.iter().map(|f| fault("double", f, sites));
    let mut faults: Vec<_> = double.collect();
    faults.extend(report.unmatched_frees.examples.iter().map(|f| fault("unmatched", f, sites)));
    Heap {
        allocations: report.allocations,
        frees: report.frees,
        reallocations: report.reallocations,
        failed_allocations: report.failed_allocations,
        unmatched_frees: report.unmatched_frees.count,
        double_frees: report.double_frees.count,
        inherited_frees: report.inherited_frees,
        releases_unseen: report.releases_unseen,
        mismatched_frees: report.mismatched_frees.count,
        allocated_bytes: report.allocated_bytes,
        freed_bytes: report.freed_bytes,
        peak_live_bytes: report.peak_live_bytes,
        peak_live_blocks: report.peak_live_blocks,
        peak_live_at_ns: report.peak_ns,
        temporary_allocations: report.temporary_allocations,
        still_allocated,
        runtime_owned,
        faults,
        mismatches: mismatches(report, sites),
        largest_allocation: report.largest_allocation.map(|largest| Allocation {
            bytes: largest.bytes,
            function: function_name(largest.function),
            site: sites.at(largest.site),
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

/// The program's own blocks by call site, whatever the stacks behind it, and the run-times' ones.
fn divide(living: &[Living], sites: &mut Sites<'_>) -> (StillAllocated, RuntimeOwned) {
    let mut own: BTreeMap<(u64, String), SiteTotal> = BTreeMap::new();
    let mut kept: BTreeMap<&'static str, OriginTotal> = BTreeMap::new();
    for from in living {
        let function = function_name(from.function);
        let owner = sites.origins.owner(from.site, &function, sites.maps);
        if let Ownership::Runtime(origin) = owner {
            let total = kept.entry(origin).or_default();
            total.blocks += from.blocks;
            total.bytes += from.bytes;
            continue;
        }
        let total = own.entry((from.site, function)).or_insert_with(|| SiteTotal {
            oldest_at_ns: u64::MAX,
            guess: owner == Ownership::ProgramGuess,
            ..SiteTotal::default()
        });
        total.blocks += from.blocks;
        total.bytes += from.bytes;
        total.largest_bytes = total.largest_bytes.max(from.largest);
        total.oldest_at_ns = total.oldest_at_ns.min(from.first_birth_ns);
    }
    let mut by_site: Vec<_> = own
        .into_iter()
        .map(|((site, function), total)| SiteTotal { site: sites.at(site), function, ..total })
        .collect();
    by_site.sort_by_key(|total| std::cmp::Reverse((total.bytes, total.blocks)));
    let mut by_origin: Vec<_> =
        kept.into_iter().map(|(origin, total)| OriginTotal { origin: origin.to_owned(), ..total }).collect();
    by_origin.sort_by_key(|total| std::cmp::Reverse(total.bytes));
    let still_allocated = StillAllocated {
        blocks: by_site.iter().map(|total| total.blocks).sum(),
        bytes: by_site.iter().map(|total| total.bytes).sum(),
        by_site,
    };
    let runtime_owned = RuntimeOwned {
        blocks: by_origin.iter().map(|total| total.blocks).sum(),
        bytes: by_origin.iter().map(|total| total.bytes).sum(),
        by_origin,
    };
    (still_allocated, runtime_owned)
}

fn fault(kind: &'static str, fault: &FreeFault, sites: &mut Sites<'_>) -> Fault {
    Fault {
        kind,
        address: fault.block.0,
        function: function_name(fault.function),
        site: sites.at(fault.site),
        tid: fault.thread.0,
        at_ns: fault.at_ns,
    }
}

fn mismatches(report: &HeapReport, sites: &mut Sites<'_>) -> Vec<Mismatch> {
    let examples = report.mismatched_frees.examples.iter();
    examples
        .map(|m| Mismatch {
            address: m.block.0,
            bytes: m.bytes,
            allocated_by: function_name(m.given_by),
            allocated_at: sites.at(m.given_at),
            released_by: function_name(m.released_by),
            released_at: sites.at(m.released_at),
        })
        .collect()
}
