//! Runs with known figures.

use super::kinds::resident_to_live;
use super::*;
use crate::compare::example;
use crate::compare::run::{CallClass, MemoryPoint};

fn calling(malloc: u64) -> Tapped {
    let class = |function: &str, count| CallClass {
        function: function.to_owned(),
        up_to_bytes: Some(16),
        up_to_threads: 1,
        durations: vec![(20, count)],
    };
    Tapped { calls: vec![class("_Znwm", 1000), class("malloc", malloc)], ..example::tapped() }
}

fn figures(variants: &[(Untapped, Tapped)]) -> Vec<Figure> {
    let runs: Vec<_> = variants
        .iter()
        .map(|(untapped, tapped)| (vec![Some(untapped.clone()); 9], vec![Some(tapped.clone()); 9]))
        .collect();
    let runs: Vec<_> = runs.iter().map(|(untapped, tapped)| Runs { untapped, tapped }).collect();
    compared(&runs)
}

fn named<'a>(figures: &'a [Figure], name: &str) -> &'a Figure {
    figures.iter().find(|figure| figure.name == name).unwrap_or_else(|| panic!("no {name}"))
}

#[test]
fn a_function_that_one_allocator_hardly_calls_is_not_compared() {
    let baseline = (example::untapped(), calling(1100));
    let other = (example::untapped(), calling(7));
    let figures = figures(&[baseline.clone(), other, baseline]);
    let known = |name: &str| named(&figures, name).estimates.iter().map(Option::is_some).collect::<Vec<_>>();
    assert_eq!(known("malloc_p99"), [true, false, true]);
    assert_eq!(known("_Znwm_p99"), [true, true, true]);
    assert_eq!(known("allocator_p99"), [true, true, true]);
    assert!(figures.iter().all(|figure| !figure.name.starts_with("free")), "nobody called it");
}

#[test]
fn what_differs_in_all_rounds_is_told_with_its_direction() {
    let baseline = (example::untapped(), calling(1100));
    let slow = Untapped { wall_ns: 3_000_000, peak_rss_bytes: 1 << 20, ..example::untapped() };
    let figures = figures(&[baseline.clone(), (slow, calling(1100)), baseline]);
    let wall = named(&figures, "wall_time");
    assert_eq!(wall.headline, Some(Headline::Fastest));
    assert_eq!(
        wall.differences[1].map(|other| (other.verdict, other.relative)),
        Some((Verdict::Higher, Some(2.0)))
    );
    assert_eq!(wall.leaders, [0]);
    let peak = named(&figures, "peak_rss");
    assert_eq!(peak.differences[1].map(|other| other.verdict), Some(Verdict::Lower));
    assert_eq!(peak.leaders, [1]);
    assert_eq!(
        named(&figures, "malloc_p50").differences[1].map(|other| other.verdict),
        Some(Verdict::NoDifference)
    );
}

#[test]
fn memory_beside_what_lives_is_a_mean_over_time() {
    let point = |anonymous_bytes, live_bytes| MemoryPoint {
        at_ns: 0,
        live_bytes,
        resident_bytes: 0,
        anonymous_bytes,
    };
    let points = [point(300, Some(100)), point(500, Some(300)), point(9000, None)];
    assert_eq!(resident_to_live(&points), Some(2.0));
    assert_eq!(resident_to_live(&[point(300, Some(0))]), None);
}
