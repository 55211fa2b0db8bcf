//! Calls inside calls: `operator new[]` -> `operator new` -> `malloc` is one allocation.
//!
//! The inner call's record comes first, so the outer one amends what the inner one has done. All
//! of this runs only for an event that began no later than its thread's previous one.

use super::HeapLedger;
use super::owner::{BlockRelease, Got, Purpose};
use super::recent::{Ended, RecentAcquire, encloses};
use super::slot::MAX_BYTES;
use crate::event::{Event, Giver};
use crate::place::Place;

impl HeapLedger {
    /// The outer call of an allocation; false if this one is no outer call of the last ones.
    pub(super) fn allocated_around(
        &mut self,
        row: usize,
        event: &Event<'_>,
        block: u64,
        bytes: u64,
        giver: Giver,
    ) -> bool {
        if self.acquire_inside(row, event, block).is_none() {
            return false;
        }
        self.amend(row, event, block, bytes, giver);
        true
    }

    /// The outer call of an allocation in vain.
    pub(super) fn failed_around(&mut self, row: usize, event: &Event<'_>, bytes: u64) -> bool {
        let memo = self.memos.row(row);
        let Some(inner) = memo.failed else { return false };
        // One stamp, taken at the end, cannot tell an outer call from the next one.
        let next = inner.start_ns == memo.last_start_ns;
        let likely = !event.timed && next && inner.bytes == bytes && inner.function != event.function;
        // Not the next one where `operator new` throws: the exception is allocated in between.
        likely || (event.timed && encloses(event, inner.start_ns, inner.end_ns))
    }

    /// The outer call of a release.
    pub(super) fn freed_around(&mut self, row: usize, event: &Event<'_>, block: u64, giver: Giver) -> bool {
        self.released_around(row, event, block, giver, Purpose::Free)
    }

    /// The outer call of a reallocation, or of an allocation and a release that make one.
    pub(super) fn reallocated_around(
        &mut self,
        row: usize,
        event: &Event<'_>,
        old: u64,
        new: u64,
        bytes: u64,
    ) -> bool {
        let gave = self.acquire_inside(row, event, new).is_some();
        let took = self.released_around(row, event, old, Giver::C, Purpose::Reallocate);
        if !gave && !took {
            return false;
        }
        if gave {
            self.amend(row, event, new, bytes, Giver::C);
            if !self.becomes_reallocation(row, new) {
                return true;
            }
        }
        if !took && old != new {
            self.release_old_half(row, event, old);
        }
        if !gave {
            self.acquire_new_half(row, event, new, bytes);
        }
        true
    }

    fn acquire_inside(&mut self, row: usize, event: &Event<'_>, block: u64) -> Option<&mut RecentAcquire> {
        let memo = self.memos.row(row);
        let newest = memo.newest_block == block;
        let inner = memo.acquire_of(block)?;
        // One stamp, taken at the end, cannot tell an outer call from the next one: but the next
        // one cannot give the block that this thread was given just before.
        let likely = !event.timed && newest && inner.function != event.function;
        if !likely && !encloses(event, inner.start_ns, inner.end_ns) {
            return None;
        }
        inner.start_ns = inner.start_ns.min(event.start_ns);
        inner.end_ns = inner.end_ns.max(event.end_ns);
        inner.function = event.function;
        memo.last_start_ns = event.start_ns;
        memo.acquire_of(block)
    }

    fn released_around(
        &mut self,
        row: usize,
        event: &Event<'_>,
        block: u64,
        giver: Giver,
        purpose: Purpose,
    ) -> bool {
        let memo = self.memos.row(row);
        let Some(inner) = memo.release_of(block) else { return false };
        let own = inner.release.thread == event.thread;
        if !own || !encloses(event, inner.release.start_ns, inner.end_ns) {
            return false;
        }
        let was = inner.release.purpose;
        // Half a reallocation stays that, whatever is around it.
        let purpose = if was == Purpose::Reallocate { was } else { purpose };
        let outer = BlockRelease { place: Place::of(event), giver, purpose, ..inner.release };
        inner.end_ns = inner.end_ns.max(event.end_ns);
        inner.release = outer;
        let inner = *inner;
        memo.last_start_ns = event.start_ns;
        if inner.ended == Ended::UNKNOWN {
            let waiting = self.contests.get_mut(&block).map(|contest| &mut contest.early);
            let mut same = waiting.into_iter().flatten().filter(|early| early.start_ns == outer.start_ns);
            if let Some(early) = same.find(|early| early.thread == outer.thread) {
                *early = BlockRelease { again: early.again, ..outer };
            }
        } else if inner.ended.block().is_some() && was == Purpose::Free && purpose == Purpose::Reallocate {
            self.totals.frees -= 1;
            self.not_temporary(row, block);
        }
        true
    }

    /// The release belongs to a reallocation: its block goes on.
    fn not_temporary(&mut self, row: usize, block: u64) {
        if let Some(inner) = self.memos.row(row).release_of(block)
            && let Some(got) = inner.ended.block()
            && std::mem::take(&mut inner.temporary)
        {
            self.totals.temporary_allocations -= 1;
            self.origins.usage(got.origin).temporary -= 1;
        }
    }

    /// The thread's last acquire of `block` is part of a reallocation; false if that was known.
    fn becomes_reallocation(&mut self, row: usize, block: u64) -> bool {
        let Some(inner) = self.memos.row(row).acquire_of(block) else { return false };
        let news = !std::mem::replace(&mut inner.reallocation, true);
        if news {
            self.totals.reallocated(self.origins.usage(inner.got.origin));
        }
        news
    }

    /// What the thread's last acquire of `block` gave has `bytes` and comes from where the outer
    /// call was made.
    fn amend(&mut self, row: usize, event: &Event<'_>, block: u64, bytes: u64, giver: Giver) {
        let is = Got { bytes: bytes.min(MAX_BYTES), origin: self.origins.of(event, giver) };
        let Some(recent) = self.memos.row(row).acquire_of(block) else { return };
        let inner = *recent;
        recent.got = is;
        self.totals.amended(&mut self.origins, &inner, is);
        self.amend_owner(&inner, is);
    }

    /// The same for who has, or had, the block.
    fn amend_owner(&mut self, inner: &RecentAcquire, is: Got) {
        let Self { table, contests, memos, origins, totals, .. } = self;
        let RecentAcquire { block, birth_ns, got: was, .. } = *inner;
        let slot = table.find_mut(block).filter(|slot| slot.birth_ns() == birth_ns && slot.got() == was);
        if let Some(slot) = slot {
            slot.amend(is);
            if slot.is_live() {
                let at_peak = totals.peaks != inner.peak_before;
                return totals.replaced(origins, was, is, at_peak, birth_ns);
            }
        } else if let Some(contest) = contests.get_mut(&block)
            && let mut older = contest.older.iter_mut()
            && let Some(owner) = older.find(|owner| owner.birth_ns == birth_ns && owner.got == was)
        {
            owner.got = is;
            return;
        }
        // The block was released, and perhaps given again, before this call was told. Whatever part
        // it had in a peak stays with the inner call's place.
        if let Some(recent) = memos.first_release_since(block, birth_ns, Ended::owner(was)) {
            recent.belongs_to(is, origins);
        }
    }
}
