//! By how much one series of rounds lies above another.

use super::confidence::{Confidence, Rounds};
use super::median::median;
use super::{Difference, Interval, Verdict};

/// Differences within rounds, summed up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Shift {
    pub(super) median: f64,
    pub(super) interval: Interval,
    /// The rounds suffice for the confidence that was asked for.
    pub(super) enough: bool,
}

impl Shift {
    /// Of `variant` from `others`, one or two series of the same thing. Rounds count in which the variant and one of the
    /// others have a figure; None if there are none.
    pub(super) fn between(
        variant: &[Option<f64>],
        others: &[&[Option<f64>]],
        confidence: &mut Confidence,
    ) -> Option<Self> {
        let mut rounds = Rounds::default();
        let mut differences = Vec::new();
        for (round, figure) in variant.iter().enumerate() {
            let Some(figure) = figure else { continue };
            let before = differences.len();
            let there = others.iter().filter_map(|other| *other.get(round)?);
            differences.extend(there.map(|other| figure - other));
            match differences.len() - before {
                0 => {}
                1 => rounds.single += 1,
                _ => rounds.double += 1,
            }
        }
        differences.sort_by(f64::total_cmp);
        let left_out = confidence.left_out(rounds);
        let least = left_out.unwrap_or(0);
        Some(Self {
            median: median(&differences)?,
            interval: Interval { low: differences[least], high: differences[differences.len() - 1 - least] },
            enough: left_out.is_some(),
        })
    }

    /// What is to be said of it, if differences up to `noise` are none.
    pub(super) fn verdict(&self, noise: f64) -> Verdict {
        match self.interval {
            _ if !self.enough => Verdict::TooFewRounds,
            _ if self.median.abs() <= noise => Verdict::NoDifference,
            Interval { high, .. } if high < 0.0 => Verdict::Lower,
            Interval { low, .. } if low > 0.0 => Verdict::Higher,
            _ => Verdict::NoDifference,
        }
    }

    /// For a reader, with parts of `scale` if that is not zero.
    pub(super) fn told(&self, noise: f64, scale: f64) -> Difference {
        let part = |figure: f64| (scale > 0.0).then(|| figure / scale);
        let Interval { low, high } = self.interval;
        Difference {
            median: self.median,
            interval: self.interval,
            relative: part(self.median),
            relative_interval: part(low).zip(part(high)).map(|(low, high)| Interval { low, high }),
            verdict: self.verdict(noise),
        }
    }
}
