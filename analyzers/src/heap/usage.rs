//! What one place has got from the heap.

use super::totals::Live;

/// The account of one place.
///
/// What lived at the process's peak is found out late: it is what lived when the place's living
/// blocks changed for the first time since, or what lives now if they have not. So a new peak costs
/// nothing, however many places there are.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Usage {
    pub(super) allocations: u64,
    pub(super) reallocations: u64,
    pub(super) allocated_bytes: u64,
    pub(super) temporary: u64,
    live: Live,
    /// True of the peak with the number `known_peak`.
    at_peak: Live,
    /// Number of the last peak when `live` changed last.
    known_peak: u64,
}

impl Usage {
    /// A block was given, to whatever end.
    #[inline(always)]
    pub(super) const fn acquired(&mut self, bytes: u64, reallocation: bool) {
        *self.calls(reallocation) += 1;
        self.allocated_bytes += bytes;
    }

    /// That block was in truth given at another place.
    pub(super) const fn acquired_elsewhere(&mut self, bytes: u64, reallocation: bool) {
        *self.calls(reallocation) -= 1;
        self.allocated_bytes -= bytes;
    }

    #[inline(always)]
    const fn calls(&mut self, reallocation: bool) -> &mut u64 {
        if reallocation { &mut self.reallocations } else { &mut self.allocations }
    }

    /// A block lives from now on; `peak` is the number of the last peak before it.
    #[inline(always)]
    pub(super) const fn began(&mut self, bytes: u64, peak: u64) {
        self.settle(peak);
        self.live.add(bytes);
    }

    /// A living block is gone; `peak` is the number of the last peak before that.
    #[inline(always)]
    pub(super) const fn vanished(&mut self, bytes: u64, peak: u64) {
        self.settle(peak);
        self.live.remove(bytes);
    }

    /// A block that has just vanished here never was this place's: the last peak did not have it.
    /// False if it had none such.
    pub(super) const fn leave_peak(&mut self, bytes: u64) -> bool {
        let had = self.at_peak.blocks > 0 && self.at_peak.bytes >= bytes;
        if had {
            self.at_peak.remove(bytes);
        }
        had
    }

    /// A block that has just begun here had been this place's all the time: the last peak had it.
    pub(super) const fn join_peak(&mut self, bytes: u64) {
        self.at_peak.add(bytes);
    }

    /// What lives now.
    pub(super) const fn live(&self) -> Live {
        self.live
    }

    /// What lived when the process had the last peak, whose number is `peak`.
    pub(super) const fn at_peak(&self, peak: u64) -> Live {
        if self.known_peak == peak { self.at_peak } else { self.live }
    }

    #[inline(always)]
    const fn settle(&mut self, peak: u64) {
        if self.known_peak != peak {
            self.at_peak = self.live;
            self.known_peak = peak;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peak_is_remembered_from_the_first_change_after_it() {
        let mut usage = Usage::default();
        usage.began(10, 0);
        usage.began(20, 1);
        assert_eq!(usage.at_peak(2), Live { blocks: 2, bytes: 30 });
        usage.vanished(10, 2);
        usage.vanished(20, 2);
        assert_eq!(usage.at_peak(2), Live { blocks: 2, bytes: 30 });
        assert_eq!((usage.at_peak(3), usage.live()), (Live::default(), Live::default()));
    }

    #[test]
    fn a_block_that_was_not_there_at_the_peak_cannot_leave_it() {
        let mut usage = Usage::default();
        usage.began(10, 1);
        assert!(!usage.leave_peak(10));
        usage.vanished(10, 2);
        assert!(usage.leave_peak(10) && !usage.leave_peak(0));
    }
}
