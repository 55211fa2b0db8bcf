//! The tracer as a process: forked off the CLI while that has but one thread.
//!
//! Nothing is executed for it: a second start of this binary would take the loader and the run-time 3 ms, of each run.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::process::ExitStatusExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, poll};
use nix::unistd::{ForkResult, Pid, fork, pipe2};

use super::Spec;
use crate::sigpipe;

/// A tracer that makes everything ready, and waits for the interposer's path. Dropped, it ends; the target has not run then.
#[derive(Debug)]
pub struct Waiting {
    process: Process,
    library: File,
}

impl Waiting {
    /// Has it start the target with this library.
    #[must_use]
    pub fn begin(mut self, library: &Path) -> Process {
        // Fails only if the tracer has ended, which whoever waits for it will hear of.
        let _ = self.library.write_all(library.as_os_str().as_bytes());
        drop(self.library);
        self.process.target_executes();
        self.process
    }
}

/// What the tracer has of the CLI's.
#[derive(Debug)]
pub(super) struct Ends {
    /// To be closed when the target executes its program.
    _executes: OwnedFd,
    library: File,
}

impl Ends {
    /// The interposer's path: waits until the CLI tells it. None if it never will.
    pub(super) fn library(&mut self) -> Option<PathBuf> {
        let mut path = Vec::new();
        self.library.read_to_end(&mut path).ok()?;
        (!path.is_empty()).then(|| OsString::from_vec(path).into())
    }
}

/// A tracer that has been started.
#[derive(Debug)]
pub struct Process {
    pid: Pid,
    /// A pipe whose other end is closed when the target executes its program.
    executed: OwnedFd,
}

/// So long does [`Process::target_executes`] wait.
const PATIENCE_MS: u16 = 20;

impl Process {
    /// Starts the tracer; `failed` tells the user why it gave up, and returns its exit status. To be called by the
    /// CLI's first thread, whose end counts as the CLI's, before there is a second one.
    ///
    /// # Errors
    /// If there is no process to be had.
    pub(crate) fn start(spec: Spec, failed: impl FnOnce(&anyhow::Error) -> u8) -> io::Result<Waiting> {
        let (executed, executes) = pipe2(OFlag::O_CLOEXEC)?;
        let (told, tell) = pipe2(OFlag::O_CLOEXEC)?;
        // SAFETY: this process has one thread, so no lock is held that the child would wait for.
        match unsafe { fork() }? {
            ForkResult::Parent { child } => {
                Ok(Waiting { process: Self { pid: child, executed }, library: tell.into() })
            }
            ForkResult::Child => {
                sigpipe::block_all_signals();
                // SAFETY: a string that the kernel copies.
                unsafe { libc::prctl(libc::PR_SET_NAME, c"calltap-tracer".as_ptr()) };
                close_our_own([executes.as_raw_fd(), told.as_raw_fd()]);
                let ends = Ends { _executes: executes, library: told.into() };
                let run = AssertUnwindSafe(|| match super::main(spec, ends) {
                    Ok(()) => 0,
                    Err(error) => failed(&error),
                });
                // What the CLI would do at its end, such as writing out what it has buffered, is not done here.
                let status = catch_unwind(run).unwrap_or(PANICKED);
                // SAFETY: ends the process, whatever state it is in.
                unsafe { libc::_exit(i32::from(status)) }
            }
        }
    }

    /// Waits until the target executes its program, or cannot, or takes long. A hint, no promise: threads that are
    /// started before would take the CPUs that tracer and target start on.
    fn target_executes(&self) {
        let mut end = [PollFd::new(self.executed.as_fd(), PollFlags::empty())];
        let _ = poll(&mut end, PATIENCE_MS);
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// Waits until it has ended.
    ///
    /// # Errors
    /// If somebody else has waited for it.
    pub fn wait(self) -> io::Result<ExitStatus> {
        let mut status = 0;
        loop {
            // SAFETY: a child of ours, and a place for its status.
            if unsafe { libc::waitpid(self.pid.as_raw(), &raw mut status, 0) } == self.pid.as_raw() {
                return Ok(ExitStatus::from_raw(status));
            }
            let error = io::Error::last_os_error();
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(error);
            }
        }
    }
}

/// The exit status of a Rust program that has panicked.
const PANICKED: u8 = 101;

/// Closes what an exec would close, which is all that the CLI has opened itself: the tracer may outlive it, and nobody
/// who waits for the end of one of its files or pipes is to wait for the target. What the CLI was given is the target's.
/// Except for those that are `kept`.
fn close_our_own(kept: [RawFd; 2]) {
    let Ok(open) = std::fs::read_dir("/proc/self/fd") else { return };
    let open: Vec<i32> = open.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    for descriptor in open {
        // SAFETY: F_GETFD looks at a number, open or not; the listing's own is not any more.
        let flags = unsafe { libc::fcntl(descriptor, libc::F_GETFD) };
        if flags >= 0 && flags & libc::FD_CLOEXEC != 0 && !kept.contains(&descriptor) {
            // SAFETY: nobody in this process uses it; the segment is mapped.
            unsafe { libc::close(descriptor) };
        }
    }
}
