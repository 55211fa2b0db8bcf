//! What all runs say together.

use std::collections::BTreeMap;

use crate::compare::experiment::Subject;
use crate::compare::figures::{self, Runs};
use crate::compare::options::Compare;
use crate::compare::result::{Compared, SCHEMA_VERSION, Variant};
use crate::compare::run::{MemoryPoint, Outcome, Tapped, Untapped};
use crate::compare::{calls, health, machine};
use crate::report::model::Tool;

/// The result of `rounds` finished rounds; the last subject is the first one again.
#[must_use]
pub fn conclude(options: &Compare, subjects: Vec<Subject>, rounds: usize, seed: u64) -> Compared {
    let failures = failures(&subjects);
    let mut notes = notes(&subjects);
    notes.extend(health::output_note(&ends_of_baseline(&subjects)));
    let again = subjects.len() - 1;
    let variants: Vec<Variant> = subjects
        .into_iter()
        .zip(failures)
        .enumerate()
        .map(|(index, (subject, failure))| variant(subject, failure, index == again, rounds))
        .collect();
    notes.extend(lost(&variants));
    let none = (Vec::new(), Vec::new());
    let runs: Vec<Runs<'_>> = variants
        .iter()
        .map(|variant| match variant.failure {
            // Its runs are told, but no figure is made of them.
            Some(_) => Runs { untapped: &none.0, tapped: &none.1 },
            None => Runs { untapped: &variant.untapped, tapped: &variant.tapped },
        })
        .collect();
    let figures = figures::compared(&runs);
    Compared {
        schema_version: SCHEMA_VERSION,
        tool: Tool::default(),
        command: options.command.iter().map(|word| word.to_string_lossy().into_owned()).collect(),
        runs: options.runs,
        rounds: rounds as u32,
        interrupted: rounds < options.runs as usize,
        seed,
        machine: machine::describe(),
        variants,
        figures,
        notes,
    }
}

/// Why the figures of each subject are not to be shown.
fn failures(subjects: &[Subject]) -> Vec<Option<String>> {
    let baseline = ends_of_baseline(subjects);
    let of = |subject: &Subject| {
        let ends: Vec<&Outcome> = subject.ends().collect();
        subject.disproved.clone().or_else(|| health::failure(&ends, &baseline))
    };
    subjects.iter().map(of).collect()
}

fn ends_of_baseline(subjects: &[Subject]) -> Vec<&Outcome> {
    subjects[0].ends().chain(subjects[subjects.len() - 1].ends()).collect()
}

fn notes(subjects: &[Subject]) -> Vec<String> {
    let mut notes: Vec<String> = Vec::new();
    for note in subjects.iter().flat_map(|subject| &subject.notes) {
        if !notes.contains(note) {
            notes.push(note.clone());
        }
    }
    notes
}

/// What tapped runs have lost.
fn lost(variants: &[Variant]) -> Option<String> {
    let lost: u64 =
        variants.iter().flat_map(|variant| variant.tapped.iter().flatten()).map(|run| run.lost_records).sum();
    (lost > 0).then(|| format!("{lost} records of tapped runs were lost: latencies and live bytes lack them"))
}

fn variant(subject: Subject, failure: Option<String>, again: bool, rounds: usize) -> Variant {
    let Subject { variant, mut untapped, mut tapped, .. } = subject;
    untapped.truncate(rounds);
    tapped.truncate(rounds);
    let environment: BTreeMap<String, Option<String>> = variant.environment.into_iter().collect();
    Variant {
        label: variant.label,
        allocator: variant.allocator,
        library: variant.library.map(|path| path.to_string_lossy().into_owned()),
        environment,
        again,
        failure,
        calls: calls::rows(tapped.iter().flatten()),
        memory_untapped: typical(untapped.iter().flatten(), |run: &Untapped| &run.memory),
        memory_tapped: typical(tapped.iter().flatten(), |run: &Tapped| &run.memory),
        untapped,
        tapped,
    }
}

/// The memory over time of the run whose peak is the median one.
fn typical<'a, R: 'a>(
    runs: impl Iterator<Item = &'a R>,
    memory: impl Fn(&'a R) -> &'a Vec<MemoryPoint>,
) -> Vec<MemoryPoint> {
    let peak = |points: &[MemoryPoint]| points.iter().map(|point| point.resident_bytes).max().unwrap_or(0);
    let mut runs: Vec<&Vec<MemoryPoint>> = runs.map(memory).filter(|points| !points.is_empty()).collect();
    runs.sort_by_key(|points| peak(points));
    runs.get(runs.len() / 2).map_or_else(Vec::new, |points| (*points).clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::example;

    #[test]
    fn the_typical_run_is_the_one_with_the_median_peak() {
        let point =
            |bytes| MemoryPoint { at_ns: 0, live_bytes: None, resident_bytes: bytes, anonymous_bytes: 0 };
        let with = |bytes: &[u64]| Untapped {
            memory: bytes.iter().map(|&bytes| point(bytes)).collect(),
            ..example::untapped()
        };
        let runs = [with(&[5, 90]), with(&[]), with(&[7, 10]), with(&[40, 3])];
        let typical = typical(runs.iter(), |run| &run.memory);
        assert_eq!(typical, [point(40), point(3)]);
        assert!(super::typical([].iter(), |run: &Untapped| &run.memory).is_empty());
    }
}
