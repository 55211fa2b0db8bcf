//! Records of many threads in the order of time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::ring::Owner;

/// A record from so far in the future is none: 10 seconds at 3 GHz.
const FUTURE: u64 = 30_000_000_000;

/// Records of one thread, in the order in which it wrote them.
pub trait Records {
    /// Whose they are.
    fn owner(&self) -> &Owner;
    /// When the next one happened, in ticks; None if there is none yet.
    fn look(&mut self) -> Option<u64>;
    /// The words of the record that was looked at.
    fn head(&self) -> &[u64];
    /// Goes on to the one behind it.
    fn pass(&mut self);
    /// The same, of one that nobody has written.
    fn pass_over(&mut self) {
        self.pass();
    }
}

/// Takes records from many threads; keeps its heap between rounds.
#[derive(Debug, Default)]
pub struct Merge {
    order: BinaryHeap<Reverse<(u64, usize)>>,
}

impl Merge {
    /// Gives every record that happened up to `bound` to `take`, by time. Records of one thread stay in their
    /// order. Gives how many there were.
    pub fn round<R: Records>(
        &mut self,
        sources: &mut [Option<R>],
        bound: u64,
        mut take: impl FnMut(&Owner, &[u64]),
    ) -> u64 {
        self.order.clear();
        let mut taken = 0;
        for (index, source) in sources.iter_mut().enumerate() {
            if let Some(key) = source.as_mut().and_then(|source| next(source, bound)) {
                self.order.push(Reverse((key, index)));
            }
        }
        while let Some(Reverse((_, index))) = self.order.pop() {
            let limit = self.order.peek().map_or(bound, |Reverse((key, _))| *key);
            let Some(source) = &mut sources[index] else { continue };
            loop {
                take(source.owner(), source.head());
                source.pass();
                taken += 1;
                match next(source, bound) {
                    None => break,
                    Some(key) if key > limit => {
                        self.order.push(Reverse((key, index)));
                        break;
                    }
                    Some(_) => {}
                }
            }
        }
        taken
    }
}

/// When the next record of a source happened, if that was not after `bound`.
#[inline]
fn next(source: &mut impl Records, bound: u64) -> Option<u64> {
    loop {
        let key = source.look()?;
        if key <= bound {
            return Some(key);
        }
        if key - bound < FUTURE {
            return None;
        }
        // Nobody has stamped this: the target has scribbled over it.
        source.pass_over();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Queue(Owner, std::collections::VecDeque<[u64; 2]>);

    impl Records for Queue {
        fn owner(&self) -> &Owner {
            &self.0
        }
        fn look(&mut self) -> Option<u64> {
            self.1.front().map(|words| words[1])
        }
        fn head(&self) -> &[u64] {
            &self.1[0]
        }
        fn pass(&mut self) {
            self.1.pop_front();
        }
    }

    fn queue(tid: u32, stamps: &[u64]) -> Option<Queue> {
        let owner = Owner { ring: tid, pid: 1, tid, image: 1, parent: 0 };
        Some(Queue(owner, stamps.iter().map(|stamp| [2, *stamp]).collect()))
    }

    #[test]
    fn records_come_by_time_up_to_a_bound() {
        let mut sources = vec![queue(1, &[1, 5, 9, 30]), None, queue(2, &[2, 3, 9, 40]), queue(3, &[])];
        let mut merge = Merge::default();
        let mut seen = Vec::new();
        assert_eq!(merge.round(&mut sources, 10, |owner, words| seen.push((words[1], owner.tid))), 6);
        assert_eq!(seen, [(1, 1), (2, 2), (3, 2), (5, 1), (9, 1), (9, 2)]);
        seen.clear();
        merge.round(&mut sources, 35, |owner, words| seen.push((words[1], owner.tid)));
        assert_eq!(seen, [(30, 1)]);
    }

    #[test]
    fn a_record_from_the_far_future_is_passed_over() {
        let mut sources = vec![queue(1, &[1, u64::MAX, 2])];
        let mut seen = Vec::new();
        Merge::default().round(&mut sources, 10, |_, words| seen.push(words[1]));
        assert_eq!(seen, [1, 2]);
    }
}
