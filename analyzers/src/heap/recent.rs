//! Calls that can still turn out to be inner ones.

use super::origins::{Origin, Origins};
use super::owner::{BlockRelease, Got};
use crate::event::{Event, FunctionId};
use crate::pairing::TOLERANCE_NS;

/// An allocation in vain.
#[derive(Clone, Copy, Debug)]
pub(super) struct Failed {
    pub(super) start_ns: u64,
    pub(super) end_ns: u64,
    pub(super) bytes: u64,
    pub(super) function: FunctionId,
}

/// A block's acquire.
#[derive(Clone, Copy, Debug)]
pub(super) struct RecentAcquire {
    pub(super) block: u64,
    pub(super) start_ns: u64,
    /// The owner's birth: the end of the innermost call.
    pub(super) birth_ns: u64,
    pub(super) end_ns: u64,
    pub(super) function: FunctionId,
    pub(super) reallocation: bool,
    /// Whose place is charged for it.
    pub(super) got: Got,
    /// Number of the last peak before it: at a later one the block lived, if it still lives.
    pub(super) peak_before: u64,
}

/// A block's release. Its verdict waits until no outer call can follow.
#[derive(Clone, Copy, Debug)]
pub(super) struct RecentRelease {
    pub(super) block: u64,
    pub(super) end_ns: u64,
    /// `start_ns` is that of the innermost call; place and giver are the outermost's.
    pub(super) release: BlockRelease,
    pub(super) ended: Ended,
    /// Whether it was counted as the end of a temporary allocation.
    pub(super) temporary: bool,
}

/// Whose time a release ended. Two words, so that it stays in registers on the hot path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ended {
    /// Of an owner's block.
    bytes: u64,
    /// An owner's origin, or one of the values above all origins.
    whose: u64,
}

impl Ended {
    /// Nobody's that is known yet.
    pub(super) const UNKNOWN: Self = Self { bytes: 0, whose: u64::MAX };
    /// The parent process's, in a forked child.
    pub(super) const INHERITED: Self = Self { bytes: 0, whose: u64::MAX - 1 };

    /// An owner's.
    #[inline(always)]
    pub(super) const fn owner(got: Got) -> Self {
        Self { bytes: got.bytes, whose: got.origin.bits() as u64 }
    }

    /// What the owner got, if there was one.
    #[inline(always)]
    pub(super) const fn block(self) -> Option<Got> {
        if self.whose <= Origin::MAX as u64 {
            Some(Got { bytes: self.bytes, origin: Origin::from_bits(self.whose as u32) })
        } else {
            None
        }
    }
}

impl RecentRelease {
    /// The block went back through another family than it came from.
    #[inline]
    pub(super) fn is_mismatched(&self) -> bool {
        self.ended.block().is_some_and(|got| got.origin.giver() != self.release.giver)
    }

    /// It has ended the time of an owner who got this, whatever was believed before.
    pub(super) fn belongs_to(&mut self, got: Got, origins: &mut Origins) {
        if let Some(before) = self.ended.block()
            && self.temporary
        {
            origins.usage(before.origin).temporary -= 1;
            origins.usage(got.origin).temporary += 1;
        }
        self.ended = Ended::owner(got);
    }
}

/// Whether `outer`, told later by the same thread, has the call from `start_ns` to `end_ns` inside.
pub(super) fn encloses(outer: &Event<'_>, start_ns: u64, end_ns: u64) -> bool {
    outer.start_ns <= start_ns && (!outer.timed || end_ns <= outer.end_ns + TOLERANCE_NS)
}
