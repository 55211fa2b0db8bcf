//! Which variants have the least figure, as far as that can be told.

use super::confidence::Confidence;
use super::shift::Shift;
use super::{Difference, Estimate, Settings, Verdict};

/// All of them, and what is known of each already.
pub(super) struct Contest<'a> {
    pub(super) figures: &'a [Vec<Option<f64>>],
    pub(super) settings: &'a Settings,
    pub(super) estimates: &'a [Option<Estimate>],
    pub(super) differences: &'a [Option<Difference>],
    /// Differences up to this are none.
    pub(super) noise: f64,
}

impl Contest<'_> {
    /// Those that none with a lesser median is told to be less than, ascending by median.
    pub(super) fn leaders(&self, confidence: &mut Confidence) -> Vec<usize> {
        let median = |variant: usize| self.estimates[variant].map(|estimate| estimate.median);
        let mut field: Vec<(usize, f64)> = (0..self.figures.len())
            .filter(|variant| *variant != self.settings.again || *variant == self.settings.baseline)
            .filter_map(|variant| Some((variant, median(variant)?)))
            .collect();
        field.sort_by(|one, other| one.1.total_cmp(&other.1));
        let beaten = |place: usize, confidence: &mut Confidence| {
            field[..place].iter().any(|(less, _)| self.told_less(*less, field[place].0, confidence))
        };
        let leaders = (0..field.len()).filter(|place| !beaten(*place, confidence));
        leaders.map(|place| field[place].0).collect()
    }

    /// Whether `one` is told to be less than `other`.
    fn told_less(&self, one: usize, other: usize, confidence: &mut Confidence) -> bool {
        let told = |variant: usize, verdict| {
            self.differences[variant].is_some_and(|difference| difference.verdict == verdict)
        };
        if other == self.settings.baseline {
            return told(one, Verdict::Lower);
        }
        if one == self.settings.baseline {
            return told(other, Verdict::Higher);
        }
        let shift = Shift::between(&self.figures[one], &[&self.figures[other]], confidence);
        shift.is_some_and(|shift| shift.verdict(self.noise) == Verdict::Lower) || self.apart(one, other)
    }

    /// Whether the intervals against the baseline do not meet. They hold all at once, so no further comparison is made.
    fn apart(&self, one: usize, other: usize) -> bool {
        let against = |variant: usize| {
            self.differences[variant].filter(|difference| difference.verdict != Verdict::TooFewRounds)
        };
        against(one).zip(against(other)).is_some_and(|(one, other)| {
            one.interval.high < other.interval.low && other.median - one.median > self.noise
        })
    }
}
