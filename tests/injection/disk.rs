//! A disk that is full, for everything that calltap writes: from not even room for a file to enough.

use crate::launch::{bare, installed, skipped};
use crate::outcome::Outcome;
use crate::target::Target;

/// Sizes of a disk: no file, then so many pages.
fn sizes() -> impl Iterator<Item = String> {
    let pages = (1..16).chain((4..12).map(|power| 1 << power));
    std::iter::once("nr_inodes=1".to_owned()).chain(pages.map(|pages| format!("size={}k", 4 * pages)))
}

/// Runs calltap where `disk` is a directory of that size only. None if there is no way to have one.
fn on_disk(size: &str, words: &[&str]) -> Option<Outcome> {
    let unshare = installed("unshare")?;
    let script = "mount -t tmpfs -o \"$1\" none /mnt || exit 33; shift; exec \"$@\"";
    let before = ["-m", "sh", "-c", script, "sh", size, env!("CARGO_BIN_EXE_calltap")];
    let outcome = bare().run(unshare, &[&before[..], words].concat());
    if outcome.status == 33 || outcome.stderr().contains("unshare failed") {
        skipped(&format!("nothing can be mounted here: {}", outcome.stderr()));
        return None;
    }
    Some(outcome)
}

/// Grows the disk until it is large enough. Before that each run is a failure that is told with a hint, and does not
/// touch the program.
fn fill(words: &[&str], fails_at_first: bool) {
    let target = Target::c("endings.c").build();
    let program = target.path().to_str().expect("a plain path");
    let without = bare().run(&target, &["exit", "300"]).expect_status(7);
    for (failures, size) in sizes().enumerate() {
        let Some(outcome) = on_disk(&size, &[words, &["--", program, "exit", "300"]].concat()) else {
            return;
        };
        assert!(!outcome.stderr().contains("panicked"), "{outcome}");
        if outcome.status == 7 {
            assert_eq!(outcome.stdout(), without.stdout(), "{outcome}");
            assert!(failures > 0 || !fails_at_first, "{size} was enough for {words:?}: it shows nothing");
            return;
        }
        assert_eq!(outcome.status, 125, "{size}: {outcome}");
        let message = outcome.stderr();
        assert!(message.contains("No space left") && message.contains("/mnt/"), "{size}: {outcome}");
        assert!(message.contains("calltap: ") && message.contains("\nhint: "), "{size}: {outcome}");
        // Refused before it began, or told when it was over.
        let said = outcome.stdout();
        assert!(size == "nr_inodes=1" && said.is_empty() || said == without.stdout(), "{size}: {outcome}");
    }
    panic!("nothing is enough for {words:?}");
}

#[test]
fn a_report_that_finds_no_room_is_told() {
    fill(&["run", "-o", "/mnt/report"], true);
    fill(&["run", "--format", "json", "-o", "/mnt/report"], true);
}

#[test]
fn what_else_a_run_writes_and_finds_no_room_is_told() {
    for option in ["--histogram-log", "--folded", "--flamegraph", "--map", "--dump-stacks"] {
        let file = if option == "--map" { "/mnt/map.html" } else { "/mnt/file" };
        fill(&["run", "--snapshot-every", "10ms", option, file, "-o", "/dev/null"], true);
    }
}

#[test]
fn a_trace_that_finds_no_room_is_told() {
    fill(&["trace", "-o", "/mnt/trace"], true);
    fill(&["trace", "-c", "-o", "/mnt/trace"], true);
    fill(&["trace", "--record", "/mnt/trace"], true);
}

#[test]
fn without_room_for_temporary_files_all_goes_as_ever() {
    let target = Target::c("endings.c").build();
    let program = target.path().to_str().expect("a plain path");
    let directories = ["env", "TMPDIR=/mnt", "XDG_CACHE_HOME=/mnt", "HOME=/mnt"];
    for size in ["nr_inodes=1", "size=4k", "size=64k", "size=900k"] {
        for verb in [&["run"][..], &["trace", "-o", "/dev/null"]] {
            let script = "mount -t tmpfs -o \"$1\" none /mnt || exit 33; shift; exec \"$@\"";
            let Some(unshare) = installed("unshare") else { return };
            let before = [&["-m", "sh", "-c", script, "sh", size], &directories[..]].concat();
            let words = [&before[..], &[env!("CARGO_BIN_EXE_calltap")], verb, &["--", program, "exit", "11"]];
            let outcome = bare().run(unshare, &words.concat());
            if outcome.status == 33 || outcome.stderr().contains("unshare failed") {
                return skipped("nothing can be mounted here");
            }
            assert_eq!(outcome.status, 7, "{size}: {outcome}");
        }
    }
}
