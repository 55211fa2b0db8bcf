//! The ledger of descriptors, as the program's own library calls made and closed them.

mod number;
mod report;

pub use report::{CloseFault, DescriptorReport, KindCounts, OpenDescriptor, PlaceOpens};

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::event::{Action, Analyzer, Event, Fd};
use crate::pairing::Latest;
use number::{Close, Number, Opened};
use report::Counters;

/// A call that closed a range can close what is told later; so many are remembered.
const RANGES: usize = 16;

/// Pairs every open with its close; what stays unpaired at exit is still open.
///
/// Sees library calls only: a descriptor opened inside libc or by a raw system call is unknown
/// until it is closed. Memory grows with the numbers in use and the places that open, not with the
/// length of the run.
#[derive(Debug, Default)]
pub struct Descriptors {
    numbers: BTreeMap<Fd, Number>,
    inherited: BTreeMap<Fd, Source>,
    counters: Counters,
    ranges: VecDeque<(Fd, Fd, Close)>,
}

/// What is behind a descriptor: duplicates share it, and forked children.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) kind: &'static str,
    pub(crate) path: Arc<[u8]>,
}

/// The descriptors that a process had when it forked.
#[derive(Clone, Debug, Default)]
pub struct InheritedDescriptors(BTreeMap<Fd, Source>);

impl Descriptors {
    /// The ledger of a forked child whose parent had these descriptors.
    #[must_use]
    pub fn with_inherited(descriptors: InheritedDescriptors) -> Self {
        Self { inherited: descriptors.0, ..Self::default() }
    }

    /// What a child forked now has from this process.
    #[must_use]
    pub fn inherit(&self) -> InheritedDescriptors {
        let mut sources = self.inherited.clone();
        sources.extend(self.open().map(|(fd, opened)| (fd, opened.source.clone())));
        InheritedDescriptors(sources)
    }

    /// How many descriptors this process opened and has not closed.
    #[must_use]
    pub fn open_now(&self) -> u64 {
        self.counters.open
    }

    pub(crate) fn open(&self) -> impl Iterator<Item = (Fd, &Opened)> {
        self.numbers.iter().filter_map(|(fd, number)| match &number.history.latest {
            Latest::Live(opened) => Some((*fd, opened)),
            _ => None,
        })
    }

    fn opened(&mut self, event: &Event<'_>, fd: Fd, kind: &'static str, path: &[u8]) {
        self.acquired(event, fd, Source { kind, path: path.into() });
    }

    fn acquired(&mut self, event: &Event<'_>, fd: Fd, source: Source) {
        self.inherited.remove(&fd);
        let number = self.numbers.entry(fd).or_default();
        number.acquire(Opened::of(event, source), &mut self.counters);
        let Latest::Live(opened) = &number.history.latest else { return };
        let birth_ns = opened.opened_ns;
        let closing = |(first, last, close): &&(Fd, Fd, Close)| {
            (*first..=*last).contains(&fd) && close.start_ns >= birth_ns
        };
        if let Some((.., close)) = self.ranges.iter().find(closing) {
            number.release(close.clone(), &mut self.counters);
        }
    }

    fn closed(&mut self, event: &Event<'_>, fd: Fd, is_implied: bool) {
        let close =
            Close { start_ns: event.start_ns, end_ns: event.end_ns, thread: event.thread, is_implied };
        let number = self.numbers.entry(fd).or_default();
        if number.release(close.clone(), &mut self.counters) {
            return;
        }
        if self.inherited.remove(&fd).is_some() {
            self.counters.closed_inherited += 1;
        } else {
            number.wait(close, &mut self.counters);
        }
    }

    fn closed_range(&mut self, event: &Event<'_>, first: Fd, last: Fd) {
        if first > last {
            return;
        }
        let close =
            Close { start_ns: event.start_ns, end_ns: event.end_ns, thread: event.thread, is_implied: true };
        for number in self.numbers.range_mut(first..=last).map(|(_, number)| number) {
            number.release(close.clone(), &mut self.counters);
        }
        let before = self.inherited.len();
        self.inherited.retain(|fd, _| !(first..=last).contains(fd));
        self.counters.closed_inherited += (before - self.inherited.len()) as u64;
        if self.ranges.len() == RANGES {
            self.ranges.pop_front();
        }
        self.ranges.push_back((first, last, close));
    }

    fn duplicated(&mut self, event: &Event<'_>, from: Fd, to: Fd) {
        let source = match self.numbers.get(&from).map(|number| &number.history.latest) {
            Some(Latest::Live(opened)) => Some(&opened.source),
            _ => self.inherited.get(&from),
        };
        let unknown = || Source { kind: "duplicate", path: Arc::default() };
        let source = source.cloned().unwrap_or_else(unknown);
        self.acquired(event, to, source);
    }

    fn close_failed(&mut self, event: &Event<'_>, fd: Fd) {
        self.counters.failed_closes.add(CloseFault {
            fd,
            function: event.function,
            site: event.site,
            stack: event.stack,
            thread: event.thread,
            at_ns: event.start_ns,
        });
    }
}

impl Analyzer for Descriptors {
    type Report = DescriptorReport;

    fn observe(&mut self, event: &Event<'_>) {
        let touches_descriptors = !matches!(
            event.action,
            Action::None
                | Action::Allocated { .. }
                | Action::AllocationFailed { .. }
                | Action::Reallocated { .. }
                | Action::Freed { .. }
                | Action::Mapped { .. }
                | Action::Unmapped { .. }
                | Action::Remapped { .. }
        );
        if event.vfork_child {
            self.counters.vfork_child_calls += u64::from(touches_descriptors);
            return;
        }
        match event.action {
            Action::Opened { fd, kind, path } => self.opened(event, fd, kind, path),
            Action::OpenedPair { fds, kind } => {
                fds.into_iter().for_each(|fd| self.opened(event, fd, kind, &[]))
            }
            Action::Received { fds } => {
                // The descriptor is the word's low half.
                fds.iter().for_each(|word| self.opened(event, Fd(*word as i32), "received", &[]));
            }
            Action::Duplicated { from, to } => self.duplicated(event, from, to),
            Action::DuplicatedOnto { from, onto } => {
                self.closed(event, onto, true);
                self.duplicated(event, from, onto);
            }
            Action::Closed { fd } => self.closed(event, fd, false),
            Action::CloseFailed { fd } => self.close_failed(event, fd),
            Action::ClosedRange { first, last } => self.closed_range(event, first, last),
            Action::Reopened { old, new, kind, path } => {
                self.closed(event, old, false);
                self.opened(event, new, kind, path);
            }
            _ => {}
        }
    }

    fn report(&self) -> DescriptorReport {
        report::of(self)
    }
}

#[cfg(test)]
mod tests;
