//! The hash of a stack, put together from the hashes of its parts.

use calltap_channel::stack::{End, Frame};

/// A polynomial in [`Hash::BASE`] modulo 2^64 over the frames, so that the hash of a part of a stack
/// follows from the hashes of its ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Hash(u64);

impl Hash {
    const BASE: u64 = 0xd137_21a6_55c3_5d2b;
    pub(super) const NONE: Self = Self(0);

    #[inline(always)]
    pub(super) const fn with(self, frame: Frame) -> Self {
        let mut word = frame.0.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        word ^= word >> 29;
        word = word.wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word ^= word >> 32;
        Self(self.0.wrapping_mul(Self::BASE).wrapping_add(word))
    }

    /// Of the inner frames only, if `self` is of all, `rest` of those further out, and `power` is
    /// [`Self::power`] of how many the inner ones are.
    #[inline(always)]
    pub(super) const fn without(self, rest: Self, power: u64) -> Self {
        Self(self.0.wrapping_sub(rest.0.wrapping_mul(power)))
    }

    /// [`Self::BASE`] to the power of `count`.
    pub(super) const fn power(count: usize) -> u64 {
        let (mut power, mut left) = (1_u64, count);
        while left > 0 {
            power = power.wrapping_mul(Self::BASE);
            left -= 1;
        }
        power
    }

    /// The hash as a number whose bits all depend on all frames.
    #[inline(always)]
    pub(super) const fn finished(self, end: End) -> u64 {
        let mut word = self.0 ^ (end as u64) << 1;
        word ^= word >> 32;
        word = word.wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ word >> 29
    }
}
