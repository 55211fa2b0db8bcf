use serde_json::{Value, json};

use super::*;
use crate::compare::example::outcome;
use crate::report::model;

/// A real report's form, with one process that has everything.
fn report() -> Value {
    let mut report = serde_json::to_value(model::Report::example()).unwrap();
    let process = &mut report["processes"][0];
    process["ended_by"] = json!("exit");
    process["heap"]["allocations"] = json!(7);
    process["arenas"]["last"]["not_decoded"] = Value::Null;
    report
}

fn tapped(report: &Value) -> Tapped {
    read(report, outcome()).unwrap()
}

/// The report with one process more, the first one's copy after a change.
fn with_another(change: impl Fn(&mut Value)) -> Value {
    let mut report = report();
    let mut another = report["processes"][0].clone();
    change(&mut another);
    report["processes"].as_array_mut().unwrap().push(another);
    report
}

fn words(environment: &[(&str, Option<&str>)], library: Option<&str>) -> Vec<String> {
    let environment: Vec<_> =
        environment.iter().map(|(name, value)| ((*name).to_owned(), value.map(str::to_owned))).collect();
    let settings = settings(&environment, library.map(Path::new), Some("/inherited.so".as_ref()));
    let shown = settings.into_iter().map(|(name, value)| {
        let value = value.map_or_else(String::new, |value| format!("={}", value.display()));
        format!("{}{value}", name.display())
    });
    shown.collect()
}

#[test]
fn the_library_is_preloaded_before_what_else_is() {
    assert_eq!(words(&[("A", Some("1")), ("B", None)], None), ["A=1", "B"]);
    assert_eq!(words(&[], Some("/l.so")), ["LD_PRELOAD=/l.so:/inherited.so"]);
    assert_eq!(words(&[("LD_PRELOAD", Some("/v.so"))], Some("/l.so")), ["LD_PRELOAD=/l.so:/v.so"]);
    assert_eq!(words(&[("LD_PRELOAD", None), ("A", None)], Some("/l.so")), ["A", "LD_PRELOAD=/l.so"]);
}

#[test]
fn the_arguments_are_what_run_understands() {
    use clap::Parser;
    let environment = [("A".to_owned(), Some("b".to_owned())), ("-C".to_owned(), None)];
    let command = ["prog".into(), "--help".into()];
    let words = arguments(Path::new("/r.json"), &environment, Some(Path::new("/l.so")), &command);
    let cli = crate::cli::Cli::try_parse_from([OsString::from("calltap")].into_iter().chain(words));
    let crate::cli::Verb::Run(run) = cli.unwrap().verb else { panic!("another verb") };
    assert_eq!((run.env.len(), run.depth(), run.command.len()), (3, 0, 2));
    assert_eq!(run.syscalls.clone().unwrap().to_string(), "brk,madvise,mmap,mprotect,mremap,munmap");
}

#[test]
fn classes_of_all_processes_are_added_up() {
    let rows = |durations: Value| {
        json!([{ "function": "malloc", "up_to_bytes": 64, "up_to_threads": 1, "count": 3, "timed": 3, "p50_ns": 1,
            "p90_ns": 1, "p99_ns": 1, "p999_ns": 1, "max_ns": 1, "total_ns": 1, "durations": durations }])
    };
    let mut report = with_another(|process| process["latency_by_size"] = rows(json!([[5, 1], [9, 2]])));
    report["processes"][0]["latency_by_size"] = rows(json!([[4, 1], [9, 1]]));
    let calls = tapped(&report).calls;
    assert_eq!(calls.len(), 1);
    assert_eq!((&*calls[0].function, calls[0].up_to_bytes, calls[0].up_to_threads), ("malloc", Some(64), 1));
    assert_eq!(calls[0].durations, [(4, 1), (5, 1), (9, 3)]);
}

