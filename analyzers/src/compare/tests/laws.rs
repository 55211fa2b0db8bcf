use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;

use super::*;

/// Figures of four variants, some missing, many equal.
fn figures() -> impl Strategy<Value = Vec<Vec<Option<f64>>>> {
    let figure = weighted(0.9, prop_oneof![(0_i32..5).prop_map(f64::from), 0.0..1e12]);
    vec(figure, 0..14).prop_flat_map(|rounds| {
        let count = rounds.len();
        let others =
            vec(vec(weighted(0.9, prop_oneof![(0_i32..5).prop_map(f64::from), 0.0..1e12]), count), 3);
        (Just(rounds), others).prop_map(|(first, others)| std::iter::once(first).chain(others).collect())
    })
}

proptest! {
    #[test]
    fn the_order_of_rounds_does_not_matter(figures in figures(), turn in 0_usize..14, comparisons in 1_u32..200) {
        let mut turned = figures.clone();
        for rounds in &mut turned {
            let by = turn.min(rounds.len());
            rounds.rotate_left(by);
            rounds.reverse();
        }
        let settings = settings(4, comparisons);
        prop_assert_eq!(compare(&figures, &settings), compare(&turned, &settings));
    }

    #[test]
    fn the_order_of_variants_does_not_matter(figures in figures(), comparisons in 1_u32..200) {
        let mut turned = figures.clone();
        turned.reverse();
        let one = compare(&figures, &Settings { baseline: 0, again: 3, comparisons });
        let other = compare(&turned, &Settings { baseline: 3, again: 0, comparisons });
        for variant in 0..4 {
            prop_assert_eq!(one.estimates[variant], other.estimates[3 - variant]);
            prop_assert_eq!(one.differences[variant], other.differences[3 - variant]);
        }
        let mut leaders: Vec<usize> = other.leaders.iter().map(|variant| 3 - variant).collect();
        let mut expected = one.leaders.clone();
        leaders.sort_unstable();
        expected.sort_unstable();
        prop_assert_eq!(leaders, expected);
    }

    #[test]
    fn a_unit_twice_as_large_halves_all(figures in figures(), comparisons in 1_u32..200) {
        let halves: Vec<Vec<_>> =
            figures.iter().map(|rounds| rounds.iter().map(|figure| figure.map(|it| it / 2.0)).collect()).collect();
        let settings = settings(4, comparisons);
        let (one, other) = (compare(&figures, &settings), compare(&halves, &settings));
        prop_assert_eq!(&one.leaders, &other.leaders);
        for (one, other) in one.differences.iter().flatten().zip(other.differences.iter().flatten()) {
            prop_assert_eq!((one.median, one.relative, one.verdict), (other.median * 2.0, other.relative, other.verdict));
        }
    }

    #[test]
    fn intervals_contain_their_medians_and_verdicts_follow_from_them(figures in figures(), comparisons in 1_u32..200) {
        let comparison = compare(&figures, &settings(4, comparisons));
        for estimate in comparison.estimates.iter().flatten() {
            prop_assert!(estimate.interval.low <= estimate.median && estimate.median <= estimate.interval.high);
        }
        for difference in comparison.differences.iter().flatten() {
            let Interval { low, high } = difference.interval;
            prop_assert!(low <= difference.median && difference.median <= high);
            match difference.verdict {
                Verdict::Lower => prop_assert!(high < 0.0),
                Verdict::Higher => prop_assert!(low > 0.0),
                Verdict::NoDifference | Verdict::TooFewRounds => {}
            }
        }
    }

    #[test]
    fn more_comparisons_only_widen_intervals(figures in figures(), comparisons in 1_u32..200) {
        let (few, many) = (compare(&figures, &settings(4, comparisons)), compare(&figures, &settings(4, comparisons * 3)));
        for (few, many) in few.differences.iter().flatten().zip(many.differences.iter().flatten()) {
            prop_assert!(many.interval.low <= few.interval.low && few.interval.high <= many.interval.high);
            let told = |verdict| matches!(verdict, Verdict::Lower | Verdict::Higher);
            prop_assert!(!told(many.verdict) || many.verdict == few.verdict);
        }
    }

    #[test]
    fn there_are_leaders_if_there_are_figures(figures in figures(), comparisons in 1_u32..200) {
        let comparison = compare(&figures, &settings(4, comparisons));
        let medians: Vec<f64> = comparison.leaders.iter().map(|&variant| comparison.estimates[variant].expect("figures").median).collect();
        prop_assert!(medians.is_sorted());
        prop_assert!(!comparison.leaders.contains(&3));
        let least = comparison.estimates[..3].iter().flatten().map(|estimate| estimate.median).reduce(f64::min);
        prop_assert_eq!(medians.first().copied(), least);
    }
}
