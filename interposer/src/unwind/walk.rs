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

use super::objects;
use super::readable::Readable;
use super::step::{IRREGULAR, Position, Step, Stop, USES_BP, step};

/// Frames remembered beyond the depth that is asked for, so that a stack that shrinks a little does not
/// have to be walked anew.
const SPARE: usize = 32;

/// Stack pointers that are told apart by [`Walk::place_of`]: one for each word of 4 KiB of stack.
const PLACES: usize = 512;

/// Bits of `Entry::sp`, which is a multiple of 8: the saved `rbp` is part of the evidence.
const SAVED_BP: u64 = 1;
/// [`IRREGULAR`], also a bit of `Entry::sp`: the step to this frame has to be made again.
const _: () = assert!(IRREGULAR == 2);
/// `rbp` in this frame matters to it, or to one further out.
const BP_MATTERS: u64 = 4;
const SP_BITS: u64 = 7;

/// A frame that was there.
#[derive(Clone, Copy)]
#[repr(C)]
struct Entry {
    /// Stack pointer, and the bits above.
    sp: u64,
    frame: Frame,
    /// [`Hash`] of this frame and all further out.
    hash: Hash,
    bp: u64,
    /// Where `bp` was read; 0 if it was the frame's below.
    bp_slot: u64,
    /// [`USES_BP`] of the step from this frame, [`IRREGULAR`] of the step to it.
    how: u64,
}

impl Entry {
    /// Stands for what is past the end.
    const PAST: Self =
        Self { sp: 0, frame: Frame::returning_to(0), hash: Hash::NONE, bp: 0, bp_slot: 0, how: 0 };

    /// Puts the bits into `sp`.
    #[inline(always)]
    fn mark(&mut self, bp_matters: bool) {
        self.sp = self.sp & !SP_BITS | self.how & IRREGULAR;
        if bp_matters {
            self.sp |= BP_MATTERS;
            if self.bp_slot != 0 {
                self.sp |= SAVED_BP;
            }
        }
    }
}

/// A polynomial in [`Hash::BASE`] modulo 2^64 over the frames, so that the hash of a part of a stack
/// follows from the hashes of its ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Hash(u64);

impl Hash {
    const BASE: u64 = 0xd137_21a6_55c3_5d2b;
    const NONE: Self = Self(0);

    #[inline(always)]
    const fn with(self, frame: Frame) -> Self {
        let mut word = frame.0.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        word ^= word >> 29;
        word = word.wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word ^= word >> 32;
        Self(self.0.wrapping_mul(Self::BASE).wrapping_add(word))
    }

    /// Of the inner frames only, if `self` is of all, `rest` of those further out, and `power` is
    /// [`Self::power`] of how many the inner ones are.
    #[inline(always)]
    const fn without(self, rest: Self, power: u64) -> Self {
        Self(self.0.wrapping_sub(rest.0.wrapping_mul(power)))
    }

    /// [`Self::BASE`] to the power of `count`.
    const fn power(count: usize) -> u64 {
        let (mut power, mut left) = (1_u64, count);
        while left > 0 {
            power = power.wrapping_mul(Self::BASE);
            left -= 1;
        }
        power
    }

    /// The hash as a number whose bits all depend on all frames.
    #[inline(always)]
    const fn finished(self, end: End) -> u64 {
        let mut word = self.0 ^ (end as u64) << 1;
        word ^= word >> 32;
        word = word.wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ word >> 29
    }
}

/// What is known beyond the outermost entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
enum Tail {
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
    readable: Readable,
    /// [`Hash::power`] of `depth`.
    power: u64,
    generation: u32,
    /// Most frames of a stack.
    depth: u32,
    /// Most entries: one more follows, which stands for what is past the end.
    capacity: u32,
    top: u32,
    /// Behind the outermost known frame.
    past: u32,
    tail: Tail,
    /// Indices of entries by their stack pointers; of two that share a place, the newer one.
    places: [u16; PLACES],
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
    fn entry(&mut self, index: usize) -> &mut Entry {
        debug_assert!(index <= self.capacity as usize);
        // SAFETY: `capacity + 1` entries follow in memory, see `bytes`; callers stay below that.
        unsafe { &mut *(&raw mut *self).add(1).cast::<Entry>().add(index) }
    }

    /// Walks the stack from its innermost frame.
    #[inline(always)]
    pub(super) fn take(&mut self, from: &Position) -> Taken {
        if self.generation != objects::generation() {
            self.generation = objects::generation();
            self.forget();
        }
        let top = self.top as usize;
        if !(self.is_known(top, from) && self.stands().is_ok() && self.is_deep_enough()) {
            self.renew(from, top);
        }
        self.taken()
    }

    /// Whether no object has come or gone since the walk began.
    #[inline(always)]
    pub(super) fn is_current(&self) -> bool {
        self.generation == objects::generation()
    }

