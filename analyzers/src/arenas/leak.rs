//! Places that leave more and more blocks behind.

use super::Moment;
use crate::hash::SpreadMap;
use crate::place::Place;

/// With fewer living blocks, nothing is said to be left behind.
const LEAST_BLOCKS: u64 = 16;
/// The time between first and last birth is cut into so many parts.
const PARTS: usize = 8;
/// So many of the parts must have brought blocks.
const BUSY_PARTS: usize = 6;
/// A part has brought blocks if it has this fraction of its fair share.
const FAIR_SHARE: u64 = 4;

/// How a place leaves blocks behind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Leak {
    /// Bytes in each second from its first living block to the moment.
    pub(super) bytes_per_second: f64,
}

/// The places that leak.
///
/// One look knows no past but the births of those that live. A place (stack, site, function) leaks if
/// all of this holds for its blocks; blocks that a forked process had from its parent do not count:
///
/// * at least 16 of them live: a buffer of the run-time or two are in use;
/// * from the first birth to the last it took at least a third of the process's time, so that a table
///   that is built at the start, or a cache whose oldest entry is young, is in use;
/// * the last birth was in the second half of the process's time: what was complete before that is
///   worked with;
/// * of the eight parts of the time from the first birth to the last, at least six have brought a
///   quarter of their fair share: a table with a few late entries, or two bursts, are no leak, and
///   neither is a cache in which few grow old.
///
/// A program that builds for all of its time and exits, such as a compiler, satisfies this too: what
/// grows until the end cannot be told from a leak by one look. Neither can a cache that replaces its
/// entries in order and needs more than a third of the process's time for one round.
pub(super) fn leaks(moment: &Moment) -> SpreadMap<Place, Leak> {
    let own = || moment.live.iter().filter(|block| block.birth_ns >= moment.began_ns);
    let mut candidates: SpreadMap<Place, Births> = SpreadMap::default();
    for block in own() {
        candidates.entry(block.place()).or_default().add(block.birth_ns, block.bytes);
    }
    candidates.retain(|_, births| births.take_long(moment));
    for block in own() {
        if let Some(births) = candidates.get_mut(&block.place()) {
            births.sort_in(block.birth_ns);
        }
    }
    let leaking = candidates.into_iter().filter(|(_, births)| births.are_spread());
    leaking.map(|(place, births)| (place, births.leak(moment.at_ns))).collect()
}

/// The living blocks of a place by their births.
#[derive(Clone, Copy, Debug)]
struct Births {
    blocks: u64,
    bytes: u64,
    first_ns: u64,
    last_ns: u64,
    parts: [u64; PARTS],
}

impl Default for Births {
    fn default() -> Self {
        Self { blocks: 0, bytes: 0, first_ns: u64::MAX, last_ns: 0, parts: [0; PARTS] }
    }
}

impl Births {
    fn add(&mut self, birth_ns: u64, bytes: u64) {
        self.blocks += 1;
        self.bytes += bytes;
        self.first_ns = self.first_ns.min(birth_ns);
        self.last_ns = self.last_ns.max(birth_ns);
    }

    fn span_ns(&self) -> u64 {
        self.last_ns - self.first_ns
    }

    fn take_long(&self, moment: &Moment) -> bool {
        let life_ns = moment.at_ns.saturating_sub(moment.began_ns);
        self.blocks >= LEAST_BLOCKS
            && self.span_ns() > 0
            && self.span_ns() >= life_ns / 3
            && self.last_ns - moment.began_ns >= life_ns / 2
    }

    fn sort_in(&mut self, birth_ns: u64) {
        let since_ns = u128::from(birth_ns - self.first_ns);
        let part = since_ns * PARTS as u128 / (u128::from(self.span_ns()) + 1);
        self.parts[part as usize] += 1;
    }

    fn are_spread(&self) -> bool {
        let is_busy = |births: &&u64| **births * PARTS as u64 * FAIR_SHARE >= self.blocks;
        self.parts.iter().filter(is_busy).count() >= BUSY_PARTS
    }

