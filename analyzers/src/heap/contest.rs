//! The rare addresses about which more is to be known than one owner: late and unseen events.

use std::collections::BTreeMap;

use super::HeapLedger;
use super::faults::HeapFaults;
use super::inherited::Taken;
use super::memo::Memos;
use super::origins::Origins;
use super::owner::{BlockOwner, BlockRelease, Got};
use super::recent::{Ended, RecentRelease};
use super::table::Table;
use super::totals::Totals;
use crate::pairing::{Effect, History};

/// Addresses that may wait for a late event; of more, the longer silent half is given up.
const WAITING: usize = 65_536;

/// Owners and releases that wait for their other half, by address. The slot of each such address
/// is marked, so all others never look here.
pub(super) type Contests = BTreeMap<u64, Contest>;

#[derive(Clone, Debug, Default)]
pub(super) struct Contest {
    pub(super) older: Vec<BlockOwner>,
    pub(super) early: Vec<BlockRelease>,
}

impl Contest {
    fn last_ns(&self) -> u64 {
        let births = self.older.iter().map(|owner| owner.birth_ns);
        births.chain(self.early.iter().map(|release| release.start_ns)).max().unwrap_or(0)
    }
}

/// Keeps the accounts while one address is settled.
struct Books<'a> {
    totals: &'a mut Totals,
    faults: &'a mut HeapFaults,
    memos: &'a mut Memos,
    origins: &'a mut Origins,
    block: u64,
    /// Who sent the event.
    row: usize,
}

impl Books<'_> {
    fn tell(&mut self, effect: Effect<'_, BlockOwner, BlockRelease>) -> Ended {
        match effect {
            Effect::Began(owner) => {
                self.totals.began(self.origins.usage(owner.got.origin), owner.got.bytes, owner.birth_ns)
            }
            Effect::Superseded(owner) => self.vanished(owner),
            Effect::Paired { owner, was_live, release } => {
                self.totals.ended(owner.birth_ns, release.start_ns, release.purpose);
                if was_live {
                    self.vanished(owner);
                }
                return Ended::owner(owner.got);
            }
            Effect::PairedAnew { from, to, at_ns } => {
                self.totals.lifetimes.take_back(at_ns.saturating_sub(from.birth_ns));
                self.totals.lifetimes.record(at_ns.saturating_sub(to.birth_ns));
                if let Some(recent) = self.memos.release_at(self.block, at_ns, Ended::owner(from.got)) {
                    recent.belongs_to(to.got, self.origins);
                }
            }
            Effect::GaveUpOwner(owner) => self.totals.given_up.add(owner.got.bytes),
            Effect::GaveUpRelease(release) => self.faults.unexplained(self.block, release),
        }
        Ended::UNKNOWN
    }

    fn vanished(&mut self, owner: &BlockOwner) {
        self.totals.vanished(self.origins.usage(owner.got.origin), owner.got.bytes);
    }

    /// A release that was told earlier has found its owner. An outer call may still follow.
    fn tell_paired_late(&mut self, got: Got, release: &BlockRelease) {
        if let Some(recent) = self.memos.release_at(self.block, release.start_ns, Ended::UNKNOWN) {
            recent.release.purpose = release.purpose;
            recent.ended = Ended::owner(got);
            return;
        }
        let place = self.memos.row(self.row).oldest_release();
        self.faults.judge(place, self.origins);
        *place = RecentRelease {
            block: self.block,
            end_ns: release.start_ns,
            release: *release,
            ended: Ended::owner(got),
            temporary: false,
        };
    }
}

impl HeapLedger {
    /// An acquire of an address that has, or may have had, another owner since.
    #[cold]
    pub(super) fn acquire_contested(&mut self, row: usize, block: u64, owner: BlockOwner) {
        let Self { table, contests, totals, faults, memos, origins, .. } = self;
        let mut history = take_history(table, contests, block);
        let mut books = Books { totals, faults, memos, origins, block, row };
        history.acquire(owner, &mut |effect| {
            let late = match &effect {
                Effect::Paired { owner, release, .. } => Some((owner.got, **release)),
                _ => None,
            };
            books.tell(effect);
            if let Some((got, release)) = late {
                books.tell_paired_late(got, &release);
            }
        });
        self.put_history(block, history);
    }

    /// A release of an address without one plain owner.
    #[cold]
    pub(super) fn release_contested(&mut self, row: usize, block: u64, mut release: BlockRelease) -> Ended {
        let Self { table, contests, totals, faults, memos, origins, inherited, .. } = self;
        release.again = table.entry(block).was_released();
        let mut history = take_history(table, contests, block);
        let mut books = Books { totals, faults, memos, origins, block, row };
        let mut ended = Ended::UNKNOWN;
        if let Err(mut release) = history.release(release, &mut |effect| ended = books.tell(effect)) {
            // The parent's ownership is older than any of ours.
            let taken =
                if history.begins_after(release.start_ns) { inherited.take(block) } else { Taken::Foreign };
            if matches!(taken, Taken::Released) {
                books.totals.inherited_frees += 1;
                ended = Ended::INHERITED;
            } else {
                release.again |= matches!(taken, Taken::Again);
                history.wait_release(release, &mut |effect| {
                    books.tell(effect);
                });
            }
        }
        self.put_history(block, history);
        ended
    }

    fn put_history(&mut self, block: u64, history: History<BlockOwner, BlockRelease>) {
        let slot = self.table.entry(block);
        slot.set_latest(&history.latest);
        slot.set_contested(!history.is_settled());
        if !history.is_settled() {
            self.contests.insert(block, Contest { older: history.older, early: history.early });
            if self.contests.len() > WAITING {
                self.give_up_half();
            }
        }
    }

    fn give_up_half(&mut self) {
        let mut times: Vec<u64> = self.contests.values().map(Contest::last_ns).collect();
        let middle = times.len() / 2;
        let median = *times.select_nth_unstable(middle).1;
        let Self { contests, table, totals, faults, .. } = self;
        contests.retain(|block, contest| {
            if contest.last_ns() > median {
                return true;
            }
            contest.older.iter().for_each(|owner| totals.given_up.add(owner.got.bytes));
            contest.early.iter().for_each(|release| faults.unexplained(*block, release));
            if let Some(slot) = table.find_mut(*block) {
                slot.set_contested(false);
            }
            false
        });
    }
}

fn take_history(table: &mut Table, contests: &mut Contests, block: u64) -> History<BlockOwner, BlockRelease> {
    let slot = table.entry(block);
    let contest = if slot.is_contested() { contests.remove(&block) } else { None };
    let Contest { older, early } = contest.unwrap_or_default();
    History { latest: slot.latest(), older, early }
}
