//! A run under calltap: how `calltap run` is to be called for it, and what its report says.

mod report;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;

use anyhow::Context;
use serde::Deserialize;
use serde_json::Value;

use crate::compare::run::{CallClass, MemoryPoint, Outcome, Served, Tapped};
use crate::library::CallsToLoad;
use report::{LastLook, Process, Report};

/// The system calls by which an allocator gets memory and gives it back.
pub const MEMORY_CALLS: [&str; 6] = ["brk", "madvise", "mmap", "mprotect", "mremap", "munmap"];

/// How often memory is read, as `--memory-every` takes it.
const MEMORY_EVERY: &str = "10ms";

/// Arguments of calltap with which `command` runs as a variant: what `environment` sets (Some) or removes
/// (None), with `library` preloaded. The report goes to the file `report`.
///
/// Only the heap's functions are tapped and no stacks are taken, so that durations are the allocator's own as
/// nearly as can be. System calls other than those of memory are not stopped.
pub fn arguments(
    report: &Path,
    environment: &[(String, Option<String>)],
    library: Option<&Path>,
    command: &[OsString],
) -> Vec<OsString> {
    let system_calls = MEMORY_CALLS.join(",");
    let fixed = [
        "run",
        "--quiet",
        "--format",
        "json",
        "--tap",
        "memory",
        "--stack",
        "none",
        "--syscalls",
        &system_calls,
        "--latency-by",
        "size",
        "--memory-every",
        MEMORY_EVERY,
        "-o",
    ];
    let mut words: Vec<OsString> = fixed.iter().map(OsString::from).collect();
    words.push(report.into());
    for (name, value) in settings(environment, library, std::env::var_os("LD_PRELOAD").as_deref()) {
        // In one word: a name may begin with a dash.
        let mut word = OsString::from("--env=");
        word.push(name);
        if let Some(value) = value {
            word.push("=");
            word.push(value);
        }
        words.push(word);
    }
    words.push("--".into());
    words.extend(command.iter().cloned());
    words
}

/// A variant's environment with `library` first in `LD_PRELOAD`, before what the variant itself has there, or
/// else what is `inherited`. What is None is removed.
pub fn settings(
    environment: &[(String, Option<String>)],
    library: Option<&Path>,
    inherited: Option<&OsStr>,
) -> Vec<(OsString, Option<OsString>)> {
    let own = |(name, value): &(String, Option<String>)| (name.into(), value.as_ref().map(OsString::from));
    let mut settings: Vec<(OsString, Option<OsString>)> = environment.iter().map(own).collect();
    let Some(library) = library else { return settings };
    let of_variant = settings.iter().rposition(|(name, _)| name == "LD_PRELOAD");
    let behind = match of_variant {
        Some(at) => settings[at].1.clone(),
        None => inherited.map(OsStr::to_owned),
    };
    let mut value = library.as_os_str().to_owned();
    if let Some(behind) = behind.filter(|behind| !behind.is_empty()) {
        value.push(":");
        value.push(behind);
    }
    settings.retain(|(name, _)| name != "LD_PRELOAD");
    settings.push(("LD_PRELOAD".into(), Some(value)));
    settings
}

/// What a run gave, by the JSON report of a `calltap run` with [`arguments`]; `outcome` is how it ended.
///
/// # Errors
/// If that is no such report.
pub fn read(report: &Value, outcome: Outcome) -> anyhow::Result<Tapped> {
    let report: Report =
        Report::deserialize(report).context("the report of a run under calltap cannot be read")?;
    let load = CallsToLoad::of_the_interposer()?;
    let processes = &report.processes;
    Ok(Tapped {
        outcome,
        calls: calls(processes),
        memory_calls: memory_calls(&report, load),
        arenas: arenas(processes),
        retained_bytes: verdict(processes, "retention"),
        fragmentation_bytes: verdict(processes, "fragmentation"),
        peak_live_bytes: processes.iter().map(Process::peak_live_bytes).max().unwrap_or(0),
        memory: memory(&report),
        served: processes.iter().filter(|process| !process.is_replaced()).map(served).collect(),
        lost_records: report.lost_records,
    })
}

