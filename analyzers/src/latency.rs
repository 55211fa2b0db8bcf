//! How long the calls of each function took.

use hdrhistogram::Histogram;

use crate::counts::Counts;
use crate::event::{Analyzer, Event, FunctionId};

/// Durations of 3 significant digits per function, in nanoseconds.
///
/// Memory grows with the functions that were called and the spread of their durations, not with
/// the number of calls.
#[derive(Debug, Default)]
pub struct Latency {
    functions: Vec<Timings>,
}

#[derive(Debug, Default)]
struct Timings {
    calls: u64,
    timed: u64,
    errors: u64,
    total_ns: u64,
    min_ns: u64,
    max_ns: u64,
    counts: Counts<1024>,
}

/// What was found about each function that was called, by its number.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LatencyReport {
    /// One row for each function called.
    pub rows: Vec<LatencyRow>,
}

/// The calls of one function. Durations are in nanoseconds and are 0 if no call was timed;
/// percentiles are at most one part in a thousand too high, below 2048 ns they are exact.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LatencyRow {
    /// Which function.
    pub function: FunctionId,
    /// How often it was called.
    pub count: u64,
    /// How many of the calls were timed; all figures below are about these.
    pub timed: u64,
    /// How many calls failed with an error number.
    pub errors: u64,
    /// Sum of all durations.
    pub total_ns: u64,
    /// The shortest, exact.
    pub min_ns: u64,
    /// Half of the calls took no longer.
    pub p50_ns: u64,
    /// 90% took no longer.
    pub p90_ns: u64,
    /// 99% took no longer.
    pub p99_ns: u64,
    /// 99.9% took no longer.
    pub p999_ns: u64,
    /// The longest, exact.
    pub max_ns: u64,
}

impl Latency {
    /// Adds everything `other` has seen.
    pub fn add(&mut self, other: &Self) {
        if self.functions.len() < other.functions.len() {
            self.functions.resize_with(other.functions.len(), Timings::default);
        }
        for (mine, theirs) in self.functions.iter_mut().zip(&other.functions) {
            mine.add(theirs);
        }
    }

    /// One histogram for each function that was timed, by the function's number: values in
    /// nanoseconds, from 1 ns, 3 significant digits.
    #[must_use]
    pub fn histograms(&self) -> Vec<(FunctionId, Histogram<u64>)> {
        let timed = self.functions.iter().enumerate().filter(|(_, timings)| timings.timed > 0);
        timed.map(|(number, timings)| (FunctionId(number as u16), timings.histogram())).collect()
    }
}

impl Analyzer for Latency {
    type Report = LatencyReport;

    #[inline]
    fn observe(&mut self, event: &Event<'_>) {
        let number = usize::from(event.function.0);
        if self.functions.len() <= number {
            self.functions.resize_with(number + 1, Timings::default);
        }
        let timings = &mut self.functions[number];
        timings.calls += 1;
        if event.errno != 0 {
            timings.errors += 1;
        }
        if event.timed {
            timings.record(event.end_ns.saturating_sub(event.start_ns));
        }
    }

    fn report(&self) -> LatencyReport {
        let called = self.functions.iter().enumerate().filter(|(_, timings)| timings.calls > 0);
        LatencyReport {
            rows: called.map(|(number, timings)| timings.row(FunctionId(number as u16))).collect(),
        }
    }
}

impl Timings {
    #[inline]
    fn record(&mut self, nanoseconds: u64) {
        self.min_ns = if self.timed == 0 { nanoseconds } else { self.min_ns.min(nanoseconds) };
        self.max_ns = self.max_ns.max(nanoseconds);
        self.timed += 1;
        self.total_ns = self.total_ns.saturating_add(nanoseconds);
        self.counts.record(nanoseconds);
    }

    fn add(&mut self, other: &Self) {
        self.min_ns = match (self.timed, other.timed) {
            (_, 0) => self.min_ns,
            (0, _) => other.min_ns,
            _ => self.min_ns.min(other.min_ns),
        };
        self.max_ns = self.max_ns.max(other.max_ns);
        self.calls += other.calls;
        self.timed += other.timed;
        self.errors += other.errors;
        self.total_ns = self.total_ns.saturating_add(other.total_ns);
        self.counts.add(&other.counts);
    }