    fn leak(&self, at_ns: u64) -> Leak {
        let seconds = (at_ns.max(self.last_ns) - self.first_ns) as f64 / 1e9;
        Leak { bytes_per_second: self.bytes as f64 / seconds }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Block;
    use crate::heap::LiveBlock;

    const SECOND: u64 = 1_000_000_000;

    /// A process that began after one second and was looked at after eleven, with blocks of 100 bytes
    /// that were given at these times, in tenths of its life.
    fn leaks_of(births: impl Iterator<Item = f64>) -> Vec<f64> {
        let blocks = births.enumerate().map(|(index, tenths)| LiveBlock {
            block: Block(0x1000 + index as u64 * 128),
            bytes: 100,
            birth_ns: SECOND + (tenths * SECOND as f64) as u64,
            ..LiveBlock::test()
        });
        let moment =
            Moment { at_ns: 11 * SECOND, began_ns: SECOND, live: blocks.collect(), ..Moment::test() };
        leaks(&moment).into_values().map(|leak| leak.bytes_per_second).collect()
    }

    fn evenly(count: u32, from: f64, to: f64) -> impl Iterator<Item = f64> {
        (0..count).map(move |index| from + (to - from) * f64::from(index) / f64::from(count - 1))
    }

    #[test]
    fn a_loop_that_leaves_blocks_is_a_leak_with_its_speed() {
        let found = leaks_of(evenly(1000, 0.0, 10.0));
        assert_eq!(found.len(), 1);
        assert!((found[0] - 10_000.0).abs() < 1.0, "{found:?}");
    }

    #[test]
    fn a_leak_may_begin_late_and_pause_at_the_end() {
        assert_eq!(leaks_of(evenly(1000, 2.0, 6.5)).len(), 1);
    }

    #[test]
    fn a_table_that_is_built_at_the_start_is_in_use() {
        assert_eq!(leaks_of(evenly(1000, 0.0, 2.0)), [0.0; 0]);
        assert_eq!(leaks_of(evenly(1000, 0.0, 4.9)), [0.0; 0]);
        // Nor do a few late entries change that.
        assert_eq!(leaks_of(evenly(1000, 0.0, 2.0).chain(evenly(20, 2.0, 10.0))), [0.0; 0]);
    }

    #[test]
    fn a_cache_whose_entries_are_young_is_in_use() {
        assert_eq!(leaks_of(evenly(1000, 7.5, 10.0)), [0.0; 0]);
        // Each tenth of the time replaces half of what lives, whatever its age.
        let ages =
            (1..=10).flat_map(|age| evenly(1 << (11 - age), 10.0 - f64::from(age), 11.0 - f64::from(age)));
        assert_eq!(leaks_of(ages), [0.0; 0]);
    }

    #[test]
    fn two_bursts_are_no_leak() {
        assert_eq!(leaks_of(evenly(500, 0.0, 0.1).chain(evenly(500, 9.9, 10.0))), [0.0; 0]);
    }

    #[test]
    fn a_few_blocks_are_no_leak() {
        assert_eq!(leaks_of(evenly(15, 0.0, 10.0)), [0.0; 0]);
        assert_eq!(leaks_of(evenly(16, 0.0, 10.0)).len(), 1);
    }

    #[test]
    fn what_a_parent_left_is_no_leak_of_the_child() {
        assert_eq!(leaks_of(evenly(1000, -1.0, -0.1)), [0.0; 0]);
        assert_eq!(leaks_of(evenly(1000, -1.0, -0.1).chain(evenly(15, 0.0, 10.0))), [0.0; 0]);
    }

    #[test]
    fn places_are_judged_apart() {
        let block = |index: u64, site: u64, birth_ns: u64| LiveBlock {
            block: Block(index * 128),
            site,
            birth_ns,
            ..LiveBlock::test()
        };
        let early = (1..100).map(|index| block(index, 1, SECOND + index));
        let late = (100..200).map(|index| block(index, 2, index * SECOND / 20));
        let live = early.chain(late).collect();
        let moment = Moment { at_ns: 10 * SECOND, began_ns: SECOND, live, ..Moment::test() };
        let found: Vec<_> = leaks(&moment).into_keys().map(|place| place.site).collect();
        assert_eq!(found, [2]);
    }
}
