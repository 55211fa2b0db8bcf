//! What each run consists of.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::allocators::Allocators;
use crate::compare::options::Compare;
use crate::compare::when::When;
use crate::exit_snapshot::maps;

/// What each run consists of.
#[derive(Debug, Default)]
pub struct Plan {
    /// The program and its arguments.
    pub command: Vec<OsString>,
    /// A shell command before it.
    pub setup: Option<String>,
    /// A shell command after it, whatever became of it.
    pub teardown: Option<String>,
    /// When a service is ready; None: it is a program that ends by itself.
    pub until: Option<When>,
    /// A shell command that works the service.
    pub load: Option<String>,
    /// What stops a service; None: SIGTERM.
    pub stop: Option<Signal>,
    /// The longest time from its start to its end.
    pub time_limit: Option<Duration>,
    /// What it reads as its standard input; None: nothing.
    pub input: Option<PathBuf>,
    pub(super) seen: Seen,
}

/// What is learnt from run to run.
#[derive(Debug, Default)]
pub(super) struct Seen {
    notes: Mutex<BTreeSet<String>>,
    allocators: Mutex<Allocators>,
}

impl From<&Compare> for Plan {
    fn from(options: &Compare) -> Self {
        Self {
            command: options.command.clone(),
            setup: options.setup.clone(),
            teardown: options.teardown.clone(),
            until: options.until.clone(),
            load: options.load.clone(),
            stop: Some(options.stop),
            time_limit: options.time_limit,
            input: options.input.clone(),
            seen: Seen::default(),
        }
    }
}

impl Plan {
    /// What a reader of the result must know of the runs that were made, each once: teardowns that failed, programs
    /// that left processes running.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        self.seen.notes.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// Adds one of these.
    pub(super) fn note(&self, text: String) {
        self.seen.notes.lock().unwrap_or_else(PoisonError::into_inner).insert(text);
    }

    /// Paths of the files among these, given as lines of `/proc/PID/maps`, that define an allocator.
    pub(super) fn allocators(&self, mapped: &[String]) -> Vec<String> {
        let mapped = maps::parse(mapped.join("\n").as_bytes());
        let mut allocators = self.seen.allocators.lock().unwrap_or_else(PoisonError::into_inner);
        allocators.loaded(&mapped, None).into_iter().map(|allocator| allocator.object).collect()
    }
}
