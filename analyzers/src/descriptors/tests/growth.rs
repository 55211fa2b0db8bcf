//! What becomes more and more.

use super::*;
use proptest::collection::vec;

const SECOND: u64 = 1_000_000_000;

/// Opens (and closes) with increasing numbers: `lifetime_ns` of each, none for what stays open.
fn run(opens: impl Iterator<Item = (u64, Option<u64>)>, now_ns: u64) -> Vec<Growth> {
    let mut events = Vec::new();
    for (number, (at_ns, lifetime_ns)) in opens.enumerate() {
        events.push(open(at_ns, number as i32));
        events.extend(lifetime_ns.map(|lifetime| close(at_ns + lifetime, number as i32)));
    }
    events.sort_by_key(|event| event.start_ns);
    let mut descriptors = Descriptors::new(IMAGE);
    events.iter().filter(|event| event.start_ns <= now_ns).for_each(|event| descriptors.observe(event));
    descriptors.growing(now_ns)
}

#[test]
fn a_steady_leak_is_found_with_its_rate() {
    let growing = run((0..600).map(|turn| (turn * SECOND / 10, None)), 60 * SECOND);
    let found = &growing[0];
    assert_eq!((found.open, found.opened, found.kind), (600, 600, "file"));
    assert!((found.per_second - 10.0).abs() < 0.5, "{found:?}");
    assert!(found.fit > 0.99 && found.confidence > 0.999_999, "{found:?}");
}

#[test]
fn one_leak_in_twenty_is_found_among_those_that_are_closed() {
    let opens = (0..2000).map(|turn| (turn * SECOND / 20, (turn % 20 != 0).then_some(SECOND / 2)));
    let growing = run(opens, 100 * SECOND);
    assert!((growing[0].per_second - 1.0).abs() < 0.1, "{growing:?}");
}

#[test]
fn a_pool_that_was_filled_at_the_beginning_does_not_grow() {
    assert_eq!(run((0..50).map(|turn| (turn * SECOND / 100, None)), 60 * SECOND), []);
    assert_eq!(run((0..50).map(|turn| (turn * SECOND / 2, None)), 60 * SECOND), []);
}

#[test]
fn connections_that_come_and_go_do_not_grow() {
    let opens = (0..3000).map(|turn| (turn * SECOND / 50, Some(2 * SECOND + turn * 7919 % SECOND)));
    assert_eq!(run(opens, 60 * SECOND), []);
}

#[test]
fn a_few_do_not_grow() {
    assert_eq!(run((0..7).map(|turn| (turn * SECOND, None)), 7 * SECOND), []);
}

#[test]
fn the_forecast_is_when_the_limit_is_reached() {
    let mut descriptors = Descriptors::new(IMAGE);
    (0..100).for_each(|turn| descriptors.observe(&open(turn * SECOND / 10, turn as i32)));
    let report = descriptors.report();
    let seconds = report.forecast(1024).expect("it grows") as f64 / 1e9;
    assert!((seconds - 92.4).abs() < 3.0, "{seconds}");
    assert_eq!(report.forecast(50), Some(0));
    assert_eq!(findings(&[open(100, 3)]).forecast(1024), None);
}

proptest! {
    /// Clients that come at random and stay for a random time of the same kind throughout.
    #[test]
    fn random_traffic_without_a_leak_does_not_grow(
        gaps in vec(1..40_u64, 400..800),
        stays in vec(1..400_u64, 800),
    ) {
        let mut at = 0;
        let opens: Vec<_> = gaps.iter().zip(&stays).map(|(gap, stay)| {
            at += gap * 1_000_000;
            (at, Some(stay * 1_000_000))
        }).collect();
        prop_assert_eq!(run(opens.into_iter(), at), []);
    }

    /// However many changes there are, what is kept of them is bounded.
    #[test]
    fn random_traffic_with_a_leak_grows(gaps in vec(1..40_u64, 400..800), stays in vec(1..400_u64, 800)) {
        let mut at = 0;
        let opens: Vec<_> = gaps.iter().zip(&stays).enumerate().map(|(turn, (gap, stay))| {
            at += gap * 1_000_000;
            (at, (turn % 4 != 0).then_some(stay * 1_000_000))
        }).collect();
        prop_assert_eq!(run(opens.into_iter(), at).len(), 1);
    }
}
