//! What the report says and in which form, and what it makes of the exit status.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufReader, Read};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;
use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};

use crate::launch::{calltap, scratch};
use crate::marks::Marks;
use crate::outcome::Outcome;
use crate::target::Target;

#[test]
fn json_reports_fit_their_schema() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/report.schema.json");
    let schema: serde_json::Value =
        serde_json::from_reader(File::open(&path).expect("the schema is in the repository")).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let c = |source: &str, arguments: &[&str]| {
        let all = ["--tap", "memory,fd,io,lock,process"];
        calltap().options(&all).run(Target::c(source).build(), arguments)
    };
    let directory = scratch();
    for outcome in [
        c("graph.c", &["1000"]),
        c("endings.c", &["kill", "10"]),
        c("endings.c", &["return", "10"]),
        c("faults.c", &["double_free"]),
        c("family.c", &["fork_among_threads"]),
        c("family.c", &["exec_emptied"]),
        c("counts_fd.c", &["8", "3", directory.path().to_str().expect("a plain path")]),
        calltap().options(&["--latency", "off"]).run("sh", &["-c", "ls / | sort; exit 4"]),
        calltap().run("true", &[""; 0]),
    ] {
        let report = &outcome.report().0;
        let errors: Vec<_> = validator
            .iter_errors(report)
            .map(|error| format!("{error} at {}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{errors:#?}\n{outcome}\n{report:#}");
    }
    // A schema that everything fits would show nothing.
    let mut wrong = c("graph.c", &["10"]).report().0.clone();
    wrong["processes"][0]["heap"]["frees"] = "many".into();
    assert!(!validator.is_valid(&wrong));
    assert!(!validator.is_valid(&serde_json::json!({})));
}

