//! What is equal is not told apart, and every run is accounted for.

use crate::compare::found::compare;
use crate::target::Target;

/// Seeds of the comparisons of an allocator with itself. Each is a session of its own.
const SEEDS: u64 = 20;

#[test]
fn an_allocator_does_not_differ_from_itself() {
    let program = Target::c("favours.c").build();
    let program = program.path().to_str().expect("a plain path");
    let mut told = Vec::new();
    for seed in 0..SEEDS {
        let seed = seed.to_string();
        let options = ["--allocator", "glibc,glibc", "--runs", "7", "--seed", &seed, "--warm-up", "0"];
        let found = compare(&options, &[program, "churn", "20"]);
        assert_eq!(found.labels(), ["glibc", "glibc (2)", "glibc again"]);
        for figure in found.figures().filter(|figure| figure.value["headline"].is_string()) {
            let name = figure.value["name"].to_string();
            for label in ["glibc (2)", "glibc again"] {
                let verdict = figure.verdict(label);
                if verdict != "no_difference" && verdict != "too_few_rounds" {
                    told.push(format!("seed {seed}: {name} of {label}: {verdict} {:#}", figure.value));
                }
            }
        }
    }
    assert!(told.len() <= 1, "{told:#?}");
}

#[test]
fn every_run_is_told_and_the_order_is_the_seeds() {
    let found = compare(
        &["--allocator", "glibc", "--env", "MALLOC_ARENA_MAX=,1", "--runs", "3", "--seed", "5"],
        &["/bin/echo", "hello"],
    );
    assert_eq!(found.at("/rounds"), 3);
    assert_eq!(found.at("/seed"), 5);
    assert_eq!(found.variants().len(), 3, "{:?}", found.labels());
    for variant in found.variants() {
        for kind in ["untapped", "tapped"] {
            let runs = variant[kind].as_array().expect("a list");
            assert_eq!(runs.len(), 3);
            for run in runs {
                assert_eq!(run["outcome"]["ending"]["exited"], 0, "{run:#}");
                assert_eq!(run["outcome"]["stdout_bytes"], 6, "{run:#}");
            }
        }
    }
    // Three rounds are not enough to say anything, whatever they show.
    for figure in found.figures() {
        let verdict = figure.value["differences"][1]["verdict"].as_str().unwrap_or("none");
        assert!(["none", "too_few_rounds", "no_difference"].contains(&verdict), "{:#}", figure.value);
    }
}
