//! From what the analyzers found and what the session knows to the report.

use calltap_analyzers::event::{FunctionId, Giver};
use calltap_analyzers::mappings::MappingReport;
use calltap_channel::function::Function;
use nix::sys::signal::Signal;

use super::model::{self, EndedBy, Process, Report, SCHEMA_VERSION, Target};
use super::stacks::Source;
use crate::damage::Part;
use crate::exit_snapshot::{ExitSnapshot, Limit, SystemFiles};
use crate::reader::heap_family;
use crate::stack_files::Folded;
use crate::symbols::Detail;

mod arenas;
mod descriptors;
mod facts;
mod faults;
mod heap;
mod latency;
mod leaks;
pub mod life;
mod memory;
mod needed;
mod outsized;
mod sites;
mod system_calls;
mod uses;

pub use facts::{Ended, Facts, ProcessFacts, Wishes};
pub use latency::allocator_calls;
use sites::{Naming, Sites};
pub use system_calls::wrappers;

impl Report {
    /// Puts the report together, and what is to be folded. Names places by `source`, which reads the
    /// target's object files.
    #[must_use]
    pub fn build(facts: Facts, source: &mut dyn Source, wishes: &Wishes) -> (Self, Option<Folded>) {
        let (exit_code, signal, _) = ending(facts.ended);
        let tapped = facts.processes.iter().filter(|process| process.findings.is_some()).count();
        let details = needed::details(&facts.processes, wishes);
        let mut naming = Naming::new(source, wishes, tapped);
        let (lost, guessed) = naming.stacks.flawed(needed::stacks(&facts.processes, wishes.view));
        naming.stacks.resolve(needed::places(&facts.processes, &details, wishes.view), Detail::Lines);
        // The loader makes most of these, in each program; JSON has all that can be known.
        let detail = if wishes.view.whole { Detail::Lines } else { Detail::Functions };
        naming.stacks.resolve(needed::residue(&facts.processes, &details, wishes.view), detail);
        let processes = facts.processes.into_iter().zip(details);
        let processes = processes
            .map(|(process_facts, detail)| process(process_facts, detail, &facts.command, &mut naming))
            .collect();
        let folded = naming.folded();
        let mut damage = facts.damage;
        damage.add_if(source.has_damage(), Part::Stacks);
        let report = Self {
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
            damaged: damage.parts().map(Part::name).collect(),
            blind_spots: facts.blind_spots,
            system_calls: system_calls::totals(&facts.system_calls),
            memory_over_time: facts.memory_over_time.map(memory::over_time),
            stacks: model::StackCounts { lost, guessed, ..facts.stacks },
            processes,
            life: life::life(facts.life),
        };
        (report, folded)
    }
}

fn process(facts: ProcessFacts, detail: bool, command: &[String], naming: &mut Naming<'_>) -> Process {
    let (exit_code, signal, ended_by) = ending(facts.ended);
    let snapshot = facts.snapshot.as_ref();
    let program = facts.command.first().map_or("unknown", String::as_str);
    let mut sites = Sites::of(naming, facts.image, program, detail);
    let findings = facts.findings;
    let events = findings.as_ref().map_or(0, |found| found.events);
    let by_size = findings.as_ref().and_then(|found| found.by_size.as_deref()).map(latency::by_size);
    let found = findings.as_ref().and_then(|found| found.outsized.as_ref());
    let ending = (facts.ended, facts.ended_ns);
    let outsized = found.map(|found| outsized::outsized(found, ending, &mut sites));
    let (heap, mappings, descriptors, latency, kernel) = match findings {
        Some(found) => (found.heap, found.mappings, found.descriptors, found.latency, found.kernel),
        None => (None, None, None, None, None),
    };
    Process {
        pid: facts.pid,
        parent_pid: facts.parent_pid,
        ended_by,
        exit_code,
        signal,
        signal_name: signal.map(signal_name),
        tapped: facts.untapped_reason.is_none(),
        untapped_reason: facts.untapped_reason,
        executed: facts.executed,
        started_ns: facts.started_ns,
        ended_ns: facts.ended_ns,
        threads: facts.threads,
        events,
        heap: heap.map(|report| heap::heap(&report, &mut sites)),
        descriptors: descriptors.map(|r| descriptors::descriptors(&r, snapshot, &mut sites)),
        mappings: mappings.map(mapping_totals),
        outsized,
        latency: latency.as_ref().map(latency::rows).unwrap_or_default(),
        latency_by_size: by_size,
        system_calls: kernel.map(|report| system_calls::system_calls(report, &mut sites)),
        arenas: arenas::arenas(&facts.looks, command, &mut sites),
        unfinished_calls: facts.unfinished.into_iter().map(unfinished).collect(),
        memory_at_exit: snapshot.map(memory),
        limits: snapshot.map(limits),
        kernel_descriptors_at_exit: snapshot.and_then(|s| Some(s.descriptors.as_ref()?.len() as u64)),
        command: facts.command,
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

/// The family of a function that gives or takes blocks.
fn family(function: FunctionId) -> Option<Giver> {
    Function::from_number(function.0).and_then(heap_family)
}

/// The C symbol of a function; of a system call that no function made its name as manuals have it.
fn function_name(function: FunctionId) -> String {
    if let Some(call) = function.system_call() {
        return match crate::system_calls::name(call) {
            Some(name) => format!("{name}(2)"),
            None => format!("system call {}", call.number),
        };
    }
    match Function::from_number(function.0) {
        Some(function) => function.name().to_owned(),
        None => format!("function {}", function.0),
    }
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
    let system = snapshot.system_files;
    model::Limits {
        open_files: snapshot.limits.open_files.map(both),
        open_files_ceiling: system.ceiling,
        system_open_files: system_open_files(system),
        address_space: snapshot.limits.address_space.map(both),
    }
}

fn system_open_files(files: SystemFiles) -> Option<model::SystemOpenFiles> {
    Some(model::SystemOpenFiles { allocated: files.allocated?, maximum: files.maximum? })
}

#[cfg(test)]
mod tests;
