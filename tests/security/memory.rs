//! The shared segment: who can open it, and what the target can do with it.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use super::{as_nobody, is_root, stderr};
use crate::launch::calltap;
use crate::running::{Running, wait_for};
use crate::target::Target;

/// A session whose program sleeps, and its segment as `/proc` shows it.
fn sleeping() -> (Running, PathBuf) {
    let running = calltap().start("sleep", &["1000"]);
    let descriptors = PathBuf::from(format!("/proc/{}/fd", running.pid()));
    let mut segment = None;
    wait_for("the segment", || {
        let mut paths = fs::read_dir(&descriptors).into_iter().flatten().flatten().map(|entry| entry.path());
        segment = paths.find(|path| {
            fs::read_link(path).is_ok_and(|link| link.as_os_str() == "/memfd:calltap (deleted)")
        });
        segment.is_some()
    });
    (running, segment.expect("just seen"))
}

/// Promise 1.
#[test]
fn the_segment_has_no_name_and_one_size() {
    let (_running, path) = sleeping();
    let file = File::options().read(true).write(true).open(path).expect("it is ours");
    assert_eq!(file.metadata().expect("open").nlink(), 0);
    wait_for("the seals", || {
        // SAFETY: no pointers.
        let seals = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GET_SEALS) };
        seals == libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_SEAL
    });
    for size in [0, 4096, 1 << 40] {
        assert_eq!(file.set_len(size).expect_err("sealed").raw_os_error(), Some(libc::EPERM));
    }
}

/// Promise 1.
#[test]
fn another_user_can_open_nothing_of_a_session() {
    if !is_root() {
        return;
    }
    let (running, segment) = sleeping();
    let all = fs::read_dir(segment.parent().expect("a directory")).expect("ours").flatten();
    for path in all.map(|entry| entry.path()) {
        let output = as_nobody("cat").arg(&path).output().expect("it starts");
        assert!(stderr(&output).contains("Permission denied"), "{}: {output:?}", path.display());
    }
    let Some(program) = super::reachable_calltap() else { return };
    let pid = running.pid().to_string();
    let asked =
        as_nobody(program.path().join("calltap")).args(["snapshot", &pid]).output().expect("it starts");
    assert_eq!(asked.status.code(), Some(125), "{asked:?}");
    assert!(stderr(&asked).contains("run this as the user who started it"), "{asked:?}");
}

/// Somebody who has to do with nothing here.
struct Bystander(Child);

impl Drop for Bystander {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Promise 6: the number of the program that signals are handed on to is not in memory that the target can write.
#[test]
fn a_target_cannot_have_calltap_signal_somebody_else() {
    let mut bystander = Bystander(Command::new("sleep").arg("1000").spawn().expect("it starts"));
    let target = Target::c("usurper.c").build();
    let mut running = calltap().start(&target, &[bystander.0.id().to_string()]);
    running.until("other numbers", |running| running.stdout().contains("written"));
    running.signal(libc::SIGTERM);
    running.finish().expect_status(3);
    assert!(bystander.0.try_wait().expect("ours").is_none(), "it was signalled");
}

/// Promise 6: another user's process cannot pretend to be a session, to have root write somewhere.
#[test]
fn a_session_of_another_user_is_not_asked() {
    if !is_root() {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory for temporary files");
    let program = directory.path().join("pretender");
    fs::copy(Target::c("pretender.c").build().path(), &program).expect("room for it");
    use std::os::unix::fs::PermissionsExt;
    for path in [directory.path(), &program] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("ours");
    }
    let started = as_nobody(&program).stdout(Stdio::piped()).spawn();
    let mut pretender = Bystander(started.expect("it starts"));
    let mut line = String::new();
    BufReader::new(pretender.0.stdout.take().expect("piped")).read_line(&mut line).expect("it says so");
    assert_eq!(line, "ready\n");
    let mut command = Command::new(env!("CARGO_BIN_EXE_calltap"));
    let asked = command.args(["snapshot", &pretender.0.id().to_string()]).output().expect("it was built");
    assert_eq!(asked.status.code(), Some(125), "{asked:?}");
    assert!(stderr(&asked).contains("another user's"), "{asked:?}");
}
