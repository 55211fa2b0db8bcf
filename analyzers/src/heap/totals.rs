//! The heap's counters.

use super::origins::Origins;
use super::owner::{Got, Purpose};
use super::recent::RecentAcquire;
use super::usage::Usage;
use crate::counts::Counts;

/// Everything that is counted rather than remembered per block.
///
/// Bytes are requested bytes. The second half of a `realloc` gets bytes like an allocation does,
/// its first half gives them back like a free.
#[derive(Clone, Debug, Default)]
pub(super) struct Totals {
    pub(super) allocations: u64,
    pub(super) frees: u64,
    pub(super) reallocations: u64,
    pub(super) failed_allocations: u64,
    pub(super) temporary_allocations: u64,
    pub(super) inherited_frees: u64,
    /// Owners whose release will not be looked for any more.
    pub(super) given_up: Live,
    pub(super) live: Live,
    pub(super) peak: Live,
    pub(super) peak_ns: u64,
    /// Number of the last peak: how often more lived than ever before.
    pub(super) peaks: u64,
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

impl Live {
    #[inline(always)]
    pub(super) const fn add(&mut self, bytes: u64) {
        self.blocks += 1;
        self.bytes += bytes;
    }

    #[inline(always)]
    pub(super) const fn remove(&mut self, bytes: u64) {
        self.blocks -= 1;
        self.bytes -= bytes;
    }
}

/// The largest block ever given, the first one of its size.
#[derive(Clone, Copy, Debug)]
pub(super) struct Largest {
    pub(super) got: Got,
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
    /// A block was given, to whatever end, at the place with this account.
    #[inline(always)]
    pub(super) fn acquired(
        &mut self,
        usage: &mut Usage,
        block: u64,
        got: Got,
        birth_ns: u64,
        reallocation: bool,
    ) {
        *if reallocation { &mut self.reallocations } else { &mut self.allocations } += 1;
        usage.acquired(got.bytes, reallocation);
        self.measured(block, got, birth_ns);
    }

    #[inline(always)]
    fn measured(&mut self, block: u64, got: Got, birth_ns: u64) {
        self.classes.of(got.bytes).add(got.bytes);
        if self.largest.is_none_or(|largest| got.bytes > largest.got.bytes) {
            self.largest = Some(Largest { got, block, birth_ns });
        }
    }

    /// A block of the place with this account lives from now on.
    #[inline(always)]
    pub(super) fn began(&mut self, usage: &mut Usage, bytes: u64, at_ns: u64) {
        usage.began(bytes, self.peaks);
        self.live.add(bytes);
        self.see_peak(at_ns);
    }

    /// A living block of the place with this account is gone.
    #[inline(always)]
    pub(super) fn vanished(&mut self, usage: &mut Usage, bytes: u64) {
        usage.vanished(bytes, self.peaks);
        self.live.remove(bytes);
    }

    /// A block that lived from `birth_ns` to `start_ns` was released.
    #[inline(always)]
    pub(super) fn ended(&mut self, birth_ns: u64, start_ns: u64, purpose: Purpose) {
        self.frees += u64::from(purpose == Purpose::Free);
        self.lifetimes.record(start_ns.saturating_sub(birth_ns));
    }

    /// A call that counted as an allocation, at the place with this account, was part of a
    /// reallocation.
    pub(super) const fn reallocated(&mut self, usage: &mut Usage) {
        self.allocations -= 1;
        self.reallocations += 1;
        usage.allocations -= 1;
        usage.reallocations += 1;
    }

    /// What `inner` counted as given has in truth another size, or another place asked for it.
    pub(super) fn amended(&mut self, origins: &mut Origins, inner: &RecentAcquire, is: Got) {
        let RecentAcquire { block, birth_ns, got: was, reallocation, .. } = *inner;
        origins.usage(was.origin).acquired_elsewhere(was.bytes, reallocation);
        origins.usage(is.origin).acquired(is.bytes, reallocation);
        self.classes.of(was.bytes).remove(was.bytes);
        match &mut self.largest {
            Some(largest) if (largest.block, largest.birth_ns) == (block, birth_ns) => {
                *largest = Largest { got: is, ..*largest };
            }
            _ => {}
        }
        self.measured(block, is, birth_ns);
    }

    /// The same for a living block, which had a part in the last peak if it lived `at_peak`.
    pub(super) fn replaced(&mut self, origins: &mut Origins, was: Got, is: Got, at_peak: bool, at_ns: u64) {
        let usage = origins.usage(was.origin);
        usage.vanished(was.bytes, self.peaks);
        let at_peak = at_peak && usage.leave_peak(was.bytes);
        let usage = origins.usage(is.origin);
        usage.began(is.bytes, self.peaks);
        if at_peak {
            usage.join_peak(is.bytes);
            self.peak.bytes = self.peak.bytes - was.bytes + is.bytes;
        }
        self.live.bytes = self.live.bytes - was.bytes + is.bytes;
        self.see_peak(at_ns);
    }

    #[inline(always)]
    fn see_peak(&mut self, at_ns: u64) {
        if self.live.bytes > self.peak.bytes {
            self.peak = self.live;
            self.peaks += 1;
            self.peak_ns = at_ns;
        }
    }
}
