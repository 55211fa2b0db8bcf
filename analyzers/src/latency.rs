//! How long the calls of each function took, and what they did in the kernel meanwhile.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BTreeMap;

use hdrhistogram::Histogram;

use crate::durations::Durations;
use crate::event::{Analyzer, Event, FunctionId};
use crate::kernel::{CallId, FunctionSplit, Made, SplitRow};

/// A call without a system call is slow if it took more than so many times the median of those...
const SLOW_TIMES: u64 = 10;

/// ...and longer than this.
const SLOW_NS: u64 = 1000;

/// Durations of 3 significant digits per function, in nanoseconds, without the time that stops of
/// system calls took.
///
/// Memory grows with the functions that were called and the spread of their durations, not with
/// the number of calls.
#[derive(Debug, Default)]
pub struct Latency {
    functions: Vec<Function>,
}

#[derive(Debug, Default)]
struct Function {
    /// Calls that were not seen to make a system call.
    alone: Calls,
    /// The others, by the first one.
    in_kernel: BTreeMap<CallId, InKernel>,
}

/// Calls of one kind.
#[derive(Clone, Debug, Default)]
pub(crate) struct Calls {
    count: u64,
    errors: u64,
    durations: Durations,
}

#[derive(Debug, Default)]
struct InKernel {
    calls: Calls,
    system_calls: u64,
    stopped_ns: u64,
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
    /// Takes a call into account, and what it made in the kernel.
    #[inline]
    pub fn observe_call(&mut self, event: &Event<'_>, made: Made) {
        let number = usize::from(event.function.0);
        if self.functions.len() <= number {
            self.functions.resize_with(number + 1, Function::default);
        }
        let function = &mut self.functions[number];
        match made.first {
            None => function.alone.observe(event, 0),
            Some(first) => function.observe_in_kernel(event, first, made),
        }
    }

    /// Adds everything `other` has seen.
    pub fn add(&mut self, other: &Self) {
        if self.functions.len() < other.functions.len() {
            self.functions.resize_with(other.functions.len(), Function::default);
        }
        for (mine, theirs) in self.functions.iter_mut().zip(&other.functions) {
            mine.add(theirs);
        }
    }

    /// One histogram for each function that was timed, by the function's number: values in
    /// nanoseconds, from 1 ns, 3 significant digits.
    #[must_use]
    pub fn histograms(&self) -> Vec<(FunctionId, Histogram<u64>)> {
        let all = self.called().map(|(function, calls)| (function, calls.all()));
        all.filter(|(_, calls)| calls.durations.count() > 0)
            .map(|(function, calls)| (function, calls.histogram()))
            .collect()
    }

    /// How the latency of each function that was called divides by what it did in the kernel.
    #[must_use]
    pub fn split(&self) -> Vec<FunctionSplit> {
        self.called().map(|(function, calls)| calls.split(function)).collect()
    }

    /// The calls of each function that were not seen to make a system call.
    pub(crate) fn without_system_call(&self) -> impl Iterator<Item = (FunctionId, &Calls)> {
        self.called().map(|(function, calls)| (function, &calls.alone)).filter(|(_, calls)| calls.count > 0)
    }

    fn called(&self) -> impl Iterator<Item = (FunctionId, &Function)> {
        let numbered = self.functions.iter().enumerate();
        numbered
            .filter(|(_, function)| function.alone.count > 0 || !function.in_kernel.is_empty())
            .map(|(number, function)| (FunctionId(number as u16), function))
    }
}

impl Analyzer for Latency {
    type Report = LatencyReport;

    /// Nothing is known of its system calls.
    #[inline]
    fn observe(&mut self, event: &Event<'_>) {
        self.observe_call(event, Made::NOTHING);
    }

    fn report(&self) -> LatencyReport {
        LatencyReport { rows: self.called().map(|(function, calls)| calls.all().row(function)).collect() }
    }
}

impl Function {
    #[cold]
    fn observe_in_kernel(&mut self, event: &Event<'_>, first: CallId, made: Made) {
        let like = self.in_kernel.entry(first).or_default();
        like.calls.observe(event, made.sums.stopped_ns);
        like.system_calls += made.sums.count;
        like.stopped_ns = like.stopped_ns.saturating_add(made.sums.stopped_ns);
    }

