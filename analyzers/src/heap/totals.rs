//! The heap's counters.

use super::origins::Origin;
use super::owner::Purpose;
use crate::counts::Counts;

/// Everything that is counted rather than remembered per block.
///
/// Bytes are requested bytes. The second half of a `realloc` gets bytes like an allocation does,
/// its first half gives them back like a free: `acquired_bytes - freed_bytes` lives.
#[derive(Clone, Debug, Default)]
pub(super) struct Totals {
    pub(super) allocations: u64,
    pub(super) frees: u64,
    pub(super) reallocations: u64,
    pub(super) failed_allocations: u64,
    pub(super) temporary_allocations: u64,
    pub(super) inherited_frees: u64,
    /// Owners whose release will not be looked for any more.
    pub(super) given_up: u64,
    pub(super) freed_bytes: u64,
    pub(super) live: Live,
    pub(super) peak: Live,
    pub(super) peak_ns: u64,
    pub(super) largest: Option<Largest>,
    pub(super) classes: Classes,
    pub(super) lifetimes: Counts<32>,
}

/// What lives at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Live {
    pub(super) blocks: u64,
    pub(super) bytes: u64,
}

/// The largest block ever given, the first one of its size.
#[derive(Clone, Copy, Debug)]
pub(super) struct Largest {
    pub(super) bytes: u64,
    pub(super) origin: Origin,
    block: u64,
    birth_ns: u64,
}

/// Blocks and bytes given, by the number of bits of a block's size.
#[derive(Clone, Debug)]
pub(super) struct Classes(pub(super) [Live; 49]);

impl Default for Classes {
    fn default() -> Self {
        Self([Live::default(); 49])
    }
}

impl Classes {
    #[inline(always)]
    fn of(&mut self, bytes: u64) -> &mut Live {
        &mut self.0[((u64::BITS - bytes.leading_zeros()) as usize).min(48)]
    }
}

impl Totals {
    /// A block was given, to whatever end.
    #[inline(always)]
    pub(super) fn acquired(&mut self, block: u64, bytes: u64, birth_ns: u64, origin: Origin) {
        let class = self.classes.of(bytes);
        class.blocks += 1;
        class.bytes += bytes;
        if self.largest.is_none_or(|largest| bytes > largest.bytes) {
            self.largest = Some(Largest { bytes, origin, block, birth_ns });
        }
    }

    /// A block lives from now on.
    #[inline(always)]
    pub(super) fn began(&mut self, bytes: u64, at_ns: u64) {
        self.live.blocks += 1;
        self.live.bytes += bytes;
        self.see_peak(at_ns);
    }

    /// A living block must be gone, though nobody has seen it go.
    pub(super) fn vanished(&mut self, bytes: u64) {
        self.live.blocks -= 1;
        self.live.bytes -= bytes;
    }

    /// A block that lived from `birth_ns` to `start_ns` was released.
    #[inline(always)]
    pub(super) fn ended(&mut self, bytes: u64, birth_ns: u64, start_ns: u64, purpose: Purpose) {
        self.frees += u64::from(purpose == Purpose::Free);
        self.freed_bytes += bytes;
        self.lifetimes.record(start_ns.saturating_sub(birth_ns));
    }

    /// A living block changed its size in its place.
    #[inline(always)]
    pub(super) fn resized(&mut self, old_bytes: u64, bytes: u64, at_ns: u64) {
        self.live.bytes = self.live.bytes - old_bytes + bytes;
        self.see_peak(at_ns);
    }

    /// What was counted as given with `old_bytes` is in truth a block of `bytes` from `origin`.
    pub(super) fn amended(&mut self, block: u64, birth_ns: u64, old_bytes: u64, bytes: u64, origin: Origin) {
        let class = self.classes.of(old_bytes);
        class.blocks -= 1;
        class.bytes -= old_bytes;
        match &mut self.largest {
            Some(largest) if (largest.block, largest.birth_ns) == (block, birth_ns) => {
                *largest = Largest { bytes, origin, ..*largest };
            }
            _ => {}
        }
        self.acquired(block, bytes, birth_ns, origin);
    }

    #[inline(always)]
    fn see_peak(&mut self, at_ns: u64) {
        if self.live.bytes > self.peak.bytes {
            self.peak = self.live;
            self.peak_ns = at_ns;
        }
    }
}
