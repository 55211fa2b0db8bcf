//! The text of outsized allocations.

use super::*;

fn limit(limit: &str, value: u64) -> LimitBefore {
    LimitBefore {
        function: "getrlimit".to_owned(),
        limit: limit.to_owned(),
        value: Some(value),
        hard: Some(value),
        tid: 42,
        before_ns: 2_000_000,
        multiple: None,
    }
}

fn multiple(value: u64, beyond_bytes: i64) -> Option<Multiple> {
    Some(Multiple { value, bytes_each: 48, beyond_bytes })
}

/// A server that was killed while it started.
fn greedy(limits: Vec<LimitBefore>, given: bool) -> Process {
    let asked = OutsizedAllocation {
        bytes: 51_539_607_168,
        percent: 340,
        function: "malloc".to_owned(),
        given,
        errno: if given { 0 } else { 12 },
        error: (!given).then(|| "ENOMEM".to_owned()),
        tid: 42,
        at_ns: 5_000_000,
        killed_after_ns: given.then_some(800_000_000),
        site: site(0x11a9, "make_table"),
        stack: stack(1, &["make_table  /src/server.c:12", "main  /src/server.c:40"]),
        limits,
    };
    let outsized = Outsized {
        capacity_bytes: 15_158_708_000,
        capacity_set_by: "ram",
        percent: 25,
        above_bytes: 3_789_677_000,
        count: 1,
        allocations: vec![asked],
    };
    let (ended_by, signal, signal_name) = match given {
        true => (EndedBy::Signal, Some(9), Some("SIGKILL".to_owned())),
        false => (EndedBy::Exit, None, None),
    };
    Process { outsized: Some(outsized), ended_by, signal, signal_name, ..quiet(42, "/srv/bin/server") }
}

fn text(process: Process) -> String {
    rendered(&Report { processes: vec![process], ..Report::default() })
}

#[test]
fn the_first_lines_say_how_much_where_and_what_it_was_made_from() {
    let nofile =
        LimitBefore { multiple: multiple(1_073_741_816, 0), ..limit("RLIMIT_NOFILE", 1_073_741_816) };
    let text = text(greedy(vec![limit("RLIMIT_NPROC", 100), nofile], true));
    let lines: Vec<_> = text.lines().collect();
    assert!(
        lines[0].contains(
            " asked for 51.5 GB at once, 340% of RAM, killed by SIGKILL 800 ms later; did not leak: "
        ),
        "{text}"
    );
    assert_eq!(
        lines[1],
        "where:   51.5 GB asked of malloc in make_table (server.c:12), 2.00 ms after \
         getrlimit(RLIMIT_NOFILE) told 1073741816"
    );
}

#[test]
fn the_section_has_every_limit_and_the_stack() {
    let nofile =
        LimitBefore { multiple: multiple(1_073_741_816, 0), ..limit("RLIMIT_NOFILE", 1_073_741_816) };
    let text = text(greedy(vec![nofile, limit("RLIMIT_NPROC", 100)], true));
    let expected = "
  outsized: 1 allocation of more than 25% of RAM (15.2 GB)
    51.5 GB (51539607168 bytes), 340% of RAM, asked of malloc at 5.00 ms by thread 42: given; killed by SIGKILL 800 ms later
      2.00 ms after getrlimit(RLIMIT_NOFILE) told 1073741816: exactly 48 bytes for each
      2.00 ms after getrlimit(RLIMIT_NPROC) told 100
        make_table  server.c:12
        main        server.c:40
";
    assert!(text.contains(expected), "{text}");
}

#[test]
fn a_limit_is_told_with_what_is_special_about_it() {
    let hard = LimitBefore { hard: Some(200), multiple: multiple(200, -48), ..limit("RLIMIT_NOFILE", 100) };
    let near = LimitBefore { multiple: multiple(100, 1), tid: 7, ..limit("RLIMIT_NPROC", 100) };
    let unlimited = LimitBefore { value: None, hard: None, ..limit("RLIMIT_AS", 0) };
    let amount = LimitBefore { function: "sysconf".to_owned(), hard: None, ..limit("_SC_OPEN_MAX", 5) };
    let text = text(greedy(vec![hard, near, unlimited, amount], false));
    for expected in [
        ": refused (ENOMEM)\n",
        "getrlimit(RLIMIT_NOFILE) told 100 (hard 200): 48 bytes for each of the hard limit, less 48 bytes\n",
        "getrlimit(RLIMIT_NPROC) told 100 by thread 7: 48 bytes for each, and 1 byte\n",
        "getrlimit(RLIMIT_AS) told unlimited\n",
        "sysconf(_SC_OPEN_MAX) told 5\n",
        " at once, 340% of RAM, in vain; ",
    ] {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
}

#[test]
fn many_are_counted_and_the_groups_limit_is_named() {
    let mut process = greedy(Vec::new(), true);
    let outsized = process.outsized.as_mut().unwrap();
    outsized.count = 70;
    outsized.capacity_set_by = "cgroup";
    let text = text(process);
    assert!(text.contains("340% of the cgroup's limit (70 outsized allocations)"), "{text}");
    assert!(text.contains("\n    ... and 69 more outsized allocations (see --top)\n"), "{text}");
}

#[test]
fn nothing_outsized_is_nothing_to_say() {
    let mut process = quiet(42, "/srv/bin/server");
    process.outsized = Some(Outsized { capacity_set_by: "ram", ..Outsized::default() });
    assert!(!text(process).contains("outsized"));
}
