//! The consumer's side of a ring: peeking, passing, giving room back, and going on behind what no producer writes.

use super::{Control, Words};
use crate::record::MAX_WORDS;
use crate::sync::Ordering;

/// What the reader found at its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peeked {
    /// Nothing is committed there yet.
    Nothing,
    /// A record of so many words was copied.
    Record(usize),
    /// A header that no producer writes: the target scribbled over the segment.
    Corrupt(u64),
}

/// What a dead producer had reserved and not committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Torn {
    /// Nothing.
    Nothing,
    /// Only the record that it was writing when it died. Its second word, a time in ticks; 0 if that was not written.
    Record(u64),
    /// More: signal handlers have interrupted that record, and theirs stand behind it; or somebody has scribbled there.
    Run,
}

/// The reader's side of one ring. Keeps its own position; what the segment says is never believed.
#[derive(Debug)]
pub struct Consumer {
    position: u64,
    released: u64,
    mask: u64,
    /// The producer's cursor when it was looked at last, if that was one to be believed.
    cursor: u64,
    /// How often in a row the producer slept for want of room although nothing lies at the position, and where.
    stuck: (u32, u64),
}

/// A producer that is found so often asleep without anything to be read has lost the record at the position: it is in
/// no push while it sleeps. A signal handler that sleeps in the middle of one gives up after some milliseconds.
const STUCK: u32 = 50;

impl Consumer {
    /// Begins at `position` (0 for a new ring) of a ring with `capacity` words, a power of two.
    #[must_use]
    pub fn new(position: u64, capacity: u64) -> Self {
        debug_assert!(capacity.is_power_of_two() && capacity >= 2 * MAX_WORDS as u64);
        Self { position, released: position, mask: capacity - 1, cursor: position, stuck: (0, 0) }
    }

    /// Words that the producer has reserved from the position on. None if what its cursor says cannot be.
    pub fn reserved(&mut self, control: &Control) -> Option<u64> {
        let cursor = control.cursor();
        let reserved = cursor.wrapping_sub(self.position);
        (reserved <= self.mask + 1).then(|| {
            self.cursor = cursor;
            reserved
        })
    }

    /// Whether the producer has reserved the `length` words that were peeked at. If not, somebody has scribbled there.
    #[inline]
    pub fn is_reserved(&mut self, control: &Control, length: usize) -> bool {
        // The cursor was moved before the header was written, which has been seen.
        self.cursor.wrapping_sub(self.position) >= length as u64 && self.cursor >= self.position
            || self.reserved(control).is_some_and(|reserved| reserved >= length as u64)
    }

    /// Goes on after words that no producer writes: passes all that is reserved, and clears it. Where the cursor
    /// cannot be believed, or nothing is reserved, only the head is cleared, and is waited for. Gives the words passed.
    ///
    /// The producer may commit a record meanwhile that was reserved before: that is passed unread, too.
    pub fn restart<W: Words>(&mut self, words: &W, control: &Control) -> u64 {
        self.stuck = (0, 0);
        let place = (self.position & self.mask) as usize;
        let head = words.load(place, Ordering::Relaxed);
        let passed = self.reserved(control).unwrap_or(0);
        if passed == 0 {
            // Not a store: the producer may reserve and commit there now.
            words.clear(place, head);
            return 0;
        }
        let end = place + passed as usize;
        let capacity = (self.mask + 1) as usize;
        for index in (place..end.min(capacity + MAX_WORDS)).chain(0..end.saturating_sub(capacity)) {
            words.store(index, 0, Ordering::Relaxed);
        }
        self.position += passed;
        passed
    }

    /// Whether the producer sleeps for want of room, and has done so for a while, although nothing lies at the position:
    /// somebody has cleared it. To be asked once a round, where nothing lies there.
    pub fn is_stuck(&mut self, control: &Control) -> bool {
        let cursor = control.cursor();
        let waits = control.waiting.load(Ordering::Relaxed) != 0;
        let reserved = cursor.wrapping_sub(self.position);
        if !waits || reserved == 0 || reserved > self.mask + 1 {
            return false;
        }
        self.stuck = if self.stuck.1 == cursor { (self.stuck.0 + 1, cursor) } else { (1, cursor) };
        self.stuck.0 >= STUCK
    }

    /// Puts the tail back where we left it. Whether somebody else had moved it.
    pub fn restore_tail(&self, control: &Control) -> bool {
        let moved = control.tail() != self.released;
        if moved {
            control.tail.store(self.released, Ordering::Release);
        }
        moved
    }

    /// Copies the record at the position, if one is committed, into `into`, without passing it.
    #[inline]
    pub fn peek<W: Words>(&self, words: &W, into: &mut [u64; MAX_WORDS]) -> Peeked {
        let place = (self.position & self.mask) as usize;
        // Acquire: pairs with the Release in `Control::push`.
        let word0 = words.load(place, Ordering::Acquire);
        if word0 == 0 {
            return Peeked::Nothing;
        }
        let length = (word0 & 0xff) as usize;
        if !(crate::record::PREFIX_WORDS..=MAX_WORDS).contains(&length) {
            return Peeked::Corrupt(word0);
        }
        into[0] = word0;
        for (index, word) in into[..length].iter_mut().enumerate().skip(1) {
            *word = words.load(place + index, Ordering::Relaxed);
        }
        Peeked::Record(length)
    }

    /// Passes a record of `length` words: clears it, so that its place reads as empty.
    #[inline]
    pub fn pass<W: Words>(&mut self, words: &W, length: usize) {
        let place = (self.position & self.mask) as usize;
        for index in 0..length {
            words.store(place + index, 0, Ordering::Relaxed);
        }
        self.position += length as u64;
    }

    /// Passes `words` words of records at once, whose places the caller has filled with zeros.
    pub fn advance(&mut self, words: u64) {
        self.position += words;
    }

    /// Words passed and not yet given back.
    #[inline]
    #[must_use]
    pub fn unreleased(&self) -> u64 {
        self.position - self.released
    }

    /// The consumer's position.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Gives the passed words back to the producer. True if the producer sleeps and must be woken.
    pub fn release(&mut self, control: &Control) -> bool {
        self.released = self.position;
        // Release: pairs with the Acquire in `Control::refresh`: the zeros come first.
        control.tail.store(self.position, Ordering::Release);
        // SeqCst: the tail store above must not pass this load, or a producer that announced
        // itself between them would sleep on; pairs with the SeqCst store of `waiting`.
        crate::sync::fence(Ordering::SeqCst);
        control.waiting.load(Ordering::Relaxed) != 0
    }

    /// Passes what a dead producer reserved and did not commit, up to its cursor, and clears the ring.
    /// A cursor out of the ring's range (scribbled over) is not believed.
    pub fn abandon<W: Words>(&mut self, words: &W, control: &Control) -> Torn {
        let gap = self.reserved(control).unwrap_or(0);
        if gap == 0 {
            return Torn::Nothing;
        }
        let open = control.outer();
        let torn = if open.position() == self.position && open.words() == gap {
            let place = (self.position & self.mask) as usize;
            Torn::Record(words.load(place + 1, Ordering::Relaxed))
        } else {
            Torn::Run
        };
        self.clear(words);
        self.position += gap;
        torn
    }

    /// Makes the whole ring read as empty: after corruption, or before another owner.
    pub fn clear<W: Words>(&mut self, words: &W) {
        for index in 0..(self.mask + 1) as usize + MAX_WORDS {
            words.store(index, 0, Ordering::Relaxed);
        }
    }
}
