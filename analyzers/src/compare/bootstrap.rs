//! The bootstrap distribution of a median, without resampling.

use std::collections::BTreeMap;

use super::median::median;
use super::{Estimate, Interval};

/// Chance that the interval lies wholly above the median, and as much that it lies below.
const TAIL: f64 = 0.025;

/// Places are looked at up to so many standard deviations from the middle.
const DEVIATIONS: f64 = 8.0;

/// Neighbours in a resample are no further apart: the chance of g places between them is about e^-g.
const GAP: usize = 40;

/// Medians of resamples, by how many figures there are: chances depend on nothing else.
#[derive(Default)]
pub(super) struct Bootstrap {
    known: BTreeMap<usize, Vec<Middle>>,
}

/// The median of a resample is the mean of the figures at these two places of the sample.
#[derive(Clone, Copy, Debug)]
struct Middle {
    place: usize,
    next: usize,
    chance: f64,
}

impl Bootstrap {
    /// Median and interval of what the rounds gave; None if they gave nothing.
    pub(super) fn estimate(&mut self, rounds: &[Option<f64>]) -> Option<Estimate> {
        let mut figures: Vec<f64> = rounds.iter().copied().flatten().collect();
        figures.sort_by(f64::total_cmp);
        let interval = self.interval(&figures, TAIL);
        Some(Estimate { median: median(&figures)?, interval, rounds: figures.len() })
    }

    /// The percentile interval of the median of ascending figures: below and above it lie the medians of no more than
    /// that part of all resamples.
    pub(super) fn interval(&mut self, ascending: &[f64], tail: f64) -> Interval {
        let count = ascending.len();
        let middles = self.known.entry(count).or_insert_with(|| Resamples::of(count).middles());
        let median = |middle: &Middle| ascending[middle.place].midpoint(ascending[middle.next]);
        let mut medians: Vec<(f64, f64)> = middles.iter().map(|it| (median(it), it.chance)).collect();
        medians.sort_by(|one, other| one.0.total_cmp(&other.0));
        Interval { low: percentile(medians.iter(), tail), high: percentile(medians.iter().rev(), tail) }
    }
}

/// The first median with which the chances add to more than `tail`.
fn percentile<'a>(medians: impl Iterator<Item = &'a (f64, f64)>, tail: f64) -> f64 {
    let mut sum = 0.0;
    let mut last = f64::NAN;
    for (median, chance) in medians {
        sum += chance;
        last = *median;
        if sum > tail {
            break;
        }
    }
    last
}

/// All resamples of so many figures: as many draws with replacement.
struct Resamples {
    count: usize,
    /// Natural logarithm of k!, by k up to the count.
    log_factorials: Vec<f64>,
}

impl Resamples {
    fn of(count: usize) -> Self {
        let logs = (1..=count).scan(0.0, |sum, factor| {
            *sum += (factor as f64).ln();
            Some(*sum)
        });
        Self { count, log_factorials: std::iter::once(0.0).chain(logs).collect() }
    }

    /// Every median that a resample can have, with its chance.
    fn middles(&self) -> Vec<Middle> {
        let reach = (DEVIATIONS / 2.0 * (self.count as f64).sqrt()).ceil() as usize;
        let half = self.count / 2;
        let places = half.saturating_sub(reach)..(half + reach + 1).min(self.count);
        let mut middles = Vec::new();
        for place in places {
            let farthest = if self.count % 2 == 1 { place } else { (self.count - 1).min(place + GAP) };
            let apart = (place + 1..=farthest).map(|next| Middle {
                place,
                next,
                chance: self.neighbours(place, next),
            });
            let before = middles.len();
            middles.extend(apart);
            let elsewhere: f64 = middles[before..].iter().map(|middle| middle.chance).sum();
            let chance = (self.order_statistic(self.count.div_ceil(2), place) - elsewhere).max(0.0);
            middles.push(Middle { place, next: place, chance });
        }
        middles
    }

    /// The chance that the figure at `place` is the `rank`-th (from 1) of a resample.
    fn order_statistic(&self, rank: usize, place: usize) -> f64 {
        self.at_least(rank, place + 1) - self.at_least(rank, place)
    }

    /// The chance that `rank` draws or more are among the first `places` figures: a binomial tail.
    fn at_least(&self, rank: usize, places: usize) -> f64 {
        if places == 0 || places == self.count {
            return if places == 0 { 0.0 } else { 1.0 };
        }
        let share = places as f64 / self.count as f64;
        let (inside, outside) = (share.ln(), (1.0 - share).ln());
        let term = |draws: usize| {
            (self.log_choose(draws) + draws as f64 * inside + (self.count - draws) as f64 * outside).exp()
        };
        (rank..=self.count).map(term).sum()
    }

    /// The chance that the two middle figures of a resample of even size are those at `place` and, further up, `next`:
    /// half of the draws end at the one, the other half begins at the other.
    fn neighbours(&self, place: usize, next: usize) -> f64 {
        // Each factor holds the square root of the number of ways to divide the draws.
        let ending = self.half_within(place + 1) - self.half_within(place);
        let beginning = self.half_within(self.count - next) - self.half_within(self.count - next - 1);
        ending * beginning
    }

    /// (places / n) ^ (n / 2), times the square root of the number of ways to choose half of n.
    fn half_within(&self, places: usize) -> f64 {
        let half = self.count / 2;
        let share = places as f64 / self.count as f64;
        (half as f64 * share.ln() + self.log_choose(half) / 2.0).exp()
    }

    fn log_choose(&self, draws: usize) -> f64 {
        let logs = &self.log_factorials;
        logs[self.count] - logs[draws] - logs[self.count - draws]
    }
}
