//! A frame that a thread remembers.

use calltap_channel::stack::Frame;

use super::hash::Hash;
use super::step::{IRREGULAR, Position, USES_BP};

/// Bits of `Entry::sp`, which is a multiple of 8: the saved `rbp` is part of the evidence.
pub(super) const SAVED_BP: u64 = 1;
/// [`IRREGULAR`], also a bit of `Entry::sp`: the step to this frame has to be made again.
const _: () = assert!(IRREGULAR == 2);
/// `rbp` in this frame matters to it, or to one further out.
pub(super) const BP_MATTERS: u64 = 4;
const SP_BITS: u64 = 7;

/// A frame that was there.
#[derive(Clone, Copy)]
#[repr(C)]
pub(super) struct Entry {
    /// Stack pointer, and the bits above.
    pub(super) sp: u64,
    pub(super) frame: Frame,
    /// [`Hash`] of this frame and all further out.
    pub(super) hash: Hash,
    pub(super) bp: u64,
    /// Where `bp` was read; 0 if it was the frame's below.
    pub(super) bp_slot: u64,
    /// [`USES_BP`] of the step from this frame, [`IRREGULAR`] of the step to it.
    pub(super) how: u64,
}

impl Entry {
    /// Stands for what is past the end.
    pub(super) const PAST: Self =
        Self { sp: 0, frame: Frame::returning_to(0), hash: Hash::NONE, bp: 0, bp_slot: 0, how: 0 };

    /// A new frame, reached by a step of this kind.
    #[inline(always)]
    pub(super) fn new(at: &Position, frame: Frame, bp_slot: u64, how: u64) -> Self {
        Self { sp: at.sp, frame, hash: Hash::NONE, bp: at.bp, bp_slot, how: how & IRREGULAR }
    }

    /// Its stack pointer.
    #[inline(always)]
    pub(super) const fn stack_pointer(&self) -> u64 {
        self.sp & !SP_BITS
    }

    /// Whether it is this frame, and leads on as it did.
    #[inline(always)]
    pub(super) fn is(&self, at: &Position, frame: Frame) -> bool {
        // One comparison: whether only one half is equal cannot be predicted.
        let difference = (self.frame.0 ^ frame.0) | (self.stack_pointer() ^ at.sp);
        difference == 0 && (self.sp & BP_MATTERS == 0 || self.bp == at.bp)
    }

    /// The frame, to make a step from.
    pub(super) fn position(&self) -> Position {
        let (pc, marks) = (self.frame.address(), self.frame.marks());
        Position { pc, sp: self.stack_pointer(), bp: self.bp, marks }
    }

    /// The next frame further in is a new one now, from which a step of this kind leads here.
    #[inline(always)]
    pub(super) fn follow(&mut self, bp: u64, bp_slot: u64, how: u64) {
        (self.bp, self.bp_slot) = (bp, bp_slot);
        self.how = self.how & USES_BP | how & IRREGULAR;
        self.mark(self.sp & BP_MATTERS != 0);
    }

    /// Puts the bits into `sp`.
    #[inline(always)]
    pub(super) fn mark(&mut self, bp_matters: bool) {
        self.sp = self.sp & !SP_BITS | self.how & IRREGULAR;
        if bp_matters {
            self.sp |= BP_MATTERS;
            if self.bp_slot != 0 {
                self.sp |= SAVED_BP;
            }
        }
    }
}
