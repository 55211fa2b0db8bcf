//! Runs for tests.

use std::collections::BTreeMap;

use crate::compare::run::{Ending, Outcome, Tapped, Untapped};

/// A program that ended well and wrote nothing.
pub fn outcome() -> Outcome {
    Outcome {
        ending: Ending::Exited(0),
        stdout_crc32: 0,
        stdout_bytes: 0,
        stderr_tail: String::new(),
        ready_ns: None,
        load: None,
    }
}

/// A run of a millisecond.
pub fn untapped() -> Untapped {
    Untapped {
        outcome: outcome(),
        wall_ns: 1_000_000,
        user_ns: 600_000,
        system_ns: 300_000,
        peak_rss_bytes: 2 << 20,
        minor_faults: 100,
        major_faults: 0,
        voluntary_switches: 1,
        involuntary_switches: 0,
        memory: Vec::new(),
        last_reading_ns: None,
        mapped_allocators: Vec::new(),
    }
}

/// A run that allocated nothing.
pub fn tapped() -> Tapped {
    Tapped {
        outcome: outcome(),
        calls: Vec::new(),
        memory_calls: BTreeMap::new(),
        arenas: None,
        retained_bytes: None,
        fragmentation_bytes: None,
        peak_live_bytes: 0,
        memory: Vec::new(),
        served: Vec::new(),
        lost_records: 0,
    }
}
