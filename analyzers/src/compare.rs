//! Comparing variants of a program by figures that were measured in rounds.
//!
//! Every round runs each variant once and the baseline twice, in random order. What slows a whole round down slows all of
//! its runs, so differences are taken within rounds, and drift over rounds cancels out.
//!
//! **Estimates** are medians, with the 95% interval of the bootstrap's percentile method (Efron 1979). The bootstrap
//! distribution of a median has a closed form, so nothing is drawn at random: the interval is what infinitely many
//! resamples would give.
//!
//! **Differences** are not resampled: with ten rounds a bootstrap interval of a median is too narrow, and far too narrow
//! at the confidence that many comparisons ask for. Instead the interval is made of order statistics, as the sign
//! test's is (Thompson 1936). In each round a variant is subtracted from both runs of the baseline. If the variant is no
//! different, its place among these three runs is first, second or third with equal chance, whatever the noise's
//! distribution and whatever that round has in common. So how many of the 2n differences lie above the true one is a sum
//! of n draws out of {0, 1, 2}, whose distribution is computed exactly; and so many of the least and of the greatest
//! differences may be left out as that distribution allows. This is a sign test with two controls a round: the best
//! that n rounds can show is 2 * 3^-n instead of 2 * 2^-n. A round in which only one run of the baseline gave a figure
//! counts as in the sign test.
//!
//! The confidence is 1 - 0.05 / comparisons (Bonferroni), so it holds for all comparisons of a session together. What is
//! assumed beyond random order is that a variant that does not differ has the baseline's noise, too. In simulations of
//! 10 rounds and 21 comparisons one with the same median and the same noise was told to differ in 0.22% of cases (of
//! 0.24% allowed), with twice the noise in 0.55%, with ten times in 1.5%.
//!
//! A **verdict** further asks that the difference is larger than that between the baseline's two series.
//!
//! **Leaders** are those variants that no other is told to be less than. Two variants neither of which is the baseline
//! are told apart by the sign test's interval of their differences, or because their intervals against the baseline do
//! not meet.

mod bootstrap;
mod confidence;
mod leaders;
mod median;
mod shift;
#[cfg(test)]
mod tests;

use bootstrap::Bootstrap;
use confidence::Confidence;
use shift::Shift;

/// A figure of every variant: `[variant][round]`, None where a run gave none; infinities and NaN count as None. Less is
/// better.
pub type Figures = [Vec<Option<f64>>];

/// How to compare.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// What the others are compared with.
    pub baseline: usize,
    /// The baseline once more, under another name: what differs between these two is noise. The number of the baseline
    /// itself if it ran only once a round; then the sign test is all there is.
    pub again: usize,
    /// Comparisons made in all, of all figures that a verdict is wanted of: the intervals of differences are so much
    /// wider that all of them together hold with 95% confidence (Bonferroni). [`comparisons`] counts those of a figure.
    /// 0 is taken for 1.
    pub comparisons: u32,
}

/// From and to, both included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// A figure of one variant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The median of its rounds.
    pub median: f64,
    /// Where the median is with 95% confidence (bootstrap, percentile method). In truth that is 94% with 5 rounds and
    /// with 10, 93.5% with 20; fewer cannot give as much: 87.5% with 4, 75% with 3.
    pub interval: Interval,
    /// How many rounds gave a figure.
    pub rounds: usize,
}

/// What is to be said of a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Less than the baseline.
    Lower,
    /// More than the baseline.
    Higher,
    /// The interval has zero in it, or the difference is no larger than what the baseline differs from itself.
    NoDifference,
    /// Too few rounds to say anything at this confidence, whatever they show.
    TooFewRounds,
}

/// How one variant differs from another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    /// Median of the differences within rounds from both runs of the baseline, in the figure's own unit.
    pub median: f64,
    /// Where it is, with the confidence that [`Settings::comparisons`] asks for; the least and the greatest of all
    /// differences if the rounds are too few for that.
    pub interval: Interval,
    /// The median as part of the other's median: -0.1 is a tenth less. None if that is zero.
    pub relative: Option<f64>,
    /// The interval, likewise.
    pub relative_interval: Option<Interval>,
    /// What is to be said of it.
    pub verdict: Verdict,
}

/// A figure of all variants, compared.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// By variant; None if no run gave the figure.
    pub estimates: Vec<Option<Estimate>>,
    /// Against the baseline, by variant; None for the baseline itself and where a figure is missing. That of
    /// [`Settings::again`] is the noise.
    pub differences: Vec<Option<Difference>>,
    /// Variants that no other is told to be less than (never [`Settings::again`]), ascending by median.
    /// Empty if no variant has a figure. All of them if there is no significant difference.
    pub leaders: Vec<usize>,
}

/// How many comparisons of a figure are made for `variants`, the baseline's second series not counted among them: each
/// with each other, and the baseline with its second series.
#[must_use]
pub fn comparisons(variants: usize) -> u32 {
    let pairs = variants * variants.saturating_sub(1) / 2;
    u32::try_from(pairs + 1).unwrap_or(u32::MAX)
}

/// Compares all variants by one figure.
///
/// # Panics
/// If there is no variant of the number [`Settings::baseline`] or [`Settings::again`].
#[must_use]
pub fn compare(figures: &Figures, settings: &Settings) -> Comparison {
    let figures: Vec<Vec<Option<f64>>> = figures.iter().map(|rounds| finite(rounds)).collect();
    let mut bootstrap = Bootstrap::default();
    let estimates: Vec<_> = figures.iter().map(|rounds| bootstrap.estimate(rounds)).collect();
    let mut confidence = Confidence::new(settings.comparisons);
    let (baseline, again) = (&figures[settings.baseline], &figures[settings.again]);
    let baselines: &[&[_]] =
        if settings.again == settings.baseline { &[baseline] } else { &[baseline, again] };
    let noise = Shift::between(again, &[baseline], &mut confidence);
    let noise_median = noise.as_ref().map_or(0.0, |shift| shift.median.abs());
    let shifts: Vec<Option<Shift>> = (0..figures.len())
        .map(|variant| match variant {
            same if same == settings.baseline => None,
            same if same == settings.again => noise,
            other => Shift::between(&figures[other], baselines, &mut confidence),
        })
        .collect();
    let scale = estimates[settings.baseline].map_or(0.0, |estimate| estimate.median.abs());
    let differences = shifts.iter().enumerate().map(|(variant, shift)| {
        let least = if variant == settings.again { 0.0 } else { noise_median };
        shift.as_ref().map(|shift| shift.told(least, scale))
    });
    let differences: Vec<_> = differences.collect();
    let leaders = leaders::Contest {
        figures: &figures,
        settings,
        estimates: &estimates,
        differences: &differences,
        noise: noise_median,
    }
    .leaders(&mut confidence);
    Comparison { estimates, differences, leaders }
}

fn finite(rounds: &[Option<f64>]) -> Vec<Option<f64>> {
    rounds.iter().map(|figure| figure.filter(|figure| figure.is_finite())).collect()
}
