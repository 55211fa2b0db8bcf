//! The ledger of the heap: who was given which block, and whether it came back.

mod by_place;
mod contest;
mod faults;
mod inherited;
mod memo;
mod nesting;
mod origins;
mod owner;
mod recent;
mod report;
mod slot;
mod table;
mod totals;
mod touch;
mod usage;

pub use by_place::{PlaceUse, StillAllocated};
pub use faults::{Faults, PartlySeen};
pub use inherited::Inherited;
pub use report::{FreeFault, HeapReport, Largest, Lifetimes, LiveBlock, Mismatch, SizeClass};

use contest::Contests;
use faults::HeapFaults;
use inherited::InheritedBlocks;
use memo::Memos;
use origins::Origins;
use owner::{BlockOwner, BlockRelease, Got, Purpose};
use recent::{Ended, Failed, RecentAcquire, RecentRelease, encloses};
use slot::MAX_BYTES;
use table::Table;
use totals::Totals;

use crate::event::{Action, Analyzer, Event, Giver};

/// Pairs every allocation with its release; what stays unpaired at exit is still allocated.
///
/// ```text
///  table:     address -> living owner, or the last one released      every event
///  memos:     thread  -> its last calls: inner ones come first       every event
///  origins:   place   -> what it was given, what lives of it         every event
///  contests:  address -> owners and releases in want of each other   late or unseen events only
/// ```
/// Memory grows with the blocks that live at one moment (at most 98 bytes for each), the places
/// that allocate (at most 104 bytes for each) and the threads, not with the length of the run.
#[derive(Debug, Default)]
pub struct HeapLedger {
    table: Table,
    memos: Memos,
    contests: Contests,
    origins: Origins,
    inherited: InheritedBlocks,
    totals: Totals,
    faults: HeapFaults,
}

impl HeapLedger {
    /// The ledger of a forked child whose parent had these blocks.
    #[must_use]
    pub fn with_inherited(blocks: Inherited) -> Self {
        Self { inherited: InheritedBlocks::new(blocks), ..Self::default() }
    }

    /// Calls of this family's functions go unseen: a release that seems wrong may be right.
    pub fn partly_seen(&mut self, giver: Giver) {
        self.faults.partly_seen.add(giver);
    }

    /// The ledger of a forked child, in which the same calls go unseen.
    #[must_use]
    pub fn forked(&self) -> Self {
        let mut child = Self::with_inherited(self.inherit());
        child.faults.partly_seen = self.faults.partly_seen;
        child
    }

    /// What a child forked now has from this process: its living blocks, and those it has itself
    /// inherited and not released.
    #[must_use]
    pub fn inherit(&self) -> Inherited {
        self.inherited.with(self.live().map(|block| block.block.0))
    }

    /// Requested bytes that live now.
    #[must_use]
    pub fn live_bytes(&self) -> u64 {
        self.totals.live.bytes
    }

    /// Blocks that live now.
    #[must_use]
    pub fn live_blocks(&self) -> u64 {
        self.totals.live.blocks
    }

    /// Requested size of the block at address `block` that the event, which has not been observed yet, gives back;
    /// None if nobody is known to have it. Of an outer call (`operator delete`) whose inner one (`free`) has been
    /// observed, too.
    pub(crate) fn released_bytes(&mut self, event: &Event<'_>, block: u64) -> Option<u64> {
        match self.table.find_mut(block) {
            Some(slot) if slot.is_owned_at(event.start_ns) => Some(slot.got().bytes),
            _ => {
                let row = self.row_of(event);
                let inner = self.memos.row(row).release_of(block)?;
                let release = &inner.release;
                let is_inner =
                    release.thread == event.thread && encloses(event, release.start_ns, inner.end_ns);
                inner.ended.block().filter(|_| is_inner).map(|got| got.bytes)
            }
        }
    }

    #[inline]
    fn allocated(&mut self, event: &Event<'_>, block: u64, bytes: u64, giver: Giver) {
        let row = self.row_of(event);
        let memo = self.memos.row(row);
        let may_enclose =
            event.start_ns <= memo.last_start_ns || (!event.timed && memo.newest_block == block);
        if may_enclose && self.allocated_around(row, event, block, bytes, giver) {
            return;
        }
        self.acquire(row, event, block, bytes, giver, false);
    }

    #[inline]
    fn freed(&mut self, event: &Event<'_>, block: u64, giver: Giver) {
        let row = self.row_of(event);
        if event.start_ns <= self.memos.row(row).last_start_ns && self.freed_around(row, event, block, giver)
        {
            return;
        }
        let memo = self.memos.row(row);
        let newest = std::mem::take(&mut memo.newest_block);
        memo.last_start_ns = event.start_ns;
        let ended = self.release(row, event, block, giver, Purpose::Free);
        let mut temporary = false;
        if let Some(got) = ended.block()
            && newest == block
        {
            temporary = true;
            self.totals.temporary_allocations += 1;
            self.origins.usage(got.origin).temporary += 1;
        }
        let release = BlockRelease::of(event, giver, Purpose::Free);
        self.remember_release(row, RecentRelease { block, end_ns: event.end_ns, release, ended, temporary });
    }

