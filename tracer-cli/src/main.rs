//! calltap: see every library call of a native program.

mod allocator;
mod allocators;
mod bind;
mod calibration;
mod cli;
mod compare;
mod damage;
mod elf_file;
mod environment;
mod exit_snapshot;
mod fail_on;
mod findings;
mod futex;
#[cfg(any(test, fuzzing))]
mod fuzz;
mod histogram_log;
mod library;
mod list;
mod looks;
mod memory_limit;
mod object_name;
mod origin;
mod output_file;
mod preflight;
mod progress;
mod prototype;
mod reader;
mod regular_file;
mod report;
mod residency;
mod run;
mod segment_file;
mod session;
mod signals;
mod sigpipe;
mod similar;
mod snapshot;
mod stack_files;
mod statm;
mod suppressions;
mod symbols;
mod system_calls;
mod trace;
mod tracer;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Verb};
use crate::preflight::PreflightError;

/// calltap itself failed.
const FAILED: u8 = 125;

fn main() -> ExitCode {
    #[cfg(fuzzing)]
    if let Some(status) = fuzz::libfuzzer::run() {
        return status;
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no failures; a closed stdout is none of ours.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(FAILED) } else { ExitCode::SUCCESS };
        }
    };
    let result = match cli.verb {
        _ if is_privileged() => Err(anyhow::anyhow!(PRIVILEGED)),
        Verb::Run(options) => run::run(&options),
        Verb::Snapshot(options) => snapshot::run(&options),
        Verb::Trace(options) => trace::run(&options),
        Verb::List(options) => list::run(&options),
        Verb::Compare(options) => compare::compare(&options),
        Verb::Measure(options) => compare::measure::run(&options),
    };
    result.unwrap_or_else(|error| ExitCode::from(tell(&error)))
}

/// Why nothing is done.
const PRIVILEGED: &str = "calltap itself has raised privileges (setuid, setgid or file capabilities), and would lend \
    them to every program and to whoever sets its environment\nhint: install it without them; use sudo for one run";

/// Whether we have more rights than who has started us.
fn is_privileged() -> bool {
    // SAFETY: no pointers; a value that the kernel did not give is 0.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

/// Says what went wrong, and gives the exit status that says so.
fn tell(error: &anyhow::Error) -> u8 {
    use std::io::Write;
    // If stderr is closed nobody can be told; the status still says it.
    let _ = writeln!(std::io::stderr(), "calltap: {}", told(error));
    let preflight = error.downcast_ref::<PreflightError>().map(PreflightError::status);
    let executed = error.downcast_ref::<session::NotExecuted>().map(session::NotExecuted::status);
    preflight.or(executed).unwrap_or(FAILED)
}

/// What failed and why, on one line; then the hints that came along, each on its own.
fn told(error: &anyhow::Error) -> String {
    let mut reasons = Vec::new();
    let mut hints = String::new();
    for cause in error.chain() {
        let text = cause.to_string();
        let (reason, hint) = text.split_once("\nhint: ").map_or((text.as_str(), None), |(r, h)| (r, Some(h)));
        reasons.push(reason.to_owned());
        if let Some(hint) = hint {
            hints += &format!("\nhint: {hint}");
        }
    }
    // A cause that its context already repeats says nothing new.
    reasons.dedup();
    reasons.join(": ") + &hints
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_come_last() {
        let error = anyhow::anyhow!("no space left").context("cannot write\nhint: make room");
        assert_eq!(told(&error), "cannot write: no space left\nhint: make room");
    }
}