#[test]
fn the_sample_of_the_readme_is_what_is_printed() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let readme = fs::read_to_string(readme).expect("it is in the repository");
    let sample = readme.split("report: begin").nth(1).and_then(|rest| rest.split("report: end").next());
    let sample = sample.expect("the README marks its sample");
    let target = Target::c("forgetful.c").flags(&["-O2"]).build();
    let outcome = text(&target, &[""; 0]).expect_status(0);
    let report = outcome.stderr().to_owned();
    let stacks = |text: &str| {
        let lines = text.lines().skip_while(|line| !line.starts_with("  still allocated"));
        let lines = lines.take_while(|line| !line.contains("users of the heap"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert!(stacks(&report).len() > 3, "{report}");
    assert_eq!(stacks(&report), stacks(sample));
    let marks = Marks::of(&["forgetful.c"]);
    for (leak, function) in [("name", "open_session"), ("file", "main")] {
        let (source, line) = marks.leak(leak);
        let place = format!("in {function} ({source}:{line})");
        assert!(report.lines().nth(1).is_some_and(|line| line.contains(&place)), "{place}: {report}");
        assert!(sample.contains(&place), "{place}");
    }
}

#[test]
fn every_latency_row_is_ordered_and_within_the_run() {
    let started = std::time::Instant::now();
    let options = ["--tap", "memory,fd,io,lock,process"];
    let outcome = calltap().options(&options).run(Target::c("graph.c").build(), &["100000"]);
    let took_ns = i64::try_from(started.elapsed().as_nanos()).expect("short");
    let process = outcome.report().only_process();
    assert!(process.calls("malloc") > 100_000, "{outcome}");
    for row in process.at("/latency").as_array().expect("an array") {
        let figures = ["min_ns", "p50_ns", "p90_ns", "p99_ns", "p999_ns", "max_ns"]
            .map(|key| row[key].as_i64().unwrap_or_else(|| panic!("no {key} in {row}")));
        assert!(figures.is_sorted(), "{row}");
        assert!(figures[5] < took_ns, "{row}");
        assert!(row["total_ns"].as_i64().expect("a number") < took_ns, "{row}");
    }
    let malloc = process.at("/latency").as_array().expect("an array").iter();
    let malloc = malloc.clone().find(|row| row["function"] == "malloc").expect("it was called");
    assert!(malloc["p50_ns"].as_i64().expect("a number") < 10_000, "{malloc}");
}

/// A text report, on stderr.
fn text(target: &Target, arguments: &[&str]) -> Outcome {
    calltap().report_elsewhere().run(target, arguments)
}

#[test]
fn the_first_five_lines_of_the_text_answer() {
    let outcome = text(&Target::c("graph.c").build(), &["100000"]).expect_status(0);
    let report = outcome.stderr();
    let answer: String = report.lines().take(5).collect::<Vec<_>>().join("\n");
    let digits: String =
        answer.chars().filter(|sign| !matches!(sign, ',' | '_' | '\'' | '\u{202f}')).collect();
    assert!(digits.contains("10000"), "the leaked blocks: {report}");
    let (file, line) = Marks::of(&["graph.c"]).leak("nodes");
    let place = format!("by malloc in main ({file}:{line})");
    assert!(answer.contains("still allocated") && answer.contains(&place), "how much, where: {report}");
    assert!(report.contains("lost"), "also when nothing was: {report}");
    assert!(outcome.stdout().starts_with("leaked.blocks=10000\n"), "{outcome}");

    let clean = text(&Target::c("counts_heap.c").build(), &["1", "0"]).expect_status(0);
    let answer: String = clean.stderr().lines().take(5).collect::<Vec<_>>().join("\n");
    assert!(answer.contains("did not leak"), "{clean}");
}

#[test]
fn a_condition_that_holds_decides_the_exit_status() {
    let leaky = Target::c("graph.c").build();
    let with = |expressions: &[&str], extra: &[&str]| {
        let conditions = expressions.iter().flat_map(|expression| ["--fail-on", expression]);
        let options: Vec<_> = conditions.chain(extra.iter().copied()).collect();
        calltap().options(&options).run(&leaky, &["1000"])
    };
    assert_eq!(with(&["heap.still_allocated.bytes>0"], &["--error-exitcode", "9"]).status, 9);
    assert_eq!(with(&["heap.still_allocated.blocks>=100"], &[]).status, 1);
    assert_eq!(with(&["heap.still_allocated.blocks>100"], &["--error-exitcode", "9"]).status, 0);
    assert_eq!(with(&["heap.double_frees>0", "heap.still_allocated.blocks==100"], &[]).status, 1);
    assert_eq!(with(&["heap.double_frees>0", "descriptors.opened>1000"], &[]).status, 0);
    let outcome = with(&["heap.still_allocated.bytes>0"], &["--error-exitcode", "9"]);
    assert!(outcome.stderr().contains("heap.still_allocated.bytes>0"), "which one: {outcome}");
    assert!(outcome.has_report());
}

#[test]
fn histogram_logs_are_read_by_the_formats_own_reader() {
    let directory = scratch();
    let log = directory.path().join("calls.hlog");
    let options = ["--histogram-log".into(), log.clone().into_os_string()];
    let outcome = calltap().options(&options).run(Target::c("graph.c").build(), &["10000"]);
    let outcome = outcome.expect_status(0);
    let process = outcome.report().only_process();
    let content = fs::read(&log).expect("a log was asked for");
    let mut deserializer = Deserializer::new();
    let mut functions = BTreeSet::new();
    for entry in IntervalLogIterator::new(&content) {
        let LogEntry::Interval(interval) = entry.expect("the reader understands each line") else {
            continue;
        };
        let encoded = STANDARD.decode(interval.encoded_histogram()).expect("base 64");
        let histogram: Histogram<u64> =
            deserializer.deserialize(&mut BufReader::new(&*encoded)).expect("a V2 histogram");
        let tag = interval.tag().expect("each function has its tag").as_str();
        let function = tag.rsplit(['/', ':']).next().expect("a tag has a last part");
        assert_eq!(i64::try_from(histogram.len()).expect("few"), process.calls(function), "{tag}");
        functions.insert(function.to_owned());
    }
    assert!(functions.contains("malloc") && functions.contains("free"), "{functions:?}");
}

#[test]
fn the_report_goes_to_stderr_and_nothing_of_ours_to_stdout() {
    let outcome = calltap().report_elsewhere().run("sh", &["-c", "echo out; echo err >&2; exit 6"]);
    let outcome = outcome.expect_status(6);
    assert_eq!(outcome.stdout(), "out\n");
    assert!(outcome.stderr().starts_with("err\n"), "{outcome}");
    let json = calltap().report_elsewhere().options(&["--format", "json"]).run("true", &[""; 0]);
    let mut text = String::new();
    json.stderr.as_slice().read_to_string(&mut text).expect("text");
    assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{json}");
}

#[test]
fn only_the_chosen_families_are_tapped() {
    let target = Target::c("errno.c").build();
    let functions = |families: &str| {
        let outcome = calltap().options(&["--tap", families]).run(&target, &[""]).expect_status(0);
        let process = outcome.report().processes()[0];
        assert_eq!(process.at("/heap").is_null(), !families.contains("memory"), "{families}");
        assert_eq!(process.at("/descriptors").is_null(), !families.contains("fd"), "{families}");
        let rows = process.at("/latency").as_array().expect("an array").clone();
        rows.iter().map(|row| row["function"].as_str().expect("a name").to_owned()).collect::<BTreeSet<_>>()
    };
    let families = [
        ("memory", ["malloc", "free", "mmap"]),
        ("fd", ["open", "close", "dup2"]),
        ("io", ["read", "write", "poll"]),
        ("lock", ["pthread_mutex_lock", "pthread_cond_timedwait", "sem_wait"]),
        ("process", ["fork", "execve", "posix_spawn"]),
    ];
    let names = |functions: [&str; 3]| functions.map(str::to_owned);
    let all = functions("memory,fd,io,lock,process");
    for (family, called) in families {
        let alone = functions(family);
        assert!(names(called).iter().all(|name| alone.contains(name)), "{family}: {alone:?}");
        assert!(alone.is_subset(&all), "{family}: {alone:?}");
        for (other, called) in families {
            let foreign = names(called).iter().any(|name| alone.contains(name));
            assert_eq!(foreign, other == family, "{other} in {family}: {alone:?}");
        }
    }
}
