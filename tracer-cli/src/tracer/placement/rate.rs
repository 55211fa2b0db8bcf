//! How often threads stop, and what that speaks for.

use crate::tracer::tracees::Id;

/// Stops of one thread in a row before it is pinned: an entry and an end for each call.
pub(super) const ENOUGH: u32 = 16;
/// They are no further apart, in nanoseconds: a pinned stop saves some tens of microseconds.
const CLOSE_NS: u64 = 200_000;
/// Stops of other threads in a row after which it is let go.
const STRANGERS: u32 = 4;
/// A thread that has made no stop for so long is let go, in nanoseconds.
const QUIET_NS: u64 = 1_000_000;

/// What the rate of stops speaks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Advice {
    Pin,
    LetGo,
    Nothing,
}

/// Who stops how often.
#[derive(Debug, Default)]
pub(super) struct Rate {
    /// Who stopped last.
    tid: Id,
    /// How often it did so in a row, each stop close to the one before.
    row: u32,
    /// When the last stop was of the pinned thread, or of the one that may come to be.
    last_ns: u64,
    /// Stops of others since.
    strangers: u32,
}

impl Rate {
    /// A thread has stopped at a system call; `pinned` is the one that is.
    pub(super) fn stopped(&mut self, tid: Id, pinned: Option<Id>, now_ns: u64) -> Advice {
        if pinned.is_some_and(|pinned| pinned != tid) {
            self.strangers += 1;
            return if self.strangers >= STRANGERS { Advice::LetGo } else { Advice::Nothing };
        }
        let is_next = tid == self.tid && now_ns.saturating_sub(self.last_ns) < CLOSE_NS;
        self.row = if is_next { self.row.saturating_add(1) } else { 1 };
        (self.tid, self.last_ns, self.strangers) = (tid, now_ns, 0);
        if pinned.is_none() && self.row >= ENOUGH { Advice::Pin } else { Advice::Nothing }
    }

    /// `tid` begins a new program: its loader will make stop after stop, so that the first one is enough, whenever it
    /// comes.
    pub(super) fn begins(&mut self, tid: Id) {
        *self = Self { tid, row: ENOUGH - 1, last_ns: u64::MAX, strangers: 0 };
    }

    /// `tid`, which is pinned, begins a new program now.
    pub(super) fn runs(&mut self, tid: Id, now_ns: u64) {
        *self = Self { tid, row: 0, last_ns: now_ns, strangers: 0 };
    }

    /// Whether the thread that stopped last has not done so for a while.
    pub(super) fn is_quiet(&self, now_ns: u64) -> bool {
        now_ns.saturating_sub(self.last_ns) >= QUIET_NS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thread_that_stops_often_is_pinned() {
        let mut rate = Rate::default();
        let mut advice = Vec::new();
        for stop in 1..=u64::from(ENOUGH) {
            advice.push(rate.stopped(7, None, stop * CLOSE_NS / 2));
        }
        assert_eq!(advice.pop(), Some(Advice::Pin));
        assert!(advice.iter().all(|advice| *advice == Advice::Nothing));
    }

    #[test]
    fn a_new_program_is_pinned_at_its_first_stop_and_others_are_not() {
        let mut rate = Rate::default();
        rate.begins(7);
        assert_eq!(rate.stopped(7, None, 5 * CLOSE_NS), Advice::Pin);
        rate.begins(7);
        assert_eq!(rate.stopped(8, None, 5 * CLOSE_NS), Advice::Nothing);
        assert_eq!(rate.stopped(7, None, 6 * CLOSE_NS), Advice::Nothing, "somebody was in between");
    }

    #[test]
    fn threads_that_take_turns_and_slow_ones_are_left_alone() {
        let (mut turns, mut slow) = (Rate::default(), Rate::default());
        for stop in 1..1000 {
            assert_eq!(turns.stopped((stop % 2) as Id, None, stop), Advice::Nothing);
            assert_eq!(slow.stopped(7, None, stop * CLOSE_NS), Advice::Nothing);
        }
    }

    #[test]
    fn a_pinned_thread_is_let_go_when_others_take_over_or_it_is_quiet() {
        let mut rate = Rate::default();
        rate.stopped(7, Some(7), 1);
        for _ in 1..STRANGERS {
            assert_eq!(rate.stopped(8, Some(7), 2), Advice::Nothing);
        }
        assert_eq!(rate.stopped(9, Some(7), 3), Advice::LetGo);
        rate.stopped(7, Some(7), 4);
        assert_eq!(rate.stopped(8, Some(7), 5), Advice::Nothing, "they count from its own stops");
        assert!(!rate.is_quiet(QUIET_NS) && rate.is_quiet(QUIET_NS + 4));
        rate.begins(7);
        assert!(!rate.is_quiet(u64::MAX), "it has not begun");
        rate.runs(7, 10);
        assert!(!rate.is_quiet(QUIET_NS) && rate.is_quiet(QUIET_NS + 10), "pinned, and never stops");
    }
}
