//! Allocations of a large share of the machine's memory: told with their place, their outcome and the
//! limit that their size was made from.

use serde_json::Value;

use crate::launch::{Launch, bare, calltap, installed, scratch, skipped};
use crate::marks::Marks;
use crate::outcome::Outcome;
use crate::report::Process;
use crate::stack::Stack;
use crate::target::Target;

/// Percent of the memory that a story's programs ask for; `--outsized` is below and above it.
const ASKED: u64 = 3;
const BELOW: [&str; 2] = ["--outsized", "2"];
const ABOVE: [&str; 2] = ["--outsized", "4"];

fn greedy() -> Target {
    Target::c("greedy.c").build()
}

/// `MemTotal` of this machine in bytes.
fn ram() -> u64 {
    let text = std::fs::read_to_string("/proc/meminfo").expect("/proc is mounted");
    let total = text.lines().find_map(|line| line.strip_prefix("MemTotal:")).expect("MemTotal is there");
    total.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") * 1024
}

/// A soft limit of open files that is no round number: the hard one or a little less, 100003 at most.
fn open_files() -> u64 {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: fills the structure.
    assert_eq!(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) }, 0);
    ((limit.rlim_max - 2) | 1).min(100_003)
}

/// Bytes for each descriptor that make up the share.
fn bytes_each() -> u64 {
    ram() * ASKED / 100 / open_files()
}

/// With the soft limit of the stories.
fn limited(launch: Launch) -> Launch {
    launch.after(&format!("ulimit -S -n {}", open_files()))
}

fn run(launch: Launch, how: &str, each: u64, more: u64) -> Outcome {
    limited(launch).run(greedy(), &[how, &each.to_string(), &more.to_string()])
}

fn outsized(process: Process<'_>) -> &[Value] {
    assert_eq!(process.number("/outsized/capacity_bytes") as u64, ram(), "no control group is in the way");
    assert_eq!(process.at("/outsized/capacity_set_by"), "ram");
    let told = process.at("/outsized/allocations").as_array().expect("an array");
    assert_eq!(process.number("/outsized/count"), told.len() as i64);
    told
}

/// The only one, which must come from the line that `place` marks.
fn only<'a>(with: &'a Outcome, function: &str, place: &str) -> &'a Value {
    let told = outsized(with.report().only_process());
    let [only] = told else { panic!("not one: {told:#?}") };
    assert_eq!(only["function"], function, "{only:#}");
    assert_eq!(only["tid"], with.said("tid"), "{only:#}");
    assert_eq!(only["bytes"], with.said("bytes"), "{only:#}");
    assert_eq!(only["given"], with.said("given") == 1, "{only:#}");
    let stack: Stack = serde::Deserialize::deserialize(&only["stack"]).expect("a stack");
    assert!(stack.passes(Marks::of(&["greedy.c"]).leak(place)), "{only:#}");
    only
}

/// The limit that was read before, which must be the only one.
fn limit<'a>(asked: &'a Value, function: &str, name: &str) -> &'a Value {
    let limits = asked["limits"].as_array().expect("an array");
    let [limit] = &limits[..] else { panic!("not one: {asked:#}") };
    assert_eq!((&limit["function"], &limit["limit"]), (&function.into(), &name.into()), "{asked:#}");
    assert_eq!(limit["value"], open_files(), "{asked:#}");
    limit
}

