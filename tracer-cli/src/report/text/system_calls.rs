//! System calls: the table as strace -c has it, where library calls spend their time, what failed,
//! and what no library call made.

use std::cmp::Reverse;

use super::Page;
use super::paths::Paths;
use super::place::{at, called, frame};
use super::process::shortened;
use super::table::{aligned, table};
use crate::object_name::{base, is_loader};
use crate::report::model::{CostSplit, Named, PathCalls, Report, Stack, SystemCallTotal, SystemCalls};
use crate::report::stacks::own;
use crate::report::units::{plural, time};

/// So many characters of a path are shown.
const PATH: usize = 60;

/// The system calls of all processes together; nothing if there is only one with any.
pub(super) fn totals_part(report: &Report, page: &Page<'_>) -> String {
    let parts = report.processes.iter().filter_map(|process| process.system_calls.as_ref());
    let parts: Vec<&SystemCalls> = parts.filter(|part| !part.calls.is_empty()).collect();
    if parts.len() < 2 {
        return String::new();
    }
    let stops = parts.iter().map(|part| part.stops).sum();
    let mut text = format!("\nsystem calls of all {}: ", plural(parts.len() as u64, "program"));
    text += &summary(&report.system_calls, stops, parts.iter().map(|part| part.stopped_ns).sum());
    text + &calls(&report.system_calls, page)
}

/// Nothing if none was seen.
pub(super) fn system_calls_part(part: &SystemCalls, page: &Page<'_>) -> String {
    if part.calls.is_empty() {
        return String::new();
    }
    let mut text = format!("  system calls: {}", summary(&part.calls, part.stops, part.stopped_ns));
    text += &calls(&part.calls, page);
    text += &cost_split(&part.cost_split, page);
    text += &errors(part, page);
    if page.view.by_path {
        text += &by_path(part, page);
    }
    text + &residue(part, page)
}

fn summary(calls: &[SystemCallTotal], stops: u64, stopped_ns: u64) -> String {
    let count = calls.iter().map(|row| row.count).sum();
    let failed: u64 = calls.iter().map(|row| row.errors).sum();
    let stops = match stops {
        0 => "none was stopped".to_owned(),
        _ => format!(
            "{} took {} (not in these times, but for waking the tracer)",
            plural(stops, "stop"),
            time(stopped_ns)
        ),
    };
    format!("{} of {}, {failed} failed; {stops}\n", plural(count, "call"), plural(calls.len() as u64, "kind"))
}

fn calls(calls: &[SystemCallTotal], page: &Page<'_>) -> String {
    let all_ns: u64 = calls.iter().map(|row| row.total_ns).sum();
    let rows = calls.iter().map(|row| {
        [
            format!("{:.2}", 100.0 * row.total_ns as f64 / all_ns.max(1) as f64),
            format!("{:.6}", row.total_ns as f64 / 1e9),
            (row.total_ns / 1000).checked_div(row.timed).map_or_else(String::new, |mean| mean.to_string()),
            row.count.to_string(),
            if row.errors > 0 { row.errors.to_string() } else { String::new() },
            time(row.p50_ns),
            time(row.p99_ns),
            time(row.max_ns),
            row.system_call.clone(),
            made_by(row),
        ]
    });
    let header =
        ["% time", "seconds", "usecs/call", "calls", "errors", "p50", "p99", "max", "syscall", "made by"];
    table(header, 8, rows, "system calls", page.view.top)
}

/// The most frequent maker, and its share if there are others.
fn made_by(row: &SystemCallTotal) -> String {
    let Some(most) = row.made_by.first() else { return String::new() };
    let name = most.function.as_deref().map_or("no library call", called);
    if row.made_by.len() == 1 { name.to_owned() } else { format!("{name} {}", share(most.count, row.count)) }
}

/// Of functions that could do without: those that are a system call each have nothing to divide.
fn cost_split(splits: &[CostSplit], page: &Page<'_>) -> String {
    let divided = |split: &&CostSplit| {
        split.slow.is_some_and(|slow| slow > 0 || split.parts.iter().any(|part| part.system_call.is_some()))
    };
    let mut shown = splits.iter().filter(divided).take(page.view.top.div_ceil(2)).peekable();
    if shown.peek().is_none() {
        return String::new();
    }
    let mut text = "  library calls by what they did in the kernel, most time first\n".to_owned();
    for split in shown {
        let parts = split.parts.iter().map(|part| {
            let what = part.system_call.as_deref().unwrap_or("no system call");
            let p50 = if part.timed > 0 { format!(" p50 {}", time(part.p50_ns)) } else { String::new() };
            format!("{} {what}{p50}", share(part.count, split.count))
        });
        let slow = split.slow.filter(|slow| *slow > 0).map(|slow| {
            format!("{} slow without a system call (page faults or preemption)", share(slow, split.count))
        });
        let parts: Vec<String> = parts.chain(slow).collect();
        text += &format!("    {}: {}\n", called(&split.function), parts.join("; "));
    }
    text
}

