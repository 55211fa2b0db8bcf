//! Sessions in which nothing differs: how many of them claim a difference.

use fastrand::Rng;

use super::noise::{SHAPES, Shape, figures};
use super::*;

const SESSIONS: usize = 400;

/// Whether anything at all was told to differ.
fn claims(comparison: &Comparison, variants: usize) -> bool {
    let told = |difference: &Difference| matches!(difference.verdict, Verdict::Lower | Verdict::Higher);
    comparison.differences.iter().flatten().any(told) || comparison.leaders.len() != variants
}

/// Of so many sessions, how many claim a difference.
fn false_sessions(shape: Shape, rounds: usize, variants: usize, count: u32, random: &mut Rng) -> usize {
    let shifts = vec![0.0; variants + 1];
    let settings = settings(variants + 1, count * comparisons(variants));
    (0..SESSIONS)
        .filter(|_| {
            let claimed = |_| claims(&compare(&figures(shape, rounds, &shifts, random), &settings), variants);
            (0..count).map(claimed).fold(false, |any, one| any | one)
        })
        .count()
}

#[test]
fn less_than_one_session_in_twenty_finds_a_difference_where_there_is_none() {
    let mut random = Rng::with_seed(1);
    for shape in SHAPES {
        for rounds in [5, 10, 20] {
            for (variants, count) in [(2, 3), (4, 3), (6, 3), (4, 40)] {
                let claimed = false_sessions(shape, rounds, variants, count, &mut random);
                // 5% are 20; if it is 5% in truth, chance goes beyond 28 in 1 of 30 cases.
                assert!(
                    claimed <= 28,
                    "{shape:?}, {rounds} rounds, {variants} variants, {count} figures: {claimed}"
                );
            }
        }
    }
}

#[test]
fn an_estimate_holds_the_true_median_about_as_often_as_it_says() {
    let mut random = Rng::with_seed(2);
    for (rounds, least, most) in [(5, 0.91, 0.96), (10, 0.91, 0.97), (20, 0.92, 0.97)] {
        for (shape, truth) in [(Shape::Normal, 100.0), (Shape::HeavyTail, 101.0)] {
            let held = (0..4000).filter(|_| {
                let figures = figures(shape, rounds, &[0.0, 0.0], &mut random);
                let estimate = compare(&figures, &settings(2, 1)).estimates[0].expect("figures");
                estimate.interval.low <= truth && truth <= estimate.interval.high
            });
            let share = held.count() as f64 / 4000.0;
            assert!((least..=most).contains(&share), "{shape:?}, {rounds} rounds: {share}");
        }
    }
}
