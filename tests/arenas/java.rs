//! A Java program whose heap is small and whose process is large: what zlib holds for archives that
//! nobody closes, before the collector has run and after.

use std::path::Path;

use super::found::{Culprit, Found};
use crate::launch::{bare, calltap, installed, scratch};
use crate::outcome::Outcome;

/// What zlib keeps of the text of each archive.
const WINDOW: i64 = 32 << 10;
/// Addresses of a heap of a thread's arena, all of one multiple of this.
const HEAP: i64 = 64 << 20;

#[test]
fn archives_that_nobody_closes_are_a_leak_until_the_collector_runs() {
    let Some((outcome, found)) = unpack("keep") else { return };
    let archives = outcome.said("archives");
    assert_eq!(outcome.said("unreleased"), archives);
    let leak = found.verdict("leak");
    for held in ["in_use", "retention", "fragmentation"] {
        assert!(leak.bytes > 2 * found.bytes(held), "{held}: {:?}", found.shares());
    }
    let windows = &leak.culprits[0];
    assert!(is_of(windows, "inflate", "libz.so"), "{windows:#?}");
    assert!(is_of(windows, "Java_java_util_zip_Inflater_inflateBytesBytes", "libzip.so"), "{windows:#?}");
    assert_eq!((windows.blocks, windows.bytes), (archives, archives * WINDOW));
    let states = leak.culprits.iter().find(|culprit| is_of(culprit, "inflateInit2_", "libz.so"));
    assert_eq!(states.expect("what zlib keeps of each stream").blocks, archives, "{leak:#?}");
    expect_heaps_of_the_threads(&outcome, &found);
}

#[test]
fn what_the_collector_has_released_is_retention_and_no_leak() {
    let Some((outcome, found)) = unpack("collect") else { return };
    let windows = (outcome.said("archives") - outcome.said("unreleased")) * WINDOW;
    assert!(found.bytes("retention") > windows, "{:?}", found.shares());
    let leaks = found.verdicts.iter().filter(|verdict| verdict.kind == "leak");
    for culprit in leaks.flat_map(|leak| &leak.culprits) {
        assert!(!culprit.stack.frames.iter().any(|frame| frame.is_named("inflate")), "{culprit:#?}");
    }
    assert!(found.bytes("leak") < windows / 20, "{:?}", found.shares());
    // The last archive of each thread, which is still open, lies above what was released.
    assert!(found.trim() > windows, "{}", found.trim());
    assert_eq!(found.advice("malloc_trim").saves_bytes, found.trim());
}

/// Runs the program, or says why not. Interpreted, so that each of its calls has one stack: the
/// compilers' code changes while it runs.
fn unpack(mode: &str) -> Option<(Outcome, Found)> {
    let (java, javac) = (installed("java")?, installed("javac")?);
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/targets/Archives.java");
    let directory = scratch();
    let source = source.to_str().expect("a plain path");
    bare().directory(directory.path()).run(javac, &["-d", ".", source]).expect_status(0);
    let opened = ["--add-opens", "java.base/java.util.zip=ALL-UNNAMED"];
    let small = ["-Xint", "-Xmx64m", "-XX:+UseSerialGC", "Archives", mode];
    let launch = calltap().directory(directory.path());
    let outcome = launch.run(java, &[&opened[..], &small[..]].concat()).expect_status(0);
    assert_eq!(outcome.report().lost(), 0, "{outcome}");
    let found = Found::of(&outcome);
    Some((outcome, found))
}

/// Whether the culprit's stack has a function of an object.
fn is_of(culprit: &Culprit, function: &str, object: &str) -> bool {
    let frame = culprit.stack.frame_of(function).and_then(|frame| frame.object.as_deref());
    frame.is_some_and(|path| path.contains(object))
}

/// Expects that each thread's windows are in arenas that are told, in heaps of 64 MiB.
fn expect_heaps_of_the_threads(outcome: &Outcome, found: &Found) {
    let threads = outcome.said_all("tid.");
    let each = outcome.said("archives") * WINDOW / threads.len() as i64;
    for (name, tid) in threads {
        let theirs = found.arenas.iter().filter(|arena| arena.threads.iter().any(|user| user.tid == tid));
        let mut bytes = 0;
        for arena in theirs {
            bytes += arena.threads.iter().filter(|user| user.tid == tid).map(|user| user.bytes).sum::<i64>();
            assert!(arena.is_main || arena.address % HEAP < 4096, "{arena:#?}");
            assert!(arena.is_main || arena.made_by_tid.is_some(), "{arena:#?}");
            assert!(arena.live_bytes >= bytes.min(each), "{arena:#?}");
        }
        assert!(bytes >= each, "{name}: {bytes} of {each} in {:#?}", found.arenas);
    }
}
