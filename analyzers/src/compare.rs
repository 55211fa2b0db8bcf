//! Comparing variants of a program by figures that were measured in rounds.
//!
//! Every round runs each variant once, so differences are taken within rounds: what slows a whole round down slows all
//! of its runs.

/// A figure of every variant: `[variant][round]`, None where a run gave none. Less is better.
pub type Figures = [Vec<Option<f64>>];

/// How to compare.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// What the others are compared with.
    pub baseline: usize,
    /// The baseline once more, under another name: what differs between these two is noise.
    pub again: usize,
    /// What resampling begins with.
    pub seed: u64,
    /// Comparisons made in all, of all figures that a verdict is wanted of: the intervals of differences are so much
    /// wider that all of them together hold with 95% confidence (Bonferroni).
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
    /// Where the median is with 95% confidence (bootstrap, percentile method).
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
    /// Median of the differences within rounds, in the figure's own unit.
    pub median: f64,
    /// Where it is, with the confidence that [`Settings::comparisons`] asks for.
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
    /// Variants with the least figure (never [`Settings::again`]): the one with the least median first, then those that cannot be told from it.
    /// Empty if no variant has a figure. All of them if there is no significant difference.
    pub leaders: Vec<usize>,
}
