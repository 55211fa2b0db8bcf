//! How many of the least and of the greatest differences an interval may leave out.

use std::collections::BTreeMap;

/// That all intervals together hold, with this probability or more.
const ALL: f64 = 0.95;

/// The confidence of one of many intervals.
pub(super) struct Confidence {
    /// Probability that an interval may lie wholly above the truth, and as much that it may lie below.
    tail: f64,
    /// By numbers of rounds, because most figures have the same.
    known: BTreeMap<Rounds, Option<usize>>,
}

/// Rounds by how many runs of the other side they have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rounds {
    /// With one run: the sign test's.
    pub(super) single: usize,
    /// With two.
    pub(super) double: usize,
}

impl Confidence {
    /// Of an interval that is one of so many.
    pub(super) fn new(comparisons: u32) -> Self {
        let tail = (1.0 - ALL) / 2.0 / f64::from(comparisons.max(1));
        // What rounding adds must not cost a round.
        Self { tail: tail * (1.0 + 1e-9), known: BTreeMap::new() }
    }

    /// How many differences may be left out at either end; None if even leaving out none is not this confident.
    pub(super) fn left_out(&mut self, rounds: Rounds) -> Option<usize> {
        let tail = self.tail;
        *self.known.entry(rounds).or_insert_with(|| most_within(&chances(rounds), tail))
    }
}

/// The greatest number up to which the chances add to no more than `tail`.
fn most_within(chances: &[f64], tail: f64) -> Option<usize> {
    let sums = chances.iter().scan(0.0, |sum, chance| {
        *sum += chance;
        Some(*sum)
    });
    sums.take_while(|sum| *sum <= tail).count().checked_sub(1)
}

/// How likely it is that 0, 1, 2, ... of the differences lie below the true one: in each round their number is one of
/// 0 and 1, or of 0, 1 and 2, all equally likely.
fn chances(rounds: Rounds) -> Vec<f64> {
    let mut chances = vec![1.0];
    for places in [vec![2; rounds.single], vec![3; rounds.double]].concat() {
        let mut more = vec![0.0; chances.len() + places - 1];
        for place in 0..places {
            more[place..].iter_mut().zip(&chances).for_each(|(sum, chance)| *sum += chance);
        }
        more.iter_mut().for_each(|sum| *sum /= places as f64);
        chances = more;
    }
    chances
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left_out(comparisons: u32, single: usize, double: usize) -> Option<usize> {
        Confidence::new(comparisons).left_out(Rounds { single, double })
    }

    #[test]
    fn with_one_run_a_round_it_is_the_sign_tests_table() {
        // Critical values of the two-sided sign test at 0.05, as printed in tables.
        let table = [
            (5, None),
            (6, Some(0)),
            (8, Some(0)),
            (9, Some(1)),
            (12, Some(2)),
            (15, Some(3)),
            (20, Some(5)),
        ];
        for (rounds, expected) in table {
            assert_eq!(left_out(1, rounds, 0), expected, "{rounds} rounds");
        }
    }

    #[test]
    fn with_two_runs_a_round_all_orders_are_counted() {
        // Of 3^10 = 59049 sums of ten draws out of {0, 1, 2}: 1 is 0, 10 are 1, 55 are 2, 210 are 3.
        let most = |sums: f64| (0.05 * 59049.0 / (2.0 * sums)) as u32;
        assert_eq!([most(1.0), most(11.0), most(66.0), most(276.0)], [1476, 134, 22, 5]);
        for (comparisons, expected) in
            [(1477, None), (1476, Some(0)), (135, Some(0)), (134, Some(1)), (22, Some(2)), (5, Some(3))]
        {
            assert_eq!(left_out(comparisons, 0, 10), expected, "{comparisons} comparisons");
        }
    }

    #[test]
    fn too_few_rounds_give_no_confidence() {
        assert_eq!(left_out(1, 0, 0), None);
        assert_eq!(left_out(1, 0, 3), None, "2 / 27 is more than 0.05");
        assert_eq!(left_out(1, 0, 4), Some(0), "2 / 81 is less");
        assert_eq!(left_out(0, 0, 4), Some(0));
    }

    #[test]
    fn chances_of_mixed_rounds_add_to_one_and_are_symmetric() {
        let chances = chances(Rounds { single: 3, double: 4 });
        assert_eq!(chances.len(), 3 + 2 * 4 + 1);
        assert!((chances.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!((chances[0] - 1.0 / (8.0 * 81.0)).abs() < 1e-15);
        for (front, back) in chances.iter().zip(chances.iter().rev()) {
            assert!((front - back).abs() < 1e-15);
        }
    }
}
