//! `calltap compare`: which allocator, with which settings, for this program.
//!
//! ```text
//!  options     what to compare; variants: allocators times environments; found: where allocators are
//!  experiment  all runs in turn; schedule: which when; progress, interrupt
//!  launch      one run, tapped or not, from its set-up to its end; when, stop: of services
//!  measure     the process between us and an untapped program
//!  tapped      what `calltap run` says of a run
//!  proof       whether the variant's allocator served; health: whether the program was well
//!  run         what a run gave
//!  conclude    what all of them say: figures, calls (durations), machine
//!  result      that, as data; report: how it is told
//! ```

mod calls;
mod conclude;
mod descendants;
mod durations;
#[cfg(test)]
mod example;
mod experiment;
mod figures;
mod found;
mod health;
mod interrupt;
mod launch;
mod machine;
pub mod measure;
pub mod options;
mod progress;
mod proof;
mod report;
pub mod result;
pub(crate) mod run;
mod schedule;
pub mod stop;
pub(crate) mod tapped;
pub mod variants;
pub mod when;

use std::process::ExitCode;

use anyhow::Context;

use crate::preflight;
use experiment::{Extent, Ran};
use launch::Plan;
use options::Compare;
use progress::Bar;

/// Runs all variants and tells what they say; the exit status is 0 if there was something to tell.
///
/// # Errors
/// What keeps the program from being started, or the result from being written.
pub fn compare(options: &Compare) -> anyhow::Result<ExitCode> {
    let program = preflight::examine(&options.command[0], std::env::var_os("PATH").as_deref())?;
    for warning in &program.warnings {
        eprintln!("calltap: {warning}");
    }
    let variants = variants::expand(options)?;
    let outputs = report::open(options)?;
    let seed = options.seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
    let interrupted = interrupt::listen().context("cannot hold signals back")?;
    let extent = Extent { rounds: options.runs as usize, warm_up: options.warm_up as usize, seed };
    let runs = (variants.len() + 1) * (1 + extent.warm_up + 2 * extent.rounds);
    let mut bar = Bar::new(runs, options.quiet);
    let plan = Plan::from(options);
    let Ran { subjects, rounds, error } = experiment::run(&plan, &variants, extent, &mut bar, &interrupted);
    bar.clear();
    if rounds == 0 {
        let nothing = || anyhow::anyhow!("interrupted before a round was finished: there is nothing to tell");
        return Err(error.unwrap_or_else(nothing));
    }
    let mut compared = conclude::conclude(options, subjects, rounds, seed);
    compared.notes.extend(proof::own_allocator(&program.path));
    compared.notes.extend(plan.notes());
    report::write(outputs, &compared)?;
    error.map_or(Ok(ExitCode::SUCCESS), Err)
}
