//! What is left of a run.

use std::process::ExitStatus;

use crate::compare::run::{Ending, Load, Outcome};

/// The end of a run.
#[derive(Debug)]
pub(super) struct End {
    /// Of our process above the program.
    pub(super) status: ExitStatus,
    /// How it came to its end, if that was our doing.
    pub(super) by_us: Option<Ending>,
    pub(super) stdout_crc32: u32,
    pub(super) stdout_bytes: u64,
    pub(super) stderr_tail: String,
    pub(super) ready_ns: Option<u64>,
    pub(super) load: Option<Load>,
}

impl End {
    /// With how the program ended, if we had no part in it.
    pub(super) fn outcome(self, ending: Ending) -> Outcome {
        Outcome {
            ending: self.by_us.unwrap_or(ending),
            stdout_crc32: self.stdout_crc32,
            stdout_bytes: self.stdout_bytes,
            stderr_tail: self.stderr_tail,
            ready_ns: self.ready_ns,
            load: self.load,
        }
    }
}
