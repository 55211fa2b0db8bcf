//! A program under way: waiting for it, signalling it, never for ever.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::outcome::Outcome;
use crate::report::Report;

/// No program of a story takes longer than this on however busy a machine, unless something hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(400);

/// A program under way. Its output goes to files, so nobody has to read along.
pub(crate) struct Running {
    pub(crate) what: String,
    pub(crate) child: Child,
    /// `stdout`, `stderr`, `report.json` and `trace` are in it.
    pub(crate) files: TempDir,
    /// Whether it has come to its end.
    pub(crate) finished: bool,
}

impl Running {
    /// The started process: calltap's own if the program is tapped.
    pub(crate) fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).expect("process ids are positive ints")
    }

    /// Sends a signal to the started process alone.
    pub(crate) fn signal(&self, signal: i32) {
        // SAFETY: plain system call; the child has not been waited for, so its id is its own.
        assert_eq!(unsafe { libc::kill(self.pid(), signal) }, 0, "{}", self.what);
    }

    /// Sends a signal to the whole group, as a terminal does.
    pub(crate) fn signal_all(&self, signal: i32) {
        // SAFETY: plain system call; the group was made for this child and lives as long as it.
        assert_eq!(unsafe { libc::kill(-self.pid(), signal) }, 0, "{}", self.what);
    }

    /// What it has written to stdout by now.
    pub(crate) fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.read("stdout")).into_owned()
    }

    /// Waits until `ready` says so; panics if it never does or the program ends before.
    pub(crate) fn until(&mut self, what: &str, mut ready: impl FnMut(&Self) -> bool) {
        wait_for(&format!("{}: {what}", self.what), || {
            if ready(self) {
                return true;
            }
            if let Some(status) = self.child.try_wait().expect("the child is ours") {
                panic!(
                    "{} ended early, {status}: {}",
                    self.what,
                    String::from_utf8_lossy(&self.read("stderr"))
                );
            }
            false
        });
    }

    /// Waits for its end and collects what it left.
    pub(crate) fn finish(mut self) -> Outcome {
        let mut ended = None;
        if !wait_within(PATIENCE, || {
            ended = self.child.try_wait().expect("the child is ours");
            ended.is_some()
        }) {
            let said = String::from_utf8_lossy(&self.read("stderr")).into_owned();
            panic!("{} hangs; stdout {:?}, stderr {said:?}", self.what, self.stdout());
        }
        let report = fs::read(self.files.path().join("report.json")).ok().filter(|text| !text.is_empty());
        self.finished = true;
        Outcome {
            stdout: self.read("stdout"),
            stderr: self.read("stderr"),
            status: exit_code(ended.expect("waited for")),
            report: report.map(|text| Report::parse(&text)),
            trace: fs::read(self.files.path().join("trace"))
                .map_or_else(|_| String::new(), |text| String::from_utf8_lossy(&text).into_owned()),
            what: std::mem::take(&mut self.what),
        }
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.files.path().join(name)).expect("a scratch file")
    }
}

impl Drop for Running {
    /// Kills what a story that failed has left running.
    fn drop(&mut self) {
        if !self.finished {
            // SAFETY: plain system call; the group is the child's own.
            unsafe { libc::kill(-self.pid(), libc::SIGKILL) };
            let _ = self.child.wait();
        }
    }
}

/// Looks every few milliseconds whether `ready`, and panics if it never comes to be.
pub(crate) fn wait_for(what: &str, ready: impl FnMut() -> bool) {
    assert!(wait_within(PATIENCE, ready), "waited in vain for {what}");
}

fn wait_within(limit: Duration, mut ready: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    while !ready() {
        if start.elapsed() > limit {
            return false;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    true
}

/// As a shell counts: 128 + n for death by signal n.
fn exit_code(status: ExitStatus) -> i32 {
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).expect("it has ended")
}
