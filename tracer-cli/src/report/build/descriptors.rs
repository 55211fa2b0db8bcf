//! The descriptors' part: what the calls told, checked against what the kernel had at exit.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use calltap_analyzers::descriptors::{DescriptorReport, OpenDescriptor};
use calltap_analyzers::event::Stream;

use super::super::model::{Descriptors, KindTotal, LastUse, PathTotal, StillOpen};
use super::super::stacks::StackValue;
use super::{Sites, function_name};
use crate::exit_snapshot::{Descriptor, ExitSnapshot};

mod balance;
pub(super) mod calls;

pub(super) use balance::tells_of_opens;
mod exit;
mod growth;
mod templates;

/// Descriptors up to this one are a process's standard streams: who redirects one of them means it to stay.
const LAST_STANDARD_STREAM: i32 = nix::libc::STDERR_FILENO;

pub(super) fn descriptors(
    report: &DescriptorReport,
    snapshot: Option<&ExitSnapshot>,
    sites: &mut Sites<'_, '_>,
) -> Descriptors {
    // An empty table is what the kernel shows of a process that has given its files up already.
    let in_kernel = snapshot.and_then(|s| s.descriptors.as_deref()).filter(|table| !table.is_empty());
    let open: Vec<_> = report.still_open.iter().filter_map(|open| left(open, in_kernel)).collect();
    let closed_unseen = report.replaced_unseen + (report.still_open.len() - open.len()) as u64;
    let (standard_streams, left): (Vec<_>, Vec<_>) =
        open.into_iter().partition(|(open, _)| open.is_redirection && open.fd.0 <= LAST_STANDARD_STREAM);
    let by_stack = balance::by_stack(report, left.iter().map(|(open, _)| *open), sites);
    let still_open = still_open(&left, sites);
    let kinds = report.kinds.iter().map(|(kind, counts)| KindTotal {
        kind: (*kind).to_owned(),
        opened: counts.opened,
        closed: counts.closed,
    });
    Descriptors {
        opened: report.opened,
        closed: report.closed,
        closed_inherited: report.closed_inherited,
        closed_unseen,
        standard_streams: standard_streams.len() as u64,
        failed_closes: report.failed_closes.count,
        double_closes: report.double_closes.count,
        foreign_closes: report.foreign_closes.count,
        uses_after_close: report.uses_after_close.count,
        refused_opens: report.exhausted.count,
        began_with: report.began_with,
        peak_open: report.peak_open,
        peak_open_at_ns: report.peak_ns,
        peak_in_use: report.peak_in_use,
        by_kind: kinds.collect(),
        by_path: by_path(&still_open),
        by_stack,
        still_open,
        growing: growth::growing(report, sites),
        forecast: growth::forecast(report, snapshot),
        faults: calls::faults(report, sites),
        failed_close_examples: calls::failed_closes(report, sites),
        refused_open_examples: calls::refused_opens(report, sites),
        passed_on: calls::passed_on(report, sites),
        passed_on_omitted: report.passed_on.count - report.passed_on.examples.len() as u64,
        at_exit: report.reconciliation.as_ref().map(|compared| exit::at_exit(compared, sites)),
    }
}

/// A descriptor left open, with what the kernel says of it; None if the kernel no longer had it:
/// something that was not recorded has closed it.
fn left<'a>(
    open: &'a OpenDescriptor,
    in_kernel: Option<&'a [Descriptor]>,
) -> Option<(&'a OpenDescriptor, Option<&'a Descriptor>)> {
    match in_kernel {
        Some(table) => {
            let at = table.binary_search_by_key(&open.fd.0, |known| known.fd).ok()?;
            Some((open, Some(&table[at])))
        }
        None => Some((open, None)),
    }
}

fn still_open(left: &[(&OpenDescriptor, Option<&Descriptor>)], sites: &mut Sites<'_, '_>) -> Vec<StillOpen> {
    let path = |(open, known): &(&OpenDescriptor, Option<&Descriptor>)| match (open.path.as_slice(), known) {
        (b"", Some(known)) => known.target.clone(),
        (path, _) => String::from_utf8_lossy(path).into_owned(),
    };
    let paths: Vec<String> = left.iter().map(path).collect();
    let templates = templates::templates(&paths.iter().map(String::as_str).collect::<Vec<_>>());
    let rows = left.iter().zip(paths).zip(templates).map(|(((open, known), path), path_template)| {
        sites.fold(StackValue::Descriptors, open.site, open.stack, 1);
        let opened_by = function_name(open.function);
        StillOpen {
            fd: open.fd.0,
            kind: open.kind.to_owned(),
            unclosed: open.stream.map(structure),
            path,
            path_template,
            opened_by,
            site: sites.at(open.site, open.stack),
            stack: sites.stack(open.site, open.stack),
            tid: open.thread.0,
            opened_at_ns: open.opened_ns,
            last_use: open.last_use.map(|last| LastUse {
                function: function_name(last.function),
                tid: last.thread.0,
                at_ns: last.at_ns,
            }),
            close_on_exec: known.and_then(Descriptor::close_on_exec).or(open.close_on_exec),
        }
    });
    rows.collect()
}

/// The C type of what stands on a descriptor, and was not closed either.
fn structure(stream: Stream) -> &'static str {
    match stream {
        Stream::File => "FILE*",
        Stream::Directory => "DIR*",
    }
}

/// Most first.
fn by_path(still_open: &[StillOpen]) -> Vec<PathTotal> {
    let mut totals = BTreeMap::<&str, u64>::new();
    for open in still_open.iter().filter(|open| !open.path_template.is_empty()) {
        *totals.entry(&open.path_template).or_default() += 1;
    }
    let mut totals: Vec<_> = totals
        .into_iter()
        .map(|(path, still_open)| PathTotal { path: path.to_owned(), still_open })
        .collect();
    totals.sort_by_key(|total| Reverse(total.still_open));
    totals
}
