//! The directory that the interposer's file is kept in: missing, not writable, not ours, full of something else.

use std::ffi::CString;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::left::names;
use crate::launch::{Launch, bare, calltap, installed, scratch, skipped, traced};
use crate::target::Target;

/// Expects that the program is seen under both verbs, and ends as ever.
fn expect_seen(surroundings: impl Fn(Launch) -> Launch) {
    let target = Target::c("endings.c").build();
    let run = surroundings(calltap()).run(&target, &["exit", "11"]).expect_status(7);
    assert_eq!(run.report().only_process().still_allocated(), (11, 11 * 32), "{run}");
    let trace = surroundings(traced().options(&["-e", "malloc"])).run(&target, &["exit", "11"]);
    let trace = trace.expect_status(7);
    assert!(trace.lines_of("malloc").len() >= 11, "{trace}\n{}", trace.trace);
}

/// The files of the interposer, as they are named in a cache of their own.
fn placed() -> Vec<PathBuf> {
    let cache = scratch();
    expect_seen(|launch| launch.variable("XDG_CACHE_HOME", cache.path()));
    let placed = names(&cache.path().join("calltap")).into_iter().map(PathBuf::from).collect::<Vec<_>>();
    assert_eq!(placed.len(), 2, "one for each way to bind: {placed:?}");
    placed
}

#[test]
fn whatever_lies_where_the_library_belongs_is_no_obstacle() {
    let elsewhere = scratch();
    let precious = elsewhere.path().join("precious");
    type Put<'a> = &'a dyn Fn(&Path);
    let put: [(&str, Put<'_>); 7] = [
        ("nothing", &|path| fs::write(path, b"").expect("ours")),
        ("rubbish", &|path| fs::write(path, vec![0x5a; 3 << 20]).expect("ours")),
        ("a directory", &|path| fs::create_dir(path).expect("ours")),
        ("a full directory", &|path| {
            fs::create_dir(path).expect("ours");
            fs::write(path.join("file"), b"").expect("ours");
        }),
        ("a link to another file", &|path| {
            fs::write(&precious, b"precious").expect("ours");
            symlink(&precious, path).expect("ours");
        }),
        ("a link to nowhere", &|path| symlink("/no/such/file", path).expect("ours")),
        ("a pipe that nobody writes to", &|path| {
            let path = CString::new(path.as_os_str().as_bytes()).expect("no zeros");
            // SAFETY: the path is a string that lives long enough.
            assert_eq!(unsafe { libc::mkfifo(path.as_ptr(), 0o600) }, 0);
        }),
    ];
    let names = placed();
    for (what, put) in put {
        let cache = scratch();
        let directory = cache.path().join("calltap");
        fs::create_dir(&directory).expect("ours");
        names.iter().for_each(|name| put(&directory.join(name)));
        eprintln!("{what}");
        expect_seen(|launch| launch.variable("XDG_CACHE_HOME", cache.path()));
        let left = super::left::names(&directory);
        assert_eq!(left.len(), names.len(), "{what}: {left:?}");
    }
    assert_eq!(fs::read(&precious).expect("it was there"), b"precious");
}

#[test]
fn neither_home_nor_cache_is_needed() {
    expect_seen(|launch| launch.after("unset HOME XDG_CACHE_HOME"));
    expect_seen(|launch| launch.variable("HOME", "relative").variable("XDG_CACHE_HOME", "also/relative"));
    expect_seen(|launch| launch.variable("XDG_CACHE_HOME", "/proc/self/cache"));
}

#[test]
fn a_cache_that_cannot_be_written_is_done_without() {
    let Some(unshare) = installed("unshare") else { return };
    let place = scratch();
    let place = place.path().to_str().expect("a plain path");
    let program = Target::c("endings.c").build();
    for options in ["ro", "nr_inodes=1", "size=4k"] {
        let script = "mount -t tmpfs -o \"$1\" none \"$2\" || exit 33; XDG_CACHE_HOME=$2; export XDG_CACHE_HOME; \
                      shift 2; exec \"$@\"";
        let words =
            ["-m", "sh", "-c", script, "sh", options, place, env!("CARGO_BIN_EXE_calltap"), "run", "--"];
        let program = program.path().to_str().expect("a plain path");
        let outcome = bare().run(&unshare, &[&words[..], &[program, "exit", "11"]].concat());
        if [1, 33].contains(&outcome.status) {
            return skipped(&format!("nothing can be mounted here: {}", outcome.stderr()));
        }
        let outcome = outcome.expect_status(7);
        assert!(outcome.stderr().contains("left 11 blocks"), "{outcome}");
    }
}

#[test]
fn fifty_first_starts_at_one_time_share_one_file() {
    let cache = scratch();
    let target = Target::c("endings.c").build();
    std::thread::scope(|scope| {
        for _ in 0..50 {
            scope.spawn(|| {
                let launch = calltap().variable("XDG_CACHE_HOME", cache.path());
                let outcome = launch.run(&target, &["exit", "11"]).expect_status(7);
                assert_eq!(outcome.report().only_process().still_allocated(), (11, 11 * 32), "{outcome}");
            });
        }
    });
    let left = names(&cache.path().join("calltap"));
    assert_eq!(left.len(), 1, "{left:?}");
}
