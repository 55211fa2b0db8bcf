//! Which calls are shown: ltrace's filters.

use crate::launch::traced;
use crate::target::Target;

/// The names at the beginnings of the trace's lines.
fn names(trace: &str) -> Vec<String> {
    let mut names: Vec<String> = trace
        .lines()
        .filter_map(|line| {
            line.split_once('(').map(|(name, _)| name.trim().rsplit('>').next().unwrap().to_owned())
        })
        .filter(|name| !name.contains(' ') && !name.is_empty())
        .collect();
    names.sort();
    names.dedup();
    names
}

fn shown(filter: &[&str]) -> Vec<String> {
    let target = Target::c("linkage.c").build();
    let outcome = traced().options(filter).run(&target, &["2"]).expect_status(7);
    names(&outcome.trace)
}

#[test]
fn pluses_and_commas_join_names() {
    assert_eq!(shown(&["-e", "strlen+labs"]), ["labs", "strlen"]);
    assert_eq!(shown(&["-e", "strlen,labs"]), ["labs", "strlen"]);
    assert_eq!(shown(&["-e", "strlen", "-e", "labs"]), ["labs", "strlen"]);
}

#[test]
fn a_minus_takes_names_away() {
    let all = shown(&[]);
    let without = shown(&["-e", "@MAIN-strlen"]);
    assert!(all.contains(&"strlen".to_owned()) && !without.contains(&"strlen".to_owned()));
    assert_eq!(without.len() + 1, all.len(), "{all:?} {without:?}");
    assert_eq!(shown(&["-e", "str*en@MAIN+str*mp@MAIN-strcmp"]), ["strlen"]);
}

#[test]
fn shell_patterns_and_regular_expressions_choose() {
    assert_eq!(shown(&["-e", "str*@MAIN"]), ["strcmp", "strlen", "strtol"]);
    assert_eq!(shown(&["-e", "str[lx]en@MAIN"]), ["strlen"]);
    assert_eq!(shown(&["-e", "/^str.*n$/@MAIN"]), ["strlen"]);
    assert_eq!(shown(&["-e", "strlen@MAIN"]), ["strlen"]);
    assert_eq!(shown(&["-e", "strlen@libnothing*"]), Vec::<String>::new());
}

#[test]
fn functions_of_a_library_are_chosen_by_its_name() {
    assert!(shown(&["-l", "libc.so*"]).contains(&"strlen".to_owned()));
    assert!(shown(&["-l", "libm.so*"]).is_empty());
    assert_eq!(
        shown(&["-x", "strlen@libc.so*", "-e", "labs"])
            .iter()
            .filter(|name| name.starts_with("strlen"))
            .count(),
        1
    );
}

#[test]
fn no_library_calls_are_shown_if_none_are_wanted() {
    assert_eq!(shown(&["-L"]), Vec::<String>::new());
}

#[test]
fn an_unfit_filter_is_refused_with_a_hint() {
    let target = Target::c("linkage.c").build();
    let outcome = traced().options(&["-e", "/[/"]).run(&target, &["2"]);
    assert_eq!(outcome.status, 125, "{outcome}");
    assert!(outcome.stderr().contains("hint: "), "{outcome}");
}

#[test]
fn more_filters_than_there_is_room_for_are_refused() {
    let target = Target::c("linkage.c").build();
    let many = |count: usize| {
        (0..count).map(|number| format!("strlen@lib{number}.so")).collect::<Vec<_>>().join("+")
    };
    traced().options(&["-e", &many(64)]).run(&target, &["2"]).expect_status(7);
    let outcome = traced().options(&["-e", &many(65)]).run(&target, &["2"]).expect_status(125);
    assert!(outcome.stderr().contains("hint: "), "{outcome}");
}

#[test]
fn a_rule_that_nothing_fits_is_told_in_a_line_on_stderr() {
    let target = Target::c("linkage.c").build();
    let outcome =
        traced().options(&["-e", "strlne+labs", "-l", "libm.so*"]).run(&target, &["2"]).expect_status(7);
    let told = outcome.stderr();
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines.len(), 2, "{outcome}");
    assert!(
        lines[0].starts_with("calltap: -e strlne: no loaded object") && lines[0].contains("strlen"),
        "{outcome}"
    );
    assert!(lines[1].starts_with("calltap: -l libm.so*: no such object was loaded; hint: "), "{outcome}");
    assert_eq!(names(&outcome.trace), ["labs"]);
    let quiet = traced().options(&["--quiet", "-e", "strlne"]).run(&target, &["2"]).expect_status(7);
    assert_eq!(quiet.stderr(), "");
}

#[test]
fn rules_that_something_fits_are_not_told_of() {
    let target = Target::c("linkage.c").build();
    // Functions that are there and not called.
    let outcome = traced().options(&["-e", "strtoul*", "-x", "qsort"]).run(&target, &["2"]).expect_status(7);
    assert_eq!(outcome.stderr(), "");
}
