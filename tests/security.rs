//! What SECURITY.md promises; the numbers are its own. Stories with a second user need root, and are skipped otherwise.

mod environment;
mod files;
mod library;
mod memory;
mod users;

use std::ffi::OsStr;
use std::process::{Command, Output, Stdio};

use crate::launch::skipped;

/// A user that is nobody's, and owns nothing.
pub(crate) const NOBODY: u32 = 65534;

/// Whether there can be a second user, for which a test says that it needs root.
pub(crate) fn is_root() -> bool {
    // SAFETY: no arguments, cannot fail.
    let root = unsafe { libc::geteuid() } == 0;
    if !root {
        skipped("only root can be two users");
    }
    root
}

/// This program as that other user, without rights of any kind.
pub(crate) fn as_nobody(program: impl AsRef<OsStr>) -> Command {
    let id = NOBODY.to_string();
    let mut command = Command::new("setpriv");
    command.args(["--reuid", &id, "--regid", &id, "--clear-groups", "--"]).arg(program);
    command.stdin(Stdio::null()).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.current_dir("/");
    command
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The built program, where everybody can reach it; None, with a word, if that is nowhere.
pub(crate) fn reachable_calltap() -> Option<tempfile::TempDir> {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().expect("a directory for temporary files");
    let program = directory.path().join("calltap");
    std::fs::copy(env!("CARGO_BIN_EXE_calltap"), &program).expect("room for it");
    for path in [directory.path(), &program] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("they are ours");
    }
    let reached = as_nobody(&program).arg("--version").output().is_ok_and(|output| output.status.success());
    if !reached {
        skipped("no place that another user can execute something of ours in");
    }
    reached.then_some(directory)
}
