//! One descriptor number and those who had it.

use super::Source;
use super::report::Counters;
use crate::event::{Event, Thread};
use crate::pairing::{Effect, History, Latest, Owner, Release, TOLERANCE_NS};
use crate::place::Place;

/// A descriptor's time between an open and a close.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Opened {
    pub(crate) source: Source,
    pub(crate) place: Place,
    pub(crate) thread: Thread,
    /// When the outermost call began.
    pub(crate) started_ns: u64,
    /// When the innermost call ended: from then on it was open.
    pub(crate) opened_ns: u64,
}

/// A call that closed a descriptor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Close {
    pub(crate) start_ns: u64,
    pub(crate) end_ns: u64,
    pub(crate) thread: Thread,
    /// By `dup2` or `close_range`, which may also find nothing to close.
    pub(crate) is_implied: bool,
}

/// A descriptor number.
#[derive(Debug, Default)]
pub(crate) struct Number {
    pub(crate) history: History<Opened, Close>,
    last_close: Option<Close>,
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
    pub(crate) fn of(event: &Event<'_>, source: Source) -> Self {
        Self {
            source,
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
}

impl Close {
    fn encloses(&self, inner: &Self) -> bool {
        self.thread == inner.thread
            && self.start_ns <= inner.start_ns
            && inner.end_ns <= self.end_ns + TOLERANCE_NS
    }
}

impl Number {
    pub(crate) fn acquire(&mut self, opened: Opened, counters: &mut Counters) {
        if let Latest::Live(inner) = &mut self.history.latest
            && opened.encloses(inner)
        {
            counters.renamed(inner, &opened);
            *inner = Opened { opened_ns: inner.opened_ns, ..opened };
            return;
        }
        counters.opened(&opened);
        self.history.acquire(opened, &mut |effect| counters.tell(effect));
    }

    /// Closes it for its owner; false if none is known.
    pub(crate) fn release(&mut self, close: Close, counters: &mut Counters) -> bool {
        if self.last_close.as_ref().is_some_and(|inner| close.encloses(inner)) {
            return true;
        }
        let paired = self.history.release(close.clone(), &mut |effect| counters.tell(effect)).is_ok();
        if paired {
            self.last_close = Some(close);
        }
        paired
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
            Effect::Began(opened) => self.began(opened.opened_ns),
            Effect::Superseded(_) => self.open -= 1,
            Effect::Paired { owner, was_live, .. } => {
                self.closed(owner.source.kind);
                self.open -= u64::from(was_live);
            }
            Effect::PairedAnew { from, to, .. } => {
                self.unclosed(from.source.kind);
                self.closed(to.source.kind);
            }
            Effect::GaveUpOwner(_) => self.replaced_unseen += 1,
            Effect::GaveUpRelease(close) => self.closed_inherited += u64::from(!close.is_implied),
        }
    }
}
