//! One multiplication as a hash: the keys are addresses and small numbers, looked up for every event.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// 2^64 divided by the golden ratio, odd: spreads neighbouring keys over the upper bits.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// Digits of the square root of 3 minus 1, odd: no power of two divides it, no key resembles it.
const SQUARE_ROOT_OF_3: u64 = 0xbb67_ae85_84ca_a73b;

/// Spreads `key`; the upper bits of the result are the good ones.
#[inline(always)]
pub(crate) const fn spread(key: u64) -> u64 {
    key.wrapping_mul(GOLDEN)
}

/// Spreads two words over all bits of the result, also where they follow a pattern.
#[inline(always)]
pub(crate) const fn fold(one: u64, other: u64) -> u64 {
    let product = (one ^ GOLDEN) as u128 * (other ^ SQUARE_ROOT_OF_3) as u128;
    (product >> 64) as u64 ^ product as u64
}

/// A map whose keys need no protection from collisions: a target that provokes them slows only
/// its own report.
pub(crate) type SpreadMap<K, V> = HashMap<K, V, BuildHasherDefault<Spread>>;

/// Hasher for keys of a few integers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Spread(u64);

impl Hasher for Spread {
    #[inline]
    fn finish(&self) -> u64 {
        // The map takes its bucket from the low bits.
        self.0.rotate_left(26)
    }

    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    #[inline]
    fn write_u16(&mut self, word: u16) {
        self.write_u64(u64::from(word));
    }

    #[inline]
    fn write_u32(&mut self, word: u32) {
        self.write_u64(u64::from(word));
    }

    #[inline]
    fn write_u64(&mut self, word: u64) {
        self.0 = spread(self.0.rotate_left(5) ^ word);
    }
}
