use super::*;

fn estimate(rounds: &[Option<f64>]) -> Option<Estimate> {
    Bootstrap::default().estimate(rounds)
}

fn interval(ascending: &[f64], tail: f64) -> Interval {
    Bootstrap::default().interval(ascending, tail)
}

#[test]
fn a_median_is_the_middle_or_the_mean_of_both() {
    assert_eq!(estimate(&all(&[3.0, 1.0, 2.0])).expect("figures").median, 2.0);
    assert_eq!(estimate(&all(&[4.0, 1.0, 2.0, 3.0])).expect("figures").median, 2.5);
    let one = estimate(&[None, Some(7.0), None]).expect("a figure");
    assert_eq!(one, Estimate { median: 7.0, interval: Interval { low: 7.0, high: 7.0 }, rounds: 1 });
    assert_eq!(estimate(&[None, None]), None);
}

#[test]
fn the_bootstrap_of_three_figures_is_that_of_all_27_resamples() {
    // The least is the median of 7 of 27 resamples: those that have it twice or thrice.
    let figures = [1.0, 2.0, 3.0];
    assert_eq!(interval(&figures, 6.99 / 27.0), Interval { low: 1.0, high: 3.0 });
    assert_eq!(interval(&figures, 7.01 / 27.0), Interval { low: 2.0, high: 2.0 });
}

#[test]
fn the_bootstrap_of_four_figures_is_that_of_all_256_resamples() {
    let figures = [1.0, 2.0, 4.0, 8.0];
    let mut medians: Vec<f64> = (0..256_usize)
        .map(|resample| {
            let mut drawn = [0, 2, 4, 6].map(|shift| figures[resample >> shift & 3]);
            drawn.sort_by(f64::total_cmp);
            f64::midpoint(drawn[1], drawn[2])
        })
        .collect();
    medians.sort_by(f64::total_cmp);
    for less in 0..128 {
        let expected = Interval { low: medians[less], high: medians[255 - less] };
        assert_eq!(interval(&figures, (less as f64 + 0.5) / 256.0), expected, "{less} of 256 left out");
    }
}

#[test]
fn the_bootstrap_of_many_figures_is_that_of_the_normal_approximation() {
    for count in [400, 401] {
        let figures: Vec<f64> = (1..=count).map(f64::from).collect();
        let Interval { low, high } = interval(&figures, 0.025);
        let middle = f64::from(count + 1) / 2.0;
        let reach = 1.96 * f64::from(count).sqrt() / 2.0;
        assert!((low - (middle - reach)).abs() < 1.5, "{low} of {count}");
        assert!((high - (middle + reach)).abs() < 1.5, "{high} of {count}");
    }
}

#[test]
fn a_difference_is_taken_from_both_series_of_the_baseline() {
    let figures = [all(&[10.0; 6]), all(&[14.0, 15.0, 16.0, 17.0, 18.0, 19.0]), all(&[12.0; 6])];
    let comparison = compare(&figures, &settings(3, 2));
    let difference = comparison.differences[1].expect("figures");
    assert_eq!(difference.median, 5.5, "of 4, 5, 6, 7, 8, 9 and 2, 3, 4, 5, 6, 7");
    assert_eq!(difference.interval, Interval { low: 3.0, high: 8.0 }, "one of 12 left out at either end");
    assert_eq!(difference.relative, Some(0.55));
    assert_eq!(difference.relative_interval, Some(Interval { low: 0.3, high: 0.8 }));
    assert_eq!(difference.verdict, Verdict::Higher);
    assert_eq!(comparison.differences[0], None);
    let noise = comparison.differences[2].expect("figures");
    assert_eq!((noise.median, noise.verdict), (2.0, Verdict::TooFewRounds), "6 rounds, 2 comparisons");
    assert_eq!(comparison.leaders, [0]);
}

#[test]
fn constant_figures_differ_by_exactly_as_much_or_not_at_all() {
    let figures = [all(&[100.0; 10]), all(&[100.0; 10]), all(&[90.0; 10]), all(&[100.0; 10])];
    let comparison = compare(&figures, &settings(4, 7));
    let of = |variant: usize| comparison.differences[variant].expect("figures");
    assert_eq!((of(1).interval, of(1).verdict), (Interval { low: 0.0, high: 0.0 }, Verdict::NoDifference));
    assert_eq!((of(2).interval, of(2).verdict), (Interval { low: -10.0, high: -10.0 }, Verdict::Lower));
    assert_eq!(of(2).relative, Some(-0.1));
    assert_eq!(of(3).verdict, Verdict::NoDifference);
    assert_eq!(comparison.leaders, [2]);
}

