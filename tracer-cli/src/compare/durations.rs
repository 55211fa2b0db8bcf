//! Durations of calls, merged from several runs and classes.

use std::collections::BTreeMap;

/// How many calls took how long.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Durations {
    calls: BTreeMap<u64, u64>,
    count: u64,
}

impl Durations {
    /// Adds durations in nanoseconds, each with how many calls took so long.
    pub fn add(&mut self, durations: &[(u64, u64)]) {
        for &(ns, count) in durations {
            *self.calls.entry(ns).or_default() += count;
            self.count += count;
        }
    }

    /// Calls.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The least duration that `quantile` (0 to 1) of the calls did not exceed, in nanoseconds; None without calls.
    #[must_use]
    pub fn quantile(&self, quantile: f64) -> Option<u64> {
        let wanted = (quantile * self.count as f64).ceil().max(1.0) as u64;
        let mut seen = 0;
        self.calls.iter().find_map(|(&ns, &count)| {
            seen += count;
            (seen >= wanted).then_some(ns)
        })
    }

    /// The longest, in nanoseconds; None without calls.
    #[must_use]
    pub fn max(&self) -> Option<u64> {
        self.calls.last_key_value().map(|(&ns, _)| ns)
    }

    /// Ascending durations in nanoseconds, each with how many calls took so long.
    #[must_use]
    pub fn to_vec(&self) -> Vec<(u64, u64)> {
        self.calls.iter().map(|(&ns, &count)| (ns, count)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_of_all_calls_together() {
        let mut durations = Durations::default();
        assert_eq!((durations.quantile(0.5), durations.max()), (None, None));
        durations.add(&[(10, 50), (30, 1)]);
        durations.add(&[(10, 40), (20, 9)]);
        assert_eq!(durations.count(), 100);
        let at = |quantile| durations.quantile(quantile).unwrap();
        assert_eq!((at(0.0), at(0.5), at(0.9), at(0.901), at(0.99), at(0.999)), (10, 10, 10, 20, 20, 30));
        assert_eq!(durations.max(), Some(30));
        assert_eq!(durations.to_vec(), [(10, 90), (20, 9), (30, 1)]);
    }
}
