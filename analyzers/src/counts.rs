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
/// 65,536 values on also for each bucket that is as far as the largest of those, and a little farther.
#[derive(Clone, Debug, Default)]
pub struct Counts<const HALF: usize> {
    /// The counts of the buckets from 0 on, modulo 2^32; none while there are few values.
    dense: Vec<u32>,
    /// Buckets of `dense` that were hit 2^32 times or more, ascending, and how often so many times.
    over: Vec<(u16, u32)>,
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
        self.add_to(Self::bucket(value), 1);
    }

    /// Takes one earlier count of `value` back.
    pub fn take_back(&mut self, value: u64) {
        let bucket = Self::bucket(value);
        if let Some(&count) = self.dense.get(bucket) {
            match (count.checked_sub(1), self.over_at(bucket)) {
                (Some(less), _) => self.dense[bucket] = less,
                (None, Ok(at)) => {
                    self.over[at].1 -= 1;
                    self.over.retain(|(_, times)| *times > 0);
                    self.dense[bucket] = u32::MAX;
                }
                // It was never counted.
                (None, Err(_)) => {}
            }
        } else if let Ok(at) = self.sparse_at(bucket) {
            self.sparse[at].1 = self.sparse[at].1.saturating_sub(1);
        }
    }

    /// Adds everything that `other` has counted.
    pub fn add(&mut self, other: &Self) {
        if self.dense.len() < other.dense.len() {
            self.reach(other.dense.len());
        }
        for (bucket, count) in other.dense.iter().enumerate().filter(|(_, count)| **count > 0) {
            self.add_dense(bucket, *count);
        }
        other.over.iter().for_each(|(bucket, times)| self.carry(usize::from(*bucket), *times));
        other.sparse.iter().for_each(|(bucket, count)| self.add_to(usize::from(*bucket), *count));
    }

    /// How many values were counted.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.iter().map(|(_, count)| count).sum()
    }

    /// Every bucket that was hit, ascending: its highest value and its count.
    pub fn iter(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let mut over = self.over.iter().peekable();
        let dense = self.dense.iter().enumerate().map(move |(bucket, count)| {
            let times = over.next_if(|(of, _)| usize::from(*of) == bucket).map_or(0, |(_, times)| *times);
            (bucket, u64::from(times) << 32 | u64::from(*count))
        });
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

    /// Counts a bucket, wherever it is.
    #[inline]
    fn add_to(&mut self, bucket: usize, count: u16) {
        if bucket < self.dense.len() {
            self.add_dense(bucket, count.into());
        } else {
            self.add_sparse(bucket, count);
        }
    }

    /// Counts a bucket within `dense`.
    #[inline]
    fn add_dense(&mut self, bucket: usize, count: u32) {
        let (sum, carries) = self.dense[bucket].overflowing_add(count);
        self.dense[bucket] = sum;
        if carries {
            self.carry(bucket, 1);
        }
    }

    /// Adds 2^32 `times` to a bucket within `dense`.
    #[cold]
    fn carry(&mut self, bucket: usize, times: u32) {
        match self.over_at(bucket) {
            Ok(at) => self.over[at].1 += times,
            Err(at) => self.over.insert(at, (bucket as u16, times)),
        }
    }

    /// Where a bucket's multiples of 2^32 are, or belong.
    fn over_at(&self, bucket: usize) -> Result<usize, usize> {
        self.over.binary_search_by_key(&bucket, |(other, _)| usize::from(*other))
    }

    /// Counts a bucket above `dense`.
    #[cold]
    fn add_sparse(&mut self, bucket: usize, count: u16) {
        let Some(few) = self.few.checked_add(count) else {
            let highest = self.sparse.last().map_or(0, |(highest, _)| usize::from(*highest)).max(bucket);
            self.reach((highest / HALF + 1 + AHEAD) * HALF);
            self.add_dense(bucket, count.into());
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
            self.dense[usize::from(bucket)] = count.into();
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

    #[test]
    fn more_than_32_bits_of_one_value_are_counted() {
        let mut counts = Counts::<32>::default();
        (0..=u16::MAX).for_each(|_| counts.record(7));
        counts.record(9);
        counts.dense[7] = u32::MAX;
        counts.record(7);
        assert_eq!(counts.iter().collect::<Vec<_>>(), [(7, 1 << 32), (9, 1)]);
        // 2^32 and 2^32, then each time what there is.
        (0..3).for_each(|_| counts.add(&counts.clone()));
        assert_eq!(counts.iter().collect::<Vec<_>>(), [(7, 8 << 32), (9, 8)]);
        counts.take_back(7);
        assert_eq!(counts.total(), (8 << 32) + 7);
        counts.dense[7] = u32::MAX - 1;
        counts.add(&counts.clone());
        assert_eq!(counts.iter().next(), Some((7, (16 << 32) - 4)));
        (0..3).for_each(|_| counts.take_back(10));
        assert_eq!(counts.iter().last(), Some((9, 16)), "what was never counted cannot be taken back");
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
