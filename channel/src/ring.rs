//! A ring of records: one producer (a thread of the target, and the signal handlers that
//! interrupt it), one consumer (the reader).
//!
//! Positions count words and never wrap; `position & mask` is the place. A record is contiguous:
//! one that begins near the end runs on into [`crate::record::MAX_WORDS`] words of slack, and the
//! next one begins after the words that the slack stands for. So there is no padding record.
//!
//! * **Reserve** moves the producer's own cursor with an instruction that a signal cannot divide.
//!   It needs no lock prefix, because only this thread and its handlers write the cursor. A handler
//!   that records in the middle of a push gets the words behind it.
//! * **Commit** is the release store of the record's header.
//! * **Open pushes**: before a thread reserves, it notes where ([`Control::open`]). A handler that finds
//!   such a note has interrupted a push, or the push was left by `siglongjmp`; see [`Outer`].
//! * **Consume**: the reader copies a record whose header is not zero, writes zeros over it, and
//!   releases the space by storing the tail. So whatever lies between tail and tail + capacity is
//!   either zero or a record, and a header needs no lap number.

mod consumer;
mod producer;

pub use consumer::{Consumer, Peeked, Torn};
pub use producer::Outer;

use crate::sync::{AtomicU64, Ordering};

/// What stands before the words of a ring; lives in the segment.
///
/// Each line is written by one side only, except `state`.
#[derive(Debug)]
#[cfg_attr(not(loom), repr(C, align(64)))]
pub struct Control {
    // --- the producer's line -------------------------------------------------------------
    /// Where the next record will be reserved.
    cursor: AtomicU64,
    /// The producer's copy of tail + capacity.
    limit: AtomicU64,
    /// Address of the words in the owner's own memory; means nothing to anyone else.
    pub base: AtomicU64,
    /// Capacity in words less one.
    mask: AtomicU64,
    /// The call that has begun and not ended: function number, 0 if none.
    pub in_flight: AtomicU64,
    /// Its first argument.
    pub in_flight_argument: AtomicU64,
    /// Its start, in ticks.
    pub in_flight_start: AtomicU64,
    /// Records given up because the ring was full (`--on-full drop`) or the reader gone.
    pub dropped: AtomicU64,
    // --- written when the ring is claimed ------------------------------------------------
    /// [`FREE`], [`CLAIMED`].
    pub state: AtomicU64,
    /// Process id in bits 32-63, thread id in bits 0-31.
    pub owner: AtomicU64,
    /// Serial of the parent's image in bits 32-63, of the owner's image in bits 0-31.
    pub serial: AtomicU64,
    /// How often this ring was claimed.
    pub generation: AtomicU64,
    /// The thread's name, 16 bytes, zero-padded; renewed by `pthread_setname_np`.
    pub name: [AtomicU64; 2],
    /// The open push: see [`Outer`]; 0 if there is none.
    push: AtomicU64,
    /// Frame address of whoever opened it.
    push_frame: AtomicU64,
    // --- the consumer's line -------------------------------------------------------------
    /// Everything before this position has been consumed.
    tail: AtomicU64,
    /// Not zero while the producer sleeps on it (its low half is the futex) for space.
    pub waiting: AtomicU64,
    padding: [AtomicU64; 6],
}

#[cfg(not(loom))]
const _: () = assert!(size_of::<Control>() == 192, "three cache lines, one writer each");

/// `state`: nobody's; may be claimed.
pub const FREE: u64 = 0;
/// `state`: belongs to the thread in `owner`, or to its remains until the reader has drained it.
pub const CLAIMED: u64 = 1;

/// The words of a ring: `capacity + MAX_WORDS` of them.
pub trait Words {
    /// Reads the word at `index`.
    fn load(&self, index: usize, order: Ordering) -> u64;
    /// Writes the word at `index`.
    fn store(&self, index: usize, value: u64, order: Ordering);
    /// Writes a zero at `index` if `value` is still there.
    fn clear(&self, index: usize, value: u64);
}

