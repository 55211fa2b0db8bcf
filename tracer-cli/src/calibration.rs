//! From ticks of the segment's clock to nanoseconds of the session.

use std::time::Duration;

use calltap_channel::clock::{Clock, monotonic_ns};

/// A reading of both clocks, as nearly at one moment as can be.
#[derive(Clone, Copy, Debug)]
struct Pair {
    ticks: u64,
    ns: u64,
}

/// Two counters under comparison.
#[derive(Clone, Copy, Debug)]
pub struct Calibration {
    clock: Clock,
    begin: Pair,
}

/// The shortest time over which the rate is measured: at 60 ns of uncertainty, 30 in a million.
const BASELINE: Duration = Duration::from_millis(2);

impl Calibration {
    /// Begins a comparison; the session's time zero is now.
    #[must_use]
    pub fn begin(clock: Clock) -> Self {
        Self { clock, begin: read(clock) }
    }

    /// Ends it, waiting until the baseline is long enough, and gives the conversion.
    #[must_use]
    pub fn end(self) -> Scale {
        if self.clock == Clock::Monotonic {
            return Scale { zero: self.begin.ticks, factor: 1 << 32 };
        }
        loop {
            let end = read(self.clock);
            let elapsed = end.ns - self.begin.ns;
            if elapsed >= BASELINE.as_nanos() as u64 && end.ticks > self.begin.ticks {
                let ticks = u128::from(end.ticks - self.begin.ticks);
                let factor = (u128::from(elapsed) << 32) / ticks;
                return Scale { zero: self.begin.ticks, factor: factor as u64 };
            }
            std::thread::sleep(Duration::from_micros(200));
        }
    }
}

/// Reads the clocks until one reading was not interrupted: the tightest of a few.
fn read(clock: Clock) -> Pair {
    (0..8)
        .map(|_| {
            let before = clock.now();
            let ns = monotonic_ns();
            let after = clock.now();
            (after - before, Pair { ticks: before + (after - before) / 2, ns })
        })
        .min_by_key(|(width, _)| *width)
        .map(|(_, pair)| pair)
        .expect("eight readings were made")
}

/// 36 years. Stamps that anybody may have written are no later, so that nothing overflows where a few are added.
const LONGEST_NS: u64 = 1 << 60;

/// Converts ticks.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    zero: u64,
    /// Nanoseconds in a tick, times 2^32.
    factor: u64,
}

impl Scale {
    /// As two numbers, to be written down.
    #[must_use]
    pub fn parts(&self) -> [u64; 2] {
        [self.zero, self.factor]
    }

    /// Of two numbers that were written down.
    #[must_use]
    pub fn of_parts([zero, factor]: [u64; 2]) -> Self {
        Self { zero, factor }
    }

    /// Nanoseconds since the session began; 0 for what was before.
    #[inline]
    #[must_use]
    pub fn since_zero(&self, ticks: u64) -> u64 {
        self.length(ticks.saturating_sub(self.zero))
    }

    /// Length of a span of ticks, in nanoseconds; at most [`LONGEST_NS`].
    #[inline]
    #[must_use]
    pub fn length(&self, ticks: u64) -> u64 {
        (((u128::from(ticks) * u128::from(self.factor)) >> 32) as u64).min(LONGEST_NS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_of_ticks_is_a_second() {
        let clock = Clock::of_this_machine();
        let calibration = Calibration::begin(clock);
        let scale = calibration.end();
        let (ticks, ns) = (clock.now(), monotonic_ns());
        let measured = scale.since_zero(ticks) as i64 - (ns - calibration.begin.ns) as i64;
        assert!(measured.abs() < 20_000, "{measured} ns off within {BASELINE:?}");
        assert_eq!(Scale { zero: 7, factor: 1 << 32 }.since_zero(5), 0);
    }
}
