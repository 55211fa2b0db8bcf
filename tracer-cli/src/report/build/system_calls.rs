//! What the program asked of the kernel: the tables of system calls, the cost split, what failed and
//! where, and what no library call made.

use std::cmp::Reverse;

use calltap_analyzers::event::FunctionId;
use calltap_analyzers::kernel::{
    CallId, ErrorRow, FunctionSplit, KernelReport, PathRow, Residue as Left, SplitRow, SystemCallRow, Via,
};
use calltap_channel::function::Function;
use nix::errno::Errno;

use super::{Sites, function_name};
use crate::report::View;
use crate::report::model::{
    CostPart, CostSplit, FailedCalls, Maker, Named, PathCalls, Residue, SystemCallTotal, SystemCalls,
};
use crate::report::stacks::Place;
use crate::system_calls::{TextArgument, name, text_of};

mod peer;

/// So many rows with a stack go into the JSON.
const ROWS: usize = 1000;

/// For each function, by its number, the system call that it is where a hook tells of it.
#[must_use]
pub fn wrappers() -> &'static [Option<CallId>] {
    static WRAPPERS: std::sync::OnceLock<Vec<Option<CallId>>> = std::sync::OnceLock::new();
    WRAPPERS.get_or_init(|| {
        let functions = (0..=u16::MAX).map_while(Function::from_number);
        functions.map(|function| Some(CallId { interface: 0, number: function.wraps()? })).collect()
    })
}

pub(super) fn system_calls(report: KernelReport, sites: &mut Sites<'_, '_>) -> SystemCalls {
    let shown = if sites.detail { rows(sites.naming.wishes.view) } else { 0 };
    let omitted = |counts: &mut dyn Iterator<Item = u64>| counts.skip(shown).sum::<u64>();
    SystemCalls {
        stops: report.stops,
        stopped_ns: report.stopped_ns,
        calls: totals(&report.calls),
        cost_split: cost_split(&report.split),
        by_path: report.paths.iter().map(path).collect(),
        by_path_omitted: report.paths_omitted,
        errors_omitted: report.errors_omitted + omitted(&mut report.errors.iter().map(|row| row.count)),
        errors: report.errors.iter().take(shown).map(|row| failed(row, sites)).collect(),
        residue_omitted: report.residue_omitted + omitted(&mut report.residue.iter().map(|row| row.count)),
        residue_calls: report.residue_omitted + report.residue.iter().map(|row| row.count).sum::<u64>(),
        residue_descriptors: report.residue.iter().map(|row| row.descriptors).sum(),
        residue: report.residue.iter().take(shown).map(|row| left(row, sites)).collect(),
        unclaimed: report.unclaimed,
        decided_early: report.decided_early,
    }
}

/// Places of failed calls whose stacks are going to be named.
pub(super) fn error_places(report: &KernelReport, view: View) -> impl Iterator<Item = Place> + '_ {
    report.errors.iter().take(rows(view)).map(|row| (row.stack, row.site))
}

/// The same for calls that no library call has made.
pub(super) fn residue_places(report: &KernelReport, view: View) -> impl Iterator<Item = Place> + '_ {
    report.residue.iter().take(rows(view)).map(|row| (row.stack, row.site))
}

/// One row for each system call, most total time first.
pub(super) fn totals(calls: &[SystemCallRow]) -> Vec<SystemCallTotal> {
    let maker = |function: Option<FunctionId>| function.map(function_name);
    let mut ranked: Vec<&SystemCallRow> = calls.iter().collect();
    ranked.sort_by_key(|row| Reverse(row.total_ns));
    ranked
        .iter()
        .map(|row| SystemCallTotal {
            system_call: called(row.id),
            count: row.count,
            stopped: row.stopped,
            errors: row.errors,
            timed: row.timed,
            total_ns: row.total_ns,
            min_ns: row.min_ns,
            p50_ns: row.p50_ns,
            p99_ns: row.p99_ns,
            max_ns: row.max_ns,
            made_by: row
                .by
                .iter()
                .map(|by| Maker { function: maker(by.function), count: by.count })
                .collect(),
        })
        .collect()
}

/// How many rows with a stack are listed.
fn rows(view: View) -> usize {
    if view.whole { ROWS.max(view.top) } else { view.top }
}

/// A call's name, as strace has it; calls of other interfaces are marked.
fn called(id: CallId) -> String {
    let mark = match id.interface {
        1 => "#i386",
        2 => "#x32",
        _ => "",
    };
    match name(id) {
        Some(name) => format!("{name}{mark}"),
        None => format!("syscall_{}{mark}", id.number),
    }
}

