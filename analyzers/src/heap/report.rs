//! What the heap's ledger found.

use super::by_place::{self, PlaceUse, StillAllocated};
use super::faults::{Faults, PartlySeen};
use super::{HeapLedger, Totals};
use crate::event::{Block, FunctionId, Thread};

/// Findings about one process's heap.
///
/// Bytes are requested bytes, times are nanoseconds since the session began. A `realloc` of a
/// block is neither an allocation nor a free. If no release went unseen and no unknown block was
/// reallocated, `allocations == frees + live_blocks`; always
/// `allocated_bytes >= freed_bytes + live_bytes`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HeapReport {
    /// Blocks given, other than by reallocation.
    pub allocations: u64,
    /// Blocks taken back from owners in this process, other than by reallocation.
    pub frees: u64,
    /// Blocks moved or resized.
    pub reallocations: u64,
    /// Requests that failed.
    pub failed_allocations: u64,
    /// Bytes given, by allocations and by reallocations.
    pub allocated_bytes: u64,
    /// Bytes taken back, by frees and by reallocations.
    pub freed_bytes: u64,
    /// Blocks that live.
    pub live_blocks: u64,
    /// Their bytes.
    pub live_bytes: u64,
    /// The most bytes that lived at once.
    pub peak_live_bytes: u64,
    /// How many blocks lived then.
    pub peak_live_blocks: u64,
    /// When that was.
    pub peak_ns: u64,
    /// Blocks freed by the thread that got them, as its very next heap call.
    pub temporary_allocations: u64,
    /// Releases of an address that was never given.
    pub unmatched_frees: Faults<FreeFault>,
    /// Releases of an address that had been released already.
    pub double_frees: Faults<FreeFault>,
    /// Releases, in a forked child, of blocks its parent had been given.
    pub inherited_frees: u64,
    /// Blocks that must have been released unseen: their address was given again.
    pub releases_unseen: u64,
    /// Blocks that went back through another family than they came from.
    pub mismatched_frees: Faults<Mismatch>,
    /// Releases that would be one of the three faults if all calls of their functions were seen
    /// ([`HeapLedger::partly_seen`]).
    pub releases_not_judged: u64,
    /// Families of which calls go unseen: blocks that they gave may have been released.
    pub partly_seen: PartlySeen,
    /// The largest block ever given, if any was.
    pub largest_allocation: Option<Largest>,
    /// Blocks given (also by reallocations), by size; classes without blocks are left out.
    pub size_classes: Vec<SizeClass>,
    /// How long released blocks had lived.
    pub lifetimes: Lifetimes,
    /// Living blocks by where they come from, most bytes first.
    pub still_allocated: Vec<StillAllocated>,
    /// Everything by where it comes from: most living bytes first, then most allocated ones.
    pub by_place: Vec<PlaceUse>,
}

/// A release without an owner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FreeFault {
    /// What was released.
    pub block: Block,
    /// By which function.
    pub function: FunctionId,
    /// Called from where; 0 if unknown.
    pub site: u64,
    /// Id of the call stack; 0 if none was taken.
    pub stack: u32,
    /// By which thread.
    pub thread: Thread,
    /// When.
    pub at_ns: u64,
}

/// A block that came from one family and went back through another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mismatch {
    /// Where it was.
    pub block: Block,
    /// Its size.
    pub bytes: u64,
    /// The function that gave it.
    pub given_by: FunctionId,
    /// Called from where; 0 if unknown.
    pub given_at: u64,
    /// Id of the call stack; 0 if none was taken.
    pub given_stack: u32,
    /// The function that took it back.
    pub released_by: FunctionId,
    /// Called from where; 0 if unknown.
    pub released_at: u64,
    /// Id of the call stack; 0 if none was taken.
    pub released_stack: u32,
    /// How many blocks went from this giver to this taker; `block` is the first of them.
    pub times: u64,
}

impl Mismatch {
    /// Whether both are of one giver and one taker.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let pair = |m: &Self| {
            (m.given_by, m.given_at, m.given_stack, m.released_by, m.released_at, m.released_stack)
        };
        pair(self) == pair(other)
    }
}

/// A block of exceptional size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Largest {
    /// Its size.
    pub bytes: u64,
    /// Who asked for it; 0 if unknown.
    pub site: u64,
    /// Id of the call stack; 0 if none was taken.
    pub stack: u32,
    /// Which function gave it.
    pub function: FunctionId,
}