#[test]
fn the_limit_that_the_size_was_made_from_is_told() {
    for (how, reader, name, function) in [
        ("getrlimit", "getrlimit", "RLIMIT_NOFILE", "calloc"),
        ("sysconf", "sysconf", "_SC_OPEN_MAX", "realloc"),
        ("getdtablesize", "getdtablesize", "", "aligned_alloc"),
    ] {
        let each = bytes_each();
        let without = run(bare(), how, each, 0).expect_status(0);
        let with = run(calltap().options(&BELOW), how, each, 0).expect_status(0);
        assert_eq!(without.said("limit"), with.said("limit"));
        let asked = only(&with, function, how);
        assert_eq!(asked["percent"], ASKED, "{asked:#}");
        assert_eq!((&asked["errno"], &asked["killed_after_ns"]), (&0.into(), &Value::Null), "{asked:#}");
        let limit = limit(asked, reader, name);
        assert_eq!(limit["tid"], asked["tid"], "{asked:#}");
        let multiple = &limit["multiple"];
        assert_eq!(multiple["value"], open_files(), "{asked:#}");
        assert_eq!((&multiple["bytes_each"], &multiple["beyond_bytes"]), (&each.into(), &0.into()));
    }
}

#[test]
fn a_size_that_is_no_multiple_is_not_said_to_be_one() {
    let with = run(calltap().options(&BELOW), "prlimit", bytes_each(), 17).expect_status(0);
    let asked = only(&with, "malloc", "prlimit");
    let limit = limit(asked, "prlimit", "RLIMIT_NOFILE");
    assert_eq!(limit["multiple"], Value::Null, "{asked:#}");
}

#[test]
fn what_another_thread_has_read_is_told_of_a_thread_that_has_read_nothing() {
    let with = run(calltap().options(&BELOW), "thread", bytes_each(), 0).expect_status(0);
    let asked = only(&with, "malloc", "malloc");
    let limit = limit(asked, "getrlimit", "RLIMIT_NOFILE");
    assert_eq!(limit["tid"], with.said("reader"), "{asked:#}");
    assert_ne!(limit["tid"], asked["tid"], "{asked:#}");
    assert_eq!(limit["multiple"]["bytes_each"], bytes_each(), "{asked:#}");
}

#[test]
fn what_the_system_refuses_is_told_as_refused() {
    // No process has so many addresses.
    for (how, function) in [("malloc", "malloc"), ("mmap", "mmap")] {
        let with = run(calltap(), how, 0, 1 << 50).expect_status(0);
        assert_eq!(with.said("given"), 0);
        let asked = only(&with, function, how);
        assert_eq!((&asked["errno"], &asked["error"]), (&libc::ENOMEM.into(), &"ENOMEM".into()));
    }
}

#[test]
fn what_a_limit_of_the_address_space_refuses_is_told_too() {
    let (target, bytes) = (greedy(), ram() * ASKED / 100);
    let path = target.path().to_str().expect("a plain path");
    // Room for all but the table.
    let script = format!("ulimit -v {}; exec '{path}' malloc 0 {bytes}", bytes / 1024);
    let launch = calltap().options(&BELOW).options(&["--max-threads", "8", "--max-stacks", "1000"]);
    let with = launch.run("sh", &["-c", &script]).expect_status(0);
    let process = *with.report().processes_of(target.name()).last().expect("it ran");
    let [asked] = outsized(process) else { panic!("{:#}", process.0) };
    assert_eq!((with.said("given"), &asked["error"]), (0, &"ENOMEM".into()), "{asked:#}");
    assert_eq!(process.number("/limits/address_space/soft") as u64, bytes / 1024 * 1024);
}

#[test]
fn an_allocation_below_the_share_is_nothing_to_tell() {
    for (launch, found) in [(calltap().options(&ABOVE), 0), (calltap().options(&BELOW), 1)] {
        let with = run(launch, "getrlimit", bytes_each(), 0).expect_status(0);
        assert_eq!(outsized(with.report().only_process()).len(), found, "{with}");
    }
}

#[test]
fn a_mapping_counts_unless_it_only_reserves_addresses() {
    let bytes = ram() * ASKED / 100;
    let with = run(calltap().options(&BELOW), "mmap", 0, bytes).expect_status(0);
    only(&with, "mmap", "mmap");
    for how in ["reserve", "noreserve"] {
        let with = run(calltap().options(&BELOW), how, 0, 1 << 42).expect_status(0);
        assert_eq!(outsized(with.report().only_process()).len(), 0, "{how}: {with}");
    }
}

