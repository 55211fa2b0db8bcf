//! What a JSON report's last look found.

use serde::Deserialize;

use crate::outcome::Outcome;
use crate::stack::Stack;

/// The last look at a process's memory.
#[derive(Debug, Deserialize)]
pub(super) struct Found {
    pub(super) not_decoded: Option<String>,
    pub(super) verdicts: Vec<Verdict>,
    pub(super) pins: Vec<Pin>,
    pub(super) advice: Vec<Advice>,
    pub(super) trim: Option<Trim>,
    pub(super) arenas: Vec<Arena>,
}

/// A reason why memory is held.
#[derive(Debug, Deserialize)]
pub(super) struct Verdict {
    pub(super) kind: String,
    pub(super) bytes: i64,
    pub(super) percent: f64,
    pub(super) culprits: Vec<Culprit>,
}

/// A place that is to blame.
#[derive(Debug, Deserialize)]
pub(super) struct Culprit {
    pub(super) blocks: i64,
    pub(super) bytes: i64,
    pub(super) own_bytes: i64,
    pub(super) bytes_per_second: Option<f64>,
    pub(super) stack: Stack,
}

/// A block that keeps free memory.
#[derive(Debug, Deserialize)]
pub(super) struct Pin {
    pub(super) kind: String,
    pub(super) block: i64,
    pub(super) bytes: Option<i64>,
    pub(super) pinned_bytes: i64,
    pub(super) stack: Stack,
}

/// What can be done.
#[derive(Debug, Deserialize)]
pub(super) struct Advice {
    pub(super) remedy: String,
    pub(super) command: Option<String>,
    pub(super) saves_bytes: i64,
    pub(super) culprit: Option<Culprit>,
}

/// What `malloc_trim(0)` would do.
#[derive(Debug, Deserialize)]
pub(super) struct Trim {
    pub(super) returned_bytes: i64,
}

/// One of glibc's arenas.
#[derive(Debug, Deserialize)]
pub(super) struct Arena {
    pub(super) address: i64,
    pub(super) is_main: bool,
    pub(super) live_bytes: i64,
    pub(super) threads: Vec<ThreadBytes>,
    pub(super) made_by_tid: Option<i64>,
}

/// What one thread's blocks need in an arena.
#[derive(Debug, Deserialize)]
pub(super) struct ThreadBytes {
    pub(super) tid: i64,
    pub(super) bytes: i64,
}

impl Found {
    /// In the only process that ran, whose chunks must have been read.
    pub(super) fn of(outcome: &Outcome) -> Self {
        let last = outcome.report().only_process().at("/arenas/last");
        let found = Self::deserialize(last).unwrap_or_else(|error| panic!("{error} in {last:#}"));
        assert_eq!(found.not_decoded, None, "{outcome}");
        found
    }

    /// A verdict, which must be there.
    pub(super) fn verdict(&self, kind: &str) -> &Verdict {
        let found = self.verdicts.iter().find(|verdict| verdict.kind == kind);
        found.unwrap_or_else(|| panic!("no verdict {kind}: {:?}", self.shares()))
    }

    /// The verdicts' figures: kind, bytes, share.
    pub(super) fn shares(&self) -> Vec<(&str, i64, f64)> {
        self.verdicts.iter().map(|verdict| (&*verdict.kind, verdict.bytes, verdict.percent)).collect()
    }

    /// Bytes of a verdict; 0 if it is not there.
    pub(super) fn bytes(&self, kind: &str) -> i64 {
        self.verdicts.iter().filter(|verdict| verdict.kind == kind).map(|verdict| verdict.bytes).sum()
    }

    /// The first piece of advice with this remedy, which must be there.
    pub(super) fn advice(&self, remedy: &str) -> &Advice {
        let found = self.advice.iter().find(|advice| advice.remedy == remedy);
        found.unwrap_or_else(|| panic!("no advice {remedy}: {:#?}", self.advice))
    }

    /// What `malloc_trim(0)` would return.
    pub(super) fn trim(&self) -> i64 {
        self.trim.as_ref().expect("chunks were read").returned_bytes
    }
}