/// Blocks of more than half of `up_to_bytes`, up to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SizeClass {
    /// The largest size in this class: a power of two minus one.
    pub up_to_bytes: u64,
    /// How many blocks were given.
    pub blocks: u64,
    /// How many bytes they had together.
    pub bytes: u64,
}

/// Nanoseconds from the end of a block's acquire to the start of its release, at most 1/32 too high.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Lifetimes {
    /// Half of the released blocks lived no longer.
    pub p50_ns: u64,
    /// 90% lived no longer.
    pub p90_ns: u64,
    /// 99% lived no longer.
    pub p99_ns: u64,
    /// None lived longer.
    pub max_ns: u64,
}

/// A block that lives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LiveBlock {
    /// Where it is.
    pub block: Block,
    /// Its size.
    pub bytes: u64,
    /// Who asked for it; 0 if unknown.
    pub site: u64,
    /// Id of the call stack; 0 if none was taken.
    pub stack: u32,
    /// Which function gave it.
    pub function: FunctionId,
    /// When it was given.
    pub birth_ns: u64,
    /// To which thread.
    pub thread: Thread,
}

impl HeapLedger {
    /// Every block that lives, in no particular order.
    pub fn live(&self) -> impl Iterator<Item = LiveBlock> + '_ {
        self.table.iter().filter(|slot| slot.is_live()).map(|slot| {
            let place = self.origins.place(slot.origin());
            LiveBlock {
                block: Block(slot.address()),
                bytes: slot.bytes(),
                site: place.site,
                stack: place.stack,
                function: place.function,
                birth_ns: slot.birth_ns(),
                thread: Thread(slot.thread()),
            }
        })
    }

    fn largest(&self) -> Option<Largest> {
        let largest = self.totals.largest?;
        let place = self.origins.place(largest.got.origin);
        Some(Largest {
            bytes: largest.got.bytes,
            site: place.site,
            stack: place.stack,
            function: place.function,
        })
    }
}

/// What is known when nothing more comes: what still waits stays alone.
pub(super) fn of(ledger: &HeapLedger) -> HeapReport {
    let totals = &ledger.totals;
    let mut faults = ledger.faults.clone();
    for (block, contest) in &ledger.contests {
        contest.early.iter().for_each(|release| faults.unexplained(*block, release));
    }
    ledger.memos.iter().for_each(|memo| faults.judge_all(memo, &ledger.origins));
    let mut unseen = totals.given_up;
    let waiting = ledger.contests.values().flat_map(|contest| &contest.older);
    waiting.for_each(|owner| unseen.add(owner.got.bytes));
    let allocated_bytes: u64 = totals.classes.0.iter().map(|class| class.bytes).sum();
    let by_place = by_place::of(ledger);
    HeapReport {
        allocations: totals.allocations,
        frees: totals.frees,
        reallocations: totals.reallocations,
        failed_allocations: totals.failed_allocations,
        allocated_bytes,
        // Whoever was given a block and neither has it nor is waiting gave it back.
        freed_bytes: allocated_bytes.saturating_sub(totals.live.bytes + unseen.bytes),
        live_blocks: totals.live.blocks,
        live_bytes: totals.live.bytes,
        peak_live_bytes: totals.peak.bytes,
        peak_live_blocks: totals.peak.blocks,
        peak_ns: totals.peak_ns,
        temporary_allocations: totals.temporary_allocations,
        unmatched_frees: faults.unmatched,
        double_frees: faults.double,
        inherited_frees: totals.inherited_frees,
        releases_unseen: unseen.blocks,
        mismatched_frees: faults.mismatched,
        releases_not_judged: faults.not_judged,
        partly_seen: faults.partly_seen,
        largest_allocation: ledger.largest(),
        size_classes: size_classes(totals),
        lifetimes: lifetimes(totals),
        still_allocated: by_place::still_allocated(&by_place),
        by_place,
    }
}

fn size_classes(totals: &Totals) -> Vec<SizeClass> {
    let classes = totals.classes.0.iter().zip(0_u32..).filter(|(class, _)| class.blocks > 0);
    classes
        .map(|(class, bits)| SizeClass {
            up_to_bytes: (1 << bits) - 1,
            blocks: class.blocks,
            bytes: class.bytes,
        })
        .collect()
}

fn lifetimes(totals: &Totals) -> Lifetimes {
    let at = |fraction| totals.lifetimes.quantile(fraction);
    Lifetimes { p50_ns: at(0.5), p90_ns: at(0.9), p99_ns: at(0.99), max_ns: at(1.0) }
}
