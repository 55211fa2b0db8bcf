//! calltap: see every library call of a native program.

mod calibration;
mod cli;
mod exit_snapshot;
mod fail_on;
mod findings;
mod futex;
mod histogram_log;
mod library;
mod origin;
mod preflight;
mod progress;
mod reader;
mod report;
mod run;
mod segment_file;
mod signals;
mod sigpipe;
mod tracer;

use std::fs::File;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;

use crate::cli::{Cli, Tracer, Verb};
use crate::preflight::PreflightError;

/// calltap itself failed.
const FAILED: u8 = 125;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no failures; a closed stdout is none of ours.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(FAILED) } else { ExitCode::SUCCESS };
        }
    };
    let result = match cli.verb {
        Verb::Run(options) => run::run(&options),
        Verb::Tracer(options) => trace(options),
    };
    result.unwrap_or_else(|error| {
        use std::io::Write;
        // If stderr is closed nobody can be told; the status still says it.
        let _ = writeln!(std::io::stderr(), "calltap: {error:#}");
        let preflight = error.downcast_ref::<PreflightError>().map(PreflightError::status);
        let executed = error.downcast_ref::<run::NotExecuted>().map(run::NotExecuted::status);
        ExitCode::from(preflight.or(executed).unwrap_or(FAILED))
    })
}

fn trace(options: Tracer) -> anyhow::Result<ExitCode> {
    let segment = File::options()
        .read(true)
        .write(true)
        .open(&options.segment)
        .with_context(|| format!("cannot open the segment {}", options.segment.display()))?;
    tracer::main(tracer::Spec {
        segment_fd: segment.into(),
        library: options.library,
        segment_path: options.segment,
        follow: !options.no_follow,
        program: options.program,
        command: options.command,
    })
}
