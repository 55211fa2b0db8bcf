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

use crate::record::MAX_WORDS;
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

/// The push that this thread has open: bits 0-7 its words, 16-63 its position; bits 8 and 9 once it
/// is known whether the words are reserved. 0 if there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outer {
    word: u64,
    /// Frame of whoever opened it; known once it has been examined.
    frame: u64,
}

const RESERVED: u64 = 1 << 8;
const UNRESERVED: u64 = 1 << 9;

impl Outer {
    /// None.
    pub const NONE: Self = Self { word: 0, frame: 0 };

    /// A push of `words` words that its thread is about to reserve at `position`.
    #[inline(always)]
    #[must_use]
    pub const fn noted(position: u64, words: u64) -> Self {
        Self { word: position << 16 | words, frame: 0 }
    }

    /// Whether there is one.
    #[inline(always)]
    #[must_use]
    pub fn exists(self) -> bool {
        self.word != 0
    }

    fn position(self) -> u64 {
        self.word >> 16
    }
}

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

    /// Reserves `words` words.
    ///
    /// # Errors
    /// [`Full`] if the consumer has not yet released as much, by the producer's copy of the tail.
    #[inline(always)]
    pub fn reserve(&self, words: u64) -> Result<u64, Full> {
        loop {
            let at = self.cursor.load(Ordering::Relaxed);
            if at + words > self.limit.load(Ordering::Relaxed) {
                return Err(Full);
            }
            if exchange_undivided(&self.cursor, at, at + words) {
                return Ok(at);
            }
        }
    }

    /// Renews the producer's copy of the tail. True if there is now room for `words` words.
    pub fn refresh(&self, words: u64) -> bool {
        let capacity = self.mask.load(Ordering::Relaxed) + 1;
        // Acquire: pairs with the Release in `Consumer::release`, so the zeros are there first.
        let limit = self.tail.load(Ordering::Acquire) + capacity;
        self.limit.store(limit, Ordering::Relaxed);
        self.cursor.load(Ordering::Relaxed) + words <= limit
    }

    /// Writes the words of a reserved record and commits it.
    ///
    /// `word0` is its header; `rest` are the words behind it.
    #[inline(always)]
    pub fn push<W: Words, const N: usize>(&self, words: &W, at: u64, word0: u64, rest: [u64; N]) {
        let place = (at & self.mask.load(Ordering::Relaxed)) as usize;
        for (index, word) in rest.into_iter().enumerate() {
            words.store(place + 1 + index, word, Ordering::Relaxed);
        }
        // Release: pairs with the Acquire in `Consumer::peek`; the record's other words come first.
        words.store(place, word0, Ordering::Release);
    }

    /// The push that was open when this one began.
    #[inline(always)]
    #[must_use]
    pub fn outer(&self) -> Outer {
        Outer { word: self.push.load(Ordering::Relaxed), frame: 0 }
    }

    /// Reserves `words` words for a push that the caller, whose frame is at `frame`, will close.
    ///
    /// # Errors
    /// [`Full`] as [`Self::reserve`]; nothing is open then.
    #[inline(always)]
    pub fn open(&self, words: u64, frame: u64) -> Result<u64, Full> {
        loop {
            let at = self.cursor.load(Ordering::Relaxed);
            if at + words > self.limit.load(Ordering::Relaxed) {
                return Err(Full);
            }
            self.push_frame.store(frame, Ordering::Relaxed);
            self.push.store(Outer::noted(at, words).word, Ordering::Relaxed);
            if exchange_undivided(&self.cursor, at, at + words) {
                return Ok(at);
            }
        }
    }

    /// Closes a push after its commit; `outer` is open again.
    #[inline(always)]
    pub fn close(&self, outer: Outer) {
        if outer.exists() {
            self.push_frame.store(outer.frame, Ordering::Relaxed);
        }
        self.push.store(outer.word, Ordering::Relaxed);
    }

    /// Looks at an open push from the inside, before anything else is reserved: whether its words are
    /// reserved, and whether it will ever be committed. One that will not (left by `siglongjmp`) is
    /// committed as an empty note, so that the reader can pass it.
    ///
    /// `frame` is the caller's frame; `same_stack` is false on a signal stack, where frames say
    /// nothing about each other.
    pub fn examine<W: Words>(&self, words: &W, outer: Outer, frame: u64, same_stack: bool) -> Outer {
        let opened_at = self.push_frame.load(Ordering::Relaxed);
        let known = if outer.word & (RESERVED | UNRESERVED) != 0 {
            0
        } else if self.cursor.load(Ordering::Relaxed) != outer.position() {
            RESERVED
        } else {
            UNRESERVED
        };
        let outer = Outer { word: outer.word | known, frame: opened_at };
        // A handler's frame is below the one that it interrupted.
        let left = same_stack && frame >= opened_at;
        if !left {
            return outer;
        }
        let place = self.place(outer.position());
        if outer.word & RESERVED != 0 && words.load(place, Ordering::Relaxed) == 0 {
            let length = (outer.word & 0xff) as usize;
            (1..length).for_each(|index| words.store(place + index, 0, Ordering::Relaxed));
            let number = crate::note::Note::Abandoned as u16;
            // Release: pairs with the Acquire in `Consumer::peek`.
            words.store(
                place,
                crate::record::header(length, crate::record::VOID, number, 0),
                Ordering::Release,
            );
        }
        self.push.store(0, Ordering::Relaxed);
        Outer::NONE
    }

    /// Whether the ring cannot drain any further before `outer` is committed, that is before the
    /// handler that asks this has returned; or the cursor has been scribbled over.
    #[must_use]
    pub fn is_waiting_in_vain(&self, outer: Outer) -> bool {
        let tail = self.tail.load(Ordering::Relaxed);
        let used = self.cursor.load(Ordering::Relaxed).wrapping_sub(tail);
        (outer.word & RESERVED != 0 && tail == outer.position())
            || used > self.mask.load(Ordering::Relaxed) + 1
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

/// Compare-and-exchange that is atomic against this thread's own signal handlers only.
#[cfg(not(loom))]
#[inline(always)]
fn exchange_undivided(word: &AtomicU64, expected: u64, new: u64) -> bool {
    let won: u8;
    // SAFETY: the operand is a live, aligned u64 that no other thread writes; one instruction
    // cannot be divided by a signal. Without a lock prefix it costs a third.
    unsafe {
        core::arch::asm!(
            "cmpxchg qword ptr [{word}], {new}",
            "sete {won}",
            word = in(reg) word.as_ptr(),
            new = in(reg) new,
            won = out(reg_byte) won,
            inout("rax") expected => _,
            options(nostack),
        );
    }
    won != 0
}

#[cfg(loom)]
fn exchange_undivided(word: &AtomicU64, expected: u64, new: u64) -> bool {
    word.compare_exchange(expected, new, Ordering::Relaxed, Ordering::Relaxed).is_ok()
}

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

    /// Passes what a dead producer reserved and did not commit, up to its `cursor`, and clears the
    /// ring. Returns the words skipped. A cursor out of the ring's range (scribbled over) is not
    /// believed.
    pub fn abandon<W: Words>(&mut self, words: &W, cursor: u64) -> u64 {
        let gap = cursor.wrapping_sub(self.position);
        let gap = if gap > self.mask + 1 { 0 } else { gap };
        if gap > 0 {
            self.clear(words);
        }
        self.position += gap;
        gap
    }

    /// Makes the whole ring read as empty: after corruption, or before another owner.
    pub fn clear<W: Words>(&mut self, words: &W) {
        for index in 0..(self.mask + 1) as usize + MAX_WORDS {
            words.store(index, 0, Ordering::Relaxed);
        }
    }
}
