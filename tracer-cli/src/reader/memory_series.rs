//! How much memory all processes together have, read every so often while they run.

use std::fs;
use std::time::{Duration, Instant};

use super::Reader;
use crate::statm::Statm;

/// The most readings that are kept; if there are more, of every two the one with less resident memory goes.
const MOST: usize = 1024;
/// Ends of processes that follow each other faster have one reading.
const ENDS_APART: Duration = Duration::from_millis(1);

/// One reading.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryReading {
    /// When, in nanoseconds since the session began.
    pub at_ns: u64,
    /// Requested and not released, by the ledgers of those of them that are tapped.
    pub live_bytes: u64,
    /// In so many blocks.
    pub live_blocks: u64,
    /// Resident pages of each process; what processes share counts in each of them.
    pub resident_bytes: u64,
    /// Those of them that are neither of files nor of shared memory.
    pub anonymous_bytes: u64,
    /// Processes that were read.
    pub processes: u64,
}

/// Readings by time.
#[derive(Debug)]
pub struct MemorySeries {
    every: Duration,
    due: Instant,
    /// When the end of a process was the reason.
    last_end: Option<Instant>,
    readings: Vec<MemoryReading>,
}

impl MemorySeries {
    /// One reading in each period.
    #[must_use]
    pub fn new(every: Duration) -> Self {
        Self { every, due: Instant::now(), last_end: None, readings: Vec::new() }
    }

    /// What was read.
    #[must_use]
    pub fn into_readings(self) -> Vec<MemoryReading> {
        self.readings
    }

    /// Adds a reading made `now`. A period that has passed without one is not made up for.
    fn push(&mut self, now: Instant, reading: MemoryReading) {
        while self.due <= now {
            let late = now.duration_since(self.due).as_nanos() / self.every.as_nanos().max(1);
            self.due += self.every * u32::try_from(late + 1).unwrap_or(u32::MAX);
        }
        if self.readings.len() == MOST {
            let larger = |pair: &[MemoryReading]| {
                pair.iter().copied().max_by_key(|reading| reading.resident_bytes).unwrap_or_default()
            };
            self.readings = self.readings.chunks(2).map(larger).collect();
        }
        self.readings.push(reading);
    }
}

impl Reader {
    /// Reads the processes' memory if the time for it has come.
    pub(super) fn read_memory_if_due(&mut self) {
        let now = Instant::now();
        if self.memory.as_ref().is_some_and(|series| series.due <= now) {
            self.read_memory(now);
        }
    }

    /// Reads the processes' memory because one of them is about to end, and still has all of it.
    pub(super) fn read_memory_at_end(&mut self) {
        let now = Instant::now();
        let Some(series) = &mut self.memory else { return };
        if series.last_end.is_some_and(|last| now.duration_since(last) < ENDS_APART) {
            return;
        }
        series.last_end = Some(now);
        self.read_memory(now);
    }

    fn read_memory(&mut self, now: Instant) {
        let mut reading = MemoryReading::default();
        let session = self.feed.session();
        for process in self.processes.with_memory_of_their_own() {
            let Some(statm) = statm(process.pid) else { continue };
            if let Some(ledger) = process.ledger.and_then(|image| session.image(image)) {
                reading.live_bytes += ledger.heap().live_bytes();
                reading.live_blocks += ledger.heap().live_blocks();
            }
            reading.processes += 1;
            reading.resident_bytes += statm.resident_bytes();
            reading.anonymous_bytes += statm.anonymous_bytes();
        }
        // Before the first program, and after the last one, there is nothing to be read.
        if reading.processes == 0 {
            return;
        }
        reading.at_ns = self.scale.since_zero(self.clock.now());
        if let Some(series) = &mut self.memory {
            series.push(now, reading);
        }
    }
}

/// None if it has ended, or has given its memory up.
fn statm(pid: u32) -> Option<Statm> {
    Statm::parse(&fs::read_to_string(format!("/proc/{pid}/statm")).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_are_thinned_and_peaks_stay() {
        let every = Duration::from_millis(10);
        let mut series = MemorySeries::new(every);
        let began = series.due;
        for number in 0..5000_u32 {
            let resident_bytes = if number == 777 { 9 } else { 1 };
            let at_ns = u64::from(number);
            series
                .push(began + every * number, MemoryReading { at_ns, resident_bytes, ..Default::default() });
        }
        let readings = series.into_readings();
        assert!(readings.len() <= MOST && readings.len() > MOST / 2, "{}", readings.len());
        assert!(readings.is_sorted_by_key(|reading| reading.at_ns));
        assert_eq!(readings.last().map(|reading| reading.at_ns), Some(4999));
        let peaks: Vec<_> = readings.iter().filter(|reading| reading.resident_bytes == 9).collect();
        assert_eq!(peaks.iter().map(|reading| reading.at_ns).collect::<Vec<_>>(), [777]);
    }

    #[test]
    fn what_was_missed_is_not_made_up_for() {
        let every = Duration::from_millis(10);
        let mut series = MemorySeries::new(every);
        let began = series.due;
        series.push(began + every * 7 + every / 2, MemoryReading::default());
        assert_eq!(series.due, began + every * 8);
        series.push(began + every * 7 + every / 2, MemoryReading::default());
        assert_eq!(series.due, began + every * 8);
    }
}
