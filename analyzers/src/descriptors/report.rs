//! What the ledger of descriptors found.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::Descriptors;
use super::number::Opened;
use crate::event::{Fd, FunctionId, Thread};
use crate::hash::SpreadMap;
use crate::heap::Faults;
use crate::place::Place;

/// Findings about one process's descriptors. Times are nanoseconds since the session began.
///
/// Always `opened == closed + replaced_unseen + still_open.len()`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescriptorReport {
    /// Descriptors got through recorded calls, each of a pair for itself.
    pub opened: u64,
    /// Of those, closed: by `close` and its relatives, `dup2` onto them, `close_range`, `freopen`.
    pub closed: u64,
    /// Closes of numbers this process did not open in a recorded call.
    pub closed_inherited: u64,
    /// Numbers that were got again though their close was not seen.
    pub replaced_unseen: u64,
    /// Closes of what was not open.
    pub failed_closes: Faults<CloseFault>,
    /// The most descriptors open at once.
    pub peak_open: u64,
    /// When that was.
    pub peak_ns: u64,
    /// Calls of `vfork` children, which have descriptors of their own: not counted above.
    pub vfork_child_calls: u64,
    /// Opened and closed by kind.
    pub kinds: BTreeMap<&'static str, KindCounts>,
    /// What is open, by number.
    pub still_open: Vec<OpenDescriptor>,
    /// All that was opened, by where: the most still open first, then the most opened.
    pub by_place: Vec<PlaceOpens>,
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

/// A descriptor that this process opened and did not close.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenDescriptor {
    /// Its number.
    pub fd: Fd,
    /// What it is: a duplicate is what its source was, `duplicate` if that is unknown.
    pub kind: &'static str,
    /// Path or name, empty if it has none.
    pub path: Vec<u8>,
    /// Which function made it.
    pub function: FunctionId,
    /// Called from where; 0 if unknown.
    pub site: u64,
    /// Id of the call stack; 0 if none was taken.
    pub stack: u32,
    /// By which thread.
    pub thread: Thread,
    /// When.
    pub opened_ns: u64,
}

/// A close that failed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CloseFault {
    /// Of which number.
    pub fd: Fd,
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

/// What is counted while the events come.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counters {
    pub(crate) open: u64,
    pub(crate) closed_inherited: u64,
    pub(crate) replaced_unseen: u64,
    pub(crate) failed_closes: Faults<CloseFault>,
    pub(crate) vfork_child_calls: u64,
    peak_open: u64,
    peak_ns: u64,
    kinds: BTreeMap<&'static str, KindCounts>,
    /// How many each place opened.
    places: SpreadMap<Place, u64>,
}

impl Counters {
    pub(crate) fn opened(&mut self, opened: &Opened) {
        self.kinds.entry(opened.source.kind).or_default().opened += 1;
        *self.places.entry(opened.place).or_default() += 1;
    }

    pub(crate) fn closed(&mut self, kind: &'static str) {
        self.kinds.entry(kind).or_default().closed += 1;
    }

    pub(crate) fn unclosed(&mut self, kind: &'static str) {
        self.kinds.entry(kind).or_default().closed -= 1;
    }

    /// What was counted as opened is in truth of another kind, or another place asked for it.
    pub(crate) fn renamed(&mut self, was: &Opened, is: &Opened) {
        self.kinds.entry(was.source.kind).or_default().opened -= 1;
        *self.places.entry(was.place).or_default() -= 1;
        self.opened(is);
    }

    pub(crate) fn began(&mut self, at_ns: u64) {
        self.open += 1;
        if self.open > self.peak_open {
            self.peak_open = self.open;
            self.peak_ns = at_ns;
        }
    }
}

pub(super) fn of(descriptors: &Descriptors) -> DescriptorReport {
    let counters = descriptors.counters.clone();
    let histories = || descriptors.numbers.values().map(|number| &number.history);
    let replaced: usize = histories().map(|history| history.older.len()).sum();
    let foreign = histories().flat_map(|history| &history.early).filter(|close| !close.is_implied).count();
    let kinds: BTreeMap<_, _> =
        counters.kinds.into_iter().filter(|(_, counts)| *counts != KindCounts::default()).collect();
    let still_open = descriptors.open().map(|(fd, opened)| OpenDescriptor {
        fd,
        kind: opened.source.kind,
        path: opened.source.path.to_vec(),
        function: opened.place.function,
        site: opened.place.site,
        stack: opened.place.stack,
        thread: opened.thread,
        opened_ns: opened.opened_ns,
    });
    DescriptorReport {
        opened: kinds.values().map(|counts| counts.opened).sum(),
        closed: kinds.values().map(|counts| counts.closed).sum(),
        closed_inherited: counters.closed_inherited + foreign as u64,
        replaced_unseen: counters.replaced_unseen + replaced as u64,
        failed_closes: counters.failed_closes,
        peak_open: counters.peak_open,
        peak_ns: counters.peak_ns,
        vfork_child_calls: counters.vfork_child_calls,
        still_open: still_open.collect(),
        by_place: by_place(descriptors),
        kinds,
    }
}

fn by_place(descriptors: &Descriptors) -> Vec<PlaceOpens> {
    let mut still_open: SpreadMap<Place, u64> = SpreadMap::default();
    descriptors.open().for_each(|(_, opened)| *still_open.entry(opened.place).or_default() += 1);
    // A place whose descriptors all went to outer calls has opened nothing.
    let places = descriptors.counters.places.iter().filter(|(_, opened)| **opened > 0);
    let mut places: Vec<_> = places
        .map(|(place, opened)| PlaceOpens {
            site: place.site,
            stack: place.stack,
            function: place.function,
            opened: *opened,
            still_open: still_open.get(place).copied().unwrap_or(0),
        })
        .collect();
    places.sort_unstable_by_key(|place| {
        (Reverse((place.still_open, place.opened)), place.site, place.function, place.stack)
    });
    places
}
