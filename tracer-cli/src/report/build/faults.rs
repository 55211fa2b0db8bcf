//! Releases that were wrong.

use calltap_analyzers::heap::{FreeFault, HeapReport};

use super::super::model::{Fault, Mismatch};
use super::{Sites, function_name};
use crate::origin::Site;

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

/// How many blocks went back through another family than they came from, and the first of them.
///
/// A library that was linked with operators of its own calls those without our seeing it. What `malloc`
/// gave to an `operator new` came from that, whoever is named as the giver.
pub(super) fn mismatches(report: &HeapReport, sites: &mut Sites<'_, '_>) -> (u64, Vec<Mismatch>) {
    let mut count = report.mismatched_frees.count;
    let examples = report.mismatched_frees.examples.iter();
    let mismatches = examples
        .map(|m| Mismatch {
            times: m.times,
            address: m.block.0,
            bytes: m.bytes,
            allocated_by: function_name(m.given_by),
            allocated_at: sites.at(m.given_at, m.given_stack),
            allocated_stack: sites.stack(m.given_at, m.given_stack),
            released_by: function_name(m.released_by),
            released_at: sites.at(m.released_at, m.released_stack),
            released_stack: sites.stack(m.released_at, m.released_stack),
        })
        .filter(|m| {
            let alike =
                operator(&m.allocated_by, &m.allocated_at) == operator(&m.released_by, &m.released_at);
            count -= if alike { m.times } else { 0 };
            !alike
        })
        .collect();
    (count, mismatches)
}

/// Which of C++'s pairs of operators a call belongs to (Itanium C++ ABI), by its own name or its
/// caller's: `w` of `new` and `delete`, `a` of those of arrays. None for the C functions.
fn operator(function: &str, caller: &Site) -> Option<char> {
    let kind = |symbol: &str| match symbol.get(..4) {
        Some("_Znw" | "_Zdl") => Some('w'),
        Some("_Zna" | "_Zda") => Some('a'),
        _ => None,
    };
    kind(function).or_else(|| caller.symbol.as_deref().and_then(kind))
}
