//! What a thread remembers of its last walk, and the walk that makes use of it.
//!
//! Frames are kept outermost last, at the end of a row of entries, so that inner ones can be replaced
//! without moving outer ones:
//!
//! ```text
//! entries   [ ............ | top: innermost frame | ... | outermost known frame | past the end ]
//! ```
//!
//! A walk goes from frame to frame by the unwind tables until it comes to a frame that was there the
//! last time: same code address, same stack pointer, and the same `rbp` if any frame further out
//! depends on that. From there on nothing is unwound: a frame's caller is determined by the word that
//! holds the return address, and by the one that holds the saved `rbp` where that matters. If these words
//! are what they were, so are the frames. If one is not, the walk goes on from the innermost frame, and may
//! meet known frames again only beyond that one.

use calltap_channel::stack::{End, Frame};

use super::entry::{Entry, SAVED_BP};
use super::hash::Hash;
use super::objects::{self, Reused};
use super::readable::Readable;
use super::step::{IRREGULAR, Position, Stop, step};

/// Frames remembered beyond the depth that is asked for, so that a stack that shrinks a little does not
/// have to be walked anew.
pub(super) const SPARE: usize = 32;

/// Stack pointers that are told apart by [`Walk::place_of`]: one for each word of 4 KiB of stack.
pub(super) const PLACES: usize = 512;

/// What is known beyond the outermost entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Tail {
    Outermost,
    /// The walk was broken off at the greatest depth.
    Unknown,
    Lost,
}

/// Lives in the segment, followed by its entries; zero when new.
#[repr(C)]
pub(super) struct Walk {
    /// Frame address of whoever uses it; 0 if nobody does.
    pub(super) user: u64,
    pub(super) readable: Readable,
    /// As of `generation`.
    reused: Reused,
    /// [`Hash::power`] of `depth`.
    power: u64,
    generation: u32,
    /// Most frames of a stack.
    pub(super) depth: u32,
    /// Most entries: one more follows, which stands for what is past the end.
    pub(super) capacity: u32,
    pub(super) top: u32,
    /// Behind the outermost known frame.
    pub(super) past: u32,
    pub(super) tail: Tail,
    /// Indices of entries by their stack pointers; of two that share a place, the newer one.
    pub(super) places: [u16; PLACES],
}

/// Bytes of one thread's [`Walk`] with its entries, a multiple of 64.
pub(super) const fn bytes(depth: usize) -> usize {
    let bytes = size_of::<Walk>() + (depth + SPARE + 1) * size_of::<Entry>();
    bytes.next_multiple_of(64)
}

/// A walk's result: the innermost frames.
pub(super) struct Taken {
    pub(super) hash: u64,
    pub(super) end: End,
    pub(super) count: usize,
}

impl Walk {
    /// Makes it as new, for stacks of at most `depth` frames.
    pub(super) fn reset(&mut self, depth: usize, readable: Readable) {
        *self = Self {
            user: 0,
            readable,
            reused: Reused::NOWHERE,
            power: Hash::power(depth),
            generation: 0,
            depth: depth as u32,
            capacity: (depth + SPARE) as u32,
            top: 0,
            past: 0,
            tail: Tail::Unknown,
            places: [0; PLACES],
        };
        self.forget();
    }

    /// Forgets what it remembers.
    pub(super) fn forget(&mut self) {
        self.top = self.capacity;
        self.past = self.capacity;
        self.tail = Tail::Unknown;
        *self.entry(self.past as usize) = Entry::PAST;
    }

    #[inline(always)]
    pub(super) fn entry(&mut self, index: usize) -> &mut Entry {
        debug_assert!(index <= self.capacity as usize);
        // SAFETY: `capacity + 1` entries follow in memory, see `bytes`; callers stay below that.
        unsafe { &mut *(&raw mut *self).add(1).cast::<Entry>().add(index) }
    }

    /// Walks the stack from its innermost frame.
    #[inline(always)]
    pub(super) fn take(&mut self, from: &Position) -> Taken {
        if self.generation != objects::generation() {
            self.generation = objects::generation();
            self.reused = Reused::now();
            self.forget();
        }
        let top = self.top as usize;
        if !(self.is_known(top, from) && self.stands().is_ok() && self.is_deep_enough()) {
            self.renew(from, top);
        }
        self.taken()
    }

