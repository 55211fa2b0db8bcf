//! Places whose descriptors become more and more.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::Descriptors;
use super::number::Opened;
use super::trend::Trend;
use crate::event::FunctionId;
use crate::hash::SpreadMap;
use crate::place::Place;

/// Points of a series, at most: when there are so many, neighbours become one.
const POINTS: usize = 64;
/// The series is read at so many times, evenly spread.
const GRID: usize = 24;
/// With fewer open at one place, nothing is said to grow.
const LEAST_OPEN: u64 = 8;
/// Growth is told if it is chance with less than this probability.
const CHANCE: f64 = 0.001;

/// A place whose open descriptors become more and more.
///
/// The number of descriptors open from the place is read at 24 evenly spread times between its fourth
/// one and now. It grows if all of this holds:
///
/// * at least 8 are open;
/// * the Mann-Kendall test for a rising trend, with correction for ties, gives less than 0.1% for
///   chance (M. G. Kendall, Rank Correlation Methods, 1975; R. O. Gilbert, Statistical Methods for
///   Environmental Pollution Monitoring, 1987, section 16.4);
/// * it still grew in the last third of that time, so that a pool that was filled is none;
/// * of those that are open, each third of that time has brought at least a tenth, so that what is
///   replaced all the time (connections) is none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Growth {
    /// Opened from where; 0 if unknown.
    pub site: u64,
    /// Id of the call stack; 0 if none was taken.
    pub stack: u32,
    /// By which function.
    pub function: FunctionId,
    /// What most of those open are.
    pub kind: &'static str,
    /// How many are open.
    pub open: u64,
    /// How many were opened.
    pub opened: u64,
    /// Since when it is observed.
    pub first_ns: u64,
    /// Until when.
    pub last_ns: u64,
    /// How many more are open each second: the slope of the least-squares line.
    pub per_second: f64,
    /// How much of the variation that line explains: R squared, 0 to 1.
    pub fit: f64,
    /// One minus the probability that a count without trend rises so by chance; 0 to 1.
    pub confidence: f64,
}

/// How many descriptors were open when; in bounded memory, ever more coarsely.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    /// Points are at least so far apart.
    step_ns: u64,
    /// Since when, and how many were open when the next point began.
    points: Vec<(u64, u64)>,
}

impl Series {
    pub(crate) fn new(at_ns: u64, open: u64) -> Self {
        Self { step_ns: 1, points: vec![(at_ns, open)] }
    }

    /// From `at_ns` on so many are open. What comes late counts as come now.
    pub(crate) fn add(&mut self, at_ns: u64, open: u64) {
        let Some(last) = self.points.last_mut() else { return };
        if at_ns < last.0 + self.step_ns {
            last.1 = open;
            return;
        }
        if self.points.len() == POINTS {
            self.step_ns = self.step_ns.max((at_ns - self.points[0].0) / (POINTS as u64 / 2));
            let fine = std::mem::take(&mut self.points);
            for (at_ns, open) in fine {
                match self.points.last_mut() {
                    Some(last) if at_ns < last.0 + self.step_ns => last.1 = open,
                    _ => self.points.push((at_ns, open)),
                }
            }
            return self.add(at_ns, open);
        }
        self.points.push((at_ns, open));
    }

    fn first_ns(&self) -> u64 {
        self.points[0].0
    }

    /// The count at evenly spread times from the first point to `now_ns`.
    fn grid(&self, now_ns: u64) -> [f64; GRID] {
        let first = self.first_ns();
        let span = now_ns.saturating_sub(first);
        std::array::from_fn(|index| {
            let at_ns = first + (u128::from(span) * index as u128 / (GRID as u128 - 1)) as u64;
            let until = self.points.partition_point(|point| point.0 <= at_ns);
            self.points[until.max(1) - 1].1 as f64
        })
    }
}

impl Descriptors {
    /// Places whose open descriptors become more and more, as of `now_ns`: the fastest first.
    #[must_use]
    pub fn growing(&self, now_ns: u64) -> Vec<Growth> {
        let mut rising: SpreadMap<Place, (Growth, Vec<&Opened>)> = SpreadMap::default();
        for (place, tally) in &self.counters.places {
            let Some(series) = &tally.series else { continue };
            if tally.open < LEAST_OPEN {
                continue;
            }
            let (first_ns, grid) = (series.first_ns(), series.grid(now_ns));
            let trend = Trend::of(&grid);
            let still_grew = grid[GRID - 1] > grid[GRID * 2 / 3];
            if trend.chance >= CHANCE || trend.slope <= 0.0 || !still_grew {
                continue;
            }
            let step_s = now_ns.saturating_sub(first_ns) as f64 / 1e9 / (GRID - 1) as f64;
            let growth = Growth {
                site: place.site,
                stack: place.stack,
                function: place.function,
                open: tally.open,
                opened: tally.opened,
                first_ns,
                last_ns: now_ns,
                per_second: trend.slope / step_s,
                fit: trend.fit,
                confidence: 1.0 - trend.chance,
                ..Growth::default()
            };
            rising.insert(*place, (growth, Vec::new()));
        }
        if rising.is_empty() {
            return Vec::new();
        }
        for (_, opened) in self.open() {
            if let Some((_, survivors)) = rising.get_mut(&opened.place) {
                survivors.push(opened);
            }
        }
        let steady = rising.into_values().filter(|(growth, open)| is_steady(growth, open));
        let mut growing: Vec<_> =
            steady.map(|(growth, open)| Growth { kind: commonest(&open), ..growth }).collect();
        growing.sort_by(|one, other| {
            let faster = other.per_second.partial_cmp(&one.per_second).unwrap_or(Ordering::Equal);
            faster.then((one.site, one.stack, one.function).cmp(&(other.site, other.stack, other.function)))
        });
        growing
    }
}

/// Whether each third of the time has brought a tenth of what is open.
fn is_steady(growth: &Growth, open: &[&Opened]) -> bool {
    let third = ((growth.last_ns - growth.first_ns) / 3).max(1);
    let mut thirds = [0; 3];
    for opened in open {
        let index = opened.opened_ns.saturating_sub(growth.first_ns) / third;
        thirds[index.min(2) as usize] += 1;
    }
    thirds.into_iter().all(|count| count * 10 >= open.len())
}

fn commonest(open: &[&Opened]) -> &'static str {
    let mut counts: BTreeMap<&'static str, u64> = BTreeMap::new();
    for opened in open {
        *counts.entry(opened.descriptor.source.kind).or_default() += 1;
    }
    counts.into_iter().max_by_key(|(_, count)| *count).map_or("", |(kind, _)| kind)
}
