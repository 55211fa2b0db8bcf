//! All runs of a comparison, one after the other.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::compare::launch::{self, Plan};
use crate::compare::progress::Bar;
use crate::compare::run::{Outcome, Tapped, Untapped};
use crate::compare::schedule::{Step, schedule};
use crate::compare::variants::Variant;
use crate::compare::{health, proof, tapped};

/// A variant whose runs fail this often one after the other is not run any more.
const PATIENCE: usize = 3;

/// A variant and what its runs gave.
#[derive(Debug)]
pub struct Subject {
    /// What runs.
    pub variant: Variant,
    /// By round.
    pub untapped: Vec<Option<Untapped>>,
    /// By round.
    pub tapped: Vec<Option<Tapped>>,
    /// Why another allocator than the variant's serves, if one does.
    pub disproved: Option<String>,
    /// What is to be said of the proof.
    pub notes: Vec<String>,
    /// Ends of all runs, also of those to warm up.
    ends: Vec<Outcome>,
}

/// How many runs of which kinds.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// Rounds that count.
    pub rounds: usize,
    /// Rounds before.
    pub warm_up: usize,
    /// What the order depends on.
    pub seed: u64,
}

/// What was run.
#[derive(Debug)]
pub struct Ran {
    /// All variants, and the first one again.
    pub subjects: Vec<Subject>,
    /// How many rounds were finished.
    pub rounds: usize,
    /// Why no more were, if that is no variant's fault: a set-up that failed, a program that could not be started.
    pub error: Option<anyhow::Error>,
}

/// Runs all variants; the first one a second time, as the last. Ends early if `interrupted`.
pub fn run(
    plan: &Plan,
    variants: &[Variant],
    extent: Extent,
    bar: &mut Bar,
    interrupted: &AtomicBool,
) -> Ran {
    let again =
        variants.first().map(|first| Variant { label: format!("{} again", first.label), ..first.clone() });
    let mut subjects: Vec<Subject> =
        variants.iter().cloned().chain(again).map(|variant| Subject::new(variant, extent.rounds)).collect();
    let steps = schedule(subjects.len(), extent.rounds, extent.warm_up, extent.seed);
    for (index, step) in steps.iter().enumerate() {
        let subject = &mut subjects[step.variant];
        let ran = if interrupted.load(Ordering::Relaxed) {
            Ok(false)
        } else if subject.is_given_up() {
            Ok(true)
        } else {
            bar.begin(&subject.variant.label, step.tapped, left(&steps[index..]));
            subject.run(plan, *step, interrupted)
        };
        if !matches!(ran, Ok(true)) {
            return Ran { subjects, rounds: finished(&steps[..index], &steps), error: ran.err() };
        }
        bar.end(step.tapped);
    }
    Ran { subjects, rounds: extent.rounds, error: None }
}

/// Rounds of which no run is missing in `done`.
fn finished(done: &[Step], all: &[Step]) -> usize {
    let open = all[done.len()..].iter().find_map(|step| step.round);
    open.unwrap_or_else(|| all.iter().filter_map(|step| step.round).max().map_or(0, |last| last + 1))
}

/// Runs still to be made: untapped and tapped.
fn left(steps: &[Step]) -> [u32; 2] {
    let tapped = steps.iter().filter(|step| step.tapped).count();
    [(steps.len() - tapped) as u32, tapped as u32]
}

impl Subject {
    fn new(variant: Variant, rounds: usize) -> Self {
        Self {
            variant,
            untapped: vec![None; rounds],
            tapped: vec![None; rounds],
            disproved: None,
            notes: Vec::new(),
            ends: Vec::new(),
        }
    }

    /// Makes one run; false if it was interrupted.
    fn run(&mut self, plan: &Plan, step: Step, interrupted: &AtomicBool) -> anyhow::Result<bool> {
        if step.tapped {
            let Variant { environment, library, .. } = &self.variant;
            let arguments =
                |report: &Path| tapped::arguments(report, environment, library.as_deref(), &plan.command);
            let Some((outcome, report)) = launch::tapped(plan, &self.variant, interrupted, arguments)? else {
                return Ok(false);
            };
            let run = tapped::read(&report, outcome)?;
            self.note(tapped::damage(&report).into_iter().collect());
            self.ends.push(run.outcome.clone());
            match proof::check(&self.variant, &run) {
                Ok(notes) => self.note(notes),
                // A program that died at its start has proved nothing, and that is told instead.
                Err(why) if health::is_well(&run.outcome) => self.disproved = Some(why),
                Err(_) => {}
            }
            if let Some(round) = step.round {
                self.tapped[round] = Some(run);
            }
        } else {
            let Some(run) = launch::untapped(plan, &self.variant, interrupted)? else { return Ok(false) };
            self.ends.push(run.outcome.clone());
            if let Err(why) = proof::check_untapped(&self.variant, &run)
                && health::is_well(&run.outcome)
            {
                self.disproved = Some(why);
            }
            if let Some(round) = step.round {
                self.untapped[round] = Some(run);
            }
        }
        Ok(true)
    }

    /// Ends of all runs that were made.
    pub fn ends(&self) -> impl Iterator<Item = &Outcome> {
        self.ends.iter()
    }

    fn note(&mut self, notes: Vec<String>) {
        for note in notes {
            if !self.notes.contains(&note) {
                self.notes.push(note);
            }
        }
    }

    /// Whether there is nothing to be learned from more runs.
    fn is_given_up(&self) -> bool {
        let fails = self.ends.iter().rev().take_while(|end| !health::is_well(end)).count();
        self.disproved.is_some() || fails >= PATIENCE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_that_were_interrupted_do_not_count() {
        let steps = schedule(3, 4, 1, 9);
        let of_warm_up = 3 + 3;
        assert_eq!(finished(&steps[..2], &steps), 0);
        assert_eq!(finished(&steps[..of_warm_up + 5], &steps), 0);
        assert_eq!(finished(&steps[..of_warm_up + 6], &steps), 1);
        assert_eq!(finished(&steps[..of_warm_up + 13], &steps), 2);
        assert_eq!(finished(&steps, &steps), 4);
        assert_eq!(left(&steps[of_warm_up..]), [12, 12]);
    }
}
