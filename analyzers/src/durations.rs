//! How long calls took.

use crate::counts::Counts;

/// Durations in nanoseconds, 3 significant digits; sum, shortest and longest are exact.
#[derive(Clone, Debug, Default)]
pub(crate) struct Durations {
    count: u64,
    total_ns: u64,
    min_ns: u64,
    max_ns: u64,
    counts: Counts<1024>,
}

impl Durations {
    #[inline]
    pub(crate) fn record(&mut self, nanoseconds: u64) {
        self.min_ns = if self.count == 0 { nanoseconds } else { self.min_ns.min(nanoseconds) };
        self.max_ns = self.max_ns.max(nanoseconds);
        self.count += 1;
        self.total_ns = self.total_ns.saturating_add(nanoseconds);
        self.counts.record(nanoseconds);
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.min_ns = match (self.count, other.count) {
            (_, 0) => self.min_ns,
            (0, _) => other.min_ns,
            _ => self.min_ns.min(other.min_ns),
        };
        self.max_ns = self.max_ns.max(other.max_ns);
        self.count += other.count;
        self.total_ns = self.total_ns.saturating_add(other.total_ns);
        self.counts.add(&other.counts);
    }

    /// How many there are; all figures are 0 if there are none.
    pub(crate) const fn count(&self) -> u64 {
        self.count
    }

    pub(crate) const fn total_ns(&self) -> u64 {
        self.total_ns
    }

    pub(crate) const fn min_ns(&self) -> u64 {
        self.min_ns
    }

    pub(crate) const fn max_ns(&self) -> u64 {
        self.max_ns
    }

    /// What `fraction` (0 to 1) of them do not exceed.
    pub(crate) fn quantile(&self, fraction: f64) -> u64 {
        // A bucket's end can lie above everything that was seen.
        self.counts.quantile(fraction).min(self.max_ns)
    }

    /// How many are longer than `nanoseconds`, as far as the buckets tell.
    pub(crate) fn above(&self, nanoseconds: u64) -> u64 {
        self.iter().filter(|(value, _)| *value > nanoseconds).map(|(_, count)| count).sum()
    }

    /// Every duration that was seen, ascending, and how often.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.counts.iter().map(|(value, count)| (value.min(self.max_ns), count))
    }
}
