//! The ledger of descriptors: who opened which, and whether it was closed.

pub mod address;
mod counters;
mod descriptor;
mod faults;
mod growth;
mod inherited;
mod judge;
mod number;
mod open;
mod reconcile;
mod report;
mod trend;

pub use faults::{Call, CloseFault, DoubleClose, Exhausted, ForeignClose, UseAfterClose};
pub use growth::Growth;
pub use inherited::{InheritedDescriptors, Occasion, Origin, PassedOn};
pub use open::{InheritedDescriptor, LastUse, OpenDescriptor};
pub use reconcile::{Difference, DifferenceKind, KernelDescriptor, Reconciliation};
pub use report::{DescriptorReport, KindCounts, PlaceOpens};

use std::collections::{BTreeMap, VecDeque};

use crate::event::{Action, Analyzer, Event, Fd, Image, OpenFlags, Thread};
use crate::hash::SpreadMap;
use crate::heap::Faults;
use counters::Counters;
use descriptor::{Descriptor, Source};
use faults::DescriptorFaults;
use inherited::Inherited;
use number::{Close, Number, Opened, Released};

/// A call that closed a range can close what is told later; so many are remembered.
const RANGES: usize = 16;

/// Pairs every open with its close; what stays unpaired at exit is still open.
///
/// Library calls and system calls are told alike, in any number: where one lies inside the other they
/// are one, and the outer one names it. Memory grows with the numbers in use, the places that open and
/// the threads, not with the length of the run.
#[derive(Debug, Default)]
pub struct Descriptors {
    image: Image,
    /// Whether it began by a fork.
    is_forked: bool,
    numbers: BTreeMap<Fd, Number>,
    inherited: BTreeMap<Fd, Inherited>,
    began_with: u64,
    counters: Counters,
    faults: DescriptorFaults,
    ranges: VecDeque<(Fd, Fd, Close)>,
    /// How many descriptors each thread has opened and closed.
    turns: SpreadMap<Thread, u64>,
    passed_on: Faults<PassedOn>,
    mispredicted_at_exec: u64,
    /// The latest time that anything was told of.
    seen_ns: u64,
    reconciliation: Option<Reconciliation>,
}

impl Descriptors {
    /// The ledger of `image`, which began with nothing.
    #[must_use]
    pub fn new(image: Image) -> Self {
        Self { image, ..Self::default() }
    }

    /// How many descriptors this process opened and has not closed.
    #[must_use]
    pub fn open_now(&self) -> u64 {
        self.counters.open
    }

    /// How many descriptors are open, inherited ones included.
    #[must_use]
    pub fn in_use(&self) -> u64 {
        self.counters.open + self.inherited.len() as u64
    }

    /// Nothing of `thread` will come any more.
    pub fn thread_ended(&mut self, thread: Thread) {
        self.turns.remove(&thread);
        self.faults.thread_ended(thread);
    }

    fn open(&self) -> impl Iterator<Item = (Fd, &Opened)> {
        self.numbers.iter().filter_map(|(fd, number)| Some((*fd, number.live()?)))
    }

    /// The open descriptor of this number.
    fn descriptor(&mut self, fd: Fd) -> Option<&mut Descriptor> {
        match self.numbers.get_mut(&fd).and_then(Number::live_mut) {
            Some(opened) => Some(&mut opened.descriptor),
            None => self.inherited.get_mut(&fd).map(|inherited| &mut inherited.descriptor),
        }
    }

    fn turn(&mut self, thread: Thread) -> u64 {
        let turn = self.turns.entry(thread).or_default();
        *turn += 1;
        *turn
    }

    fn opened(&mut self, event: &Event<'_>, fd: Fd, kind: &'static str, path: &[u8], flags: OpenFlags) {
        let source = Source::new(kind, path, flags.word);
        self.acquired(event, fd, Descriptor::new(source, flags.close_on_exec));
    }

    fn acquired(&mut self, event: &Event<'_>, fd: Fd, descriptor: Descriptor) {
        self.turn(event.thread);
        self.inherited.remove(&fd);
        let number = self.numbers.entry(fd).or_default();
        number.acquire(Opened::of(event, descriptor), &mut self.counters);
        if let Some(opened) = number.live() {
            let birth_ns = opened.opened_ns;
            let closing = |(first, last, close): &&(Fd, Fd, Close)| {
                (*first..=*last).contains(&fd) && close.start_ns >= birth_ns
            };
            if let Some((.., close)) = self.ranges.iter().find(closing) {
                number.release(close, &mut self.counters);
            }
        }
        self.counters.in_use(self.in_use());
    }

    fn closed(&mut self, event: &Event<'_>, fd: Fd, is_implied: bool) {
        let mut close = Close::of(event, is_implied, 0);
        let number = self.numbers.entry(fd).or_default();
        let released = number.release(&close, &mut self.counters);
        if released == Released::Before {
            return self.perhaps_foreign(fd);
        }
        close.turn = self.turn(event.thread);
        let number = self.numbers.entry(fd).or_default();
        if released == Released::Now {
            number.last_close = Some(close);
            self.perhaps_foreign(fd);
        } else if self.inherited.remove(&fd).is_some() {
            number.last_close = Some(close);
            self.counters.closed_inherited += 1;
        } else {
            number.wait(close, &mut self.counters);
        }
    }

