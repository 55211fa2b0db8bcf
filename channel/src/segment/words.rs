//! A ring's words in mapped memory.

use core::sync::atomic::{AtomicU64, Ordering};

use super::{PAGE, Segment};
use crate::ring::Words;

impl Segment {
    /// The words of ring `index`, which is less than `ring_count`.
    ///
    /// # Panics
    /// If it is not.
    #[inline]
    #[must_use]
    pub fn words(&self, index: usize) -> RawWords {
        assert!((index as u64) < self.layout.ring_count);
        if self.is_inner(index) {
            // SAFETY: within the inner part, which is mapped by `with_inner`'s contract.
            return RawWords { base: unsafe { self.inner.add(2 * PAGE as usize) }.cast() };
        }
        let offset = self.layout.rings() + index as u64 * self.layout.stride();
        // SAFETY: within the mapped segment by the assertion and the checked layout.
        let base = unsafe { self.base.add(offset as usize) };
        RawWords { base: base.cast() }
    }
}

/// The words of one ring in mapped memory.
#[derive(Clone, Copy, Debug)]
pub struct RawWords {
    base: *const AtomicU64,
}

impl RawWords {
    /// The words at an address that [`Segment::words`] gave out in this process.
    ///
    /// # Safety
    /// `base` came from [`Self::address`] in this process and the segment is still mapped.
    #[inline(always)]
    #[must_use]
    pub unsafe fn at(base: u64) -> Self {
        Self { base: base as *const AtomicU64 }
    }

    /// Their address in this process.
    #[must_use]
    pub fn address(&self) -> u64 {
        self.base as u64
    }
}

impl Words for RawWords {
    #[inline(always)]
    fn load(&self, index: usize, order: Ordering) -> u64 {
        // SAFETY: ring positions are masked to the capacity, and a record adds less than MAX_WORDS,
        // which is the slack mapped behind it.
        unsafe { (*self.base.add(index)).load(order) }
    }

    #[inline(always)]
    fn store(&self, index: usize, value: u64, order: Ordering) {
        // SAFETY: as in `load`.
        unsafe { (*self.base.add(index)).store(value, order) }
    }

    fn clear(&self, index: usize, value: u64) {
        // SAFETY: as in `load`.
        let word = unsafe { &*self.base.add(index) };
        let _ = word.compare_exchange(value, 0, Ordering::Relaxed, Ordering::Relaxed);
    }
}
