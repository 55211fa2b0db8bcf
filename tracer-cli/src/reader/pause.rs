//! How long the reader rests between rounds.
//!
//! A reader that looks all the time takes the producer's cache lines away (2 to 20 times slower
//! pushes); one that looks too late lets rings fill. So it rests for as long as the fullest ring
//! needs to fill to a quarter at the rate just seen, but not longer than it has been there: what a short program's start
//! leads to is done while that goes on, not when it ends and everybody waits.

use std::sync::atomic::AtomicU32;
use std::time::{Duration, Instant};

/// The longest rest.
const LONGEST: Duration = Duration::from_millis(4);
/// Rests below this are not worth a system call.
const SHORTEST: Duration = Duration::from_micros(60);

/// The pacing of rounds.
#[derive(Debug)]
pub struct Pause {
    quarter: u64,
    /// When it began to pause.
    since: Instant,
    /// When the last round began, and the one before it.
    began: [Instant; 2],
    idle: Duration,
}

impl Pause {
    /// For rings of `capacity` words.
    #[must_use]
    pub fn new(capacity: u64) -> Self {
        let now = Instant::now();
        Self { quarter: capacity / 4, since: now, began: [now; 2], idle: SHORTEST }
    }

    /// A round begins.
    pub fn round_begins(&mut self) {
        self.began = [Instant::now(), self.began[0]];
    }

    /// Rests after a round that took `most` words from the fullest ring. Whoever changes `bell`
    /// from `heard` ends the rest.
    pub fn after(&mut self, most: u64, bell: &AtomicU32, heard: u32) {
        // What was taken came in between the beginnings of two rounds; since then more has come.
        let between = (self.began[0] - self.began[1]).as_nanos() as u64;
        let rest = match between.saturating_mul(self.quarter).checked_div(most) {
            Some(to_quarter) => {
                self.idle = SHORTEST;
                Duration::from_nanos(to_quarter).saturating_sub(self.began[0].elapsed()).min(LONGEST)
            }
            None => {
                self.idle = (self.idle * 2).min(LONGEST);
                self.idle
            }
        };
        let rest = rest.min(self.since.elapsed().max(SHORTEST));
        if rest >= SHORTEST {
            crate::futex::wait(bell, heard, rest);
        }
    }
}
