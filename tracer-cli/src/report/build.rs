//! From what the analyzers found and what the session knows to the report.

use calltap_analyzers::event::FunctionId;
use calltap_analyzers::image::ImageReport;
use calltap_analyzers::latency::LatencyReport;
use calltap_analyzers::mappings::MappingReport;
use calltap_channel::function::Function;
use nix::sys::signal::Signal;

use super::model::{self, EndedBy, Latency, Process, Report, SCHEMA_VERSION, Target};
use crate::exit_snapshot::{ExitSnapshot, Limit, Mapped};
use crate::origin::{Origins, Site};

mod descriptors;
mod heap;

/// What the session knows beside the analyzers' findings.
#[derive(Debug, Default)]
pub struct Facts {
    /// The command as it was given.
    pub command: Vec<String>,
    /// How its process ended.
    pub ended: Ended,
    /// From the beginning of the session to its end.
    pub duration_ns: u64,
    /// Calls taken into account.
    pub events: u64,
    /// Records lost, those of no known thread included.
    pub lost_records: u64,
    /// Records lost, by thread.
    pub lost_by_thread: Vec<model::Lost>,
    /// What could not be seen, one sentence each.
    pub blind_spots: Vec<String>,
    /// All process images, in the order of their beginning.
    pub processes: Vec<ProcessFacts>,
}

/// How a process image ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ended {
    /// By exit, with this status.
    Exit(i32),
    /// By this signal.
    Signal(i32),
    /// Another program took its place.
    Exec,
    /// Not before the session did.
    #[default]
    Running,
    /// calltap let it go.
    Detached,
}

/// One program in one process.
#[derive(Debug, Default)]
pub struct ProcessFacts {
    /// Its process id.
    pub pid: u32,
    /// The process that made it.
    pub parent_pid: Option<u32>,
    /// Its command line.
    pub command: Vec<String>,
    /// How it ended.
    pub ended: Ended,
    /// Why its calls were not recorded, if they were not.
    pub untapped_reason: Option<String>,
    /// When it began, since the session began.
    pub started_ns: u64,
    /// When it ended.
    pub ended_ns: Option<u64>,
    /// Threads seen.
    pub threads: u64,
    /// What `/proc` said at its exit stop.
    pub snapshot: Option<ExitSnapshot>,
    /// What the analyzers found, if it made calls that were recorded.
    pub findings: Option<ImageReport>,
    /// Calls that had begun and not ended when their threads died: thread, function, first argument.
    pub unfinished: Vec<(u32, Function, u64)>,
}

impl Report {
    /// Puts the report together. Reads the target's object files to name call sites.
    #[must_use]
    pub fn build(facts: Facts) -> Self {
        let mut origins = Origins::new();
        let (exit_code, signal, _) = ending(facts.ended);
        Self {
            schema_version: SCHEMA_VERSION,
            tool: model::Tool::default(),
            target: Target {
                command: facts.command,
                exit_code,
                signal,
                signal_name: signal.map(signal_name),
            },
            duration_ns: facts.duration_ns,
            events: facts.events,
            lost_records: facts.lost_records,
            lost_by_thread: facts.lost_by_thread,
            blind_spots: facts.blind_spots,
            processes: facts.processes.into_iter().map(|p| process(p, &mut origins)).collect(),
        }
    }
}

fn process(facts: ProcessFacts, origins: &mut Origins) -> Process {
    let (exit_code, signal, ended_by) = ending(facts.ended);
    let snapshot = facts.snapshot.as_ref();
    let maps = snapshot.map_or(&[][..], |s| &s.maps);
    let mut sites = Sites { origins, maps };
    let findings = facts.findings;
    let events = findings.as_ref().map_or(0, |found| found.events);
    let (heap, mappings, descriptors, latency) = match findings {
        Some(found) => (found.heap, found.mappings, found.descriptors, found.latency),
        None => (None, None, None, None),
    };
    Process {
        pid: facts.pid,
        parent_pid: facts.parent_pid,
        command: facts.command,
        ended_by,
        exit_code,
        signal,
        signal_name: signal.map(signal_name),
        tapped: facts.untapped_reason.is_none(),
        untapped_reason: facts.untapped_reason,
        started_ns: facts.started_ns,
        ended_ns: facts.ended_ns,
        threads: facts.threads,
        events,
        heap: heap.map(|report| heap::heap(&report, &mut sites)),
        descriptors: descriptors.map(|r| descriptors::descriptors(r, snapshot, &mut sites)),
        mappings: mappings.map(mapping_totals),
        latency: latency.as_ref().map(latency_rows).unwrap_or_default(),
        unfinished_calls: facts.unfinished.into_iter().map(unfinished).collect(),
        memory_at_exit: snapshot.map(memory),
        limits: snapshot.map(limits),
        kernel_descriptors_at_exit: snapshot.and_then(|s| Some(s.descriptors.as_ref()?.len() as u64)),
    }
}

