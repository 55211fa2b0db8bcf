//! Releases that no correct program makes, if all calls of the allocator are seen.

use super::memo::Memo;
use super::origins::Origins;
use super::owner::BlockRelease;
use super::recent::RecentRelease;
use super::report::{FreeFault, Mismatch};
use crate::event::{Block, Giver};

/// Of each kind of fault, this many are described; the others are counted.
const EXAMPLES: usize = 100;

/// Faults of one kind: how many, and the first of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Faults<F> {
    /// How many there were.
    pub count: u64,
    /// The first 100, in the order they were recognised.
    pub examples: Vec<F>,
}

impl<F> Default for Faults<F> {
    fn default() -> Self {
        Self { count: 0, examples: Vec::new() }
    }
}

impl<F> Faults<F> {
    pub(crate) fn add(&mut self, fault: F) {
        self.count += 1;
        if self.examples.len() < EXAMPLES {
            self.examples.push(fault);
        }
    }
}

/// What is wrong with the heap's releases.
#[derive(Clone, Debug, Default)]
pub(super) struct HeapFaults {
    pub(super) unmatched: Faults<FreeFault>,
    pub(super) double: Faults<FreeFault>,
    pub(super) mismatched: Faults<Mismatch>,
    /// Those that cannot be told from what is right.
    pub(super) not_judged: u64,
    /// Families of which calls go unseen.
    pub(super) partly_seen: PartlySeen,
}

/// Families of functions of which some calls are not recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PartlySeen(u8);

impl PartlySeen {
    pub(super) fn add(&mut self, giver: Giver) {
        self.0 |= 1 << giver as u8;
    }

    /// Whether this family is one of them.
    #[must_use]
    pub fn has(self, giver: Giver) -> bool {
        self.0 >> giver as u8 & 1 != 0
    }
}

impl HeapFaults {
    /// No outer call can change this release's family any more.
    #[inline(always)]
    pub(super) fn judge(&mut self, recent: &RecentRelease, origins: &Origins) {
        if recent.is_mismatched() {
            self.mismatch(recent, origins);
        }
    }

    /// No call of this thread is open any more.
    pub(super) fn judge_all(&mut self, memo: &Memo, origins: &Origins) {
        memo.releases().for_each(|recent| self.judge(recent, origins));
    }

    /// This release has no owner.
    pub(super) fn unexplained(&mut self, block: u64, release: &BlockRelease) {
        if self.partly_seen.has(release.giver) {
            self.not_judged += 1;
            return;
        }
        let fault = FreeFault {
            block: Block(block),
            function: release.place.function,
            site: release.place.site,
            stack: release.place.stack,
            thread: release.thread,
            at_ns: release.start_ns,
        };
        if release.again { self.double.add(fault) } else { self.unmatched.add(fault) }
    }

    #[cold]
    fn mismatch(&mut self, recent: &RecentRelease, origins: &Origins) {
        let Some(got) = recent.ended.block() else { return };
        if [got.origin.giver(), recent.release.giver].into_iter().any(|giver| self.partly_seen.has(giver)) {
            self.not_judged += 1;
            return;
        }
        let given = origins.place(got.origin);
        let released = recent.release.place;
        let mismatch = Mismatch {
            block: Block(recent.block),
            bytes: got.bytes,
            given_by: given.function,
            given_at: given.site,
            given_stack: given.stack,
            released_by: released.function,
            released_at: released.site,
            released_stack: released.stack,
            times: 1,
        };
        match self.mismatched.examples.iter_mut().find(|known| known.is_like(&mismatch)) {
            Some(known) => {
                known.times += 1;
                self.mismatched.count += 1;
            }
            None => self.mismatched.add(mismatch),
        }
    }
}