/// What to say of a report whose run has damaged what it is made of; None if it has not.
#[must_use]
pub fn damage(report: &Value) -> Option<String> {
    let parts: Vec<&str> = report["damaged"].as_array()?.iter().filter_map(Value::as_str).collect();
    (!parts.is_empty()).then(|| {
        format!(
            "the program wrote over memory of calltap's in tapped runs ({}): latencies and live bytes are not right",
            parts.join(", ")
        )
    })
}

/// The classes of all processes together.
fn calls(processes: &[Process]) -> Vec<CallClass> {
    let mut classes: BTreeMap<(&str, Option<u64>, u64), BTreeMap<u64, u64>> = BTreeMap::new();
    for row in processes.iter().flat_map(|process| process.latency_by_size.iter().flatten()) {
        let class = classes.entry((&row.function, row.up_to_bytes, row.up_to_threads)).or_default();
        for (ns, count) in &row.durations {
            let all: &mut u64 = class.entry(*ns).or_default();
            *all = all.saturating_add(*count);
        }
    }
    let class = |((function, up_to_bytes, up_to_threads), durations): (_, BTreeMap<u64, u64>)| CallClass {
        function: str::to_owned(function),
        up_to_bytes,
        up_to_threads,
        durations: durations.into_iter().collect(),
    };
    classes.into_iter().map(class).collect()
}

/// How often each memory system call was made, but for those that loaded the interposer: as often as
/// `strace -f -c` counts them without calltap, as a rule. With one object more, the loader's own small heap can need
/// one page-sized mapping more in a program, and an allocator from which it then takes its tables one `brk`; nothing
/// tells these from others.
fn memory_calls(report: &Report, load: CallsToLoad) -> BTreeMap<String, u64> {
    let loads = report.processes.iter().filter(|process| process.executed && process.tapped).count() as u64;
    let made = |name: &str| {
        let rows = report.system_calls.iter().filter(|row| row.system_call == name);
        let of_loader = match name {
            "mmap" => load.mmap * loads,
            "mprotect" => load.mprotect * loads,
            _ => 0,
        };
        rows.map(|row| row.count).fold(0, u64::saturating_add).saturating_sub(of_loader)
    };
    MEMORY_CALLS.iter().map(|name| ((*name).to_owned(), made(name))).collect()
}

/// Last looks at all processes that have used the heap, None if one of those was not looked at. A program
/// that another one has replaced is never looked at, and has no memory left.
fn looks(processes: &[Process]) -> Option<Vec<&LastLook>> {
    let used = |process: &&Process| process.allocations() > 0 && !process.is_replaced();
    processes.iter().filter(used).map(Process::last_look).collect()
}

/// Arenas of all processes, if glibc serves them all and all could be read.
fn arenas(processes: &[Process]) -> Option<u64> {
    let looks = looks(processes)?;
    let decoded = !looks.is_empty() && looks.iter().all(|look| look.is_decoded_glibc());
    decoded.then(|| looks.iter().map(|look| look.arenas.len() as u64).sum())
}

/// Bytes of one verdict. A look that could not read the allocator's memory knows none.
fn verdict(processes: &[Process], kind: &str) -> Option<u64> {
    let looks = looks(processes)?;
    let known = !looks.is_empty() && looks.iter().all(|look| look.not_decoded.is_none());
    let verdicts = || looks.iter().flat_map(|look| &look.verdicts).filter(|verdict| verdict.kind == kind);
    known.then(|| verdicts().map(|verdict| verdict.bytes).fold(0, u64::saturating_add))
}

/// Times count from the beginning of the first program, not of calltap's session.
fn memory(report: &Report) -> Vec<MemoryPoint> {
    let began_ns = report.processes.first().map_or(0, |process| process.started_ns);
    let points = report.memory_over_time.iter().flatten();
    points
        .map(|point| MemoryPoint {
            at_ns: point.at_ns.saturating_sub(began_ns),
            live_bytes: Some(point.live_bytes),
            resident_bytes: point.resident_bytes,
            anonymous_bytes: point.anonymous_bytes,
        })
        .collect()
}

fn served(process: &Process) -> Served {
    let serving = process.last_look().and_then(|look| look.allocators.iter().find(|found| found.serves));
    Served {
        pid: process.pid,
        command: process.command.join(" "),
        object: serving.map(|allocator| allocator.object.clone()),
        tapped: process.tapped,
        allocations: process.allocations(),
    }
}

#[cfg(test)]
mod tests;