/// The system call that a function is.
fn wrapped(function: FunctionId) -> Option<CallId> {
    wrappers().get(usize::from(function.0)).copied().flatten()
}

/// Most total time first.
fn cost_split(splits: &[FunctionSplit]) -> Vec<CostSplit> {
    let total_ns = |split: &&FunctionSplit| split.rows.iter().map(|row| row.total_ns).sum::<u64>();
    let mut ranked: Vec<&FunctionSplit> = splits.iter().collect();
    ranked.sort_by_key(|split| Reverse(total_ns(split)));
    ranked.into_iter().map(split).collect()
}

fn split(split: &FunctionSplit) -> CostSplit {
    let wrapped = wrapped(split.function);
    // Of a call that is a system call nobody can tell why it took long.
    let slow = |value: u64| wrapped.is_none().then_some(value);
    let part = |row: &SplitRow| CostPart {
        system_call: row.id.or(wrapped).map(called),
        count: row.count,
        errors: row.errors,
        timed: row.timed,
        system_calls: row.system_calls,
        total_ns: row.total_ns,
        min_ns: row.min_ns,
        p50_ns: row.p50_ns,
        p99_ns: row.p99_ns,
        max_ns: row.max_ns,
    };
    CostSplit {
        function: function_name(split.function),
        count: split.calls,
        stopped_ns: split.stopped_ns,
        slow: slow(split.slow),
        slow_above_ns: slow(split.slow_above_ns),
        parts: split.rows.iter().filter(|row| row.count > 0).map(part).collect(),
    }
}

fn path(row: &PathRow) -> PathCalls {
    let made = |via: Via| match via {
        Via::SystemCall(id) => called(id),
        Via::Function(function) => wrapped(function).map_or_else(|| function_name(function), called),
    };
    let addressed = |(via, _): &(Via, u64)| matches!(via, Via::SystemCall(id) if has_address(*id));
    let is_address = row.calls.first().is_some_and(addressed);
    PathCalls {
        path: if is_address { peer::peer(&row.path) } else { lossy(&row.path) },
        count: row.count,
        errors: row.errors,
        total_ns: row.total_ns,
        system_calls: named(row.calls.iter().map(|(via, count)| (made(*via), *count))),
        error_names: named(row.errnos.iter().map(|(errno, count)| (error(*errno), *count))),
    }
}

/// Adds up what has the same name: `open` and `openat64` are one system call.
fn named(counts: impl Iterator<Item = (String, u64)>) -> Vec<Named> {
    let mut all: Vec<Named> = Vec::new();
    for (name, count) in counts {
        match all.iter_mut().find(|known| known.name == name) {
            Some(known) => known.count += count,
            None => all.push(Named { name, count }),
        }
    }
    all
}

fn failed(row: &ErrorRow, sites: &mut Sites<'_, '_>) -> FailedCalls {
    let id = row.id.or_else(|| row.function.and_then(wrapped));
    let text = || if id.is_some_and(has_address) { peer::peer(&row.text) } else { lossy(&row.text) };
    FailedCalls {
        error: error(row.errno),
        errno: row.errno,
        system_call: id.map(called),
        function: row.function.map(function_name),
        path: (!row.text.is_empty()).then(text),
        count: row.count,
        site: sites.at(row.site, row.stack),
        stack: sites.stack(row.site, row.stack),
    }
}

fn left(row: &Left, sites: &mut Sites<'_, '_>) -> Residue {
    Residue {
        system_call: called(row.id),
        count: row.count,
        descriptors: row.descriptors,
        sure: row.sure,
        site: sites.at(row.site, row.stack),
        stack: sites.stack(row.site, row.stack),
    }
}

fn has_address(id: CallId) -> bool {
    matches!(text_of(id), Some(TextArgument::SocketAddress { .. }))
}

/// Its name, or at least its number.
fn error(errno: u16) -> String {
    match Errno::from_raw(i32::from(errno)) {
        Errno::UnknownErrno => match errno {
            // What the kernel turns into another call after a signal; strace shows it, too.
            512 => "ERESTARTSYS".to_owned(),
            513 => "ERESTARTNOINTR".to_owned(),
            514 => "ERESTARTNOHAND".to_owned(),
            516 => "ERESTART_RESTARTBLOCK".to_owned(),
            _ => format!("error {errno}"),
        },
        known => format!("{known:?}"),
    }
}

fn lossy(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}
