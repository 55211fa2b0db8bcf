//! When a thread was stopped, and what that took.

use std::ops::{AddAssign, Sub};

use super::{CallId, SystemCall};

/// So many stops of a thread are remembered at most. Beyond that some are forgotten, the rarer the
/// younger they are, so that an enclosing call misses at most one part in [`PRECISION`] of those in it.
const REMEMBERED: usize = 4096;

/// See [`REMEMBERED`].
const PRECISION: u64 = 128;

/// The system calls that were seen inside a library call, those of calls inside it too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Made {
    /// The first of them.
    pub first: Option<CallId>,
    /// What they add up to.
    pub sums: Sums,
}

impl Made {
    /// None was seen.
    pub const NOTHING: Self =
        Self { first: None, sums: Sums { count: 0, failed: 0, named: 0, closes: 0, stopped_ns: 0 } };
}

/// What some system calls add up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// How many.
    pub count: u64,
    /// Those that failed.
    pub failed: u64,
    /// Those that named a path or a peer.
    pub named: u64,
    /// Those that closed one descriptor.
    pub closes: u64,
    /// How much time their stops took, in nanoseconds.
    pub stopped_ns: u64,
}

impl Sums {
    /// Those of one call.
    #[must_use]
    pub fn of(call: &SystemCall<'_>) -> Self {
        Self {
            count: 1,
            failed: u64::from(call.errno() != 0),
            named: u64::from(!call.subject().is_empty()),
            closes: u64::from(call.closes()),
            stopped_ns: call.stopped_ns,
        }
    }
}

impl AddAssign for Sums {
    fn add_assign(&mut self, other: Self) {
        self.count += other.count;
        self.failed += other.failed;
        self.named += other.named;
        self.closes += other.closes;
        self.stopped_ns = self.stopped_ns.saturating_add(other.stopped_ns);
    }
}

impl Sub for Sums {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self {
            count: self.count - earlier.count,
            failed: self.failed - earlier.failed,
            named: self.named - earlier.named,
            closes: self.closes - earlier.closes,
            stopped_ns: self.stopped_ns - earlier.stopped_ns,
        }
    }
}

/// The stops of a thread in the order of time.
#[derive(Clone, Debug, Default)]
pub(super) struct Stops {
    stops: Vec<Stop>,
    total: Sums,
}

#[derive(Clone, Copy, Debug)]
struct Stop {
    start_ns: u64,
    id: CallId,
    /// Of all before it.
    before: Sums,
}

impl Stops {
    pub(super) fn push(&mut self, call: &SystemCall<'_>) {
        if self.stops.len() >= REMEMBERED {
            self.thin_out();
        }
        // What is no order in time cannot be one thread's doing; it must not spoil the search.
        let start_ns = self.stops.last().map_or(call.start_ns, |last| last.start_ns.max(call.start_ns));
        self.stops.push(Stop { start_ns, id: call.id, before: self.total });
        self.total += Sums::of(call);
    }

    /// Those that began between `start_ns` and `end_ns`. A thread does one thing at a time: they
    /// ended there, too.
    pub(super) fn inside(&self, start_ns: u64, end_ns: u64) -> Made {
        let from = self.stops.partition_point(|stop| stop.start_ns < start_ns);
        let to = self.stops.partition_point(|stop| stop.start_ns <= end_ns);
        let Some(first) = self.stops.get(from).filter(|_| from < to) else { return Made::NOTHING };
        let until = self.stops.get(to).map_or(self.total, |next| next.before);
        Made { first: Some(first.id), sums: until - first.before }
    }

    /// Adds what came after.
    pub(super) fn append(&mut self, later: &Self) {
        for stop in &later.stops {
            let mut before = self.total;
            before += stop.before;
            let start_ns = self.stops.last().map_or(stop.start_ns, |last| last.start_ns.max(stop.start_ns));
            self.stops.push(Stop { start_ns, before, ..*stop });
        }
        self.total += later.total;
    }

    /// Forgets a stop if those around it are not too far apart for their age.
    fn thin_out(&mut self) {
        let age = |stop: &Stop| self.total.count - stop.before.count;
        let mut kept: Vec<Stop> = self.stops.last().copied().into_iter().collect();
        let mut youngest = 0;
        for pair in self.stops.windows(2).rev() {
            if age(&pair[0]) - youngest > age(&pair[0]) / PRECISION {
                youngest = age(&pair[1]);
                kept.push(pair[1]);
            }
        }
        kept.extend(self.stops.first());
        kept.reverse();
        self.stops = kept;
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::call;
    use super::*;

    #[test]
    fn a_call_around_more_stops_than_are_remembered_has_nearly_all_their_time() {
        let mut stops = Stops::default();
        (0..100_000).for_each(|n| stops.push(&SystemCall { stopped_ns: 7, ..call(12, 10 * n, 10 * n + 5) }));
        assert!(stops.stops.len() <= REMEMBERED);
        for began in [1, 50_000, 500_005, 999_001] {
            let truth = 100_000 - u64::div_ceil(began, 10);
            let found = stops.inside(began, u64::MAX).sums;
            assert!(found.count <= truth && truth - found.count <= truth / PRECISION, "{found:?} of {truth}");
            assert_eq!(found.stopped_ns, 7 * found.count);
        }
    }

    #[test]
    fn stops_out_of_order_do_not_spoil_the_search() {
        let mut stops = Stops::default();
        [50, 20, 60].iter().for_each(|at| stops.push(&call(9, *at, at + 1)));
        assert_eq!(stops.inside(40, 100).sums.count, 3);
    }
}
