//! How often each value was seen, with a bounded relative error and little memory.

use std::ops::Range;

/// Counters that are allocated together.
const CHUNK: usize = 128;
/// A run of buckets that was hit so often has an array: below that, each bucket that was hit has an entry of its own, as
/// otherwise a value as large as none before, once a second, would cost an array a second.
const OFTEN: u64 = 32;

/// Counts of values in buckets whose width grows with the value.
///
/// Every power of two is divided into `HALF` buckets, so values below `2 * HALF` are exact and
/// others are off by less than one part in `HALF`. `Counts<1024>` has the very buckets of an
/// HdrHistogram of 3 significant digits. `HALF` is a power of two. Memory is one kibibyte for each
/// run of 128 buckets that was hit often, and 16 bytes for each other bucket that was hit.
#[derive(Clone, Debug, Default)]
pub struct Counts<const HALF: usize> {
    chunks: Vec<Option<Box<[u64; CHUNK]>>>,
    /// Buckets that were hit in chunks that are not there, ascending, with their counts.
    rare: Vec<(u32, u64)>,
}

impl<const HALF: usize> Counts<HALF> {
    const HALF_BITS: u32 = {
        assert!(HALF.is_power_of_two());
        HALF.trailing_zeros()
    };

    /// Counts `value` once.
    #[inline]
    pub fn record(&mut self, value: u64) {
        let bucket = Self::bucket(value);
        match self.chunks.get_mut(bucket / CHUNK) {
            Some(Some(chunk)) => chunk[bucket % CHUNK] += 1,
            _ => self.record_rare(bucket),
        }
    }

    /// Takes one earlier count of `value` back.
    pub fn take_back(&mut self, value: u64) {
        let count = self.count_of(Self::bucket(value));
        *count = count.saturating_sub(1);
    }

    /// Adds everything that `other` has counted.
    pub fn add(&mut self, other: &Self) {
        for (number, chunk) in other.chunks.iter().enumerate() {
            if let Some(chunk) = chunk {
                let mine = self.chunk(number);
                mine.iter_mut().zip(chunk.iter()).for_each(|(sum, count)| *sum += count);
            }
        }
        for &(bucket, count) in &other.rare {
            *self.count_of(bucket as usize) += count;
        }
    }

