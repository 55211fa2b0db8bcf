//! The report for people: five lines that answer, then a section for each process that has
//! something to say.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use comfy_table::{CellAlignment, Table, presets};

use super::model::{Descriptors, EndedBy, Heap, Latency, Mappings, Process, Report, StillOpen};
use super::units::{bytes, bytes_exactly, plural, time};
use super::verdict;

/// So many processes get a section, the first one and those with the largest findings.
const MAX_SECTIONS: usize = 5;
/// So many others get a line.
const MAX_LINES: usize = 15;
/// So many rows has a table.
const MAX_ROWS: usize = 10;

/// Renders the report. Lines end with `\n`.
#[must_use]
pub fn render(report: &Report) -> String {
    let mut text = verdict::lines(report).join("\n");
    text.push('\n');
    let (sections, lines) = divide(&report.processes);
    for process in sections {
        text.push('\n');
        text += &section(process);
    }
    if !lines.is_empty() {
        text.push('\n');
    }
    for process in lines.iter().take(MAX_LINES) {
        text += &format!("{}; {}\n", headline(process), summary(process));
    }
    if lines.len() > MAX_LINES {
        text += &format!("... and {} more (all with --format json)\n", lines.len() - MAX_LINES);
    }
    if !report.blind_spots.is_empty() {
        text += "\nnot seen:\n";
        report.blind_spots.iter().for_each(|spot| text += &format!("  {spot}\n"));
    }
    text
}

/// Who gets a section, and who only a line; each in the order of their beginning.
fn divide(processes: &[Process]) -> (Vec<&Process>, Vec<&Process>) {
    let mut ranked: Vec<(usize, &Process)> = processes.iter().enumerate().collect();
    ranked.sort_by_key(|&(index, process)| (index != 0, Reverse(weight(process)), index));
    let sections = ranked
        .iter()
        .take(MAX_SECTIONS)
        .filter(|(index, process)| process.tapped && (*index == 0 || weight(process) > (0, 0, 0)))
        .count();
    let mut lines = ranked.split_off(sections);
    ranked.sort_by_key(|&(index, _)| index);
    lines.sort_by_key(|&(index, process)| (weight(process) == (0, 0, 0), index));
    let processes = |ranked: Vec<(usize, _)>| ranked.into_iter().map(|(_, p)| p).collect();
    (processes(ranked), processes(lines))
}

/// How much a process has to say: faults, bytes, descriptors.
fn weight(process: &Process) -> (u64, u64, usize) {
    let heap = process.heap.as_ref();
    let faults = heap.map_or(0, |h| h.double_frees + h.unmatched_frees + h.mismatched_frees);
    let left = heap.map_or(0, |h| h.still_allocated.bytes + h.still_allocated.blocks);
    let open = process.descriptors.as_ref().map_or(0, |d| d.still_open.len());
    (faults, left, open)
}

fn headline(process: &Process) -> String {
    let end = match (process.ended_by, process.exit_code, process.signal) {
        (EndedBy::Exit, Some(code), _) => format!("status {code}"),
        (EndedBy::Signal, _, Some(signal)) => match &process.signal_name {
            Some(name) => format!("killed by {name}"),
            None => format!("killed by signal {signal}"),
        },
        (EndedBy::Exec, ..) => "replaced by exec".to_owned(),
        (EndedBy::Detached, ..) => "let go".to_owned(),
        (EndedBy::Running, ..) => "still running".to_owned(),
        (EndedBy::Exit | EndedBy::Signal, ..) => "ended".to_owned(),
    };
    let command = process.command.join(" ");
    format!("process {}: {}; {end}", process.pid, shortened(&command, 60))
}

/// At most so many characters, on one line.
fn shortened(text: &str, most: usize) -> String {
    let mut line: String = text.chars().take(most).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(most).is_some() {
        line += "...";
    }
    line
}

fn summary(process: &Process) -> String {
    if !process.tapped {
        let reason = process.untapped_reason.as_deref().unwrap_or("unknown reason");
        return format!("not tapped: {reason}");
    }
    let mut parts = Vec::new();
    if let Some(heap) = &process.heap {
        let left = &heap.still_allocated;
        parts.push(match left.blocks {
            0 => "no block still allocated".to_owned(),
            count => format!("{} still allocated, {}", plural(count, "block"), bytes(left.bytes)),
        });
        let faults = heap.double_frees + heap.unmatched_frees + heap.mismatched_frees;
        if faults > 0 {
            parts.push(plural(faults, "wrong release"));
        }
    }
    if let Some(descriptors) = &process.descriptors {
        parts.push(match descriptors.still_open.len() as u64 {
            0 => "no descriptor left open".to_owned(),
            count => format!("{} left open", plural(count, "descriptor")),
        });
    }
    parts.join(", ")
}

