//! Calls that were only counted, in the target: a word for each function in each ring.

use std::sync::atomic::{AtomicU64, Ordering};

use calltap_channel::segment::Segment;
use calltap_channel::trace::MAX_FUNCTIONS;

/// Calls by the functions' numbers.
#[derive(Debug)]
pub struct Counts {
    calls: Vec<u64>,
}

impl Default for Counts {
    fn default() -> Self {
        Self { calls: vec![0; MAX_FUNCTIONS] }
    }
}

impl Counts {
    /// Adds what the owner of ring `index`, which is gone or stopped for good, has counted; begins anew there.
    pub fn take(&mut self, segment: &Segment, index: usize) {
        let base = segment.counts(index) as *const AtomicU64;
        if base.is_null() {
            return;
        }
        for (number, calls) in self.calls.iter_mut().enumerate() {
            // SAFETY: the segment has as many words for each ring, aligned and mapped as long as the CLI runs.
            let word = unsafe { &*base.add(number) };
            let counted = word.load(Ordering::Relaxed);
            if counted != 0 {
                *calls += counted;
                word.store(0, Ordering::Relaxed);
            }
        }
    }

    /// The functions that were called, by their numbers, and how often.
    pub fn called(&self) -> impl Iterator<Item = (u32, u64)> {
        self.calls
            .iter()
            .enumerate()
            .filter(|(_, calls)| **calls > 0)
            .map(|(number, calls)| (number as u32, *calls))
    }
}
