//! What the ledger of descriptors found.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::Descriptors;
use super::counters::Counters;
use super::faults::{CloseFault, DoubleClose, Exhausted, ForeignClose, UseAfterClose};
use super::growth::Growth;
use super::inherited::PassedOn;
use super::open::{self, InheritedDescriptor, OpenDescriptor};
use super::reconcile::Reconciliation;
use crate::event::FunctionId;
use crate::heap::Faults;

/// Findings about one process's descriptors. Times are nanoseconds since the session began.
///
/// Always `opened == closed + replaced_unseen + still_open.len()`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescriptorReport {
    /// Descriptors this process opened, each of a pair for itself.
    pub opened: u64,
    /// Of those, closed: by `close` and its relatives, `dup2` onto them, `close_range`, `freopen`.
    pub closed: u64,
    /// Closes of numbers that this process had not opened.
    pub closed_inherited: u64,
    /// Numbers that were got again though their close was not seen.
    pub replaced_unseen: u64,
    /// Closes of what was not open, all of them.
    pub failed_closes: Faults<CloseFault>,
    /// Of those, closes of what this process had closed before; see [`DoubleClose`].
    pub double_closes: Faults<DoubleClose>,
    /// Closes of what another thread had opened; see [`ForeignClose`].
    pub foreign_closes: Faults<ForeignClose>,
    /// Uses of what this process had closed.
    pub uses_after_close: Faults<UseAfterClose>,
    /// Calls that got no descriptor because too many are open.
    pub exhausted: Faults<Exhausted>,
    /// The most descriptors that this process had opened and not closed at once.
    pub peak_open: u64,
    /// When that was.
    pub peak_ns: u64,
    /// The most descriptors that were open at once, inherited ones included: the limit counts these.
    pub peak_in_use: u64,
    /// Calls of `vfork` children that are not known as processes: not counted above.
    pub vfork_child_calls: u64,
    /// Opened and closed by kind.
    pub kinds: BTreeMap<&'static str, KindCounts>,
    /// What it opened and is open, by number.
    pub still_open: Vec<OpenDescriptor>,
    /// What it began with and is open, by number.
    pub inherited: Vec<InheritedDescriptor>,
    /// How many descriptors it began with.
    pub began_with: u64,
    /// If it began by an exec: what came through that and was not meant to; see [`PassedOn`].
    pub passed_on: Faults<PassedOn>,
    /// Descriptors of which it was predicted wrongly whether the exec would close them.
    pub mispredicted_at_exec: u64,
    /// All that was opened, by where: the most still open first, then the most opened.
    pub by_place: Vec<PlaceOpens>,
    /// Places whose descriptors become more and more: the fastest first.
    pub growing: Vec<Growth>,
    /// What the kernel said at the end, if it was asked.
    pub reconciliation: Option<Reconciliation>,
}

/// Descriptors of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KindCounts {
    /// How many were opened.
    pub opened: u64,
    /// How many of them were closed.
    pub closed: u64,
}

/// Descriptors that came from one place: a call site with the stack behind it, and the function it
/// called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PlaceOpens {
    /// Called from where; 0 if unknown.
    pub site: u64,
    /// Id of the call stack; 0 if none was taken.
    pub stack: u32,
    /// Which function made them.
    pub function: FunctionId,
    /// How many were opened.
    pub opened: u64,
    /// How many of them are open.
    pub still_open: u64,
}

impl DescriptorReport {
    /// How many descriptors are open, inherited ones included.
    #[must_use]
    pub fn in_use(&self) -> u64 {
        (self.still_open.len() + self.inherited.len()) as u64
    }

    /// In how many nanoseconds `limit` descriptors are open if everything that grows goes on as it
    /// did; None if nothing grows. The limit is RLIMIT_NOFILE: with so many open, the next call fails
    /// with EMFILE.
    #[must_use]
    pub fn forecast(&self, limit: u64) -> Option<u64> {
        let per_second: f64 = self.growing.iter().map(|growth| growth.per_second).sum();
        let room = limit.saturating_sub(self.in_use());
        (per_second > 0.0).then(|| (room as f64 / per_second * 1e9) as u64)
    }
}

pub(super) fn of(descriptors: &Descriptors) -> DescriptorReport {
    let counters: &Counters = &descriptors.counters;
    let histories = || descriptors.numbers.values().map(|number| &number.history);
    let replaced: usize = histories().map(|history| history.older.len()).sum();
    let foreign = histories().flat_map(|history| &history.early).filter(|close| !close.is_implied).count();
    let kinds: BTreeMap<_, _> = counters
        .kinds
        .iter()
        .filter(|(_, counts)| **counts != KindCounts::default())
        .map(|(kind, counts)| (*kind, *counts))
        .collect();
    let faults = &descriptors.faults;
    DescriptorReport {
        opened: kinds.values().map(|counts| counts.opened).sum(),
        closed: kinds.values().map(|counts| counts.closed).sum(),
        closed_inherited: counters.closed_inherited + foreign as u64,
        replaced_unseen: counters.replaced_unseen + replaced as u64,
        failed_closes: faults.failed_closes.clone(),
        double_closes: faults.double_closes(),
        foreign_closes: faults.foreign_closes.clone(),
        uses_after_close: faults.uses_after_close.clone(),
        exhausted: faults.exhausted.clone(),
        peak_open: counters.peak_open,
        peak_ns: counters.peak_ns,
        peak_in_use: counters.peak_in_use,
        vfork_child_calls: counters.vfork_child_calls,
        kinds,
        still_open: open::opened(descriptors),
        inherited: open::inherited(descriptors),
        began_with: descriptors.began_with,
        passed_on: descriptors.passed_on.clone(),
        mispredicted_at_exec: descriptors.mispredicted_at_exec,
        by_place: by_place(descriptors),
        growing: descriptors.growing(descriptors.seen_ns),
        reconciliation: descriptors.reconciliation.clone(),
    }
}

fn by_place(descriptors: &Descriptors) -> Vec<PlaceOpens> {
    // A place whose descriptors all went to outer calls has opened nothing.
    let places = descriptors.counters.places.iter().filter(|(_, tally)| tally.opened > 0);
    let mut places: Vec<_> = places
        .map(|(place, tally)| PlaceOpens {
            site: place.site,
            stack: place.stack,
            function: place.function,
            opened: tally.opened,
            still_open: tally.open,
        })
        .collect();
    places.sort_unstable_by_key(|place| {
        (Reverse((place.still_open, place.opened)), place.site, place.function, place.stack)
    });
    places
}
