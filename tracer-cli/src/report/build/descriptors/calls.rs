//! Calls that had to do with descriptors, and what was wrong with them.

use calltap_analyzers::descriptors::{Call, DescriptorReport};

use super::super::super::model::{self, DescriptorFault, FailedClose, PassedOn, RefusedOpen};
use super::super::{Sites, function_name};

pub(super) fn call(call: &Call, sites: &mut Sites<'_, '_>) -> model::Call {
    let (site, stack) = sites.elsewhere(call.image, call.site, call.stack);
    model::Call { function: function_name(call.function), site, stack, tid: call.thread.0, at_ns: call.at_ns }
}

/// Those of each kind, in the order in which they were recognised.
pub(super) fn faults(report: &DescriptorReport, sites: &mut Sites<'_, '_>) -> Vec<DescriptorFault> {
    let mut faults = Vec::new();
    for fault in &report.double_closes.examples {
        faults.push(DescriptorFault {
            kind: "double_close",
            fd: fault.fd.0,
            path: text(&fault.path),
            call: call(&fault.second, sites),
            closed: Some(call(&fault.first, sites)),
            opened: fault.opened.as_ref().map(|opened| call(opened, sites)),
            missed: None,
        });
    }
    for fault in &report.foreign_closes.examples {
        faults.push(DescriptorFault {
            kind: "foreign_close",
            fd: fault.fd.0,
            path: text(&fault.path),
            call: call(&fault.closed, sites),
            closed: Some(call(&fault.former, sites)),
            opened: Some(call(&fault.opened, sites)),
            missed: fault.missed.as_ref().map(|missed| call(missed, sites)),
        });
    }
    for fault in &report.uses_after_close.examples {
        faults.push(DescriptorFault {
            kind: "use_after_close",
            fd: fault.fd.0,
            path: text(&fault.path),
            call: call(&fault.used, sites),
            closed: Some(call(&fault.closed, sites)),
            opened: fault.opened.as_ref().map(|opened| call(opened, sites)),
            missed: None,
        });
    }
    faults
}

pub(super) fn failed_closes(report: &DescriptorReport, sites: &mut Sites<'_, '_>) -> Vec<FailedClose> {
    let failed = report.failed_closes.examples.iter().map(|fault| FailedClose {
        fd: fault.fd.0,
        function: function_name(fault.function),
        site: sites.at(fault.site, fault.stack),
        stack: sites.stack(fault.site, fault.stack),
        tid: fault.thread.0,
        at_ns: fault.at_ns,
    });
    failed.collect()
}

pub(super) fn refused_opens(report: &DescriptorReport, sites: &mut Sites<'_, '_>) -> Vec<RefusedOpen> {
    let refused = report.exhausted.examples.iter();
    refused.map(|refused| RefusedOpen { errno: refused.errno, call: call(&refused.call, sites) }).collect()
}

pub(super) fn passed_on(report: &DescriptorReport, sites: &mut Sites<'_, '_>) -> Vec<PassedOn> {
    let passed_on = report.passed_on.examples.iter().map(|passed| PassedOn {
        fd: passed.fd.0,
        kind: passed.kind.to_owned(),
        path: text(&passed.path),
        opened: call(&passed.opened, sites),
    });
    passed_on.collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Every call that is told of.
pub(in crate::report::build) fn all(report: &DescriptorReport) -> impl Iterator<Item = &Call> {
    let double = report.double_closes.examples.iter();
    let double = double.flat_map(|fault| [Some(&fault.first), Some(&fault.second), fault.opened.as_ref()]);
    let foreign = report.foreign_closes.examples.iter().flat_map(|fault| {
        [Some(&fault.opened), Some(&fault.former), Some(&fault.closed), fault.missed.as_ref()]
    });
    let uses = report.uses_after_close.examples.iter();
    let uses = uses.flat_map(|fault| [Some(&fault.closed), Some(&fault.used), fault.opened.as_ref()]);
    let refused = report.exhausted.examples.iter().map(|refused| &refused.call);
    let passed_on = report.passed_on.examples.iter().map(|passed| &passed.opened);
    double.chain(foreign).chain(uses).flatten().chain(refused).chain(passed_on)
}