#[test]
fn with_one_stamp_a_call_it_is_the_same() {
    let launch = calltap().options(&BELOW).options(&["--latency", "off"]);
    let with = run(launch, "getrlimit", bytes_each(), 0).expect_status(0);
    let asked = only(&with, "calloc", "getrlimit");
    assert_eq!(limit(asked, "getrlimit", "RLIMIT_NOFILE")["multiple"]["bytes_each"], bytes_each());
}

#[test]
fn an_operator_and_the_malloc_in_it_are_one() {
    let bytes = (ram() * ASKED / 100).to_string();
    let target = Target::cpp("greedy.cpp").build();
    for (how, function) in [("new", "_Znwm"), ("array", "_Znam"), ("nothrow", "_ZnwmRKSt9nothrow_t")] {
        let with = calltap().options(&BELOW).run(&target, &[how, &bytes]).expect_status(0);
        let told = outsized(with.report().only_process());
        assert_eq!(told.len(), 1, "{how}: {told:#?}");
        assert_eq!(told[0]["function"], function, "{told:#?}");
    }
}

#[test]
fn the_text_says_it_first_with_the_limit_and_the_end() {
    let directory = scratch();
    let report = directory.path().join("report");
    let each = bytes_each().to_string();
    let launch = limited(calltap().report_elsewhere().options(&BELOW));
    let launch = launch.options(&["-o".as_ref(), report.as_os_str()]);
    let with = launch.run(greedy(), &["getrlimit", &each, "0", "killed"]).expect_status(128 + 9);
    let text = std::fs::read_to_string(&report).expect("a report was asked for");
    let lines: Vec<_> = text.lines().collect();
    assert!(lines[0].contains(" asked for ") && lines[0].contains(" at once, 3% of RAM, killed by SIGKILL "));
    let (limit, line) = (open_files(), Marks::of(&["greedy.c"]).leak("getrlimit").1);
    let read = format!(" after getrlimit(RLIMIT_NOFILE) told {limit}");
    assert!(lines[1].contains(&format!("asked of calloc in by_getrlimit (greedy.c:{line})")), "{text}");
    assert!(lines[1].contains(&read), "{text}");
    assert!(text.contains("\n  outsized: 1 allocation of more than 2% of RAM ("), "{text}");
    let size = with.said("bytes");
    assert!(text.contains(&format!("({size} bytes), 3% of RAM, asked of calloc at ")), "{text}");
    assert!(text.contains(": given; killed by SIGKILL "), "{text}");
    assert!(
        text.lines().any(|line| {
            line.contains(&read) && line.ends_with(&format!(": exactly {each} bytes for each"))
        })
    );
}

#[test]
fn it_can_fail_a_run() {
    for (options, status) in [(BELOW, 9), (ABOVE, 0)] {
        let launch = calltap().options(&options);
        let launch = launch.options(&["--fail-on", "outsized.count>0", "--error-exitcode", "9"]);
        run(launch, "getrlimit", bytes_each(), 0).expect_status(status);
    }
}

#[test]
fn programs_that_reserve_much_and_use_little_are_not_accused() {
    let programs: [(&str, &[&str]); 4] = [
        ("python3", &["-c", "import json; print(len(json.dumps(list(range(1000)))))"]),
        ("sqlite3", &[":memory:", "select 1"]),
        ("git", &["--version"]),
        ("java", &["-version"]),
    ];
    for (program, arguments) in programs {
        let Some(path) = installed(program) else { continue };
        let with = calltap().run(path, arguments).expect_status(0);
        for process in with.report().processes() {
            if process.at("/outsized").is_null() {
                skipped(&format!("{program} is not tapped"));
                continue;
            }
            assert_eq!(process.number("/outsized/count"), 0, "{program}: {:#}", process.at("/outsized"));
        }
    }
}
