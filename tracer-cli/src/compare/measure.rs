//! `calltap __measure`: the process between the CLI and an untapped program, as `/usr/bin/time` is.
//!
//! It is executed afresh for every run and forks with little memory, because a forked child's peak begins with what
//! its parent had. It writes one [`Measured`] to a file and nothing to stdout and stderr, which are the program's.

mod memory;
mod points;
mod program;
mod usage;

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::builder::{OsStringValueParser, TypedValueParser};
use crossbeam_channel::unbounded;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use crate::compare::descendants;
use crate::compare::run::{Ending, MemoryPoint};
use crate::environment::Change;
use crate::signals;

/// Options of the process.
#[derive(Debug, clap::Args)]
pub struct Measure {
    /// Where the figures are written.
    #[arg(long)]
    pub output: PathBuf,
    /// What is changed in the program's environment.
    #[arg(short = 'E', long, value_parser = OsStringValueParser::new().try_map(Change::parse))]
    pub env: Vec<Change>,
    /// A library that comes before all others in the program's LD_PRELOAD.
    #[arg(long)]
    pub preload: Option<PathBuf>,
    /// The program and its arguments.
    #[arg(required = true, last = true)]
    pub command: Vec<OsString>,
}

/// What became of the program.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measured {
    /// The kernel refused to execute it.
    NotExecuted {
        /// Its reason.
        errno: i32,
    },
    /// It has ended.
    Ended(Box<Figures>),
}

/// What was measured. Fields without a word are [`crate::compare::run::Untapped`]'s.
#[derive(Debug, Serialize, Deserialize)]
#[allow(missing_docs, reason = "see above")]
pub struct Figures {
    /// [`Ending::Exited`] or [`Ending::Killed`].
    pub ending: Ending,
    pub wall_ns: u64,
    /// Of the program, what it has waited for, and orphans of its that ended before it.
    pub usage: usage::Usage,
    pub memory: Vec<MemoryPoint>,
    pub last_reading_ns: Option<u64>,
    /// Lines of `/proc/PID/maps`: code of each file that was seen in any of its processes, once.
    pub mapped: Vec<String>,
    /// Names of processes that it left running; their figures are not among these.
    pub left_running: Vec<String>,
}

/// Runs the program to its end.
///
/// # Errors
/// If there is no process to be had or the figures cannot be written.
pub fn run(options: &Measure) -> anyhow::Result<ExitCode> {
    signals::hold().context("cannot hold signals back")?;
    // What the program leaves behind is waited for here, and so counted, if it ends in time.
    nix::sys::prctl::set_child_subreaper(true).context("cannot adopt orphans")?;
    let environment = program::environment(&options.env, options.preload.as_deref())?;
    let measured = match program::start(&options.command, &environment)? {
        Ok(started) => Measured::Ended(Box::new(watch(&started)?)),
        Err(errno) => Measured::NotExecuted { errno },
    };
    let shown = options.output.display();
    let file = File::create(&options.output).with_context(|| format!("cannot write {shown}"))?;
    serde_json::to_writer(file, &measured).with_context(|| format!("cannot write {shown}"))?;
    Ok(ExitCode::SUCCESS)
}

/// Watches it to its end.
fn watch(started: &program::Started) -> anyhow::Result<Figures> {
    hand_signals_on(started.pid);
    let sampler = memory::Sampler::start(started.began);
    let ended = usage::wait_for(started.pid);
    let memory::Readings { mut points, mapped } = sampler.finish();
    let ended = ended.context("cannot wait for the program")?;
    let wall_ns = nanoseconds(ended.at.duration_since(started.began));
    // A last one may have been made of what was left running.
    points.retain(|point| point.at_ns <= wall_ns);
    Ok(Figures {
        ending: ended.ending,
        wall_ns,
        usage: ended.usage,
        last_reading_ns: points.last().map(|last| wall_ns - last.at_ns),
        memory: points,
        mapped,
        left_running: left_running(),
    })
}

/// A terminal's signals reach the program without us, and must not end us; what is sent to us alone is meant for it.
fn hand_signals_on(root: Pid) {
    let (tell, arrived) = unbounded();
    signals::listen(tell);
    std::thread::spawn(move || {
        for signal in arrived.iter().filter(|signal: &signals::Arrived| signal.sent) {
            // It may have ended just now.
            let _ = kill(root, signal.signal);
        }
    });
}

fn left_running() -> Vec<String> {
    let left = descendants::of(std::process::id());
    let left = left.iter().filter(|process| descendants::is_alive(process.pid));
    left.map(|process| {
        let name = fs::read(format!("/proc/{}/comm", process.pid)).unwrap_or_default();
        String::from_utf8_lossy(&name).trim_end().to_owned()
    })
    .collect()
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
