//! Functions that a run-time has compiled have the names of its perf map.

use std::fs;

use crate::launch::{calltap, installed, scratch, skipped};
use crate::stack::{End, Leak};

/// The buffers come from malloc and are never released: this exit runs no handlers.
const SCRIPT: &str = "const kept = [];
function keepsBuffers() { for (let i = 0; i < 5; i++) kept.push(new ArrayBuffer(54321)); }
function callsKeeper() { keepsBuffers(); }
callsKeeper();
process.reallyExit(0);
";

#[test]
fn javascript_functions_of_node_are_on_the_stack_by_name() {
    let Some(node) = installed("node") else { return };
    let directory = scratch();
    let script = directory.path().join("script.js");
    fs::write(&script, SCRIPT).expect("a scratch file");
    // Every function is compiled at its first call.
    let flags = ["--perf-basic-prof", "--always-sparkplug"].map(AsRef::as_ref);
    let arguments: Vec<&std::ffi::OsStr> = flags.into_iter().chain([script.as_os_str()]).collect();
    let outcome = calltap().options(&["--stack-depth", "128"]).run(node, &arguments);
    if outcome.status == 9 {
        return skipped("this node does not know --always-sparkplug");
    }
    let outcome = outcome.expect_status(0);
    let process = outcome.report().only_process();
    let map = format!("/tmp/perf-{}.map", process.number("/pid"));
    if fs::remove_file(&map).is_err() {
        return skipped("this node has written no perf map");
    }
    let leaks = Leak::all(process).into_iter().filter(|leak| leak.bytes == 5 * 54321);
    let leaks: Vec<_> = leaks.filter(|leak| leak.blocks == 5).collect();
    let [leak] = &leaks[..] else { panic!("five buffers from one place: {leaks:#?}") };
    let frames = &leak.stack.frames;
    let at = |function: &str| {
        let name = format!("{function} {}:", script.display());
        frames.iter().position(|frame| frame.object.is_none() && frame.is_named(&name))
    };
    let [keeper, caller] = ["keepsBuffers", "callsKeeper"].map(at);
    assert!(keeper.is_some() && keeper.map(|at| at + 1) == caller, "{leak:#?}");
    // Only such code is walked by its frame pointers; node's own on both sides of it has tables.
    let outermost = frames.last().is_some_and(|frame| frame.is_named("node::Start") && !frame.guessed);
    assert!(outermost && leak.stack.end == Some(End::Outermost), "{leak:#?}");
    assert!(!frames[1].guessed && keeper.is_some_and(|at| frames[at].guessed), "{leak:#?}");
}