/// The ring had no room for a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl Control {
    /// A control block as a new segment has it, except that a fresh mapping is zero and needs no call.
    #[must_use]
    pub fn new() -> Self {
        Self {
            cursor: AtomicU64::new(0),
            limit: AtomicU64::new(0),
            base: AtomicU64::new(0),
            mask: AtomicU64::new(0),
            in_flight: AtomicU64::new(0),
            in_flight_argument: AtomicU64::new(0),
            in_flight_start: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            state: AtomicU64::new(FREE),
            owner: AtomicU64::new(0),
            serial: AtomicU64::new(0),
            generation: AtomicU64::new(0),
            name: [AtomicU64::new(0), AtomicU64::new(0)],
            push: AtomicU64::new(0),
            push_frame: AtomicU64::new(0),
            tail: AtomicU64::new(0),
            waiting: AtomicU64::new(0),
            padding: core::array::from_fn(|_| AtomicU64::new(0)),
        }
    }

    /// Takes the ring for one thread. False if another thread was faster.
    pub fn claim(&self, pid: u32, tid: u32, serial: u32, parent: u32, base: u64, capacity: u64) -> bool {
        // Acquire: pairs with the Release in `free`, so the last owner's end is seen.
        // Looked at first: a thread passes over hundreds of others' rings, whose lines it need not own.
        if self.state.load(Ordering::Relaxed) != FREE
            || self.state.compare_exchange(FREE, CLAIMED, Ordering::Acquire, Ordering::Relaxed).is_err()
        {
            return false;
        }
        self.base.store(base, Ordering::Relaxed);
        self.mask.store(capacity - 1, Ordering::Relaxed);
        self.dropped.store(0, Ordering::Relaxed);
        self.in_flight.store(0, Ordering::Relaxed);
        self.push.store(0, Ordering::Relaxed);
        for word in &self.name {
            word.store(0, Ordering::Relaxed);
        }
        self.serial.store(u64::from(parent) << 32 | u64::from(serial), Ordering::Relaxed);
        let generation = self.generation.load(Ordering::Relaxed);
        self.generation.store(generation + 1, Ordering::Relaxed);
        self.limit.store(self.tail.load(Ordering::Relaxed) + capacity, Ordering::Relaxed);
        // Release: pairs with the Acquire in `owner`; the reader sees the lines above. The ring is
        // empty, so cursor and tail agree.
        self.owner.store(u64::from(pid) << 32 | u64::from(tid), Ordering::Release);
        true
    }

    /// Process and thread id of the owner; (0, 0) while a claim is under way.
    #[must_use]
    pub fn owner(&self) -> (u32, u32) {
        // Acquire: pairs with the Release in `claim`.
        let owner = self.owner.load(Ordering::Acquire);
        ((owner >> 32) as u32, owner as u32)
    }

    /// Gives a drained ring of a dead thread back, `consumed` being the reader's position. Only the
    /// reader calls this.
    pub fn free(&self, consumed: u64) {
        self.owner.store(0, Ordering::Relaxed);
        self.cursor.store(consumed, Ordering::Relaxed);
        self.tail.store(consumed, Ordering::Relaxed);
        self.waiting.store(0, Ordering::Relaxed);
        // Release: pairs with the Acquire in `claim`.
        self.state.store(FREE, Ordering::Release);
    }

    /// Makes the ring one that nobody can claim.
    pub fn reserve_for_nobody(&self) {
        self.state.store(CLAIMED, Ordering::Relaxed);
    }

    /// Whether it still is one, and nobody has written into it.
    #[must_use]
    pub fn is_for_nobody(&self) -> bool {
        let words = [
            &self.cursor,
            &self.limit,
            &self.base,
            &self.mask,
            &self.in_flight,
            &self.in_flight_argument,
            &self.in_flight_start,
            &self.dropped,
            &self.owner,
            &self.serial,
            &self.generation,
            &self.name[0],
            &self.name[1],
            &self.push,
            &self.push_frame,
            &self.tail,
            &self.waiting,
        ];
        self.state.load(Ordering::Relaxed) == CLAIMED
            && words.into_iter().chain(&self.padding).all(|word| word.load(Ordering::Relaxed) == 0)
    }

    /// Whether what the CLI has never seen changed in a claimed ring is as the claim has left it: its owner, its
    /// image, its size.
    #[must_use]
    pub fn belongs_to(&self, pid: u32, tid: u32, serial: u64, capacity: u64) -> bool {
        self.state.load(Ordering::Relaxed) == CLAIMED
            && self.owner() == (pid, tid)
            && self.serial.load(Ordering::Relaxed) == serial
            && self.mask.load(Ordering::Relaxed) == capacity - 1
            && self.padding.iter().all(|word| word.load(Ordering::Relaxed) == 0)
    }

    /// Where a reserved position lies among the words.
    #[inline(always)]
    #[must_use]
    pub fn place(&self, at: u64) -> usize {
        (at & self.mask.load(Ordering::Relaxed)) as usize
    }

    /// The producer's cursor, for the reader of a dead thread's ring: untrusted.
    #[must_use]
    pub fn cursor(&self) -> u64 {
        self.cursor.load(Ordering::Relaxed)
    }

    /// How far the consumer is.
    #[must_use]
    pub fn tail(&self) -> u64 {
        self.tail.load(Ordering::Relaxed)
    }
}

impl Default for Control {
    fn default() -> Self {
        Self::new()
    }
}
