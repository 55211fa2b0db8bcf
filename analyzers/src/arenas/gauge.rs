//! How much of a range is resident, for ranges by ascending address.

use std::iter::Peekable;

use super::memory_map::{PageState, Residency, Run};

/// Bytes of a range by the state of their pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// In resident anonymous pages.
    pub(super) anonymous: u64,
    /// In resident pages of files, or shared ones.
    pub(super) file: u64,
    /// In pages that are in swap.
    pub(super) swapped: u64,
}

/// Goes once over the runs of pages, while it is asked for one range after the other.
#[derive(Debug)]
pub(super) struct Gauge<I: Iterator<Item = Run>> {
    runs: Peekable<I>,
}

/// A gauge that knows all pages.
pub(super) fn gauge(residency: &Residency) -> Gauge<impl Iterator<Item = Run> + '_> {
    Gauge { runs: residency.within(0..u64::MAX).peekable() }
}

impl<I: Iterator<Item = Run>> Gauge<I> {
    /// What `start..end` has in each state. No range may begin before the end of the one before.
    #[inline]
    pub(super) fn measure(&mut self, start: u64, end: u64) -> Found {
        let mut found = Found::default();
        while let Some(run) = self.runs.peek() {
            if run.start >= end {
                break;
            }
            let bytes = run.end.min(end).saturating_sub(run.start.max(start));
            match run.state {
                PageState::Anonymous => found.anonymous += bytes,
                PageState::File => found.file += bytes,
                PageState::Swapped => found.swapped += bytes,
            }
            if run.end > end {
                break;
            }
            self.runs.next();
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_counts_as_its_page_does() {
        let run = |start, end, state| Run { start, end, state };
        let residency = Residency::new(vec![
            run(0x1000, 0x2000, PageState::Anonymous),
            run(0x2000, 0x3000, PageState::Swapped),
            run(0x5000, 0x6000, PageState::File),
        ]);
        let mut gauge = gauge(&residency);
        let found = |anonymous, file, swapped| Found { anonymous, file, swapped };
        assert_eq!(gauge.measure(0x0ff0, 0x1000), found(0, 0, 0));
        assert_eq!(gauge.measure(0x1000, 0x1030), found(0x30, 0, 0));
        assert_eq!(gauge.measure(0x1030, 0x2010), found(0xfd0, 0, 0x10));
        assert_eq!(gauge.measure(0x2010, 0x5001), found(0, 1, 0xff0));
        assert_eq!(gauge.measure(0x5001, u64::MAX), found(0, 0xfff, 0));
    }
}
