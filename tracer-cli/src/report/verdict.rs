//! The first five lines: did it leak, how much, where do I look, and can I believe it.

use std::collections::BTreeSet;

use super::model::{EndedBy, Process, Report, SiteTotal, Stack, StackTotal};
use super::stacks::own;
use super::text::Paths;
use super::text::place::{at, called};
use super::units::{bytes, bytes_exactly, plural, time};
use crate::object_name::base;
use crate::origin::Site;

mod descriptors;
pub(super) mod memory;
mod outsized;

use descriptors::DescriptorTotals;
use memory::MemoryTotals;
use outsized::OutsizedTotals;

/// The lines, without line ends. Never more or fewer than five.
pub(super) fn lines(report: &Report, paths: &Paths) -> [String; 5] {
    let totals = Totals::of(report);
    [
        format!("calltap: {} {}; {}", name(&report.target.command), totals.verdict(report), status(report)),
        format!("where:   {}", totals.place(report, paths)),
        format!("next:    {}", totals.next()),
        format!("lost:    {}", lost(report)),
        format!("seen:    {}", seen(report)),
    ]
}

/// The findings of all images. What an image leaves behind at exec is no leak: exec clears it away.
#[derive(Default)]
struct Totals<'a> {
    memory_seen: bool,
    descriptors: DescriptorTotals<'a>,
    outsized: OutsizedTotals<'a>,
    memory: MemoryTotals<'a>,
    blocks: u64,
    bytes: u64,
    double_frees: u64,
    unmatched_frees: u64,
    mismatched_frees: u64,
    /// Processes that left blocks.
    leaking: u64,
    top_site: Option<(&'a Process, &'a SiteTotal)>,
    largest: Option<(&'a Process, &'a StackTotal)>,
    fault: Option<(&'a Process, Fault<'a>)>,
}

/// What was wrong with a release, and where it was.
#[derive(Clone, Copy)]
struct Fault<'a> {
    what: &'a str,
    site: &'a Site,
    stack: &'a Stack,
}

impl<'a> Totals<'a> {
    fn of(report: &'a Report) -> Self {
        let mut totals = Self::default();
        for process in &report.processes {
            totals.descriptors.add(process);
            totals.outsized.add(process);
            totals.memory.add(process);
            if process.ended_by != EndedBy::Exec {
                totals.add(process);
            }
        }
        totals
    }

    fn add(&mut self, process: &'a Process) {
        if let Some(heap) = &process.heap {
            self.memory_seen = true;
            self.leaking += u64::from(heap.still_allocated.blocks > 0);
            self.blocks += heap.still_allocated.blocks;
            self.bytes += heap.still_allocated.bytes;
            self.double_frees += heap.double_frees;
            self.unmatched_frees += heap.unmatched_frees;
            self.mismatched_frees += heap.mismatched_frees;
            match &heap.still_allocated.largest {
                Some(leak) => {
                    let both = [(process, leak)].into_iter().chain(self.largest);
                    self.largest = both.max_by_key(|(_, leak)| leak.bytes);
                }
                None => {
                    let sites = heap.still_allocated.by_site.iter().map(|site| (process, site));
                    self.top_site = sites.chain(self.top_site).max_by_key(|(_, site)| site.bytes);
                }
            }
            let fault = heap.faults.first().map(|fault| {
                let what = if fault.kind == "double" { "double free" } else { "unmatched free" };
                Fault { what, site: &fault.site, stack: &fault.stack }
            });
            let mismatch = || {
                let first = heap.mismatches.first()?;
                let (site, stack) = (&first.released_at, &first.released_stack);
                Some(Fault { what: "mismatched release", site, stack })
            };
            let fault = fault.or_else(mismatch).map(|fault| (process, fault));
            self.fault = self.fault.or(fault);
        }
    }

    fn verdict(&self, report: &Report) -> String {
        if !self.memory_seen && !self.descriptors.seen {
            let why = report.processes.iter().find_map(|p| p.untapped_reason.as_deref());
            return format!("was not looked into ({})", why.unwrap_or("neither memory nor fd is tapped"));
        }
        let mut findings = Vec::new();
        if self.blocks > 0 {
            let (blocks, size) = (plural(self.blocks, "block"), bytes(self.bytes));
            findings.push(match self.leaking {
                1 => format!("left {blocks}, {size} still allocated"),
                processes => format!("left {blocks}, {size} still allocated in {processes} processes"),
            });
        }
        findings.extend(self.descriptors.findings());
        for (count, what) in [
            (self.double_frees, "double free"),
            (self.unmatched_frees, "free of unknown address"),
            (self.mismatched_frees, "release by the wrong function"),
        ] {
            if count > 0 {
                findings.push(format!("{count} x {what}"));
            }
        }
        if findings.is_empty() {
            let clean = match (self.memory_seen, self.descriptors.seen) {
                (true, true) => "did not leak: no block still allocated, no descriptor left open",
                (true, false) => "did not leak memory: no block still allocated (fd not tapped)",
                _ => "left no descriptor open (memory not tapped)",
            };
            findings.push(clean.to_owned());
        }
        findings.extend(self.descriptors.remark());
        findings.splice(0..0, self.outsized.finding());
        findings.extend(self.memory.remark());
        findings.join("; ")
    }

