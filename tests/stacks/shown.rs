//! How leaks are shown: in groups, the largest ones only, or with every frame there is.

use std::collections::BTreeMap;

use super::places::{PLACES_OF_C, said};
use crate::launch::calltap;
use crate::marks::Marks;
use crate::outcome::Outcome;
use crate::stack::Leak;
use crate::target::Target;

/// Runs `leak.c`; what its groups have in common, without the sources' directory, and blocks and bytes.
fn groups(group_by: &str) -> (Outcome, BTreeMap<String, (i64, i64)>) {
    let options = ["--group-by", group_by];
    let outcome = calltap().options(&options).run(Target::c("leak.c").build(), &[""; 0]).expect_status(0);
    let mut groups = BTreeMap::new();
    for leak in Leak::all(outcome.report().only_process()) {
        let group = leak.group.as_ref().unwrap_or_else(|| panic!("no group: {leak:#?}"));
        let group = if group_by == "site" { group.rsplit('/').next().unwrap_or_default() } else { group };
        let twice = groups.insert(group.to_owned(), (leak.blocks, leak.bytes));
        assert_eq!(twice, None, "two groups {group}");
    }
    (outcome, groups)
}

#[test]
fn leaks_of_one_function_are_one_group_if_asked() {
    let (outcome, found) = groups("function");
    let expected = PLACES_OF_C.iter().map(|place| (place.function.to_owned(), said(&outcome, place.name)));
    assert_eq!(found, expected.collect());
}

#[test]
fn leaks_of_one_line_are_one_group_if_asked() {
    let (outcome, found) = groups("site");
    let marks = Marks::of(&["leak.c"]);
    let expected = PLACES_OF_C.iter().map(|place| {
        let (file, line) = marks.leak(place.name);
        (format!("{file}:{line}"), said(&outcome, place.name))
    });
    assert_eq!(found, expected.collect());
}

#[test]
fn leaks_of_one_object_are_one_group_if_asked() {
    let (outcome, found) = groups("object");
    let all = outcome.report().only_process().still_allocated();
    let target = Target::c("leak.c").build().path().display().to_string();
    assert_eq!(found, BTreeMap::from([(target, all)]));
}

#[test]
fn whole_stacks_have_no_group() {
    let target = Target::c("leak.c").build();
    let outcome = calltap().run(target, &[""; 0]).expect_status(0);
    let leaks = Leak::all(outcome.report().only_process());
    assert!(leaks.iter().all(|leak| leak.group.is_none()), "{leaks:#?}");
    let of_sort = leaks.iter().filter(|leak| leak.stack.frames[0].is_named("compare")).count();
    assert!(of_sort > 1, "qsort calls from several places: {leaks:#?}");
}

/// The lines about what is still allocated, of a text report on `leak.c`: words with one space between.
fn text(options: &[&str]) -> (Outcome, Vec<String>) {
    let target = Target::c("leak.c").build();
    let outcome = calltap().report_elsewhere().options(options).run(target, &[""; 0]).expect_status(0);
    let report = outcome.stderr();
    let words = report.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    let lines = words.skip_while(|line| !line.starts_with("still allocated:")).skip(1).collect();
    (outcome, lines)
}

/// Places by what they said, most bytes first.
fn largest_first(outcome: &Outcome) -> Vec<(&'static str, i64, i64)> {
    let mut places = PLACES_OF_C.map(|place| {
        let (blocks, bytes) = said(outcome, place.name);
        (place.function, blocks, bytes)
    });
    places.sort_by_key(|(_, _, bytes)| -bytes);
    places.to_vec()
}

#[test]
fn the_largest_groups_are_shown_and_the_others_added_up() {
    let (outcome, lines) = text(&["--group-by", "function", "--top", "2"]);
    let places = largest_first(&outcome);
    let (top, rest) = places.split_at(2);
    let mut expected = vec!["bytes blocks largest function".to_owned()];
    expected.extend(top.iter().map(|(function, blocks, bytes)| {
        // All blocks of a function are of one size.
        format!("{bytes} B {blocks} {} B {function}", bytes / blocks)
    }));
    let (blocks, bytes) = rest.iter().fold((0, 0), |sum, row| (sum.0 + row.1, sum.1 + row.2));
    let count = rest.len();
    expected.push(format!("... and {count} more functions: {bytes} B in {blocks} blocks (see --top)"));
    assert_eq!(lines[..4], expected, "{outcome}");
}

#[test]
fn the_largest_stack_is_shown_with_its_lines() {
    let (outcome, lines) = text(&["--top", "1"]);
    let places = largest_first(&outcome);
    let ((function, blocks, bytes), rest) = (places[0], &places[1..]);
    let marks = Marks::of(&["leak.c"]);
    let [(file, line), (_, via)] = [marks.leak("plain"), marks.via("plain")[0]];
    let expected = [
        format!("{bytes} B in {blocks} blocks by malloc"),
        format!("{function} {file}:{line}"),
        format!("main {file}:{via}"),
    ];
    assert_eq!(lines[..3], expected, "{outcome}");
    let (blocks, bytes) = rest.iter().fold((0, 0), |sum, row| (sum.0 + row.1, sum.1 + row.2));
    let others = format!("more stacks: {bytes} B in {blocks} blocks (see --top)");
    assert!(lines[3].starts_with("... and ") && lines[3].ends_with(&others), "{others}: {outcome}");
}

#[test]
fn the_allocators_and_the_start_ups_frames_are_shown_if_asked() {
    // With its own run-time, `operator new` is a function of the program and calls malloc.
    let target = Target::cpp("leak.cpp").flags(&["-static-libstdc++", "-static-libgcc"]).build();
    let functions = |options: &[&str]| {
        let outcome = calltap().options(options).run(&target, &[""; 0]).expect_status(0);
        let leaks = Leak::all(outcome.report().only_process());
        let of_hold = leaks.into_iter().find(|leak| leak.bytes == outcome.said("leaked.storage.bytes"));
        let frames = of_hold.expect("it leaks").stack.frames.into_iter();
        frames.map(|frame| frame.function.unwrap_or_default()).collect::<Vec<_>>()
    };
    let shown = functions(&[]);
    assert!(shown[0].contains("vector") && shown[0].contains("::reserve"), "{shown:#?}");
    assert_eq!(shown.last().map(String::as_str), Some("main"), "{shown:#?}");
    let raw = functions(&["--raw-stacks"]);
    assert_eq!(raw[0], "operator new(unsigned long)");
    let at = raw.windows(shown.len()).position(|frames| frames == shown);
    let at = at.unwrap_or_else(|| panic!("the same stack with more at both ends: {raw:#?}"));
    assert!(raw[1..at].iter().any(|name| name.contains("allocat")), "{raw:#?}");
    let callers = &raw[at + shown.len()..];
    assert!(callers.iter().any(|name| name.starts_with("__libc_start_")), "{raw:#?}");
    assert_eq!(callers.last().map(String::as_str), Some("_start"), "{raw:#?}");
}