    fn add(&mut self, other: &Self) {
        self.alone.add(&other.alone);
        for (first, theirs) in &other.in_kernel {
            let mine = self.in_kernel.entry(*first).or_default();
            mine.calls.add(&theirs.calls);
            mine.system_calls += theirs.system_calls;
            mine.stopped_ns = mine.stopped_ns.saturating_add(theirs.stopped_ns);
        }
    }

    fn all(&self) -> Cow<'_, Calls> {
        let mut all = Cow::Borrowed(&self.alone);
        self.in_kernel.values().for_each(|others| all.to_mut().add(&others.calls));
        all
    }

    fn split(&self, function: FunctionId) -> FunctionSplit {
        let slow_above_ns = self.alone.durations.quantile(0.5).saturating_mul(SLOW_TIMES).max(SLOW_NS);
        let mut rows: Vec<SplitRow> = self
            .in_kernel
            .iter()
            .map(|(id, like)| like.calls.split_row(Some(*id), like.system_calls))
            .collect();
        rows.sort_by_key(|row| Reverse(row.count));
        let with_calls = rows.iter().map(|row| row.count).sum();
        rows.insert(0, self.alone.split_row(None, 0));
        FunctionSplit {
            function,
            calls: self.alone.count + with_calls,
            with_calls,
            stopped_ns: self.in_kernel.values().map(|like| like.stopped_ns).sum(),
            slow: self.alone.durations.above(slow_above_ns),
            slow_above_ns,
            rows,
        }
    }
}

impl Calls {
    #[inline]
    pub(crate) fn observe(&mut self, event: &Event<'_>, stopped_ns: u64) {
        let spent_ns = event.end_ns.saturating_sub(event.start_ns).saturating_sub(stopped_ns);
        self.count(event.errno, event.timed.then_some(spent_ns));
    }

    /// Counts one call; its duration is in nanoseconds.
    #[inline]
    pub(crate) fn count(&mut self, errno: u16, duration_ns: Option<u64>) {
        self.count += 1;
        if errno != 0 {
            self.errors += 1;
        }
        if let Some(duration_ns) = duration_ns {
            self.durations.record(duration_ns);
        }
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.errors += other.errors;
        self.durations.add(&other.durations);
    }

    pub(crate) const fn how_many(&self) -> u64 {
        self.count
    }

    /// Every duration that was seen, in nanoseconds, ascending, and how often.
    pub(crate) fn durations(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.durations.iter()
    }

    pub(crate) fn row(&self, function: FunctionId) -> LatencyRow {
        let durations = &self.durations;
        LatencyRow {
            function,
            count: self.count,
            timed: durations.count(),
            errors: self.errors,
            total_ns: durations.total_ns(),
            min_ns: durations.min_ns(),
            p50_ns: durations.quantile(0.5),
            p90_ns: durations.quantile(0.9),
            p99_ns: durations.quantile(0.99),
            p999_ns: durations.quantile(0.999),
            max_ns: durations.max_ns(),
        }
    }

    pub(crate) fn split_row(&self, id: Option<CallId>, system_calls: u64) -> SplitRow {
        let durations = &self.durations;
        SplitRow {
            id,
            count: self.count,
            errors: self.errors,
            timed: durations.count(),
            system_calls,
            total_ns: durations.total_ns(),
            min_ns: durations.min_ns(),
            p50_ns: durations.quantile(0.5),
            p99_ns: durations.quantile(0.99),
            max_ns: durations.max_ns(),
        }
    }

    fn histogram(&self) -> Histogram<u64> {
        // The longest duration a record can hold is far below the clamp.
        let highest = self.durations.max_ns().clamp(2, u64::MAX >> 2);
        let mut histogram =
            Histogram::new_with_bounds(1, highest, 3).expect("1 and 3 are in range, highest is 2 or more");
        for (value, count) in self.durations.iter() {
            histogram.saturating_record_n(value, count);
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
        errno: 0,
        site: 0,
        stack: 0,
        vfork_child: false,
        text: b"",
        used: None,
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
        latency.observe(&Event { timed: false, errno: 2, ..CALL });
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