    /// How many values were counted.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.iter().map(|(_, count)| count).sum()
    }

    /// Every bucket that was hit, ascending: its highest value and its count.
    pub fn iter(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let last_rare = self.rare.last().map_or(0, |(bucket, _)| *bucket as usize / CHUNK + 1);
        let all = (0..self.chunks.len().max(last_rare)).flat_map(|number| {
            let chunk = self.chunks.get(number).and_then(Option::as_deref);
            let rare = if chunk.is_some() { &[] } else { &self.rare[self.rare_of(number)] };
            let often = chunk.into_iter().flatten().enumerate();
            let often = often.map(move |(within, count)| (number * CHUNK + within, *count));
            often.chain(rare.iter().map(|(bucket, count)| (*bucket as usize, *count)))
        });
        all.filter(|(_, count)| *count > 0).map(|(bucket, count)| (Self::highest(bucket), count))
    }

    /// The value that `fraction` (0 to 1) of all values do not exceed, rounded up to its bucket's
    /// end; 0 if nothing was counted.
    #[must_use]
    pub fn quantile(&self, fraction: f64) -> u64 {
        let total = self.total();
        let rank = ((fraction * total as f64).ceil() as u64).clamp(1, total.max(1));
        let mut seen = 0;
        for (value, count) in self.iter() {
            seen += count;
            if seen >= rank {
                return value;
            }
        }
        0
    }

    #[inline]
    fn bucket(value: u64) -> usize {
        let bits = u64::BITS - value.leading_zeros();
        let octave = bits.saturating_sub(Self::HALF_BITS);
        // From octave 1 on, the value's topmost bit is implied by the octave.
        let shifted = (value >> octave.saturating_sub(1)) as usize;
        if octave == 0 { shifted } else { octave as usize * HALF + shifted - HALF }
    }

    fn highest(bucket: usize) -> u64 {
        let octave = bucket / HALF;
        if octave == 0 {
            return bucket as u64;
        }
        let shift = octave - 1;
        ((HALF + bucket % HALF) as u64) << shift | ((1 << shift) - 1)
    }

    #[cold]
    fn record_rare(&mut self, bucket: usize) {
        *self.count_of(bucket) += 1;
        let number = bucket / CHUNK;
        if self.rare[self.rare_of(number)].iter().map(|(_, count)| count).sum::<u64>() >= OFTEN {
            self.chunk(number);
        }
    }

    /// The count of a bucket, wherever it is kept.
    fn count_of(&mut self, bucket: usize) -> &mut u64 {
        if let Some(Some(chunk)) = self.chunks.get_mut(bucket / CHUNK) {
            return &mut chunk[bucket % CHUNK];
        }
        // 64 octaves of so few buckets are counted in 32 bits.
        let bucket = bucket as u32;
        let at = self.rare.partition_point(|(other, _)| *other < bucket);
        if self.rare.get(at).is_none_or(|(other, _)| *other != bucket) {
            self.rare.insert(at, (bucket, 0));
        }
        &mut self.rare[at].1
    }

    /// Where the rare buckets of a chunk are.
    fn rare_of(&self, number: usize) -> Range<usize> {
        let behind = |end: usize| self.rare.partition_point(|(bucket, _)| (*bucket as usize) < end);
        behind(number * CHUNK)..behind((number + 1) * CHUNK)
    }

    /// A chunk, with what was counted of it.
    fn chunk(&mut self, number: usize) -> &mut [u64; CHUNK] {
        if self.chunks.len() <= number {
            self.chunks.resize_with(number + 1, || None);
        }
        let rare = self.rare_of(number);
        let chunk = self.chunks[number].get_or_insert_with(|| Box::new([0; CHUNK]));
        for (bucket, count) in self.rare.drain(rare) {
            chunk[bucket as usize % CHUNK] += count;
        }
        chunk
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn small_values_are_exact() {
        let mut counts = Counts::<1024>::default();
        (0..2048).for_each(|value| counts.record(value));
        assert!(counts.iter().eq((0..2048).map(|value| (value, 1))));
    }

    #[test]
    fn the_largest_value_has_a_bucket() {
        let mut counts = Counts::<32>::default();
        counts.record(u64::MAX);
        assert_eq!(counts.quantile(1.0), u64::MAX);
    }

    #[test]
    fn a_count_that_is_taken_back_is_gone() {
        let mut counts = Counts::<32>::default();
        counts.record(70);
        counts.record(9000);
        counts.take_back(9000);
        assert_eq!(counts.iter().collect::<Vec<_>>(), [(71, 1)]);
    }

    #[test]
    fn what_is_rare_costs_little_and_what_is_not_has_an_array() {
        let mut counts = Counts::<1024>::default();
        (0..60).for_each(|bits| counts.record(1 << bits));
        assert!(counts.chunks.is_empty());
        (0..OFTEN).for_each(|_| counts.record(1 << 40));
        assert_eq!(counts.chunks.iter().flatten().count(), 1);
        assert_eq!(counts.iter().map(|(_, count)| count).max(), Some(OFTEN + 1));
        assert_eq!((counts.total(), counts.rare.len()), (60 + OFTEN, 59));
    }

    fn any_magnitude() -> impl Strategy<Value = u64> {
        (any::<u64>(), 0..64_u32).prop_map(|(value, shift)| value >> shift)
    }

    proptest! {
        #[test]
        fn quantiles_are_those_of_the_sorted_values_within_the_error(
            mut values in prop::collection::vec(any_magnitude(), 1..300), fraction in 0.0..=1.0_f64,
        ) {
            let mut counts = Counts::<1024>::default();
            values.iter().for_each(|value| counts.record(*value));
            values.sort_unstable();
            let rank = ((fraction * values.len() as f64).ceil() as usize).clamp(1, values.len());
            let truth = values[rank - 1];
            let found = counts.quantile(fraction);
            prop_assert!(found >= truth && found - truth <= truth / 1024, "{found} for {truth}");
        }

        #[test]
        fn counting_apart_and_adding_is_counting_together(
            left in prop::collection::vec(any_magnitude(), 0..50), right in prop::collection::vec(any_magnitude(), 0..50),
        ) {
            let [mut apart, mut added, mut together] = [(); 3].map(|()| Counts::<32>::default());
            left.iter().for_each(|value| { apart.record(*value); together.record(*value); });
            right.iter().for_each(|value| { added.record(*value); together.record(*value); });
            apart.add(&added);
            prop_assert!(apart.iter().eq(together.iter()));
        }
    }
}