/// What failed alike in one place is one row, whatever its path.
fn errors(part: &SystemCalls, page: &Page<'_>) -> String {
    let mut rows: Vec<(u64, [String; 2], String, Vec<&str>)> = Vec::new();
    for row in &part.errors {
        let call = row.system_call.as_deref().or(row.function.as_deref()).unwrap_or_default();
        let what = [row.error.clone(), call.to_owned()];
        let place = at(&row.stack, Some(&row.site), &page.paths);
        let path = row.path.as_deref();
        match rows.iter_mut().find(|(_, other, there, _)| *other == what && *there == place) {
            Some((count, _, _, paths)) => {
                *count += row.count;
                paths.extend(path);
            }
            None => rows.push((row.count, what, place, path.into_iter().collect())),
        }
    }
    rows.sort_by_key(|(count, ..)| Reverse(*count));
    let top = page.view.top.div_ceil(2);
    let omitted = part.errors_omitted + rows.iter().skip(top).map(|(count, ..)| count).sum::<u64>();
    let rows = rows.into_iter().take(top).map(|(count, [error, call], place, paths)| {
        let others = if paths.len() > 1 { format!(" and {} more", paths.len() - 1) } else { String::new() };
        let path = shortened(paths.first().unwrap_or(&""), PATH) + &others;
        [count.to_string(), error, call, path, place]
    });
    let mut text = table(["failed", "error", "call", "path or peer", "where"], 1, rows, "", top);
    if omitted > 0 {
        text += &format!("    ... and {omitted} more that failed (all with --format json)\n");
    }
    text
}

fn by_path(part: &SystemCalls, page: &Page<'_>) -> String {
    let counts = |named: &[Named]| {
        let counts: Vec<String> =
            named.iter().map(|named| format!("{} {}", named.count, named.name)).collect();
        counts.join(", ")
    };
    let row = |row: &PathCalls| {
        [
            time(row.total_ns),
            row.count.to_string(),
            row.errors.to_string(),
            shortened(&row.path, PATH),
            counts(&row.system_calls),
            counts(&row.error_names),
        ]
    };
    let header = ["time", "calls", "errors", "path or peer", "what", "failures"];
    let mut text = table(header, 3, part.by_path.iter().map(row), "paths", page.view.top);
    if part.by_path_omitted > 0 {
        text += &format!(
            "    ... and {} with paths beyond the first 10,000\n",
            plural(part.by_path_omitted, "call")
        );
    }
    text
}

fn residue(part: &SystemCalls, page: &Page<'_>) -> String {
    if part.residue_calls == 0 && part.unclaimed == 0 && part.decided_early == 0 {
        return String::new();
    }
    let mut text = format!(
        "  under no library call: {}, which made {}\n",
        plural(part.residue_calls, "system call"),
        plural(part.residue_descriptors, "descriptor"),
    );
    for (count, why) in [
        (part.unclaimed, "inside library calls that did not return"),
        (part.decided_early, "of unknown makers: too many waited for one"),
    ] {
        if count > 0 {
            text += &format!("    and {} {why}\n", plural(count, "system call"));
        }
    }
    let top = page.view.top.div_ceil(2);
    let rows = residue_by_place(part, page);
    let omitted = part.residue_calls - rows.iter().take(top).map(|(count, ..)| count).sum::<u64>();
    let rows = rows.into_iter().take(top).map(|(count, call, place)| [count.to_string(), call, place]);
    text += &aligned(["calls", "syscall", "where"], |column| column == 0, rows, "", top);
    if omitted > 0 {
        text += &format!("    ... and {omitted} more (all with --format json)\n");
    }
    text
}

/// How often, what, and where, most first: stacks that differ only further out are one row.
fn residue_by_place(part: &SystemCalls, page: &Page<'_>) -> Vec<(u64, String, String)> {
    let mut rows: Vec<(u64, String, String)> = Vec::new();
    for row in &part.residue {
        let doubt = if row.sure { "" } else { "  (or in a library call: the stack does not tell)" };
        let place = in_loader(&row.stack, &page.paths);
        let place = place.unwrap_or_else(|| at(&row.stack, Some(&row.site), &page.paths)) + doubt;
        match rows.iter_mut().find(|(_, call, there)| *call == row.system_call && *there == place) {
            Some((count, ..)) => *count += row.count,
            None => rows.push((row.count, row.system_call.clone(), place)),
        }
    }
    rows.sort_by_key(|(count, ..)| Reverse(*count));
    rows
}

/// The place of a call of the loader's, whose functions have not been looked up: mostly the program's start.
fn in_loader(stack: &Stack, paths: &Paths) -> Option<String> {
    let leaf = stack.frames.first().filter(|leaf| leaf.function.is_none())?;
    let object = leaf.object.as_deref().filter(|object| is_loader(base(object)))?;
    let own = own(stack.frames.iter().map(|frame| &**frame)).filter(|own| own.function.is_some());
    let by = own.map_or_else(String::new, |own| format!(", called from {}", frame(own, paths)));
    Some(format!("in the loader ({}){by}", base(object)))
}

/// `98.7%`, or `1 in 12000` of what is rarer than one in a thousand.
fn share(part: u64, whole: u64) -> String {
    if part > 0 && part.saturating_mul(1000) < whole {
        format!("1 in {}", whole / part)
    } else {
        format!("{:.1}%", 100.0 * part as f64 / whole.max(1) as f64)
    }
}
