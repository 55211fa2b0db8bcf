use std::fs;

use clap::Parser;
use serde_json::Value;

use super::*;

/// The options, as a command line gives them.
#[derive(Parser)]
struct Line {
    #[command(flatten)]
    options: Compare,
}

fn options(arguments: &[&str]) -> Compare {
    let line = ["compare"].iter().chain(arguments).chain(&["--", "true"]);
    Line::try_parse_from(line).unwrap_or_else(|error| panic!("{error}")).options
}

const SCHEMA: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/compare.schema.json"));
const MANUAL: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/compare-json.md"));

fn json(compared: &Compared) -> Value {
    serde_json::from_slice(&json::render(compared).unwrap()).unwrap()
}

#[test]
fn the_example_and_a_comparison_of_nothing_fit_the_schema() {
    let schema = serde_json::from_str(SCHEMA).unwrap();
    jsonschema::meta::validate(&schema).expect("the schema is one");
    let validator = jsonschema::validator_for(&schema).unwrap();
    let example = Compared::example();
    let nothing = Compared {
        variants: Vec::new(),
        figures: Vec::new(),
        interrupted: true,
        rounds: 0,
        ..example.clone()
    };
    for compared in [example, nothing] {
        let json = json(&compared);
        let errors: Vec<_> =
            validator.iter_errors(&json).map(|e| format!("{e} at {}", e.instance_path())).collect();
        assert_eq!(errors, [] as [String; 0]);
    }
    let mut wrong = json(&Compared::example());
    wrong["variants"][0]["calls"][0]["p99_ns"] = Value::from("long");
    assert!(!validator.is_valid(&wrong));
}

#[test]
fn the_schema_and_the_manual_know_every_field() {
    let mut names = Vec::new();
    collect_names(&json(&Compared::example()), &mut names);
    // What variables and system calls are called is up to the user and the kernel.
    for name in names.iter().filter(|name| !["MALLOC_ARENA_MAX", "mmap", "munmap"].contains(&name.as_str())) {
        assert!(SCHEMA.contains(&format!("\"{name}\"")), "schema: {name}");
        assert!(MANUAL.contains(&format!("`{name}`")), "manual: {name}");
    }
}

fn collect_names(value: &Value, names: &mut Vec<String>) {
    if let Some(fields) = value.as_object() {
        names.extend(fields.keys().cloned());
        fields.values().for_each(|field| collect_names(field, names));
    }
    value.as_array().into_iter().flatten().for_each(|element| collect_names(element, names));
}

#[test]
fn runs_and_rows_of_calls_stand_on_a_line_each() {
    let compared = Compared::example();
    let text = String::from_utf8(json::render(&compared).unwrap()).unwrap();
    let rows: usize = compared.variants.iter().map(|variant| variant.calls.len()).sum();
    assert_eq!(text.lines().filter(|line| line.trim().starts_with("{\"function\":")).count(), rows);
    assert!(text.lines().count() < 2_000, "{} lines", text.lines().count());
}

#[test]
fn the_result_and_the_page_take_the_place_of_what_was_there() {
    let directory = tempfile::tempdir().unwrap();
    let [result, page] = ["result.json", "page.html"].map(|name| directory.path().join(name));
    let names = [&result, &page].map(|path| path.to_str().unwrap());
    fs::write(&result, vec![b'x'; 3 << 20]).unwrap();
    let outputs = open(&options(&["--format", "json", "-o", names[0], "--html", names[1]])).unwrap();
    assert_eq!(fs::metadata(&result).unwrap().len(), 3 << 20, "nothing is lost before there is a result");
    write(outputs, &Compared::example()).unwrap();
    let value: Value = serde_json::from_slice(&fs::read(&result).unwrap()).unwrap();
    assert_eq!(value["seed"], 7);
    assert!(fs::read_to_string(&page).unwrap().starts_with("<!doctype html>"));
}

#[test]
fn a_file_that_cannot_be_written_is_found_before_the_runs() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("no/such.html");
    let error = open(&options(&["--html", missing.to_str().unwrap()])).unwrap_err().to_string();
    assert!(error.starts_with("cannot write the page to "), "{error}");
    assert!(error.contains("\nhint: "), "{error}");
    let error = open(&options(&["-o", directory.path().to_str().unwrap()])).unwrap_err().to_string();
    assert!(error.starts_with("cannot write the result to "), "{error}");
}

#[test]
fn a_full_disk_is_an_error() {
    let outputs = open(&options(&["-o", "/dev/full"])).unwrap();
    let error = write(outputs, &Compared::example()).unwrap_err();
    assert!(error.to_string().starts_with("the result could not be written to /dev/full\nhint: "), "{error}");
}
