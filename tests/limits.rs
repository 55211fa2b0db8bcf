//! Little room: few descriptors, little memory, a full disk, closed standard streams.

use crate::launch::{bare, calltap, scratch};
use crate::outcome::Outcome;
use crate::target::Target;

/// Either all went as without us and there is a report, or calltap refused with a reason.
fn expect_sound(without: &Outcome, with: &Outcome) {
    if with.status == 125 {
        let message = with.stderr();
        assert!(message.starts_with("calltap: ") && message.contains("\nhint: "), "{with}");
        return;
    }
    assert_eq!(with.status, without.status, "{with}");
    assert_eq!(with.stdout, without.stdout, "{with}");
}

#[test]
fn few_descriptors_for_the_target() {
    let target = Target::c("counts_heap.c").build();
    let script = "ulimit -n 8; exec \"$@\"";
    let words = ["-c", script, "sh"].map(String::from);
    let path = target.path().to_str().expect("a plain path").to_owned();
    let arguments = [&words[..], &[path, "4".into(), "100".into()]].concat();
    let without = bare().run("sh", &arguments).expect_status(0);
    let with = calltap().run("sh", &arguments).expect_same_as(&without);
    let sections = with.report().processes_of(target.name());
    assert_eq!(sections.last().map(|process| process.calls("calloc")), Some(without.said("call.calloc") + 4));
}

#[test]
fn few_descriptors_for_calltap_too() {
    let target = Target::c("counts_heap.c").build();
    for limit in 3..=16 {
        let preamble = format!("ulimit -n {limit}");
        let without = bare().after(&preamble).run(&target, &["2", "50"]);
        if without.status != 0 {
            continue; // not even the loader finds its libraries
        }
        expect_sound(&without, &calltap().after(&preamble).run(&target, &["2", "50"]));
    }
}

#[test]
fn little_address_space_for_the_target() {
    let target = Target::c("counts_heap.c").build();
    let path = target.path().to_str().expect("a plain path");
    for kibibytes in [30_000, 60_000, 200_000, 4_000_000] {
        let script = format!("ulimit -v {kibibytes}; exec '{path}' 1 100");
        let without = bare().run("sh", &["-c", &script]).expect_status(0);
        let with = calltap().run("sh", &["-c", &script]);
        expect_sound(&without, &with);
        assert_eq!(with.status, 0, "a limit of the target's is no failure of ours: {with}");
    }
}

#[test]
fn little_address_space_for_calltap_too() {
    let target = Target::c("counts_heap.c").build();
    for kibibytes in [30_000, 60_000, 200_000, 4_000_000] {
        let preamble = format!("ulimit -v {kibibytes}");
        let without = bare().after(&preamble).run(&target, &["1", "100"]).expect_status(0);
        expect_sound(&without, &calltap().after(&preamble).run(&target, &["1", "100"]));
    }
}

#[test]
fn small_files_for_calltap_too() {
    let target = Target::c("endings.c").build();
    let launch = calltap().report_elsewhere();
    for blocks in [10, 100, 100_000] {
        let preamble = format!("ulimit -f {blocks}");
        let without = bare().after(&preamble).run(&target, &["exit", "5"]).expect_status(7);
        let with = launch.clone().after(&preamble).run(&target, &["exit", "5"]);
        expect_sound(&without, &with);
        assert_eq!(with.status, 125, "the segment is larger than that: {with}");
    }
    let without = bare().after("ulimit -f 100000000").run(&target, &["exit", "5"]).expect_status(7);
    expect_sound(&without, &launch.after("ulimit -f 100000000").run(&target, &["exit", "5"]));
}

#[test]
fn a_full_disk_is_an_error_that_is_said() {
    let target = Target::c("endings.c").build();
    for format in ["text", "json"] {
        let options = ["--format", format, "-o", "/dev/full"];
        let launch = calltap().report_elsewhere().options(&options);
        let outcome = launch.run(&target, &["exit", "5"]).expect_status(125);
        let message = outcome.stderr();
        assert!(message.contains("/dev/full") && message.contains("\nhint: "), "{outcome}");
        assert!(message.contains("No space left"), "{outcome}");
    }
    let launch = calltap().options(&["--histogram-log", "/dev/full"]);
    let outcome = launch.run(&target, &["exit", "5"]).expect_status(125);
    assert!(outcome.stderr().contains("/dev/full"), "{outcome}");
}

#[test]
fn closed_standard_streams_stay_closed_and_harm_nothing() {
    let target = Target::c("endings.c").build();
    let directory = scratch();
    let report = directory.path().join("report").into_os_string();
    for preamble in ["exec <&-", "exec >&-", "exec 2>&-", "exec <&- >&- 2>&-"] {
        let launch = calltap().report_elsewhere().after(preamble);
        let with = launch.clone().options(&["-o".into(), report.clone()]).run(&target, &["exit", "5"]);
        assert_eq!(with.status, 7, "{preamble}: {with}");
        let text = std::fs::read_to_string(&report).expect("a report was asked for");
        assert!(text.contains("/etc/passwd"), "{preamble}: {text}");

        // The report has nowhere to go, but it must not go into a file of the target's.
        let nowhere = launch.run(&target, &["exit", "5"]);
        let expected = if preamble.contains("2>&-") { 125 } else { 7 };
        assert_eq!(nowhere.status, expected, "{preamble}: {nowhere}");
    }
    let mirror = Target::c("mirror.c").build();
    for preamble in ["exec <&-", "exec 2>&-", "exec <&- 2>&-"] {
        let without = bare().after(preamble).run(&mirror, &[""]);
        calltap().after(preamble).run(&mirror, &[""]).expect_same_but_for_the_filter(&without);
    }
}

#[test]
fn a_reader_that_goes_away_is_the_targets_affair() {
    let target = Target::c("marathon.c").build();
    let path = target.path().to_str().expect("a plain path");
    let calltap_path = env!("CARGO_BIN_EXE_calltap");
    let directory = scratch();
    let script = |prefix: &str, name: &str| {
        let marker = directory.path().join(name);
        format!(
            "({prefix} '{path}' 200000 '{}'; echo status $? >&3) 3>&2 2>/dev/null | head -1",
            marker.display()
        )
    };
    let without = bare().run("sh", &["-c", &script("", "one")]);
    let with = bare().run("sh", &["-c", &script(&format!("'{calltap_path}' run --"), "two")]);
    assert!(without.stderr().contains("status 141"), "{without}");
    with.expect_same_as(&without);
}