    /// Takes in a library call; `has_closed` if a `close` inside it was told before.
    pub(crate) fn observe_call(&mut self, event: &Event<'_>, has_closed: bool) {
        match event.action {
            Action::Closed { fd } if has_closed && !event.vfork_child => self.closed_inside(event, fd),
            _ => self.observe(event),
        }
    }

    /// A call has closed `fd` by a `close` inside it, which is known: that one's place is the call's. The
    /// number may have been others' since.
    fn closed_inside(&mut self, event: &Event<'_>, fd: Fd) {
        let close = Close::of(event, false, 0);
        if let Some(number) = self.numbers.get_mut(&fd)
            && number.last_close.as_ref().is_some_and(|inner| close.encloses(inner))
        {
            number.release(&close, &mut self.counters);
            self.perhaps_foreign(fd);
        }
    }

    fn closed_range(&mut self, event: &Event<'_>, first: Fd, last: Fd) {
        if first > last {
            return;
        }
        let close = Close::of(event, true, self.turn(event.thread));
        for (_, number) in self.numbers.range_mut(first..=last) {
            number.release(&close, &mut self.counters);
        }
        let before = self.inherited.len();
        self.inherited.retain(|fd, _| !(first..=last).contains(fd));
        self.counters.closed_inherited += (before - self.inherited.len()) as u64;
        if self.ranges.len() == RANGES {
            self.ranges.pop_front();
        }
        self.ranges.push_back((first, last, close));
    }

    /// A copy of `from` that has no number yet.
    fn copy(&mut self, from: Fd, close_on_exec: Option<bool>) -> Descriptor {
        match self.descriptor(from) {
            Some(descriptor) => descriptor.duplicate(close_on_exec),
            None => Descriptor::new(Source::new("duplicate", &[], None), close_on_exec),
        }
    }

    fn close_on_exec(&mut self, first: Fd, last: Fd, on: bool) {
        if first > last {
            return;
        }
        for opened in self.numbers.range_mut(first..=last).filter_map(|(_, number)| number.live_mut()) {
            opened.descriptor.set_close_on_exec(on);
        }
        for (_, inherited) in self.inherited.range_mut(first..=last) {
            inherited.descriptor.set_close_on_exec(on);
        }
    }

    fn addressed(&mut self, fd: Fd, address: &[u8], is_peer: bool) {
        if let (Some(text), Some(descriptor)) = (address::text(address), self.descriptor(fd))
            && (is_peer || descriptor.source.path.is_empty())
        {
            descriptor.source.path = text.into_bytes().into();
        }
    }

    fn used(&mut self, event: &Event<'_>, fd: Fd) {
        if event.errno == judge::BAD_DESCRIPTOR {
            self.use_failed(event, fd);
        } else if let Some(descriptor) = self.descriptor(fd) {
            descriptor.used(event);
        }
    }
}

impl Analyzer for Descriptors {
    type Report = DescriptorReport;

    fn observe(&mut self, event: &Event<'_>) {
        if event.vfork_child {
            let is_about_descriptors = !matches!(event.action, Action::None) && !event.action.is_memory();
            self.counters.vfork_child_calls += u64::from(is_about_descriptors);
            return;
        }
        self.seen_ns = self.seen_ns.max(event.end_ns);
        if let Some(fd) = event.used {
            self.used(event, fd);
        }
        match event.action {
            Action::None if Self::is_exhausted(event.errno) => self.exhausted(event),
            Action::Opened { fd, kind, path, flags } => self.opened(event, fd, kind, path, flags),
            Action::OpenedPair { fds, kind, flags } => {
                fds.into_iter().for_each(|fd| self.opened(event, fd, kind, &[], flags));
            }
            Action::Received { fds, flags } => {
                // The descriptor is the word's low half.
                fds.iter().for_each(|word| self.opened(event, Fd(*word as i32), "received", &[], flags));
            }
            Action::Duplicated { from, to, close_on_exec } => {
                let copy = self.copy(from, close_on_exec);
                self.acquired(event, to, copy);
            }
            Action::DuplicatedOnto { from, onto, close_on_exec } => {
                self.closed(event, onto, true);
                let copy = self.copy(from, close_on_exec);
                self.acquired(event, onto, Descriptor { is_redirection: true, ..copy });
            }
            Action::CloseOnExec { first, last, on } => self.close_on_exec(first, last, on),
            Action::Streamed { fd, stream } => {
                if let Some(descriptor) = self.descriptor(fd) {
                    descriptor.stream = Some(stream);
                }
            }
            Action::Addressed { fd, address, is_peer } => self.addressed(fd, address, is_peer),
            Action::Closed { fd } => self.closed(event, fd, false),
            Action::CloseFailed { fd } => self.close_failed(event, fd),
            Action::ClosedRange { first, last } => self.closed_range(event, first, last),
            Action::Reopened { old, new, kind, path } => {
                self.closed(event, old, false);
                let descriptor = Descriptor::new(Source::new(kind, path, None), None);
                self.acquired(event, new, Descriptor { is_redirection: true, ..descriptor });
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
