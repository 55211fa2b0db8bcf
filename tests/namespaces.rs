//! Objects in namespaces of their own (`dlmopen`), with a C library of their own.

use crate::counts::{BINDINGS, expect_agreement};
use crate::launch::{bare, calltap};
use crate::outcome::Outcome;
use crate::target::Target;

fn plugin() -> Target {
    Target::c("namespaces.c").flags(&["-DPLUGIN", "-shared", "-fPIC"]).build()
}

fn run(binding: &str, how: &str, loads: &str, rounds: &str) -> Outcome {
    let target = Target::c("namespaces.c").build();
    let plugin = plugin();
    let arguments = [plugin.path().to_str().expect("a plain path"), how, loads, rounds];
    let without = bare().run(&target, &arguments).expect_status(0);
    calltap().options(&["--bind", binding]).run(&target, &arguments).expect_same_as(&without)
}

/// Compares with a run that makes no calls, but loads as often.
fn expect_exact(how: &str) -> Outcome {
    let mut last = None;
    for binding in BINDINGS {
        let busy = run(binding, how, "5", "100");
        expect_agreement(&run(binding, how, "5", "0"), &busy);
        let process = busy.report().only_process();
        // All that it keeps comes from the same place, though each namespace is a copy of its own.
        let rows = process.at("/heap/still_allocated/by_stack").as_array().cloned().unwrap_or_default();
        let kept = rows.iter().filter(|row| row["bytes"] == row["blocks"].as_i64().unwrap_or(0) * 77);
        let kept: i64 = kept.filter_map(|row| row["blocks"].as_i64()).sum();
        let unseen = process.number("/heap/releases_unseen");
        // A copy that is unloaded takes its blocks along: their addresses are given again.
        assert!(kept <= busy.said("kept.blocks") && kept + unseen >= busy.said("kept.blocks"), "{busy}");
        last = Some(busy);
    }
    last.expect("there are bindings")
}

#[test]
fn a_plugin_that_is_loaded_and_unloaded_is_counted_exactly() {
    expect_exact("now");
}

#[test]
fn a_plugin_that_is_bound_at_its_first_calls_is_counted_exactly() {
    expect_exact("lazy");
}

#[test]
fn of_two_namespaces_at_a_time_the_first_is_tapped_and_the_other_told() {
    let outcome = expect_exact("both");
    let spots = outcome.report().at("/blind_spots").to_string();
    let told = format!("dlmopen, LD_AUDIT) than the one that is tapped: {}", plugin().path().display());
    assert!(spots.contains(&told), "{spots}");
}

#[test]
fn a_failure_in_a_namespace_is_its_own_c_librarys() {
    for binding in BINDINGS {
        let outcome = run(binding, "now", "1", "100");
        let process = outcome.report().only_process();
        // Each round opens what is there, and what is not, in two threads.
        assert_eq!((process.calls("open"), process.errors("open")), (400, 200), "{outcome}");
        assert_eq!(process.still_open(), [], "{outcome}");
    }
}