fn section(process: &Process) -> String {
    let mut text = headline(process);
    text += &format!(", {}", plural(process.threads, "thread"));
    if let Some(ended_ns) = process.ended_ns {
        text += &format!(", {}", time(ended_ns.saturating_sub(process.started_ns)));
    }
    if let Some(peak) = process.memory_at_exit.as_ref().and_then(|memory| memory.vm_hwm_bytes) {
        text += &format!(", peak resident {}", bytes(peak));
    }
    text.push('\n');
    if let Some(heap) = &process.heap {
        text += &heap_part(heap);
    }
    if let Some(descriptors) = &process.descriptors {
        text += &descriptors_part(descriptors, process.kernel_descriptors_at_exit);
    }
    if let Some(mappings) = &process.mappings {
        text += &mappings_part(mappings);
    }
    text + &latency_part(&process.latency)
}

fn heap_part(heap: &Heap) -> String {
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
        let guess = if s.guess { "  (or the C library's?)" } else { "" };
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
        [fault.kind.to_owned(), format!("{:#x}", fault.address), fault.function.clone(), fault.site.to_string()]
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

fn descriptors_part(descriptors: &Descriptors, in_kernel: Option<u64>) -> String {
    let mut text = format!(
        "  descriptors: {} opened, {} closed, {} still open, at most {} at once, {} failed closes",
        descriptors.opened,
        descriptors.closed,
        descriptors.still_open.len(),
        descriptors.peak_open,
        descriptors.failed_closes,
    );
    if let Some(count) = in_kernel {
        text += &format!("; {count} open in the kernel at exit");
    }
    text.push('\n');
    let mut alike: BTreeMap<(&str, &str, String), Vec<&StillOpen>> = BTreeMap::new();
    for open in &descriptors.still_open {
        let by = format!("{} at {}", open.opened_by, open.site);
        alike.entry((&open.kind, &open.path, by)).or_default().push(open);
    }
    let mut groups: Vec<_> = alike.into_iter().collect();
    groups.sort_by_key(|(_, open)| (Reverse(open.len()), open[0].fd));
    let rows = groups.into_iter().map(|((kind, path, by), open)| {
        let numbers = match open.as_slice() {
            [first, .., last] => format!("{} ({}..{})", open.len(), first.fd, last.fd),
            _ => format!("1 ({})", open[0].fd),
        };
        [numbers, kind.to_owned(), shortened(path, 80), by]
    });
    text + &table(["still open (fd)", "kind", "path", "opened by"], 0, rows, "kinds and places")
}

fn mappings_part(mappings: &Mappings) -> String {
    if mappings.mapped == 0 && mappings.unmapped == 0 && mappings.remapped == 0 {
        return String::new();
    }
    format!(
        "  mappings by library calls: {} mapped, {} unmapped, {} remapped; peak {}, {} still mapped\n",
        mappings.mapped,
        mappings.unmapped,
        mappings.remapped,
        bytes(mappings.peak_bytes),
        bytes(mappings.still_mapped_bytes),
    )
}

fn latency_part(latency: &[Latency]) -> String {
    let mut by_total: Vec<_> = latency.iter().filter(|row| row.timed > 0).collect();
    by_total.sort_by_key(|row| (Reverse(row.total_ns), &row.function));
    if by_total.is_empty() {
        return String::new();
    }
    let rows = by_total.into_iter().map(|row| {
        let percentiles = [row.min_ns, row.p50_ns, row.p90_ns, row.p99_ns, row.p999_ns, row.max_ns];
        let [min, p50, p90, p99, p999, max] = percentiles.map(time);
        let (count, errors) = (row.count.to_string(), row.errors.to_string());
        [row.function.clone(), count, errors, time(row.total_ns), min, p50, p90, p99, p999, max]
    });
    let header = ["function", "count", "errors", "total", "min", "p50", "p90", "p99", "p99.9", "max"];
    let mut text = "  latency of the real functions, by total time\n".to_owned();
    text += &aligned(header, |column| column > 0, rows, "functions");
    text
}

/// A table whose first `numbers` columns are numbers.
fn table<const N: usize>(
    header: [&str; N],
    numbers: usize,
    rows: impl ExactSizeIterator<Item = [String; N]>,
    what: &str,
) -> String {
    aligned(header, |column| column < numbers, rows, what)
}

/// Nothing if there are no rows; the first [`MAX_ROWS`] of them if there are many.
fn aligned<const N: usize>(
    header: [&str; N],
    is_number: impl Fn(usize) -> bool,
    rows: impl ExactSizeIterator<Item = [String; N]>,
    what: &str,
) -> String {
    let omitted = rows.len().saturating_sub(MAX_ROWS);
    if rows.len() == 0 {
        return String::new();
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header).add_rows(rows.take(MAX_ROWS));
    for (number, column) in table.column_iter_mut().enumerate() {
        if is_number(number) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut text = String::new();
    for line in table.lines() {
        text += &format!("   {}\n", line.trim_end());
    }
    if omitted > 0 {
        text += &format!("    ... and {omitted} more {what} (all with --format json)\n");
    }
    text
}

#[cfg(test)]
mod tests;