#[test]
fn a_difference_no_larger_than_the_noise_is_none() {
    let rounds: Vec<f64> = (0..10).map(f64::from).collect();
    let moved = |by: f64| all(&rounds.iter().map(|figure| figure + by).collect::<Vec<_>>());
    let verdict = |by: f64| {
        let comparison = compare(&[moved(0.0), moved(by), moved(2.0)], &settings(3, 3));
        comparison.differences[1].expect("figures").verdict
    };
    assert_eq!(
        verdict(-0.5),
        Verdict::NoDifference,
        "1.5 less in the median, while the baseline differs by 2"
    );
    assert_eq!(verdict(-1.5), Verdict::Lower, "2.5 less");
    assert_eq!(verdict(2.5), Verdict::NoDifference);
    assert_eq!(verdict(3.5), Verdict::Higher);
    let itself = compare(&[moved(0.0), moved(2.0)], &settings(2, 2)).differences[1].expect("figures");
    assert_eq!(itself.verdict, Verdict::Higher, "that noise has a direction is told");
}

#[test]
fn too_few_rounds_are_told_whatever_they_show() {
    for (rounds, comparisons, expected) in [
        (3, 1, Verdict::TooFewRounds),
        (4, 1, Verdict::Lower),
        (5, 7, Verdict::TooFewRounds),
        (6, 7, Verdict::Lower),
        (10, 1476, Verdict::Lower),
        (10, 1477, Verdict::TooFewRounds),
    ] {
        let figures = [vec![Some(9.0); rounds], vec![Some(1.0); rounds], vec![Some(9.0); rounds]];
        let difference = compare(&figures, &settings(3, comparisons)).differences[1].expect("figures");
        assert_eq!(difference.verdict, expected, "{rounds} rounds, {comparisons} comparisons");
        assert_eq!(difference.interval, Interval { low: -8.0, high: -8.0 });
    }
}

#[test]
fn what_is_missing_or_no_number_is_left_out() {
    let gaps = vec![Some(f64::NAN), Some(1.0), None, Some(f64::INFINITY), Some(2.0)];
    let figures = [all(&[10.0; 5]), gaps, vec![None; 5], vec![None, None, None, None, Some(12.0)]];
    let comparison = compare(&figures, &settings(4, 1));
    let expected = Estimate { median: 1.5, interval: Interval { low: 1.0, high: 2.0 }, rounds: 2 };
    assert_eq!(comparison.estimates[1], Some(expected));
    assert_eq!((comparison.estimates[2], comparison.differences[2]), (None, None));
    let difference = comparison.differences[1].expect("two rounds have both");
    assert_eq!(difference.interval, Interval { low: -10.0, high: -8.0 });
    assert_eq!(difference.median, -9.0, "of -9, -10 and -8");
    assert_eq!(comparison.leaders, [1, 0], "too few to tell");
}

#[test]
fn without_the_baseline_there_are_estimates_and_leaders() {
    let figures = [vec![None; 10], all(&[5.0; 10]), all(&[4.0; 10]), vec![None; 10]];
    let comparison = compare(&figures, &settings(4, 7));
    assert_eq!(comparison.differences, [None; 4]);
    assert_eq!(comparison.leaders, [2], "ten of ten rounds");
    let nothing = compare(&[vec![None; 3], vec![None; 3]], &settings(2, 1));
    assert_eq!((nothing.estimates, nothing.leaders), (vec![None, None], vec![]));
}

#[test]
fn one_series_of_the_baseline_is_not_counted_twice() {
    let verdict = |rounds: usize| {
        let figures = [vec![Some(9.0); rounds], vec![Some(1.0); rounds]];
        let comparison = compare(&figures, &Settings { baseline: 0, again: 0, comparisons: 1 });
        assert_eq!(comparison.leaders[0], 1);
        comparison.differences[1].expect("figures").verdict
    };
    assert_eq!([5, 6].map(verdict), [Verdict::TooFewRounds, Verdict::Lower], "2 / 32 and 2 / 64");
}

#[test]
fn figures_of_zero_have_no_parts() {
    let figures = [all(&[0.0; 10]), all(&[3.0; 10]), all(&[0.0; 10])];
    let difference = compare(&figures, &settings(3, 1)).differences[1].expect("figures");
    assert_eq!((difference.relative, difference.relative_interval), (None, None));
    assert_eq!(difference.verdict, Verdict::Higher);
}

#[test]
fn comparisons_are_all_pairs_and_the_noise() {
    assert_eq!([0, 1, 2, 4, 8].map(comparisons), [1, 1, 2, 7, 29]);
}