    #[inline]
    fn reallocated(&mut self, event: &Event<'_>, old: u64, new: u64, bytes: u64) {
        let row = self.row_of(event);
        if event.start_ns <= self.memos.row(row).last_start_ns
            && self.reallocated_around(row, event, old, new, bytes)
        {
            return;
        }
        self.release_old_half(row, event, old);
        self.acquire_new_half(row, event, new, bytes);
    }

    fn release_old_half(&mut self, row: usize, event: &Event<'_>, old: u64) {
        let ended = self.release(row, event, old, Giver::C, Purpose::Reallocate);
        let release = BlockRelease::of(event, Giver::C, Purpose::Reallocate);
        let recent = RecentRelease { block: old, end_ns: event.end_ns, release, ended, temporary: false };
        self.remember_release(row, recent);
    }

    fn acquire_new_half(&mut self, row: usize, event: &Event<'_>, new: u64, bytes: u64) {
        self.acquire(row, event, new, bytes, Giver::C, true);
    }

    #[cold]
    fn failed(&mut self, event: &Event<'_>, bytes: u64) {
        let row = self.row_of(event);
        if !self.failed_around(row, event, bytes) {
            self.totals.failed_allocations += 1;
        }
        let memo = self.memos.row(row);
        memo.newest_block = 0;
        memo.last_start_ns = event.start_ns;
        memo.failed =
            Some(Failed { start_ns: event.start_ns, end_ns: event.end_ns, bytes, function: event.function });
    }

    #[inline(always)]
    fn acquire(
        &mut self,
        row: usize,
        event: &Event<'_>,
        block: u64,
        bytes: u64,
        giver: Giver,
        reallocation: bool,
    ) {
        let bytes = bytes.min(MAX_BYTES);
        let birth_ns = event.end_ns;
        let origin = self.origins.of(event, giver);
        let got = Got { bytes, origin };
        self.memos.row(row).remember_acquire(RecentAcquire {
            block,
            start_ns: event.start_ns,
            birth_ns,
            end_ns: event.end_ns,
            function: event.function,
            reallocation,
            got,
            peak_before: self.totals.peaks,
        });
        let usage = self.origins.usage(origin);
        self.totals.acquired(usage, block, got, birth_ns, reallocation);
        let slot = self.table.entry(block);
        if slot.is_free_at(birth_ns) {
            slot.own(birth_ns, got, event.thread.0);
            self.totals.began(usage, bytes, birth_ns);
        } else {
            self.acquire_contested(row, block, BlockOwner { birth_ns, got, thread: Some(event.thread.0) });
        }
    }

    #[inline(always)]
    fn release(
        &mut self,
        row: usize,
        event: &Event<'_>,
        block: u64,
        giver: Giver,
        purpose: Purpose,
    ) -> Ended {
        match self.table.find_mut(block) {
            Some(slot) if slot.is_owned_at(event.start_ns) => {
                let got = slot.got();
                self.totals.ended(slot.birth_ns(), event.start_ns, purpose);
                self.totals.vanished(self.origins.usage(got.origin), got.bytes);
                slot.release(event.start_ns);
                Ended::owner(got)
            }
            _ => self.release_contested(row, block, BlockRelease::of(event, giver, purpose)),
        }
    }

    /// Keeps what an outer call would change, instead of the oldest such, which is judged now.
    #[inline(always)]
    fn remember_release(&mut self, row: usize, recent: RecentRelease) {
        let place = self.memos.row(row).oldest_release();
        self.faults.judge(place, &self.origins);
        *place = recent;
    }

    #[inline(always)]
    fn row_of(&mut self, event: &Event<'_>) -> usize {
        let Self { memos, faults, origins, .. } = self;
        memos.row_of(event.thread, event.start_ns, |memo| faults.judge_all(memo, origins))
    }
}

impl Analyzer for HeapLedger {
    type Report = HeapReport;

    /// Blocks at address 0 are no blocks: they are ignored.
    #[inline]
    fn observe(&mut self, event: &Event<'_>) {
        match event.action {
            Action::Allocated { block, bytes, giver } if block.0 != 0 => {
                self.allocated(event, block.0, bytes, giver)
            }
            Action::Freed { block, giver } if block.0 != 0 => self.freed(event, block.0, giver),
            Action::Reallocated { old, new, bytes } if old.0 != 0 && new.0 != 0 => {
                self.reallocated(event, old.0, new.0, bytes);
            }
            Action::AllocationFailed { bytes } => self.failed(event, bytes),
            _ => {}
        }
    }

    fn report(&self) -> HeapReport {
        report::of(self)
    }
}
