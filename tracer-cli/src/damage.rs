//! What shows that somebody has written over the memory which the target shares with us.
//!
//! Only the target can: a wild pointer of its own, or on purpose. What calltap rests on is not in that memory, or is put
//! back; but a finding may rest on a record that was changed and still looks like one. So a report says that there
//! was damage, and is not believed.

use std::fmt;
use std::sync::atomic::Ordering;

use calltap_channel::segment::{READER_RUNS, Segment};

/// What was found damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The header: what was configured, or counted for all threads.
    Header,
    /// What says whose a ring is, and how far.
    Rings,
    /// Records.
    Records,
    /// Stacks.
    Stacks,
    /// Names of functions that are traced.
    Functions,
}

impl Part {
    const ALL: [Self; 5] = [Self::Header, Self::Rings, Self::Records, Self::Stacks, Self::Functions];

    /// Its name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Rings => "rings",
            Self::Records => "records",
            Self::Stacks => "stacks",
            Self::Functions => "functions",
        }
    }
}

/// The parts that were found damaged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Damage(u8);

impl Damage {
    /// This part is damaged.
    pub fn add(&mut self, part: Part) {
        self.0 |= 1 << part as u8;
    }

    /// This part is damaged if `is_damaged`.
    pub fn add_if(&mut self, is_damaged: bool, part: Part) {
        if is_damaged {
            self.add(part);
        }
    }

    /// Whether there is any.
    #[must_use]
    pub fn is_any(self) -> bool {
        self.0 != 0
    }

    /// The damaged parts.
    pub fn parts(self) -> impl Iterator<Item = Part> {
        Part::ALL.into_iter().filter(move |part| self.0 & 1 << *part as u8 != 0)
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.parts().map(Part::name).collect();
        write!(f, "the program has written over memory of calltap's ({})", names.join(", "))
    }
}

/// Keeps the header as it was when the target began.
#[derive(Debug)]
pub struct Guard {
    segment: Segment,
    configured: [u64; 24],
    /// The highest mark of claimed rings that was seen.
    high_water: u32,
}

impl Guard {
    /// Of a segment that is configured and nobody else's yet.
    #[must_use]
    pub fn new(segment: Segment) -> Self {
        Self { segment, configured: segment.header().configuration(), high_water: 0 }
    }

    /// Puts back what must not change. To be called in each round. Gives how many rings have been claimed.
    pub fn look(&mut self, damage: &mut Damage) -> usize {
        let header = self.segment.header();
        damage.add_if(header.restore(&self.configured), Part::Header);
        if header.reader.load(Ordering::Relaxed) != READER_RUNS {
            header.reader.store(READER_RUNS, Ordering::Relaxed);
            damage.add(Part::Header);
        }
        // Acquire: pairs with the Release of the claimant.
        let mark = header.high_water.load(Ordering::Acquire);
        let rings = self.segment.layout().ring_count as u32;
        damage.add_if(mark > rings || mark < self.high_water, Part::Header);
        self.high_water = self.high_water.max(mark.min(rings));
        self.high_water as usize
    }

    /// Looks at what nobody ever writes.
    pub fn finish(&mut self, damage: &mut Damage) {
        self.look(damage);
        damage.add_if(!self.segment.is_untouched(), Part::Header);
    }
}

#[cfg(test)]
mod tests {
    use calltap_channel::segment::Layout;

    use super::*;
    use crate::segment_file::SegmentFile;

    #[test]
    fn each_word_of_the_header_that_is_written_over_is_put_back_and_told() {
        let file = SegmentFile::create(Layout::new(2, 1 << 14).unwrap()).unwrap();
        let segment = file.segment();
        segment.header().taps.store(3, Ordering::Relaxed);
        segment.prepare_inner();
        let mut guard = Guard::new(segment);
        let mut damage = Damage::default();
        guard.finish(&mut damage);
        assert!(!damage.is_any());
        let whole = segment.header().configuration();
        for (word, _) in whole.iter().enumerate() {
            let mut other = whole;
            other[word] ^= 1 << 17;
            assert!(segment.header().restore(&other));
            let mut damage = Damage::default();
            guard.look(&mut damage);
            assert_eq!(damage.parts().collect::<Vec<_>>(), [Part::Header]);
            assert_eq!(segment.header().configuration(), whole);
        }
        segment.header().reader.store(7, Ordering::Relaxed);
        guard.look(&mut damage);
        assert_eq!(damage.to_string(), "the program has written over memory of calltap's (header)");
        assert_eq!(segment.header().reader.load(Ordering::Relaxed), READER_RUNS);
    }
}
