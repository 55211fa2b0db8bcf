//! Who had a block, and who gave it back.

use super::origins::Origin;
use crate::event::{Event, Giver, Thread};
use crate::pairing::{Owner, Release};
use crate::place::Place;

/// What a call gave, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Got {
    pub(super) bytes: u64,
    pub(super) origin: Origin,
}

/// One time between an acquire and a release of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BlockOwner {
    pub(super) birth_ns: u64,
    pub(super) got: Got,
    /// Unknown once it was released.
    pub(super) thread: Option<u32>,
}

/// One call that took a block back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BlockRelease {
    pub(super) start_ns: u64,
    pub(super) thread: Thread,
    pub(super) place: Place,
    pub(super) giver: Giver,
    pub(super) purpose: Purpose,
    /// Whether, when it was seen, the address had been released before.
    pub(super) again: bool,
}

/// Why a block was taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To end it.
    Free,
    /// To go on in another place or size.
    Reallocate,
}

impl BlockRelease {
    /// What `event` took back, through the family of `giver`.
    #[inline(always)]
    pub(super) fn of(event: &Event<'_>, giver: Giver, purpose: Purpose) -> Self {
        Self {
            start_ns: event.start_ns,
            thread: event.thread,
            place: Place::of(event),
            giver,
            purpose,
            again: false,
        }
    }
}

impl Owner for BlockOwner {
    fn birth_ns(&self) -> u64 {
        self.birth_ns
    }

    fn thread(&self) -> Option<Thread> {
        self.thread.map(Thread)
    }
}

impl Release for BlockRelease {
    fn start_ns(&self) -> u64 {
        self.start_ns
    }

    fn thread(&self) -> Thread {
        self.thread
    }
}
