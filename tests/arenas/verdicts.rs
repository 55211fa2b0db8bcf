//! Programs that hold memory for a known reason: the right verdict with the right share, the right pin,
//! the right line, and advice that keeps its promise.

use super::found::{Advice, Found};
use crate::launch::{Launch, bare, calltap};
use crate::marks::Marks;
use crate::outcome::Outcome;
use crate::target::Target;

const SOURCE: &str = "arena_verdicts.c";
const ALL: &str = "untouched,fragmentation,leak,retention";

#[test]
fn a_leak_is_told_with_its_line_and_its_rate() {
    let (outcome, found) = look("leak");
    expect_shares(&outcome, &found, &[("leak", "leak.bytes")]);
    expect_leak(&outcome, &found);
    let culprit = &found.verdict("leak").culprits[0];
    let rate = culprit.bytes_per_second.expect("a leak has a rate");
    let most = culprit.bytes as f64; // within a second, and no faster than the naps allow
    assert!(rate > most / 10.0 && rate <= most * 1.05, "{culprit:#?}");
    expect_release("leak", &found, Marks::of(&[SOURCE]).leak("leak"), "unleak");
}

#[test]
fn what_is_released_and_kept_is_retention_and_one_block_pins_it() {
    let (outcome, found) = look("retention");
    expect_shares(&outcome, &found, &[("retention", "retention.bytes")]);
    let pin = &found.pins[0];
    assert_eq!((&*pin.kind, pin.block), ("top", outcome.said("retention.pin")), "{:#?}", found.pins);
    assert_eq!(pin.bytes, Some(48));
    assert!(near(pin.pinned_bytes, outcome.said("retention.bytes"), 1.0), "{pin:#?}");
    assert!(pin.pinned_bytes > 100 << 20, "{pin:#?}");
    assert!(pin.stack.passes(Marks::of(&[SOURCE]).fault("retention")), "{pin:#?}");
    expect_trim("retention", &found);
    expect_effect("retention", &found, "malloc_trim");
}

#[test]
fn a_block_in_each_page_is_fragmentation_and_trimming_does_not_help() {
    let (outcome, found) = look("fragmentation");
    expect_shares(&outcome, &found, &[("fragmentation", "fragmentation.bytes")]);
    expect_fragmentation(&outcome, &found);
    expect_trim("fragmentation", &found);
    expect_release("fragmentation", &found, Marks::of(&[SOURCE]).fault("fragmentation"), "unpin");
    expect_effect("fragmentation", &found, "allocator");
}

#[test]
fn what_was_never_touched_costs_nothing_and_is_told() {
    let (outcome, found) = look("untouched");
    expect_shares(&outcome, &found, &[("never_touched", "untouched.bytes")]);
    let culprits = &found.verdict("never_touched").culprits;
    let marks = Marks::of(&[SOURCE]);
    for (culprit, place) in culprits.iter().zip(["untouched_mapped", "untouched_heap"]) {
        assert!(culprit.stack.passes(marks.fault(place)), "{place}: {culprits:#?}");
        assert_eq!(culprit.blocks, outcome.said(&format!("{place}.blocks")), "{place}: {culprits:#?}");
    }
    assert!(culprits.len() >= 2, "{culprits:#?}");
    let most = outcome.said("untouched.bytes") / 50;
    assert!(found.advice.iter().all(|advice| advice.saves_bytes < most), "{:#?}", found.advice);
}

#[test]
fn a_top_kept_for_a_large_block_of_long_ago_is_retention() {
    let (outcome, found) = look("top");
    expect_shares(&outcome, &found, &[("retention", "top.bytes")]);
    expect_trim("top", &found);
    expect_effect("top", &found, "malloc_trim");
    expect_effect("top", &found, "trim_threshold");
}

#[test]
fn arenas_of_threads_that_are_done_could_have_been_one() {
    let (outcome, found) = look("threads");
    assert_eq!(found.arenas.len() as i64, outcome.said("threads.arenas"), "{:#?}", found.arenas);
    // What is free at the top of a thread's arena is nobody's fault, though malloc_trim leaves it.
    expect_shares(&outcome, &found, &[("retention", "threads.bytes")]);
    expect_trim("threads", &found);
    expect_effect("threads", &found, "arena_max");
    expect_effect("threads", &found, "trim_threshold");
}

#[test]
fn a_block_in_a_second_heap_pins_it() {
    let (outcome, found) = look("heap");
    let pin = &found.pins[0];
    assert_eq!((&*pin.kind, pin.block), ("heap", outcome.said("heap.pin")), "{:#?}", found.pins);
    assert!(near(pin.pinned_bytes, outcome.said("heap.bytes"), 1.0), "{pin:#?}");
    assert!(pin.stack.passes(Marks::of(&[SOURCE]).fault("heap")), "{pin:#?}");
    expect_trim("heap", &found);
}

