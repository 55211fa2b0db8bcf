//! Releases that were wrong.

use calltap_analyzers::heap::{FreeFault, HeapReport};

use super::super::model::{Fault, Mismatch};
use super::{Sites, function_name};

pub(super) fn wrong_releases(report: &HeapReport, sites: &mut Sites<'_, '_>) -> Vec<Fault> {
    let double = report.double_frees.examples.iter().map(|f| ("double", f));
    let unmatched = report.unmatched_frees.examples.iter().map(|f| ("unmatched", f));
    double.chain(unmatched).map(|(kind, f)| fault(kind, f, sites)).collect()
}

fn fault(kind: &'static str, fault: &FreeFault, sites: &mut Sites<'_, '_>) -> Fault {
    Fault {
        kind,
        address: fault.block.0,
        function: function_name(fault.function),
        site: sites.at(fault.site, fault.stack),
        stack: sites.stack(fault.site, fault.stack),
        tid: fault.thread.0,
        at_ns: fault.at_ns,
    }
}

pub(super) fn mismatches(report: &HeapReport, sites: &mut Sites<'_, '_>) -> Vec<Mismatch> {
    let examples = report.mismatched_frees.examples.iter();
    examples
        .map(|m| Mismatch {
            address: m.block.0,
            bytes: m.bytes,
            allocated_by: function_name(m.given_by),
            allocated_at: sites.at(m.given_at, m.given_stack),
            allocated_stack: sites.stack(m.given_at, m.given_stack),
            released_by: function_name(m.released_by),
            released_at: sites.at(m.released_at, m.released_stack),
            released_stack: sites.stack(m.released_at, m.released_stack),
        })
        .collect()
}
