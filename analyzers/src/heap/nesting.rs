//! Calls inside calls: `operator new[]` -> `operator new` -> `malloc` is one allocation.
//!
//! The inner call's record comes first, so the outer one amends what the inner one has done. All
//! of this runs only for an event that began no later than its thread's previous one.

use super::HeapLedger;
use super::memo::{Ended, RecentAcquire, encloses};
use super::origins::Origin;
use super::owner::{BlockRelease, Purpose};
use crate::event::{Event, Giver};

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
        let Some(birth_ns) = self.acquire_inside(row, event, block).map(|inner| inner.birth_ns) else {
            return false;
        };
        let origin = self.origins.of(event, giver);
        self.amend(block, birth_ns, bytes, origin);
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
        let inner = self.acquire_inside(row, event, new).map(|inner| {
            let was = inner.reallocation;
            inner.reallocation = true;
            (inner.birth_ns, was)
        });
        let gave = inner.is_some();
        let took = self.released_around(row, event, old, Giver::C, Purpose::Reallocate);
        if let Some((birth_ns, was_reallocation)) = inner {
            let origin = self.origins.of(event, Giver::C);
            self.amend(new, birth_ns, bytes, origin);
            if was_reallocation {
                return true;
            }
            self.totals.allocations -= 1;
        }
        if !gave && !took {
            return false;
        }
        self.totals.reallocations += 1;
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
        let outer =
            BlockRelease { function: event.function, site: event.site, giver, purpose, ..inner.release };
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
            self.totals.temporary_allocations -= u64::from(inner.temporary);
        }
        true
    }

    /// The owner of `block` since `birth_ns` got `bytes` from `origin`, as the outer call says.
    fn amend(&mut self, block: u64, birth_ns: u64, bytes: u64, origin: Origin) {
        let bytes = bytes.min(super::slot::MAX_BYTES);
        if let Some(slot) = self.table.find_mut(block)
            && slot.birth_ns() == birth_ns
        {
            let old_bytes = slot.bytes();
            slot.amend(bytes, origin);
            self.totals.amended(block, birth_ns, old_bytes, bytes, origin);
            if slot.is_live() {
                self.totals.resized(old_bytes, bytes, birth_ns);
            } else {
                self.totals.freed_bytes = self.totals.freed_bytes - old_bytes + bytes;
                if let Some(recent) = self.memos.release_at(block, slot.released_ns()) {
                    recent.ended = Ended::owner(bytes, origin);
                }
            }
            return;
        }
        let older = self.contests.get_mut(&block).map(|contest| &mut contest.older);
        if let Some(owner) = older.into_iter().flatten().find(|owner| owner.birth_ns == birth_ns) {
            self.totals.amended(block, birth_ns, owner.bytes, bytes, origin);
            owner.bytes = bytes;
            owner.origin = origin;
            return;
        }
        // The block was released and given again before this call was told.
        if let Some(recent) = self.memos.first_release_since(block, birth_ns)
            && let Some((old_bytes, _)) = recent.ended.block()
        {
            recent.ended = Ended::owner(bytes, origin);
            self.totals.amended(block, birth_ns, old_bytes, bytes, origin);
            self.totals.freed_bytes = self.totals.freed_bytes - old_bytes + bytes;
        }
    }
}