/// Names the call sites of one process.
struct Sites<'a> {
    origins: &'a mut Origins,
    maps: &'a [Mapped],
}

impl Sites<'_> {
    fn at(&mut self, address: u64) -> Site {
        self.origins.site(address, self.maps)
    }
}

fn ending(ended: Ended) -> (Option<i32>, Option<i32>, EndedBy) {
    match ended {
        Ended::Exit(code) => (Some(code), None, EndedBy::Exit),
        Ended::Signal(signal) => (None, Some(signal), EndedBy::Signal),
        Ended::Exec => (None, None, EndedBy::Exec),
        Ended::Running => (None, None, EndedBy::Running),
        Ended::Detached => (None, None, EndedBy::Detached),
    }
}

fn signal_name(number: i32) -> String {
    match Signal::try_from(number) {
        Ok(signal) => signal.as_str().to_owned(),
        // signal(7): real-time signals have numbers only.
        Err(_) => format!("SIGRTMIN+{}", number - 34),
    }
}

/// The C symbol of a function.
fn function_name(function: FunctionId) -> String {
    match Function::from_number(function.0) {
        Some(function) => function.name().to_owned(),
        None => format!("function {}", function.0),
    }
}

/// Most total time first.
fn latency_rows(report: &LatencyReport) -> Vec<Latency> {
    let mut rows: Vec<_> = report
        .rows
        .iter()
        .map(|row| Latency {
            function: function_name(row.function),
            count: row.count,
            timed: row.timed,
            errors: row.errors,
            total_ns: row.total_ns,
            min_ns: row.min_ns,
            p50_ns: row.p50_ns,
            p90_ns: row.p90_ns,
            p99_ns: row.p99_ns,
            p999_ns: row.p999_ns,
            max_ns: row.max_ns,
        })
        .collect();
    rows.sort_by(|a, b| (b.total_ns, b.count, &a.function).cmp(&(a.total_ns, a.count, &b.function)));
    rows
}

fn unfinished((tid, function, first_argument): (u32, Function, u64)) -> model::Unfinished {
    model::Unfinished { tid, function: function.name().to_owned(), first_argument }
}

fn mapping_totals(report: MappingReport) -> model::Mappings {
    model::Mappings {
        mapped: report.mapped_calls,
        mapped_bytes: report.mapped_bytes,
        unmapped: report.unmapped_calls,
        unmapped_bytes: report.unmapped_bytes,
        remapped: report.remapped_calls,
        remapped_bytes: report.remapped_bytes,
        peak_bytes: report.peak_bytes,
        peak_at_ns: report.peak_ns,
        still_mapped_ranges: report.still_mapped_ranges,
        still_mapped_bytes: report.still_mapped_bytes,
    }
}

fn memory(snapshot: &ExitSnapshot) -> model::MemoryAtExit {
    let memory = snapshot.memory;
    model::MemoryAtExit {
        vm_hwm_bytes: memory.peak_rss_bytes,
        vm_peak_bytes: memory.peak_virtual_bytes,
        rss_bytes: memory.rss_bytes,
        rss_anon_bytes: memory.rss_anon_bytes,
        rss_file_bytes: memory.rss_file_bytes,
        rss_shmem_bytes: memory.rss_shmem_bytes,
        pss_bytes: memory.pss_bytes,
        anonymous_bytes: memory.anonymous_bytes,
        swap_bytes: memory.swap_bytes,
    }
}

fn limits(snapshot: &ExitSnapshot) -> model::Limits {
    let both = |limit: Limit| model::SoftHard { soft: limit.soft, hard: limit.hard };
    model::Limits {
        open_files: snapshot.limits.open_files.map(both),
        address_space: snapshot.limits.address_space.map(both),
    }
}

#[cfg(test)]
mod tests;