#[test]
fn four_reasons_at_once_are_told_apart() {
    let (outcome, found) = look(ALL);
    let shares = [
        ("leak", "leak.bytes"),
        ("retention", "retention.bytes"),
        ("fragmentation", "fragmentation.bytes"),
        ("never_touched", "untouched.bytes"),
    ];
    expect_shares(&outcome, &found, &shares);
    expect_leak(&outcome, &found);
    expect_fragmentation(&outcome, &found);
    expect_trim(ALL, &found);
    expect_effect(ALL, &found, "malloc_trim");
    expect_release(ALL, &found, Marks::of(&[SOURCE]).leak("leak"), "unleak");
    expect_release(ALL, &found, Marks::of(&[SOURCE]).fault("fragmentation"), "unpin");
}

fn target() -> Target {
    Target::c(SOURCE).build()
}

/// Runs the program under calltap until its end.
fn look(reasons: &str) -> (Outcome, Found) {
    let outcome = calltap().run(target(), &[reasons]).expect_status(0);
    let found = Found::of(&outcome);
    (outcome, found)
}

/// Whether a number is another but for some percent of it.
fn near(number: i64, other: i64, percent: f64) -> bool {
    (number - other).abs() as f64 <= other as f64 * percent / 100.0
}

/// Expects that the most is held for the first of these reasons, and that each has the share of which
/// the program knows, by two points of a hundred.
fn expect_shares(outcome: &Outcome, found: &Found, reasons: &[(&str, &str)]) {
    let untouched = reasons.iter().find(|(kind, _)| *kind == "never_touched");
    let all = outcome.said("anonymous") + untouched.map_or(0, |(_, key)| outcome.said(key));
    for (kind, key) in reasons {
        let truth = 100.0 * outcome.said(key) as f64 / all as f64;
        let percent = found.verdict(kind).percent;
        assert!((percent - truth).abs() <= 2.0, "{kind}: {truth} and not {:?}", found.shares());
    }
    let largest = reasons.iter().max_by_key(|(_, key)| outcome.said(key)).expect("a reason");
    assert_eq!(found.verdicts[0].kind, largest.0, "{:?}", found.shares());
}

fn expect_leak(outcome: &Outcome, found: &Found) {
    let leak = found.verdict("leak");
    let culprit = &leak.culprits[0];
    assert_eq!(culprit.blocks, outcome.said("leak.blocks"), "{leak:#?}");
    assert_eq!(culprit.bytes, outcome.said("leak.bytes"), "{leak:#?}");
    assert!(culprit.stack.passes(Marks::of(&[SOURCE]).leak("leak")), "{culprit:#?}");
    assert_eq!(leak.culprits.len(), 1, "{leak:#?}");
}

fn expect_fragmentation(outcome: &Outcome, found: &Found) {
    let culprit = &found.verdict("fragmentation").culprits[0];
    assert!(culprit.stack.passes(Marks::of(&[SOURCE]).fault("fragmentation")), "{culprit:#?}");
    assert_eq!(culprit.blocks, outcome.said("fragmentation.pins"), "{culprit:#?}");
    assert_eq!(culprit.own_bytes, outcome.said("fragmentation.pin_bytes"), "{culprit:#?}");
    assert!(near(culprit.bytes, outcome.said("fragmentation.bytes"), 2.0), "{culprit:#?}");
}

/// Runs the program without calltap: what is resident at its end, and what trimming has returned.
fn measure(launch: Launch, arguments: &[&str]) -> (i64, i64) {
    let outcome = launch.run(target(), arguments).expect_status(0);
    (outcome.said("anonymous"), outcome.said("returned"))
}

/// Expects that the simulation says what `malloc_trim` does, to a few pages.
fn expect_trim(reasons: &str, found: &Found) {
    let (_, returned) = measure(bare(), &[reasons, "trim"]);
    let few = 16 * 4096;
    assert!((found.trim() - returned).abs() <= few, "{} and not {returned}", found.trim());
}

/// Expects that following the advice saves what it promises, by a fifth of it.
fn expect_effect(reasons: &str, found: &Found, remedy: &str) {
    let advice = found.advice(remedy);
    let saved = if remedy == "malloc_trim" {
        measure(bare(), &[reasons, "trim"]).1
    } else {
        let command = advice.command.as_deref().expect("a command that tries it");
        let settings = command.split(' ').map_while(|word| word.split_once('='));
        let mut launch = bare();
        for (name, value) in settings {
            launch = launch.variable(name, value);
        }
        measure(bare(), &[reasons]).0 - measure(launch, &[reasons]).0
    };
    assert!(near(saved, advice.saves_bytes, 20.0), "{saved} and not {advice:#?}");
}

/// Expects that releasing what this line leaves behind saves what is promised, by a fifth of it. The
/// program is trimmed, with and without it.
fn expect_release(reasons: &str, found: &Found, line: (&str, i64), remedy: &str) {
    let is_of_line =
        |advice: &&Advice| advice.culprit.as_ref().is_some_and(|culprit| culprit.stack.passes(line));
    let advice = found.advice.iter().find(is_of_line).unwrap_or_else(|| panic!("{:#?}", found.advice));
    let rest = |remedies: &str| {
        let (anonymous, returned) = measure(bare(), &[reasons, remedies]);
        anonymous - returned
    };
    let saved = rest("trim") - rest(&format!("trim,{remedy}"));
    assert_eq!(advice.remedy, "release");
    assert!(near(saved, advice.saves_bytes, 20.0), "{saved} and not {advice:#?}");
}
