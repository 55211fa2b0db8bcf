//! Where hooks stand: in the objects that were chosen, and also where a symbol's search order passes us by.

use crate::launch::{bare, calltap};
use crate::outcome::Outcome;
use crate::target::Target;

const COUNT: i64 = 500;

fn plugin() -> Target {
    Target::c("deep.c").flags(&["-DPLUGIN", "-shared", "-fPIC"]).build()
}

/// Blocks of the plugin's size that the report says are still allocated.
fn kept(outcome: &Outcome) -> i64 {
    let heap = outcome.report().only_process().at("/heap/still_allocated/by_stack").as_array().cloned();
    let rows = heap.unwrap_or_default();
    rows.iter()
        .filter(|row| row["bytes"] == row["blocks"].as_i64().unwrap_or(0) * 77)
        .filter_map(|row| row["blocks"].as_i64())
        .sum()
}

fn run(target: &Target, how: &str, options: &[&str]) -> Outcome {
    let plugin = plugin();
    let arguments = [plugin.path().to_str().unwrap(), how, &COUNT.to_string()];
    let without = bare().run(target, &arguments).expect_status(0);
    calltap().options(options).run(target, &arguments).expect_same_as(&without)
}

#[test]
fn a_library_that_looks_into_its_own_needs_first_is_tapped() {
    let target = Target::c("deep.c").build();
    for binding in ["symbols", "got"] {
        assert_eq!(kept(&run(&target, "deepbind", &["--bind", binding])), COUNT, "{binding}");
    }
}

#[test]
fn a_library_served_by_the_programs_own_malloc_is_tapped() {
    let target = Target::c("deep.c").flags(&["-DOWN_MALLOC", "-rdynamic"]).build();
    for binding in ["symbols", "got"] {
        let outcome = run(&target, "plain", &["--bind", binding]);
        // The program may have released them by calls of its own.
        let open = outcome.report().only_process().number("/heap/not_judged/blocks");
        assert_eq!((kept(&outcome), open), (0, COUNT), "{binding}");
    }
}

#[test]
fn only_the_chosen_objects_are_tapped() {
    let target = Target::c("deep.c").build();
    let plugin = plugin();
    let chosen = run(&target, "plain", &["--bind", "got", "--objects", plugin.name()]);
    assert_eq!(kept(&chosen), COUNT);
    let others = run(&target, "plain", &["--bind", "got", "--objects", "libnothing*"]);
    assert_eq!(kept(&others), 0);
}

#[test]
fn objects_are_chosen_for_slots_only() {
    let outcome = calltap().options(&["--objects", "lib*"]).run("true", &[""]);
    assert_eq!(outcome.status, 125, "{outcome}");
    assert!(outcome.stderr().contains("hint: "), "{outcome}");
}
