//! How many threads a process had, and when.

use std::collections::VecDeque;

/// So many changes are remembered.
const CHANGES: usize = 1024;

/// The number of threads over time. A call that began before the oldest change that is remembered counts as having
/// begun then.
#[derive(Debug)]
pub(super) struct Threads {
    /// Before the first change.
    first: u64,
    /// From when on, and how many; ascending.
    changes: VecDeque<(u64, u64)>,
}

impl Default for Threads {
    fn default() -> Self {
        Self { first: 1, changes: VecDeque::new() }
    }
}

impl Threads {
    pub(super) fn began(&mut self, at_ns: u64) {
        self.change(at_ns, self.now() + 1);
    }

    /// The last one is never gone: its calls come before the process's end.
    pub(super) fn ended(&mut self, at_ns: u64) {
        self.change(at_ns, self.now().saturating_sub(1).max(1));
    }

    pub(super) fn alive_at(&self, at_ns: u64) -> u64 {
        match self.changes.back() {
            None => self.first,
            Some((last_ns, threads)) if *last_ns <= at_ns => *threads,
            Some(_) => {
                let later = self.changes.partition_point(|(from_ns, _)| *from_ns <= at_ns);
                later.checked_sub(1).map_or(self.first, |index| self.changes[index].1)
            }
        }
    }

    fn now(&self) -> u64 {
        self.changes.back().map_or(self.first, |(_, threads)| *threads)
    }

    fn change(&mut self, at_ns: u64, threads: u64) {
        if self.changes.len() == CHANGES
            && let Some((_, oldest)) = self.changes.pop_front()
        {
            self.first = oldest;
        }
        // One writer tells of all changes, in their order.
        let last_ns = self.changes.back().map_or(0, |(from_ns, _)| *from_ns);
        self.changes.push_back((at_ns.max(last_ns), threads));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_find_the_number_of_their_own_time() {
        let mut threads = Threads::default();
        assert_eq!(threads.alive_at(5), 1);
        threads.began(10);
        threads.began(20);
        threads.ended(30);
        let alive = [0, 9, 10, 19, 20, 29, 30, 99].map(|at| threads.alive_at(at));
        assert_eq!(alive, [1, 1, 2, 2, 3, 3, 2, 2]);
    }

    #[test]
    fn the_last_thread_stays() {
        let mut threads = Threads::default();
        threads.ended(1);
        threads.ended(2);
        assert_eq!(threads.alive_at(3), 1);
        threads.began(4);
        assert_eq!(threads.alive_at(4), 2);
    }

    #[test]
    fn of_many_changes_the_last_ones_are_known() {
        let mut threads = Threads::default();
        (1..=5000).for_each(|at| threads.began(at));
        assert_eq!((threads.alive_at(5000), threads.alive_at(4500)), (5001, 4501));
        assert_eq!(threads.alive_at(0), 5001 - CHANGES as u64);
        assert_eq!(threads.changes.len(), CHANGES);
    }
}
