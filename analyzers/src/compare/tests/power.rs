//! Sessions in which variants do differ: how many of them find it, and how far off they are.

use fastrand::Rng;

use super::noise::{Shape, figures};
use super::*;

const SESSIONS: usize = 2000;

/// The share of sessions for which `right` holds.
fn share(
    shape: Shape,
    rounds: usize,
    shifts: &[f64],
    comparisons: u32,
    right: impl Fn(&Comparison) -> bool,
) -> f64 {
    let mut random = Rng::with_seed(3);
    let settings = settings(shifts.len(), comparisons);
    let found = (0..SESSIONS)
        .filter(|_| right(&compare(&figures(shape, rounds, shifts, &mut random), &settings)))
        .count();
    found as f64 / SESSIONS as f64
}

fn verdict(comparison: &Comparison, variant: usize) -> Verdict {
    comparison.differences[variant].expect("figures").verdict
}

#[test]
fn three_standard_deviations_are_found_in_ten_rounds() {
    // Three figures of 2, 4 and 6 variants; forty of 4.
    for (comparisons, least) in [
        (3 * comparisons(2), 0.99),
        (3 * comparisons(4), 0.99),
        (3 * comparisons(6), 0.93),
        (40 * comparisons(4), 0.65),
    ] {
        for shape in [Shape::Normal, Shape::Drifting] {
            let found =
                share(shape, 10, &[0.0, -3.0, 0.0], comparisons, |it| verdict(it, 1) == Verdict::Lower);
            assert!(found >= least, "{shape:?}, {comparisons} comparisons: {found}");
        }
    }
}

#[test]
fn twenty_rounds_find_less() {
    let found = share(Shape::Normal, 20, &[0.0, 2.0, 0.0], 21, |it| verdict(it, 1) == Verdict::Higher);
    assert!(found >= 0.95, "{found}");
}

#[test]
fn the_best_of_four_is_told_from_all_others() {
    let shifts = [0.0, -6.0, 1.0, 0.0, 0.0];
    let found = share(Shape::Drifting, 10, &shifts, 21, |it| it.leaders == [1]);
    assert!(found >= 0.98, "{found}");
    // Two that are equally good lead together.
    let shifts = [0.0, -6.0, -6.0, 0.0, 0.0];
    let found = share(Shape::Normal, 10, &shifts, 21, |it| it.leaders == [1, 2] || it.leaders == [2, 1]);
    assert!(found >= 0.95, "{found}");
}

#[test]
fn the_interval_of_a_difference_holds_it() {
    for (rounds, comparisons) in [(10, 1), (10, 21), (20, 21)] {
        for shape in [Shape::Normal, Shape::HeavyTail, Shape::Drifting] {
            let held = share(shape, rounds, &[0.0, -4.0, 0.0], comparisons, |it| {
                let Interval { low, high } = it.differences[1].expect("figures").interval;
                low <= -4.0 && -4.0 <= high
            });
            // Three standard errors below what is promised.
            let promised = 1.0 - 0.05 / f64::from(comparisons);
            let error = (promised * (1.0 - promised) / SESSIONS as f64).sqrt();
            assert!(
                held >= promised - 3.0 * error,
                "{shape:?}, {rounds} rounds, {comparisons} comparisons: {held}"
            );
        }
    }
}

#[test]
fn the_least_figure_leads_even_where_pairs_cannot_be_told_by_signs() {
    // 10 rounds cannot give a sign test of 600 comparisons, but intervals against the baseline do not meet.
    let shifts = [0.0, -10.0, -30.0, 0.0];
    let found = share(Shape::Normal, 10, &shifts, 600, |it| it.leaders == [2]);
    assert!(found >= 0.99, "{found}");
}
