//! The report for people: five lines that answer, then a section for each process that has
//! something to say.

use std::cmp::Reverse;

use super::model::{EndedBy, Process, Report};
use super::verdict;

/// So many processes get a section, the first one and those with the largest findings.
const MAX_SECTIONS: usize = 5;
/// So many others get a line.
const MAX_LINES: usize = 15;

mod heap;
mod process;
mod table;

use process::{headline, section, summary};

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

/// How much a process has to say: faults, bytes, descriptors. What exec clears away says little.
fn weight(process: &Process) -> (u64, u64, usize) {
    if process.ended_by == EndedBy::Exec {
        return (0, 0, 0);
    }
    let heap = process.heap.as_ref();
    let faults = heap.map_or(0, |h| h.double_frees + h.unmatched_frees + h.mismatched_frees);
    let left = heap.map_or(0, |h| h.still_allocated.bytes + h.still_allocated.blocks);
    let open = process.descriptors.as_ref().map_or(0, |d| d.still_open.len());
    (faults, left, open)
}

#[cfg(test)]
mod tests;
