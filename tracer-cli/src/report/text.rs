//! The report for people: five lines that answer, then a section for each process that has
//! something to say.

use std::cmp::Reverse;

use super::model::{EndedBy, Process, Report, Stack};
use super::stacks::name::short;
use super::stacks::{GroupBy, base};
use super::units::plural;
use super::{View, verdict};

/// So many processes get a section, the first one and those with the largest findings.
const MAX_SECTIONS: usize = 5;
/// So many others get a line.
const MAX_LINES: usize = 15;

mod descriptors;
mod heap;
mod leaks;
mod paths;
pub(super) mod place;
mod process;
mod stack;
mod table;
mod uses;

pub(super) use paths::Paths;
use process::{headline, section, summary};

/// What all parts of a text have in common.
struct Page<'a> {
    view: &'a View,
    paths: Paths,
    /// Stacks are cut at so many frames.
    depth: u64,
}

/// Renders the report. Lines end with `\n`.
#[must_use]
pub fn render(report: &Report, view: &View) -> String {
    let page = Page { view, paths: Paths::of(report), depth: report.stacks.depth };
    let mut text = verdict::lines(report, &page.paths).join("\n");
    text.push('\n');
    let (sections, lines) = divide(&report.processes);
    for process in sections {
        text.push('\n');
        text += &section(process, &page);
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

impl Page<'_> {
    /// How leaks and descriptors are grouped.
    fn group_by(&self) -> GroupBy {
        self.view.group_by.unwrap_or_default()
    }

    /// A group, other than a whole stack, by the frame that its members have in common.
    fn group(&self, label: Option<&str>, stack: &Stack, group_by: GroupBy) -> String {
        match (stack.frames.first(), label.unwrap_or("unknown")) {
            (Some(leaf), _) if group_by == GroupBy::Site => place::frame(leaf, &self.paths),
            (_, label) if group_by == GroupBy::Object => base(label).to_owned(),
            (_, label) => short(label),
        }
    }

    fn noun(&self, group_by: GroupBy) -> &'static str {
        match group_by {
            GroupBy::Stack => "stack",
            GroupBy::Function => "function",
            GroupBy::Site => "place",
            GroupBy::Object => "object",
        }
    }

    /// The line that stands for what is not shown.
    fn more(&self, groups: u64, group_by: GroupBy, sum: &str) -> String {
        let noun = plural(groups, &format!("more {}", self.noun(group_by)));
        format!("    ... and {noun}: {sum} (see --top)\n")
    }
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
