//! The producer's side of a ring: reserving, committing, and pushes that signal handlers interrupt.

use super::{Control, Full, Words};
use crate::sync::{AtomicU64, Ordering};

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

    pub(super) fn position(self) -> u64 {
        self.word >> 16
    }

    /// How many words it has.
    pub(super) fn words(self) -> u64 {
        self.word & 0xff
    }
}

impl Control {
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
            let length = outer.words() as usize;
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
