//! The report for people: five lines that answer, then a section for each process that has
//! something to say.

use std::cmp::Reverse;

use super::model::{Descriptors, EndedBy, Process, Report, Stack, StackCounts};
use super::stacks::GroupBy;
use super::stacks::name::short;
use super::units::plural;
use super::{View, verdict};
use crate::object_name::base;

/// So many processes get a section, the first one and those with the largest findings.
const MAX_SECTIONS: usize = 3;
/// So many others get a line.
const MAX_LINES: usize = 15;

pub(super) mod arenas;
pub(super) mod descriptors;
mod heap;
mod latency;
mod leaks;
mod life;
mod memory;
pub(super) mod outsized;
mod paths;
pub(super) mod place;
mod process;
mod stack;
mod system_calls;
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
    text += &memory::over_time(report.memory_over_time.as_deref());
    text += &system_calls::totals_part(report, &page);
    let (sections, lines) = divide(&report.processes);
    for process in sections {
        text.push('\n');
        text += &section(process, &page);
    }
    if !lines.is_empty() {
        text.push('\n');
    }
    for process in lines.iter().take(MAX_LINES) {
        text += &headline(process);
        let summary = summary(process);
        if !summary.is_empty() {
            text += &format!("; {summary}");
        }
        text.push('\n');
    }
    if lines.len() > MAX_LINES {
        text += &format!("... and {} more (all with --format json)\n", lines.len() - MAX_LINES);
    }
    text += &life::life_part(&report.life, &page);
    let flaws = flaws(report);
    let mut spots = report.blind_spots.iter().chain(&flaws).peekable();
    if spots.peek().is_some() {
        text += "\nnot seen:\n";
        spots.for_each(|spot| text += &format!("  {spot}\n"));
    }
    text
}

/// Renders what looks at processes' memory have found, and nothing else. Lines end with `\n`.
#[must_use]
pub fn render_looks(report: &Report, view: &View) -> String {
    let page = Page { view, paths: Paths::of(report), depth: report.stacks.depth };
    let mut text = String::new();
    for process in &report.processes {
        text += &format!("process {} ({})\n", process.pid, process.command.join(" "));
        text += &arenas::arenas_part(process.arenas.as_ref(), &page);
    }
    for spot in report.blind_spots.iter().chain(&flaws(report)) {
        text += &format!("not seen: {spot}\n");
    }
    text
}

/// What is told of the memory of one process of a report, below its headline.
pub(super) fn memory(process: &Process, report: &Report, view: &View) -> String {
    let page = Page { view, paths: Paths::of(report), depth: report.stacks.depth };
    format!("{}\n{}", headline(process), arenas::arenas_part(process.arenas.as_ref(), &page))
}

/// What stacks lack for want of unwind tables, one sentence each.
fn flaws(report: &Report) -> Vec<String> {
    let StackCounts { lost, guessed, .. } = report.stacks;
    let flaws = [
        (lost, "stacks that end in code without an unwind table"),
        (guessed, "stacks with callers that were found without an unwind table, behind a question mark"),
    ];
    let seen = flaws.into_iter().filter(|(count, _)| *count > 0);
    seen.map(|(count, what)| format!("{what}: {count}")).collect()
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

/// Who gets a section, and who only a line. Sections are in the order of their beginning; so are
/// lines, but those that say something come first.
fn divide(processes: &[Process]) -> (Vec<&Process>, Vec<&Process>) {
    let tapped = |process: &Process| process.tapped;
    let lasting = processes.iter().position(|p| tapped(p) && p.ended_by != EndedBy::Exec);
    let first = lasting.or_else(|| processes.iter().position(tapped));
    let has_section = |&index: &usize| {
        Some(index) == first || (tapped(&processes[index]) && weight(&processes[index]) > (0, 0, 0))
    };
    let mut chosen: Vec<usize> = (0..processes.len()).filter(has_section).collect();
    chosen.sort_by_key(|&index| (Some(index) != first, Reverse(weight(&processes[index]))));
    chosen.truncate(MAX_SECTIONS);
    let (sections, lines): (Vec<_>, Vec<_>) =
        processes.iter().enumerate().partition(|(index, _)| chosen.contains(index));
    let processes = |indexed: Vec<(usize, _)>| indexed.into_iter().map(|(_, process)| process).collect();
    let (sections, mut lines): (_, Vec<&Process>) = (processes(sections), processes(lines));
    lines.sort_by_key(|process| weight(process) == (0, 0, 0));
    (sections, lines)
}

/// How much a process has to say: faults, bytes left or kept though free, descriptors. What exec clears
/// away says nothing.
fn weight(process: &Process) -> (u64, u64, usize) {
    if process.ended_by == EndedBy::Exec {
        return (0, 0, 0);
    }
    let heap = process.heap.as_ref();
    let wrong_uses = process.descriptors.as_ref().map_or(0, Descriptors::wrong_uses);
    let faults = heap.map_or(0, |h| h.double_frees + h.unmatched_frees + h.mismatched_frees) + wrong_uses;
    let left = heap.map_or(0, |h| h.still_allocated.bytes + h.still_allocated.blocks);
    let open = process.descriptors.as_ref().map_or(0, |d| d.still_open.len() + d.passed_on.len());
    let outsized = process.outsized.as_ref().map_or(0, |outsized| outsized.count);
    let kept = process.arenas.as_ref().map_or(0, |arenas| verdict::memory::kept(&arenas.last));
    (faults + outsized, left + kept, open)
}

#[cfg(test)]
mod tests;