#[test]
fn what_loads_the_interposer_is_left_out() {
    let load = CallsToLoad::of_the_interposer().unwrap();
    let fork = |process: &mut Value| process["executed"] = json!(false);
    let mut report = with_another(fork);
    report["processes"][0]["executed"] = json!(true);
    report["processes"][0]["tapped"] = json!(true);
    let calls = |name: &str, count: u64| json!({ "system_call": name, "count": count });
    report["system_calls"] = json!([
        calls("mmap", load.mmap + 3),
        calls("mprotect", load.mprotect),
        calls("brk", 4),
        calls("read", 9)
    ]);
    let counted = tapped(&report).memory_calls;
    let counted: Vec<_> = counted.iter().map(|(name, count)| (&**name, *count)).collect();
    let expected = [("brk", 4), ("madvise", 0), ("mmap", 3), ("mprotect", 0), ("mremap", 0), ("munmap", 0)];
    assert_eq!(counted, expected);
}

#[test]
fn verdicts_and_arenas_are_known_if_all_processes_are() {
    let verdicts = json!([{ "kind": "retention", "bytes": 10 }, { "kind": "fragmentation", "bytes": 4 }]);
    let mut report = with_another(|process| process["arenas"]["last"]["verdicts"] = verdicts.clone());
    report["processes"][0]["arenas"]["last"]["verdicts"] = json!([{ "kind": "retention", "bytes": 5 }]);
    let found = |report: &Value| {
        let tapped = tapped(report);
        (tapped.arenas, tapped.retained_bytes, tapped.fragmentation_bytes)
    };
    assert_eq!(found(&report), (Some(2), Some(15), Some(4)));
    // Another allocator: regions only.
    report["processes"][1]["arenas"]["last"]["glibc"] = Value::Null;
    assert_eq!(found(&report), (None, Some(15), Some(4)));
    report["processes"][1]["arenas"]["last"]["not_decoded"] = json!("it runs");
    assert_eq!(found(&report), (None, None, None));
    report["processes"][1]["arenas"] = Value::Null;
    assert_eq!(found(&report), (None, None, None));
    // One that has made no allocation has nothing to be known.
    report["processes"][1]["heap"]["allocations"] = json!(0);
    assert_eq!(found(&report), (Some(1), Some(5), Some(0)));
}

#[test]
fn who_served_is_told_of_each_process_that_was_not_replaced() {
    let mut report = with_another(|process| process["ended_by"] = json!("exec"));
    let allocators = json!([{ "name": "a", "object": "/a.so", "serves": true }, { "name": "b", "object": "/b", "serves": false }]);
    report["processes"][0]["arenas"]["last"]["allocators"] = allocators;
    let served = tapped(&report).served;
    assert_eq!(served.len(), 1);
    assert_eq!((served[0].object.as_deref(), served[0].allocations), (Some("/a.so"), 7));
}

#[test]
fn times_count_from_the_programs_beginning() {
    let mut report = report();
    report["processes"][0]["started_ns"] = json!(1000);
    let point = |at_ns: u64| json!({ "at_ns": at_ns, "live_bytes": 1, "live_blocks": 1, "resident_bytes": 3, "anonymous_bytes": 2, "processes": 1 });
    report["memory_over_time"] = json!([point(990), point(1500)]);
    let memory = tapped(&report).memory;
    assert_eq!(memory.iter().map(|point| point.at_ns).collect::<Vec<_>>(), [0, 500]);
    assert_eq!((memory[1].live_bytes, memory[1].resident_bytes, memory[1].anonymous_bytes), (Some(1), 3, 2));
}

#[test]
fn what_is_no_report_is_an_error() {
    assert!(read(&serde_json::json!({}), outcome()).unwrap_err().to_string().contains("cannot be read"));
}

#[test]
fn a_run_that_damaged_its_report_is_told_of() {
    let damage = |parts: &[&str]| damage(&json!({ "damaged": parts }));
    assert_eq!(damage(&[]), None);
    assert!(damage(&["rings", "records"]).unwrap().contains("(rings, records)"));
}
