//! `--folded` and `--flamegraph` show what the program itself says of each value.

use std::fs;
use std::process::Command;

use crate::launch::{calltap, installed, scratch};
use crate::outcome::Outcome;
use crate::target::Target;

/// What `--folded` and `--flamegraph` wrote.
struct Files {
    outcome: Outcome,
    folded: String,
    picture: String,
}

fn files_of(value: Option<&str>) -> Files {
    let directory = scratch();
    let [folded, picture] = ["folded", "picture.svg"].map(|name| directory.path().join(name));
    let files = ["--folded".as_ref(), folded.as_os_str(), "--flamegraph".as_ref(), picture.as_os_str()];
    let value: Vec<_> = value.into_iter().flat_map(|value| ["--stack-value", value]).collect();
    let target = Target::c("values.c").build();
    let outcome = calltap().options(&files).options(&value).run(target, &[""; 0]).expect_status(0);
    let [folded, picture] =
        [folded, picture].map(|path| fs::read_to_string(path).expect("it was asked for, and is text"));
    Files { outcome, folded, picture }
}

#[test]
fn each_value_is_folded_outermost_first() {
    for value in ["leaked", "peak", "allocated", "allocations", "temporary", "descriptors"] {
        let Files { outcome, folded, .. } = files_of(Some(value));
        let said = outcome.said_all(&format!("{value}."));
        let mut lines: Vec<_> =
            said.iter().map(|(function, amount)| format!("main;work;{function} {amount}")).collect();
        lines.sort();
        let mut found: Vec<_> = folded.lines().collect();
        found.sort_unstable();
        assert_eq!(found, lines, "{value}: {outcome}");
    }
}

#[test]
fn what_is_folded_adds_up_to_what_is_still_allocated() {
    let Files { outcome, folded, .. } = files_of(None);
    let sum: i64 = folded
        .lines()
        .map(|line| line.rsplit(' ').next().and_then(|amount| amount.parse::<i64>().ok()).expect("a figure"))
        .sum();
    assert_eq!(sum, outcome.said("leaked.keeps"), "{folded}");
    assert_eq!(sum, outcome.report().only_process().still_allocated().1, "{folded}");
}

/// Prints the root element and all titles of an SVG; fails if it is not well-formed.
const TITLES: &str = r#"
import sys, xml.etree.ElementTree as tree
root = tree.fromstring(sys.stdin.buffer.read())
print(root.tag)
for title in root.iter("{http://www.w3.org/2000/svg}title"):
    print(title.text)
"#;

#[test]
fn the_flame_graph_is_a_picture_of_the_leaking_functions() {
    let Files { outcome, picture, .. } = files_of(None);
    let bytes = outcome.said("leaked.keeps").to_string();
    let (thousands, rest) = bytes.split_at(bytes.len() - 3);
    let title = format!("keeps ({thousands},{rest} bytes, 100.00%)");
    assert!(picture.contains(&title), "{title}: {picture}");
    let Some(python) = installed("python3") else { return };
    let directory = scratch();
    let file = directory.path().join("picture.svg");
    fs::write(&file, &picture).expect("a scratch file");
    let output = Command::new(python)
        .args(["-c", TITLES])
        .stdin(fs::File::open(&file).expect("just written"))
        .output()
        .expect("python3 is there");
    assert!(output.status.success(), "{}\n{picture}", String::from_utf8_lossy(&output.stderr));
    let output = String::from_utf8(output.stdout).expect("text");
    let (root, titles) = output.split_once('\n').expect("two lines at least");
    assert_eq!(root, "{http://www.w3.org/2000/svg}svg");
    for function in ["main", "work", "keeps"] {
        assert!(titles.lines().any(|line| line.starts_with(&format!("{function} ("))), "{output}");
    }
    assert!(!titles.contains("collects"), "it leaks nothing: {output}");
}
