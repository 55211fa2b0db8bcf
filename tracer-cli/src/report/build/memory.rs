//! Memory over time.

use crate::reader::MemoryReading;
use crate::report::model::MemoryPoint;

pub(super) fn over_time(readings: Vec<MemoryReading>) -> Vec<MemoryPoint> {
    readings
        .into_iter()
        .map(|reading| MemoryPoint {
            at_ns: reading.at_ns,
            live_bytes: reading.live_bytes,
            live_blocks: reading.live_blocks,
            resident_bytes: reading.resident_bytes,
            anonymous_bytes: reading.anonymous_bytes,
            processes: reading.processes,
        })
        .collect()
}