    /// Where the first findings are, each behind its process if that is not the first one.
    fn place(&self, report: &Report, paths: &Paths) -> String {
        let fault = self.fault.map(|(process, fault)| {
            (process, format!("{} {}", fault.what, at(fault.stack, Some(fault.site), paths)))
        });
        let mut told = report.processes.first();
        let descriptors = &self.descriptors;
        let pin = self.memory.place(paths);
        let (before, after) = if self.keeps_more_than_it_leaks() { (pin, None) } else { (None, pin) };
        let places = [
            fault,
            descriptors.fault(paths),
            self.outsized.place(paths),
            before,
            self.leak(paths),
            descriptors.open(paths),
            after,
            descriptors.passed(paths),
        ];
        let places = places.into_iter().flatten().take(2).map(|(process, place)| {
            if told.replace(process).is_some_and(|last| std::ptr::eq(last, process)) {
                return place;
            }
            format!("process {} ({}): {place}", process.pid, base(name(&process.command)))
        });
        let places: Vec<_> = places.collect();
        if places.is_empty() { "nowhere".to_owned() } else { places.join("; ") }
    }

    /// The most bytes that come from one place.
    fn leak(&self, paths: &Paths) -> Option<(&'a Process, String)> {
        let told = |blocks, size, function, place| {
            format!("{} of {} by {} {place}", plural(blocks, "block"), bytes_exactly(size), called(function))
        };
        match (self.largest, self.top_site) {
            (Some((process, leak)), site) if site.is_none_or(|(_, site)| site.bytes <= leak.bytes) => {
                let place = at(&leak.stack, None, paths);
                Some((process, told(leak.blocks, leak.bytes, &leak.function, place)))
            }
            (_, Some((process, site))) => {
                let place = format!("at {}", site.site);
                Some((process, told(site.blocks, site.bytes, &site.function, place)))
            }
            _ => None,
        }
    }

    /// Whether what is kept though it is free matters more than what is still allocated.
    fn keeps_more_than_it_leaks(&self) -> bool {
        self.memory.kept_bytes() > self.bytes
    }

    fn next(&self) -> String {
        let release = self.fault.map(|(_, fault)| fault.stack).or_else(|| self.descriptors.wrong_call());
        let remedy = self.memory.next().filter(|_| release.is_none() && self.keeps_more_than_it_leaks());
        if let Some(remedy) = remedy {
            return remedy;
        }
        let leak = self.largest.map(|(_, leak)| &leak.stack);
        let asked = self.outsized.stack();
        let mut findings = [release, asked, leak].into_iter().flatten().chain(self.descriptors.stacks());
        if let Some(program) = findings.clone().find_map(without_lines) {
            let program = base(program);
            return format!(
                "build {program} with -g, or name a directory with its debug information (--debug-dir), \
                 to see lines"
            );
        }
        match findings.next() {
            Some(stack) if release.is_some() && stack.id.is_none() => {
                "calltap run --stacks-at all ... shows who called the function that released"
            }
            Some(_) if self.bytes > 0 => {
                "calltap run --flamegraph FILE.svg ... draws where all of it comes from"
            }
            Some(_) if self.descriptors.open > 1 => {
                "calltap run --flamegraph FILE.svg --stack-value descriptors ... draws where all of them come from"
            }
            _ => "calltap run --format json -o FILE ... has every stack and percentile",
        }
        .to_owned()
    }
}

/// The object to blame if the program's own part of a stack has no lines.
fn without_lines(stack: &Stack) -> Option<&str> {
    let frames = || stack.frames.iter().map(|frame| &**frame);
    let blamed = own(frames()).or_else(|| frames().next())?;
    if blamed.line.is_some() { None } else { blamed.object.as_deref() }
}

pub(super) fn name(command: &[String]) -> &str {
    command.first().map_or("the target", String::as_str)
}

fn status(report: &Report) -> String {
    let target = &report.target;
    match (target.exit_code, target.signal) {
        (Some(code), _) => format!("status {code}"),
        (None, Some(signal)) => match &target.signal_name {
            Some(name) => format!("killed by {name}"),
            None => format!("killed by signal {signal}"),
        },
        (None, None) => "still running".to_owned(),
    }
}

fn lost(report: &Report) -> String {
    if !report.damaged.is_empty() {
        return format!(
            "{}; the program has written over memory of calltap's ({}): no figure below is sure",
            plural(report.lost_records, "record"),
            report.damaged.join(", ")
        );
    }
    match report.lost_records {
        0 => "0 records".to_owned(),
        lost => format!("{}: the figures below are not complete", plural(lost, "record")),
    }
}

fn seen(report: &Report) -> String {
    let programs = report.processes.len() as u64;
    let processes = report.processes.iter().map(|p| p.pid).collect::<BTreeSet<_>>().len() as u64;
    let untapped = report.processes.iter().filter(|p| !p.tapped).count();
    let mut seen = format!(
        "{} in {}, {} in {}",
        plural(report.events, "call"),
        time(report.duration_ns),
        plural(programs, "program"),
        // The noun's plural is not made by an s alone.
        if processes == 1 { "1 process".to_owned() } else { format!("{processes} processes") },
    );
    if untapped > 0 {
        seen += &format!(" ({untapped} not tapped)");
    }
    seen
}
