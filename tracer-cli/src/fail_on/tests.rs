//! Conditions on a small report, and on the example.

use serde_json::json;

use super::*;

fn report() -> Value {
    json!({
        "lost_records": 7,
        "target": { "exit_code": null, "signal": 9 },
        "processes": [
            { "pid": 1, "heap": { "frees": 5, "still_allocated": { "bytes": 0 } }, "latency": [] },
            { "pid": 2, "heap": null, "tapped": false, "latency": [] },
            { "pid": 3, "heap": { "frees": 1, "still_allocated": { "bytes": 4096 } },
              "latency": [{ "function": "malloc", "p99_ns": 1500 }, { "function": "free", "p99_ns": 20 }] },
        ],
    })
}

fn holds(text: &str) -> bool {
    Condition::parse(text).unwrap().holds(&report())
}

#[test]
fn one_process_that_meets_the_condition_is_enough() {
    assert!(holds("heap.still_allocated.bytes>0"));
    assert!(holds("heap.still_allocated.bytes >= 4 KiB"));
    assert!(!holds("heap.still_allocated.bytes > 4KiB"));
    assert!(holds("heap.still_allocated.bytes==0") && holds("heap.still_allocated.bytes!=0"));
    assert!(holds("heap.frees<2") && holds("heap.frees<=1") && !holds("heap.frees<1"));
    assert!(holds("processes.heap.frees==5"));
}

#[test]
fn top_level_fields_come_first() {
    assert!(holds("lost_records>0") && !holds("lost_records>7"));
    assert!(holds("processes==3"), "a list counts as its length");
    assert!(holds("tapped==0"));
}

#[test]
fn rows_of_a_list_are_chosen_by_function() {
    assert!(holds("latency.malloc.p99_ns>1us") && !holds("latency.malloc.p99_ns>1.5us"));
    assert!(!holds("latency.free.p99_ns>1us") && !holds("latency.calloc.p99_ns>=0"));
    assert!(holds("latency>1"));
}

#[test]
fn what_is_known_by_a_kind_is_chosen_by_it() {
    let report = json!({ "processes": [{ "arenas": { "last": {
        "trim": { "returned_bytes": 200_000_000 },
        "verdicts": [{ "kind": "retention", "percent": 60.5 }, { "kind": "leak", "percent": 3.0 }],
        "parts": [{ "part": "unknown", "bytes": 7 }],
    } } }] });
    let holds = |text: &str| Condition::parse(text).unwrap().holds(&report);
    assert!(holds("arenas.last.trim.returned_bytes>100000000"));
    assert!(holds("arenas.last.verdicts.retention.percent>60"));
    assert!(!holds("arenas.last.verdicts.leak.percent>3") && holds("arenas.last.verdicts.percent>60"));
    assert!(holds("arenas.last.parts.unknown.bytes==7") && !holds("arenas.last.parts.live.bytes>=0"));
}

#[test]
fn null_differs_from_every_number_and_what_is_missing_meets_nothing() {
    assert!(holds("target.exit_code!=0") && !holds("target.exit_code==0"));
    assert!(!holds("target.exit_code<1") && holds("target.signal==9"));
    assert!(!holds("descriptors.opened!=0"));
}

#[test]
fn units_multiply() {
    for (text, number) in [
        ("12", 12.0),
        ("1.5k", 1500.0),
        ("2M", 2e6),
        ("1GiB", 1_073_741_824.0),
        ("3 ms", 3e6),
        ("1s", 1e9),
        ("-1", -1.0),
    ] {
        assert_eq!(number_with_unit(text).unwrap(), number, "{text}");
    }
    for text in ["", "many", "1x", "k", "1.2.3"] {
        assert!(matches!(number_with_unit(text), Err(Unusable::NoNumber(_))), "{text}");
    }
}

#[test]
fn the_fields_that_the_manual_names_can_be_used() {
    for text in [
        "heap.still_allocated.bytes>0",
        "heap.double_frees>0",
        "heap.mismatched_frees>0",
        "descriptors.still_open>0",
        "descriptors.growing>0",
        "descriptors.double_closes>0",
        "descriptors.passed_on>0",
        "descriptors.at_exit.differences>0",
        "latency.fsync.p999_ns>10ms",
        "outsized.count>0",
        "lost_records>0",
        "target.exit_code!=0",
        "target.signal!=0",
        "memory_at_exit.vm_hwm_bytes>100MiB",
        "arenas.last.trim.returned_bytes>100000000",
        "arenas.last.verdicts.retention.percent>25",
        "arenas.last.parts.unknown.resident_bytes>1MiB",
        "arenas.looks.verdicts.leak_bytes>0",
    ] {
        let condition: Condition = text.parse().unwrap_or_else(|cause| panic!("{text}: {cause}"));
        assert_eq!(condition.text(), text);
    }
}

#[test]
fn an_unknown_field_is_refused_with_those_like_it() {
    let message = |text: &str| text.parse::<Condition>().unwrap_err().to_string();
    let said = message("heap.still_alocated.bytes>0");
    assert!(said.contains("no field `heap.still_alocated.bytes`"), "{said}");
    assert!(said.contains("did you mean heap.still_allocated.bytes"), "{said}");
    let said = message("latency.mallok.p99_ns>0");
    assert!(said.contains("latency.malloc.p99_ns"), "{said}");
    assert!(message("heap>0").contains("group of fields"));
    assert!(message("target.command.0>0").contains("no field"));
    for text in ["heap.frees", "heap.frees=1", ">1", "heap..frees>1", "heap.frees>"] {
        let said = message(text);
        assert!(said.contains("hint: write"), "{said}");
    }
}