    fn row(&self, function: FunctionId) -> LatencyRow {
        // A bucket's end can lie above everything that was seen.
        let at = |fraction| self.counts.quantile(fraction).min(self.max_ns);
        LatencyRow {
            function,
            count: self.calls,
            timed: self.timed,
            errors: self.errors,
            total_ns: self.total_ns,
            min_ns: self.min_ns,
            p50_ns: at(0.5),
            p90_ns: at(0.9),
            p99_ns: at(0.99),
            p999_ns: at(0.999),
            max_ns: self.max_ns,
        }
    }

    fn histogram(&self) -> Histogram<u64> {
        // The longest duration a record can hold is far below the clamp.
        let highest = self.max_ns.clamp(2, u64::MAX >> 2);
        let mut histogram =
            Histogram::new_with_bounds(1, highest, 3).expect("1 and 3 are in range, highest is 2 or more");
        for (value, count) in self.counts.iter() {
            histogram.saturating_record_n(value.min(self.max_ns), count);
        }
        histogram
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Action, Image, Thread};

    const CALL: Event<'static> = Event {
        image: Image(0),
        thread: Thread(1),
        function: FunctionId(7),
        start_ns: 1000,
        end_ns: 1000,
        timed: true,
        stopped_ns: 0,
        errno: 0,
        site: 0,
        stack: 0,
        vfork_child: false,
        action: Action::None,
    };

    fn taking(durations: impl IntoIterator<Item = u64>) -> Latency {
        let mut latency = Latency::default();
        durations.into_iter().for_each(|ns| latency.observe(&Event { end_ns: 1000 + ns, ..CALL }));
        latency
    }

    #[test]
    fn percentiles_below_two_microseconds_are_exact() {
        let row = taking(1..=1000).report().rows[0];
        assert_eq!(
            (row.min_ns, row.p50_ns, row.p90_ns, row.p99_ns, row.p999_ns, row.max_ns),
            (1, 500, 900, 990, 999, 1000)
        );
        assert_eq!((row.count, row.timed, row.total_ns), (1000, 1000, 500_500));
    }

    #[test]
    fn the_longest_call_is_exact_whatever_its_length() {
        let row = taking([5, 123_456_789]).report().rows[0];
        assert_eq!((row.min_ns, row.max_ns, row.p999_ns), (5, 123_456_789, 123_456_789));
    }

    #[test]
    fn an_untimed_call_is_counted_but_has_no_duration() {
        let mut latency = taking([40]);
        latency.observe(&Event { timed: false, stopped_ns: 0, errno: 2, ..CALL });
        let row = latency.report().rows[0];
        assert_eq!((row.count, row.timed, row.errors, row.min_ns), (2, 1, 1, 40));
        assert_eq!(latency.histograms()[0].1.len(), 1);
    }

    #[test]
    fn a_call_that_ends_before_it_began_took_no_time() {
        let mut latency = Latency::default();
        latency.observe(&Event { end_ns: 1, ..CALL });
        assert_eq!(latency.report().rows[0].max_ns, 0);
    }

    #[test]
    fn the_histogram_agrees_with_the_row() {
        let latency = taking((0..20_000).map(|n| n * n));
        let row = latency.report().rows[0];
        let (function, histogram) = &latency.histograms()[0];
        assert_eq!((*function, histogram.len()), (FunctionId(7), 20_000));
        for (quantile, value) in
            [(0.5, row.p50_ns), (0.9, row.p90_ns), (0.99, row.p99_ns), (0.999, row.p999_ns)]
        {
            assert_eq!(histogram.value_at_quantile(quantile), value);
        }
        assert!(histogram.equivalent(histogram.max(), row.max_ns));
    }

    #[test]
    fn two_images_added_are_one_that_saw_both() {
        let mut left = taking([10, 20_000]);
        left.add(&taking([3, 500]));
        let both = taking([3, 10, 500, 20_000]);
        assert_eq!(left.report(), both.report());
        assert_eq!(left.histograms(), both.histograms());
    }
}
