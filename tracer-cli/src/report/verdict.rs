//! The first five lines: did it leak, how much, where do I look, and can I believe it.

use std::collections::BTreeSet;

use super::model::{EndedBy, Process, Report, SiteTotal, StillOpen};
use super::units::{bytes, bytes_exactly, plural, time};
use crate::origin::Site;

/// The lines, without line ends. Never more or fewer than five.
pub(super) fn lines(report: &Report) -> [String; 5] {
    let totals = Totals::of(report);
    [
        format!("calltap: {} {}; {}", name(&report.target.command), totals.verdict(report), status(report)),
        format!("where:   {}", totals.place()),
        format!("next:    {}", totals.next()),
        format!("lost:    {}", lost(report)),
        format!("seen:    {}", seen(report)),
    ]
}

/// The findings of all images. What an image leaves behind at exec is no leak: exec clears it away.
#[derive(Default)]
struct Totals<'a> {
    memory_seen: bool,
    descriptors_seen: bool,
    blocks: u64,
    bytes: u64,
    open: u64,
    double_frees: u64,
    unmatched_frees: u64,
    mismatched_frees: u64,
    top_site: Option<&'a SiteTotal>,
    first_open: Option<&'a StillOpen>,
    fault: Option<(&'a str, &'a Site)>,
}

impl<'a> Totals<'a> {
    fn of(report: &'a Report) -> Self {
        let mut totals = Self::default();
        for process in report.processes.iter().filter(|p| p.ended_by != EndedBy::Exec) {
            totals.add(process);
        }
        totals
    }

    fn add(&mut self, process: &'a Process) {
        if let Some(heap) = &process.heap {
            self.memory_seen = true;
            self.blocks += heap.still_allocated.blocks;
            self.bytes += heap.still_allocated.bytes;
            self.double_frees += heap.double_frees;
            self.unmatched_frees += heap.unmatched_frees;
            self.mismatched_frees += heap.mismatched_frees;
            let top = heap.still_allocated.by_site.iter().chain(self.top_site).max_by_key(|s| s.bytes);
            self.top_site = top;
            let fault = heap.faults.first().map(|f| (f.kind, &f.site));
            let mismatch = || heap.mismatches.first().map(|m| ("mismatched release", &m.released_at));
            self.fault = self.fault.or(fault).or_else(mismatch);
        }
        if let Some(descriptors) = &process.descriptors {
            self.descriptors_seen = true;
            self.open += descriptors.still_open.len() as u64;
            self.first_open = self.first_open.or(descriptors.still_open.first());
        }
    }

    fn verdict(&self, report: &Report) -> String {
        if !self.memory_seen && !self.descriptors_seen {
            let why = report.processes.iter().find_map(|p| p.untapped_reason.as_deref());
            return format!("was not looked into ({})", why.unwrap_or("neither memory nor fd is tapped"));
        }
        let mut findings = Vec::new();
        if self.blocks > 0 {
            findings.push(format!(
                "left {}, {} still allocated",
                plural(self.blocks, "block"),
                bytes(self.bytes)
            ));
        }
        match self.open {
            0 => {}
            1 => findings.push("1 descriptor left open".to_owned()),
            count => findings.push(format!("{count} descriptors left open")),
        }
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
            return match (self.memory_seen, self.descriptors_seen) {
                (true, true) => "did not leak: no block still allocated, no descriptor left open",
                (true, false) => "did not leak memory: no block still allocated (fd not tapped)",
                _ => "left no descriptor open (memory not tapped)",
            }
            .to_owned();
        }
        findings.join("; ")
    }

    fn place(&self) -> String {
        let fault = self.fault.map(|(kind, site)| format!("{kind} at {site}"));
        let leak = self.top_site.map(|top| {
            let (blocks, bytes) = (plural(top.blocks, "block"), bytes_exactly(top.bytes));
            format!("{blocks} of {bytes} by {} at {}", top.function, top.site)
        });
        let open = self.first_open.map(|open| {
            let what = if open.path.is_empty() { String::new() } else { format!(" {}", open.path) };
            format!("descriptor {} ({}{what}) by {} at {}", open.fd, open.kind, open.opened_by, open.site)
        });
        let places: Vec<_> = [fault, leak, open].into_iter().flatten().take(2).collect();
        if places.is_empty() { "nowhere".to_owned() } else { places.join("; ") }
    }

    fn next(&self) -> String {
        let sites = [
            self.fault.map(|(_, site)| site),
            self.top_site.map(|top| &top.site),
            self.first_open.map(|open| &open.site),
        ];
        match sites.into_iter().flatten().find_map(line_command) {
            Some(command) => command,
            None => "calltap run --format json -o FILE ... has every call site and percentile".to_owned(),
        }
    }
}

/// The command that shows the source line of a call site.
pub(super) fn line_command(site: &Site) -> Option<String> {
    let object = site.object.as_deref().filter(|object| object.starts_with('/'))?;
    // The site is the return address; the call is before it.
    Some(format!("addr2line -Cfpe {} {:#x}", quoted(object), site.offset.checked_sub(1)?))
}

/// As a shell takes it for one word.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:@,".contains(c);
    if word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
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