    /// Whether the entry at `index` is this frame, and leads on as it did.
    #[inline(always)]
    fn is_known(&mut self, index: usize, at: &Position) -> bool {
        if index >= self.past as usize {
            return false;
        }
        let entry = self.entry(index);
        entry.sp & !SP_BITS == at.sp
            && entry.frame == frame_of(at)
            && (entry.sp & BP_MATTERS == 0 || entry.bp == at.bp)
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
    fn is_deep_enough(&mut self) -> bool {
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
        let from = self.position(self.past as usize - 1);
        matches!(step(from, &mut self.readable), Err(Stop::Lost))
    }

    /// Whether the known frames from the innermost on are all there, as far as they are asked for,
    /// given that the innermost is; if not, the index of the first that may not be.
    #[inline(always)]
    fn stands(&mut self) -> Result<(), usize> {
        let until = (self.top + self.depth).min(self.past) as usize;
        for index in self.top as usize + 1..until {
            let entry = self.entry(index);
            let sp = entry.sp & !SP_BITS;
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
        let sp = entry.sp & !SP_BITS;
        // SAFETY: as in `still_stands`; the saved `rbp` lies in the same frame.
        unsafe {
            *((sp - 8) as *const u64) == entry.frame.address() && *(entry.bp_slot as *const u64) == entry.bp
        }
    }

    fn position(&mut self, index: usize) -> Position {
        let entry = self.entry(index);
        Position {
            pc: entry.frame.address(),
            sp: entry.sp & !SP_BITS,
            bp: entry.bp,
            marks: entry.frame.marks(),
        }
    }

    #[cold]
    #[inline(never)]
    fn is_reached_again(&mut self, index: usize) -> bool {
        let from = self.position(index - 1);
        match step(from, &mut self.readable) {
            Ok(step) => self.is_known(index, &step.to),
            Err(_) => false,
        }
    }

    /// Walks until a known frame is met from which on everything stands, or to the end.
    #[cold]
    #[inline(never)]
    fn renew(&mut self, from: &Position, top: usize) {
        self.readable.begin(from.sp);
        let mut base = top;
        loop {
            if !self.walk_to_known(from, base) {
                return;
            }
            match self.stands() {
                Ok(()) if self.is_deep_enough() => return,
                // What is known does not reach far enough: all of it is walked again.
                Ok(()) => base = self.past as usize,
                Err(index) => base = index + 1,
            }
        }
    }

    /// Walks from the innermost frame to the first one known at `base` or further out, and puts the new
    /// frames before that. False if none was met: then the walk has gone to the end.
    fn walk_to_known(&mut self, from: &Position, base: usize) -> bool {
        // New frames are collected at the beginning of the row. Should they reach known ones, these are
        // forgotten.
        let limit = self.depth as usize + SPARE / 2;
        let lap = objects::lap();
        let (mut at, mut bp_slot, mut how) = (*from, 0, 0);
        let mut count = 0;
        let met = loop {
            let frame = Frame::returning_to(at.pc).with(lap, at.marks);
            let found = self.place_of(at.sp);
            let known = self.entry(found);
            // One comparison: whether only one half is equal cannot be predicted.
            let difference = (known.frame.0 ^ frame.0) | (known.sp & !SP_BITS ^ at.sp);
            if difference == 0
                && (known.sp & BP_MATTERS == 0 || known.bp == at.bp)
                && (base.max(count)..self.past as usize).contains(&found)
            {
                break Ok(found);
            }
            if count == limit {
                break Err(Tail::Unknown);
            }
            let new = self.entry(count);
            *new = Entry { sp: at.sp, frame, hash: Hash::NONE, bp: at.bp, bp_slot, how };
            count += 1;
            match step(at, &mut self.readable) {
                Ok(step) => {
                    self.entry(count - 1).how |= step.how & USES_BP;
                    Step { to: at, bp_slot, how } = step;
                    how &= IRREGULAR;
                }
                Err(Stop::Outermost) => break Err(Tail::Outermost),
                Err(Stop::Lost) => {
                    // What made a walk end in code without a table may have been its rbp.
                    self.entry(count - 1).how |= USES_BP;
                    break Err(Tail::Lost);
                }
            }
        };
        let joined = match met {
            Ok(joined) => {
                if count > 0 {
                    let entry = self.entry(joined);
                    entry.bp = at.bp;
                    entry.bp_slot = bp_slot;
                    entry.how = entry.how & USES_BP | how;
                    entry.mark(entry.sp & BP_MATTERS != 0);
                }
                joined
            }
            Err(tail) => {
                self.past = self.capacity;
                self.tail = tail;
                *self.entry(self.past as usize) = Entry::PAST;
                self.past as usize
            }
        };
        self.top = (joined - count) as u32;
        self.settle(count, joined);
        met.is_ok()
    }

    /// Where the frame with this stack pointer is, if it is known; else anywhere in the row.
    #[inline(always)]
    fn place_of(&self, sp: u64) -> usize {
        usize::from(self.places[sp as usize / 8 % PLACES])
    }

    /// Moves `count` new frames from the beginning of the row to before `joined`, outermost first, and
    /// works out what depends on the frames further out.
    fn settle(&mut self, count: usize, joined: usize) {
        let outer = self.entry(joined);
        let mut hash = outer.hash;
        let mut passed_on = outer.bp_slot == 0 && outer.sp & BP_MATTERS != 0;
        for at in (0..count).rev() {
            let mut entry = *self.entry(at);
            hash = hash.with(entry.frame);
            entry.hash = hash;
            let matters = entry.how & USES_BP != 0 || passed_on;
            entry.mark(matters);
            passed_on = matters && entry.bp_slot == 0;
            let index = joined - count + at;
            self.places[entry.sp as usize / 8 % PLACES] = index as u16;
            *self.entry(index) = entry;
        }
    }
}

#[inline(always)]
fn frame_of(position: &Position) -> Frame {
    Frame::returning_to(position.pc).with(objects::lap(), position.marks)
}
