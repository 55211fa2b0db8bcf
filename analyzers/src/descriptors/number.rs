//! One descriptor number and those who had it.

use super::counters::Counters;
use super::descriptor::Descriptor;
use super::faults::Call;
use crate::event::{Event, Image, Thread};
use crate::pairing::{Effect, History, Latest, Owner, Release, TOLERANCE_NS};
use crate::place::Place;

/// A descriptor's time between an open and a close.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Opened {
    pub(crate) descriptor: Descriptor,
    pub(crate) place: Place,
    pub(crate) thread: Thread,
    /// When the outermost call began.
    pub(crate) started_ns: u64,
    /// When the innermost call ended: from then on it was open.
    pub(crate) opened_ns: u64,
}

/// A call that closed a descriptor, or tried to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Close {
    pub(crate) place: Place,
    pub(crate) thread: Thread,
    pub(crate) start_ns: u64,
    pub(crate) end_ns: u64,
    /// By `dup2` or `close_range`, which may also find nothing to close.
    pub(crate) is_implied: bool,
    /// How many descriptors its thread had opened and closed before.
    pub(crate) turn: u64,
}

/// What a close did to a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Released {
    /// Ended its owner's time.
    Now,
    /// Nothing: a call inside this one has closed it.
    Before,
    /// Nothing: no owner is known.
    Nobodys,
}

/// Who had a number before its present owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Former {
    pub(crate) place: Place,
    pub(crate) thread: Thread,
    pub(crate) closed: Close,
}

/// A descriptor number.
#[derive(Debug, Default)]
pub(crate) struct Number {
    pub(crate) history: History<Opened, Close>,
    pub(crate) last_close: Option<Close>,
    /// Who had it before the youngest owner, if that one was closed by its own thread.
    pub(crate) former: Option<Box<Former>>,
}

impl Owner for Opened {
    fn birth_ns(&self) -> u64 {
        self.opened_ns
    }

    fn thread(&self) -> Option<Thread> {
        Some(self.thread)
    }
}

impl Release for Close {
    fn start_ns(&self) -> u64 {
        self.start_ns
    }

    fn thread(&self) -> Thread {
        self.thread
    }
}

impl Opened {
    pub(crate) fn of(event: &Event<'_>, descriptor: Descriptor) -> Self {
        Self {
            descriptor,
            place: Place::of(event),
            thread: event.thread,
            started_ns: event.start_ns,
            opened_ns: event.end_ns,
        }
    }

    /// Told later by the same thread, it has `inner` inside: both are one open.
    fn encloses(&self, inner: &Self) -> bool {
        self.thread == inner.thread
            && self.started_ns <= inner.started_ns
            && inner.opened_ns <= self.opened_ns + TOLERANCE_NS
    }

    /// The call that opened it, in this image.
    pub(crate) fn call(&self, image: Image) -> Call {
        Call::new(image, self.place, self.thread, self.opened_ns)
    }
}

impl Close {
    pub(crate) fn of(event: &Event<'_>, is_implied: bool, turn: u64) -> Self {
        Self {
            place: Place::of(event),
            thread: event.thread,
            start_ns: event.start_ns,
            end_ns: event.end_ns,
            is_implied,
            turn,
        }
    }

    /// Told later by the same thread, it has `inner` inside: both are one close.
    pub(crate) fn encloses(&self, inner: &Self) -> bool {
        self.thread == inner.thread
            && self.start_ns <= inner.start_ns
            && inner.end_ns <= self.end_ns + TOLERANCE_NS
    }

    /// The call, in this image.
    pub(crate) fn call(&self, image: Image) -> Call {
        Call::new(image, self.place, self.thread, self.start_ns)
    }
}

impl Number {
    /// The open descriptor of this number.
    pub(crate) fn live_mut(&mut self) -> Option<&mut Opened> {
        if let Latest::Live(opened) = &mut self.history.latest { Some(opened) } else { None }
    }

    pub(crate) fn live(&self) -> Option<&Opened> {
        if let Latest::Live(opened) = &self.history.latest { Some(opened) } else { None }
    }

    pub(crate) fn acquire(&mut self, opened: Opened, counters: &mut Counters) {
        if let Latest::Live(inner) = &mut self.history.latest
            && opened.encloses(inner)
        {
            counters.renamed(inner, &opened);
            let descriptor = opened.descriptor.completed_by(&inner.descriptor);
            *inner = Opened { descriptor, opened_ns: inner.opened_ns, ..opened };
            return;
        }
        counters.opened(&opened);
        self.former = self.closed_by_its_opener().map(Box::new);
        self.history.acquire(opened, &mut |effect| counters.tell(effect));
    }

    /// The last owner, if the thread that opened it has closed it.
    fn closed_by_its_opener(&self) -> Option<Former> {
        let Latest::Released(owner, _) = &self.history.latest else { return None };
        let closed = self.last_close.as_ref().filter(|close| close.thread == owner.thread)?.clone();
        Some(Former { place: owner.place, thread: owner.thread, closed })
    }

    /// Closes it for its owner, if one is known.
    pub(crate) fn release(&mut self, close: &Close, counters: &mut Counters) -> Released {
        if let Some(inner) = &mut self.last_close
            && close.encloses(inner)
        {
            inner.place = close.place;
            return Released::Before;
        }
        match self.history.release(close.clone(), &mut |effect| counters.tell(effect)) {
            Ok(()) => {
                self.last_close = Some(close.clone());
                Released::Now
            }
            Err(_) => Released::Nobodys,
        }
    }

    /// Nobody had it: perhaps its open is told late.
    pub(crate) fn wait(&mut self, close: Close, counters: &mut Counters) {
        self.last_close = Some(close.clone());
        self.history.wait_release(close, &mut |effect| counters.tell(effect));
    }
}

impl Counters {
    fn tell(&mut self, effect: Effect<'_, Opened, Close>) {
        match effect {
            Effect::Began(opened) => self.began(opened),
            Effect::Superseded(opened) => self.ended(opened, opened.opened_ns),
            Effect::Paired { owner, was_live, release } => {
                self.closed(owner.descriptor.source.kind);
                if was_live {
                    self.ended(owner, release.start_ns);
                }
            }
            Effect::PairedAnew { from, to, .. } => {
                self.unclosed(from.descriptor.source.kind);
                self.closed(to.descriptor.source.kind);
            }
            Effect::GaveUpOwner(_) => self.replaced_unseen += 1,
            Effect::GaveUpRelease(close) => self.closed_inherited += u64::from(!close.is_implied),
        }
    }
}
