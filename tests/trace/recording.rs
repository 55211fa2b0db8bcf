//! `--record` and `--replay`: what is written down is what would have been printed.

use crate::launch::{bare, scratch, traced};
use crate::target::Target;

#[test]
fn a_recording_plays_what_a_trace_shows() {
    let target = Target::c("linkage.c").build();
    let files = scratch();
    let recording = files.path().join("calls.calltap");
    let file = recording.to_str().unwrap();
    let calltap = env!("CARGO_BIN_EXE_calltap");
    let live = traced().run(&target, &["50"]).expect_status(7);
    let path = target.path().to_str().unwrap();
    bare().run(calltap, &["trace", "--record", file, path, "50"]).expect_status(7);
    let played = bare().run(calltap, &["trace", "--replay", file]).expect_status(0);
    // Addresses differ from run to run.
    let calls = |text: &str| {
        text.lines()
            .filter(|line| line.contains("strlen(") || line.contains("labs("))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let shown = played.stdout() + &played.stderr();
    assert_eq!(calls(&shown), calls(&live.trace), "{played}");
    let counted = bare().run(calltap, &["trace", "--replay", file, "-c"]).expect_status(0);
    assert!((counted.stdout() + &counted.stderr()).contains("strlen"), "{counted}");
}

#[test]
fn a_torn_recording_shows_what_is_whole_and_says_so() {
    let target = Target::c("linkage.c").build();
    let files = scratch();
    let recording = files.path().join("calls.calltap");
    let calltap = env!("CARGO_BIN_EXE_calltap");
    let path = target.path().to_str().unwrap();
    bare().run(calltap, &["trace", "--record", recording.to_str().unwrap(), path, "5000"]).expect_status(7);
    let whole = std::fs::read(&recording).unwrap();
    for keep in [0, 7, whole.len() / 2, whole.len() - 3] {
        std::fs::write(&recording, &whole[..keep]).unwrap();
        let played = bare().run(calltap, &["trace", "--replay", recording.to_str().unwrap()]);
        assert_eq!(played.status, 125, "{keep} of {}: {played}", whole.len());
        assert!(played.stderr().contains("hint: "), "{played}");
    }
    std::fs::write(&recording, b"something else entirely, and long enough to be looked at as a recording")
        .unwrap();
    let played = bare().run(calltap, &["trace", "--replay", recording.to_str().unwrap()]);
    assert_eq!(played.status, 125, "{played}");
}
