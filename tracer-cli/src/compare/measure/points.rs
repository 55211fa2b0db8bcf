//! Readings by time, and when the next one is due.

use std::time::Duration;

use crate::compare::run::MemoryPoint;

/// The most readings that are kept; if there are more, every second one goes, and they are made half as often.
const MOST: usize = 1024;
/// Time between the first readings.
const SHORTEST: Duration = Duration::from_millis(1);
/// CPU time that readings may take at the beginning beyond their share.
const ALLOWANCE: Duration = Duration::from_micros(500);
/// They take one part in so many of a CPU's time.
const SHARE: u32 = 100;

/// Readings, thinned.
#[derive(Debug)]
pub(super) struct Points {
    points: Vec<MemoryPoint>,
    period: Duration,
}

impl Default for Points {
    fn default() -> Self {
        Self { points: Vec::new(), period: SHORTEST }
    }
}

impl Points {
    /// Adds a reading.
    pub(super) fn push(&mut self, point: MemoryPoint) {
        if self.points.len() == MOST {
            let mut keep = false;
            self.points.retain(|_| {
                keep = !keep;
                keep
            });
            self.period *= 2;
        }
        self.points.push(point);
    }

    /// When the next reading is due, if the last one was at `last` and all have cost so much CPU time; times since
    /// the beginning.
    pub(super) fn next(&self, last: Duration, cost: Duration) -> Duration {
        (last + self.period).max(cost.saturating_sub(ALLOWANCE) * SHARE)
    }

    /// All that were kept.
    pub(super) fn into_points(self) -> Vec<MemoryPoint> {
        self.points
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Readings of a run that takes so long, each costing so much.
    fn run(length: Duration, each: Duration) -> (Vec<MemoryPoint>, Duration) {
        let mut points = Points::default();
        let (mut now, mut cost) = (Duration::ZERO, Duration::ZERO);
        while now < length {
            let point = MemoryPoint {
                at_ns: now.as_nanos() as u64,
                live_bytes: None,
                resident_bytes: 0,
                anonymous_bytes: 0,
            };
            points.push(point);
            cost += each;
            now = points.next(now, cost);
        }
        (points.into_points(), cost)
    }

    #[test]
    fn readings_are_frequent_at_first_and_even_in_the_end() {
        let micro = Duration::from_micros(1);
        assert_eq!(run(Duration::from_millis(50), micro).0.len(), 50);
        let (points, cost) = run(Duration::from_secs(100), micro);
        assert!((MOST / 2..=MOST).contains(&points.len()), "{}", points.len());
        let gaps: Vec<u64> = points.windows(2).map(|pair| pair[1].at_ns - pair[0].at_ns).collect();
        assert!(gaps[2..].iter().max().unwrap() <= &(2 * gaps[2..].iter().min().unwrap()), "{gaps:?}");
        assert!(cost < Duration::from_secs(1));
    }

    #[test]
    fn readings_that_cost_much_are_rare() {
        let (points, cost) = run(Duration::from_secs(10), Duration::from_millis(2));
        assert!((40..60).contains(&points.len()), "{}", points.len());
        assert!(cost <= Duration::from_millis(103), "{cost:?}");
    }
}
