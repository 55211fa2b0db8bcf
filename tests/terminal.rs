//! On a terminal: the program reads from it, its keys send signals, and calltap shows progress.

use std::ffi::CStr;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use crate::launch::{scratch, with_default_signals};
use crate::report::Report;
use crate::running::PATIENCE;
use crate::target::Target;

/// A command on a terminal of its own, which it controls.
struct Session {
    child: Child,
    keyboard: File,
    shown: String,
    deadline: Instant,
}

impl Session {
    fn start(words: &[&str]) -> Self {
        // Opened by the standard library, so no other test's child inherits them.
        let open = |path: &str| {
            File::options()
                .read(true)
                .write(true)
                .custom_flags(libc::O_NOCTTY)
                .open(path)
                .expect("a terminal")
        };
        let keyboard = open("/dev/ptmx");
        let mut name = [0; 64];
        // SAFETY: the descriptor is ours; the place for the name has the length that is told.
        let named = unsafe {
            libc::unlockpt(keyboard.as_raw_fd()) == 0
                && libc::ptsname_r(keyboard.as_raw_fd(), name.as_mut_ptr(), name.len()) == 0
        };
        assert!(named, "a pseudoterminal has another end");
        // SAFETY: ptsname_r ended the name with a zero byte.
        let screen = open(unsafe { CStr::from_ptr(name.as_ptr()) }.to_str().expect("a plain path"));
        let stream = || Stdio::from(screen.try_clone().expect("a copy"));
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).env("TERM", "xterm").stdin(stream()).stdout(stream()).stderr(stream());
        // SAFETY: two system calls, nothing else, between fork and exec.
        unsafe {
            command.pre_exec(|| {
                libc::setsid();
                libc::ioctl(0, libc::TIOCSCTTY, 0);
                with_default_signals()
            });
        }
        let child = command.spawn().expect("it starts");
        Self { child, keyboard, shown: String::new(), deadline: Instant::now() + PATIENCE }
    }

    /// Reads the screen until it shows this.
    fn until(&mut self, text: &str) {
        while !self.shown.contains(text) {
            assert!(self.read_on(), "{text:?} never came: {:?}", self.shown);
        }
    }

    /// Types this.
    fn type_in(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).expect("the terminal takes keys");
    }

    /// False at the end: the last process has closed the terminal.
    fn read_on(&mut self) -> bool {
        let mut screen = libc::pollfd { fd: self.keyboard.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        let left_ms = self.deadline.saturating_duration_since(Instant::now()).as_millis();
        // SAFETY: one descriptor, which is ours.
        let ready = unsafe { libc::poll(&raw mut screen, 1, i32::try_from(left_ms).expect("short")) };
        let end =
            self.shown.chars().rev().take(500).collect::<Vec<_>>().into_iter().rev().collect::<String>();
        assert!(ready == 1 && left_ms > 0, "it hangs: {end:?}");
        let mut bytes = [0; 4096];
        let count = self.keyboard.read(&mut bytes).unwrap_or(0);
        self.shown.push_str(&String::from_utf8_lossy(&bytes[..count]));
        count > 0
    }

    /// Waits for the end; what was shown, and the exit status.
    fn finish(mut self) -> (String, Option<i32>) {
        while self.read_on() {}
        let status = self.child.wait().expect("it is our child");
        (std::mem::take(&mut self.shown), status.code())
    }
}

impl Drop for Session {
    /// Kills what a story that failed has left running; after [`Session::finish`] there is nothing.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const CALLTAP: &str = env!("CARGO_BIN_EXE_calltap");

#[test]
fn a_program_reads_lines_from_its_terminal() {
    let script =
        "test -t 0 && test -t 1 && test -t 2 && echo ready; read -r line; echo \"<$line>\"; stty size";
    let talk = |prefix: &[&str]| {
        let mut session = Session::start(&[prefix, &["sh", "-c", script]].concat());
        session.until("ready");
        session.type_in("a line\n");
        session.finish()
    };
    let directory = scratch();
    let report = directory.path().join("report");
    let without = talk(&[]);
    assert!(without.0.contains("<a line>"), "{without:?}");
    let with = talk(&[CALLTAP, "run", "-o", report.to_str().expect("a plain path"), "--"]);
    assert_eq!(with, without);
}

#[test]
fn the_interrupt_key_ends_the_program_and_there_is_a_report() {
    let directory = scratch();
    let report = directory.path().join("report");
    let path = report.to_str().expect("a plain path");
    let prefix = [CALLTAP, "run", "--format", "json", "-o", path, "--"];
    for (script, status, signal) in [
        ("echo ready; exec sleep 1000", 130, Some(2)),
        ("trap 'echo caught; exit 3' INT; echo ready; while :; do sleep 0.01; done", 3, None),
    ] {
        let mut session = Session::start(&[&prefix[..], &["sh", "-c", script]].concat());
        session.until("ready");
        session.type_in("\x03");
        let (shown, code) = session.finish();
        assert_eq!(code, Some(status), "{shown}");
        assert_eq!(shown.matches("caught").count(), usize::from(signal.is_none()), "{shown}");
        let report = Report::parse(&fs::read(&report).expect("it was asked for"));
        assert_eq!(report.at("/target/signal").as_i64(), signal, "{shown}");
    }
}

#[test]
fn a_long_run_shows_progress_and_takes_it_away() {
    let target = Target::c("marathon.c").build();
    let program = target.path().to_str().expect("a plain path");
    let directory = scratch();
    let report = directory.path().join("report");
    let report = report.to_str().expect("a plain path");
    let run = |options: &[&str]| {
        let prefix = [CALLTAP, "run", "-o", report];
        let command = ["--", program, "100000000", "/no/such/marker"];
        Session::start(&[&prefix[..], options, &command].concat())
    };
    let mut session = run(&[]);
    session.until(" events, ");
    session.type_in("\x03");
    let (shown, _) = session.finish();
    assert!(shown.contains(" lost") && shown.contains("descriptors"), "{shown:?}");
    let last_line = shown.rsplit("\r\x1b[2K").next().expect("the line is cleared");
    assert!(!last_line.contains("events"), "it stays: {last_line:?}");

    let mut session = run(&["--quiet"]);
    session.until("round=20000");
    session.type_in("\x03");
    let (shown, _) = session.finish();
    assert!(!shown.contains(" events, "), "{shown:?}");
}
