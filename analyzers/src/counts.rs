//! How often each value was seen, with a bounded relative error and little memory.

/// The array reaches so many powers of two beyond the largest value so far: if it grew with each duration as long as none
/// before, it would grow for days.
const AHEAD: usize = 4;

/// Counts of values in buckets whose width grows with the value.
///
/// Every power of two is divided into `HALF` buckets, so values below `2 * HALF` are exact and
/// others are off by less than one part in `HALF`. `Counts<1024>` has the very buckets of an
/// HdrHistogram of 3 significant digits. `HALF` is a power of two of at most 1,024. Memory is 4 bytes
/// for each bucket that was hit, as a function that is seldom called is not worth an array; from
/// 65,536 values on 8 bytes for each bucket that is as far as the largest of those, and a little farther.
#[derive(Clone, Debug, Default)]
pub struct Counts<const HALF: usize> {
    /// The counts of the buckets from 0 on; none while there are few values.
    dense: Vec<u64>,
    /// Buckets above `dense` that were hit, ascending, with their counts.
    sparse: Vec<(u16, u16)>,
    /// How many values are counted in `sparse`, or were and are taken back.
    few: u16,
}

impl<const HALF: usize> Counts<HALF> {
    const HALF_BITS: u32 = {
        assert!(HALF.is_power_of_two() && HALF <= 1024, "a bucket's number has 16 bits");
        HALF.trailing_zeros()
    };

    /// Counts `value` once.
    #[inline]
    pub fn record(&mut self, value: u64) {
        let bucket = Self::bucket(value);
        match self.dense.get_mut(bucket) {
            Some(count) => *count += 1,
            None => self.add_sparse(bucket, 1),
        }
    }

    /// Takes one earlier count of `value` back.
    pub fn take_back(&mut self, value: u64) {
        let bucket = Self::bucket(value);
        if let Some(count) = self.dense.get_mut(bucket) {
            *count = count.saturating_sub(1);
        } else if let Ok(at) = self.sparse_at(bucket) {
            self.sparse[at].1 = self.sparse[at].1.saturating_sub(1);
        }
    }

    /// Adds everything that `other` has counted.
    pub fn add(&mut self, other: &Self) {
        if self.dense.len() < other.dense.len() {
            self.reach(other.dense.len());
        }
        self.dense.iter_mut().zip(&other.dense).for_each(|(sum, count)| *sum += count);
        for &(bucket, count) in &other.sparse {
            match self.dense.get_mut(usize::from(bucket)) {
                Some(sum) => *sum += u64::from(count),
                None => self.add_sparse(usize::from(bucket), count),
            }
        }
    }

    /// How many values were counted.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.iter().map(|(_, count)| count).sum()
    }

    /// Every bucket that was hit, ascending: its highest value and its count.
    pub fn iter(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let dense = self.dense.iter().copied().enumerate();
        let sparse = self.sparse.iter().map(|(bucket, count)| (usize::from(*bucket), u64::from(*count)));
        dense
            .chain(sparse)
            .filter(|(_, count)| *count > 0)
            .map(|(bucket, count)| (Self::highest(bucket), count))
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

    /// Counts a bucket above `dense`.
    #[cold]
    fn add_sparse(&mut self, bucket: usize, count: u16) {
        let Some(few) = self.few.checked_add(count) else {
            let highest = self.sparse.last().map_or(0, |(highest, _)| usize::from(*highest)).max(bucket);
            self.reach((highest / HALF + 1 + AHEAD) * HALF);
            self.dense[bucket] += u64::from(count);
            return;
        };
        self.few = few;
        match self.sparse_at(bucket) {
            Ok(at) => self.sparse[at].1 += count,
            Err(at) => self.sparse.insert(at, (bucket as u16, count)),
        }
    }

    /// Where a bucket above `dense` is, or belongs.
    fn sparse_at(&self, bucket: usize) -> Result<usize, usize> {
        self.sparse.binary_search_by_key(&bucket, |(other, _)| usize::from(*other))
    }

    /// Makes `dense` so long.
    fn reach(&mut self, buckets: usize) {
        // Not a new vector of zeros: its pages would come one by one, with the first value of each.
        self.dense.reserve_exact(buckets - self.dense.len());
        self.dense.resize(buckets, 0);
        let within = self.sparse.partition_point(|(bucket, _)| usize::from(*bucket) < buckets);
        for (bucket, count) in self.sparse.drain(..within) {
            self.dense[usize::from(bucket)] += u64::from(count);
        }
        self.few = self.sparse.iter().map(|(_, count)| count).sum();
        self.sparse.shrink_to_fit();
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
    fn few_values_cost_little_and_many_have_an_array() {
        let mut counts = Counts::<1024>::default();
        (0..u16::MAX).for_each(|_| counts.record(1 << 20));
        assert_eq!((counts.dense.len(), counts.sparse.len()), (0, 1));
        counts.record(1 << 20);
        assert_eq!((counts.dense.len(), counts.sparse.len()), ((12 + AHEAD) * 1024, 0));
        counts.record(1 << 40);
        assert_eq!((counts.dense.len(), counts.sparse.len()), ((12 + AHEAD) * 1024, 1));
        assert_eq!(counts.iter().map(|(_, count)| count).collect::<Vec<_>>(), [1 << 16, 1]);
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

        #[test]
        fn what_was_counted_sparsely_keeps_its_count(
            times in prop::collection::vec((0..100_000_u64, 1..100_000_u64), 1..6), taken in 0..100_000_u64,
        ) {
            let mut counts = Counts::<128>::default();
            let mut truth = std::collections::BTreeMap::<u64, u64>::new();
            for (value, times) in times {
                let mut more = Counts::<128>::default();
                (0..times).for_each(|_| more.record(value));
                counts.add(&more);
                *truth.entry(Counts::<128>::highest(Counts::<128>::bucket(value))).or_default() += times;
            }
            counts.take_back(taken);
            truth.entry(Counts::<128>::highest(Counts::<128>::bucket(taken))).and_modify(|count| *count -= 1);
            truth.retain(|_, count| *count > 0);
            prop_assert!(counts.iter().eq(truth));
        }
    }
}