    /// The word that stands for a frame.
    #[inline(always)]
    pub(super) fn frame_of(&self, at: &Position) -> Frame {
        Frame::returning_to(at.pc).with(self.reused.lap_of(at.pc), at.marks)
    }

    /// Whether no object has come or gone since the walk began.
    #[inline(always)]
    pub(super) fn is_current(&self) -> bool {
        self.generation == objects::generation()
    }

    #[inline(always)]
    fn is_known(&mut self, index: usize, at: &Position) -> bool {
        index < self.past as usize && {
            let frame = self.frame_of(at);
            self.entry(index).is(at, frame)
        }
    }

    /// The innermost `count` frames of the last walk.
    pub(super) fn frames(&self, count: usize) -> impl ExactSizeIterator<Item = Frame> + Clone {
        let top = self.top as usize;
        // SAFETY: as in `entry`; `count` entries from `top` are known frames.
        unsafe { core::slice::from_raw_parts((&raw const *self).add(1).cast::<Entry>().add(top), count) }
            .iter()
            .map(|entry| entry.frame)
    }

    #[inline(always)]
    fn taken(&mut self) -> Taken {
        let known = (self.past - self.top) as usize;
        let depth = self.depth as usize;
        let hash = self.entry(self.top as usize).hash;
        let (hash, end, count) = if known > depth {
            let rest = self.entry(self.top as usize + depth).hash;
            (hash.without(rest, self.power), End::Depth, depth)
        } else {
            let end = match self.tail {
                Tail::Outermost => End::Outermost,
                Tail::Unknown => End::Depth,
                Tail::Lost => End::Lost,
            };
            (hash, end, known)
        };
        Taken { hash: hash.finished(end), end, count }
    }

    /// Whether the known frames are as many as are asked for, or all there are.
    #[inline(always)]
    pub(super) fn is_deep_enough(&mut self) -> bool {
        self.past - self.top >= self.depth
            || match self.tail {
                Tail::Outermost => true,
                Tail::Unknown => false,
                Tail::Lost => self.is_lost_again(),
            }
    }

    #[cold]
    #[inline(never)]
    fn is_lost_again(&mut self) -> bool {
        let last = self.entry(self.past as usize - 1).position();
        self.readable.begin(last.sp);
        matches!(step(last, &mut self.readable), Err(Stop::Lost))
    }

    /// Whether the known frames from the innermost on are all there, as far as they are asked for,
    /// given that the innermost is; if not, the index of the first that may not be.
    #[inline(always)]
    pub(super) fn stands(&mut self) -> Result<(), usize> {
        let until = (self.top + self.depth).min(self.past) as usize;
        for index in self.top as usize + 1..until {
            let entry = self.entry(index);
            let sp = entry.stack_pointer();
            if entry.sp & (SAVED_BP | IRREGULAR) != 0 {
                if !self.is_confirmed(index) {
                    return Err(index);
                }
                continue;
            }
            // SAFETY: the word below the stack pointer of a frame that was found by a regular step: it
            // was readable then, and it belongs to the stack of the frame before, which is in use.
            if unsafe { *((sp - 8) as *const u64) } != entry.frame.address() {
                return Err(index);
            }
        }
        Ok(())
    }

    /// The same for one frame that rests on more than its return address.
    #[inline(always)]
    fn is_confirmed(&mut self, index: usize) -> bool {
        let entry = *self.entry(index);
        if entry.sp & IRREGULAR != 0 {
            return self.is_reached_again(index);
        }
        let sp = entry.stack_pointer();
        // SAFETY: as in `stands`; the saved `rbp` lies in the same frame.
        unsafe {
            *((sp - 8) as *const u64) == entry.frame.address() && *(entry.bp_slot as *const u64) == entry.bp
        }
    }

    #[cold]
    #[inline(never)]
    fn is_reached_again(&mut self, index: usize) -> bool {
        let from = self.entry(index - 1).position();
        // On another stack than the thread's own, what was readable the last time may be gone.
        self.readable.begin(from.sp);
        match step(from, &mut self.readable) {
            Ok(step) => self.is_known(index, &step.to),
            Err(_) => false,
        }
    }
}
