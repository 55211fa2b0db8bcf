//! What a session leaves in the file system, and what it finds there.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, lchown, symlink};
use std::path::Path;

use super::{NOBODY, is_root};
use crate::launch::{calltap, scratch, traced};
use crate::target::{SCRATCH, Target};

/// Promise 2: with an umask that takes nothing away.
#[test]
fn what_holds_data_of_the_program_is_its_users_alone() {
    let directory = scratch();
    let target = Target::c("graph.c").build();
    let path = |name: &str| directory.path().join(name).display().to_string();
    let names = ["report", "histograms", "stacks", "flames.svg", "map.svg", "trace", "recording"];
    let [report, histograms, stacks, flames, map, trace, recording] = names.map(path);
    let open = |launch: crate::launch::Launch| launch.report_elsewhere().after("umask 0");
    let options =
        ["-o", &report, "--histogram-log", &histograms, "--folded", &stacks, "--flamegraph", &flames];
    open(calltap()).options(&options).options(&["--map", &map]).run(&target, &["10"]).expect_status(0);
    open(traced()).options(&["-o", &trace]).run(&target, &["10"]).expect_status(0);
    open(traced()).options(&["--record", &recording]).run(&target, &["10"]).expect_status(0);
    let found: Vec<_> = fs::read_dir(directory.path()).expect("ours").flatten().collect();
    assert_eq!(found.len(), names.len(), "{found:?}");
    for entry in found {
        assert_eq!(entry.metadata().expect("ours").mode() & 0o777, 0o600, "{entry:?}");
    }
}

/// Promise 2: no name is left behind anywhere else, and the library is all that is in the cache.
#[test]
fn nothing_else_is_written() {
    let (temporary, home) = (scratch(), scratch());
    let cache = home.path().join("cache");
    let outcome = calltap()
        .after("umask 0")
        .variable("TMPDIR", temporary.path())
        .variable("HOME", home.path())
        .variable("XDG_CACHE_HOME", &cache)
        .run(Target::c("graph.c").build(), &["10"]);
    outcome.expect_status(0);
    assert_eq!(fs::read_dir(temporary.path()).expect("ours").count(), 0);
    assert_eq!(fs::read_dir(home.path()).expect("ours").count(), 1, "the cache alone");
    let mode = |path: &Path| fs::metadata(path).expect("ours").mode() & 0o777;
    assert_eq!(mode(&cache.join("calltap")), 0o700);
    for library in fs::read_dir(cache.join("calltap")).expect("ours").flatten() {
        assert_eq!(mode(&library.path()), 0o755, "{library:?}");
    }
}

/// Promise 3.
#[test]
fn what_others_have_put_into_a_directory_of_all_is_let_be() {
    if !is_root() {
        return;
    }
    let directory = scratch();
    fs::set_permissions(directory.path(), Permissions::from_mode(0o1777)).expect("ours");
    lchown(directory.path(), Some(1), None).expect("root may");
    let [mine, theirs, link] = ["mine", "theirs", "link"].map(|name| directory.path().join(name));
    fs::write(&theirs, "theirs").expect("ours");
    fs::set_permissions(&theirs, Permissions::from_mode(0o666)).expect("ours");
    symlink(&mine, &link).expect("ours");
    for path in [&theirs, &link] {
        lchown(path, Some(NOBODY), None).expect("root may");
        let shown = path.display().to_string();
        for launch in [calltap(), traced()] {
            let outcome = launch.report_elsewhere().options(&["-o", &shown]).run("true", &[""; 0]);
            let outcome = outcome.expect_status(125);
            assert!(outcome.stderr().contains(&shown), "{outcome}");
            assert!(outcome.stderr().contains("another user"), "{outcome}");
        }
    }
    assert_eq!(fs::read(&theirs).expect("ours"), b"theirs");
    assert!(!mine.exists());
    // One's own link is what one wants.
    lchown(&link, Some(0), None).expect("root may");
    let shown = link.display().to_string();
    calltap().report_elsewhere().options(&["-o", &shown]).run("true", &[""; 0]).expect_status(0);
    assert!(fs::metadata(&mine).is_ok_and(|metadata| metadata.len() > 0), "{SCRATCH}");
}
