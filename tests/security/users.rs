//! Programs that run as another user, or with more rights than who has started them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::{NOBODY, as_nobody, is_root, reachable_calltap, stderr};
use crate::launch::{bare, calltap, scratch, traced};
use crate::target::Target;

/// Promise 7: it runs as it does without calltap, and the report says why it is not in it.
#[test]
fn a_program_of_another_user_or_group_is_left_alone() {
    if !is_root() {
        return;
    }
    let id = NOBODY.to_string();
    let user = ["--reuid", &id, "--regid", &id, "--clear-groups", "ls", "/dev/null"];
    let expected = bare().run("setpriv", &user).expect_status(0);
    let outcome = calltap().run("setpriv", &user).expect_same_as(&expected);
    let text = format!("{:#}", outcome.report().0);
    assert!(text.contains("it runs as another user or group"), "{text}");
    let outcome = traced().options(&["-f"]).run("setpriv", &user).expect_same_as(&expected);
    assert!(outcome.trace.contains("it runs as another user or group"), "{outcome}");
}

/// Promise 7: the kernel loads no library of ours into it, and we do not try.
#[test]
fn a_child_with_raised_privileges_is_told_of() {
    if !is_root() {
        return;
    }
    let directory = scratch();
    let raised = directory.path().join("raised");
    fs::copy(Target::c("mirror.c").build().path(), &raised).expect("room for it");
    std::os::unix::fs::chown(&raised, Some(NOBODY), None).expect("root may");
    fs::set_permissions(&raised, fs::Permissions::from_mode(0o4755)).expect("ours");
    let script = format!("{}; true", raised.display());
    let outcome = calltap().run("sh", &["-c", &script]).expect_status(0);
    let text = format!("{:#}", outcome.report().0);
    assert!(text.contains("raised privileges") || text.contains("another user"), "{text}");
}

fn is_nosuid(path: &Path) -> bool {
    let path = std::ffi::CString::new(path.display().to_string()).expect("a plain path");
    // SAFETY: all zero is valid for plain integers.
    let mut found: libc::statvfs = unsafe { std::mem::zeroed() };
    // SAFETY: a string that ends with zero, and a live value.
    let known = unsafe { libc::statvfs(path.as_ptr(), &raw mut found) };
    known != 0 || found.f_flag & libc::ST_NOSUID != 0
}

/// Promise 8.
#[test]
fn calltap_with_raised_privileges_does_nothing() {
    if !is_root() {
        return;
    }
    let Some(directory) = reachable_calltap() else { return };
    if is_nosuid(directory.path()) {
        return crate::launch::skipped("setuid bits count for nothing there");
    }
    let program = directory.path().join("calltap");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o4755)).expect("ours");
    for arguments in [&["run", "--", "id", "-u"][..], &["trace", "id", "-u"], &["snapshot", "1"]] {
        let output = as_nobody(&program).args(arguments).output().expect("it starts");
        assert_eq!(output.status.code(), Some(125), "{output:?}");
        assert!(output.stdout.is_empty(), "{output:?}");
        assert!(stderr(&output).contains("raised privileges"), "{output:?}");
    }
}

/// Who has neither a home nor rights can use it for programs of their own; also for one that lets nobody look.
#[test]
fn an_ordinary_user_needs_nothing_but_the_program() {
    if !is_root() {
        return;
    }
    let Some(directory) = reachable_calltap() else { return };
    let target = directory.path().join("hidden");
    fs::copy(Target::c("hidden.c").build().path(), &target).expect("room for it");
    fs::set_permissions(&target, fs::Permissions::from_mode(0o755)).expect("ours");
    for options in [&["run", "--quiet"][..], &["run", "--quiet", "--format", "json"], &["trace", "-c"]] {
        let mut command = as_nobody(directory.path().join("calltap"));
        let output = command.args(options).arg("--").arg(&target).env("HOME", "/nonexistent").output();
        let output = output.expect("it starts");
        assert_eq!(output.status.code(), Some(7), "{output:?}");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "hidden\n", "{output:?}");
    }
}
