//! The descriptors' part: what the calls told, checked against what the kernel had at exit.

use calltap_analyzers::descriptors::DescriptorReport;

use super::super::model::{Descriptors, FailedClose, KindTotal, StillOpen};
use super::super::stacks::StackValue;
use super::{Sites, function_name};
use crate::exit_snapshot::{Descriptor, ExitSnapshot};

pub(super) fn descriptors(
    report: DescriptorReport,
    snapshot: Option<&ExitSnapshot>,
    sites: &mut Sites<'_, '_>,
) -> Descriptors {
    // An empty table is what the kernel shows of a process that has given its files up already.
    let in_kernel = snapshot.and_then(|s| s.descriptors.as_deref()).filter(|table| !table.is_empty());
    let still_open = still_open(&report, in_kernel, sites);
    let closed_unseen = report.replaced_unseen + (report.still_open.len() - still_open.len()) as u64;
    let kinds = report.kinds.into_iter().map(|(kind, counts)| KindTotal {
        kind: kind.to_owned(),
        opened: counts.opened,
        closed: counts.closed,
    });
    let failed = report.failed_closes.examples.iter().map(|fault| FailedClose {
        fd: fault.fd.0,
        function: function_name(fault.function),
        site: sites.at(fault.site, fault.stack),
        stack: sites.stack(fault.site, fault.stack),
        tid: fault.thread.0,
        at_ns: fault.at_ns,
    });
    Descriptors {
        opened: report.opened,
        closed: report.closed,
        closed_inherited: report.closed_inherited,
        closed_unseen,
        failed_closes: report.failed_closes.count,
        peak_open: report.peak_open,
        peak_open_at_ns: report.peak_ns,
        by_kind: kinds.collect(),
        still_open,
        failed_close_examples: failed.collect(),
    }
}

/// Without those that the kernel no longer had: closed by a raw system call, or inside libc.
fn still_open(
    report: &DescriptorReport,
    in_kernel: Option<&[Descriptor]>,
    sites: &mut Sites<'_, '_>,
) -> Vec<StillOpen> {
    let mut still_open = Vec::new();
    for open in &report.still_open {
        let known = in_kernel.map(|table| table.iter().find(|d| d.fd == open.fd.0));
        if known.is_some_and(|known| known.is_none()) {
            continue;
        }
        sites.fold(StackValue::Descriptors, open.site, open.stack, 1);
        let known = known.flatten();
        let path = match (open.path.as_slice(), known) {
            (b"", Some(known)) => known.target.clone(),
            (path, _) => String::from_utf8_lossy(path).into_owned(),
        };
        still_open.push(StillOpen {
            fd: open.fd.0,
            kind: open.kind.to_owned(),
            path,
            opened_by: function_name(open.function),
            site: sites.at(open.site, open.stack),
            stack: sites.stack(open.site, open.stack),
            tid: open.thread.0,
            opened_at_ns: open.opened_ns,
            close_on_exec: known.and_then(Descriptor::close_on_exec),
        });
    }
    still_open
}
