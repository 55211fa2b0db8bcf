//! Shell commands around a run: setup, teardown, load.

use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};
use nix::sys::signal::Signal;

use super::output::{Output, Written};
use super::tree::{self, Below};
use crate::sigpipe;

/// So much of what a command writes is kept.
const TAIL_BYTES: usize = 64 * 1024;
/// How long a command that is interrupted has for its end.
const GRACE: Duration = Duration::from_secs(5);
/// How often somebody looks whether we were interrupted.
pub(super) const TICK: Duration = Duration::from_millis(50);

/// A command under way.
#[derive(Debug)]
pub(super) struct Shell {
    /// Tells of its end, once.
    pub(super) ended: Receiver<(ExitStatus, Instant)>,
    began: Instant,
    pid: u32,
    output: Output,
}

impl Shell {
    /// Starts it, with the variant's label in its environment.
    ///
    /// # Errors
    /// If there is no process to be had.
    pub(super) fn start(script: &str, label: &str) -> anyhow::Result<Self> {
        let no_process = "cannot start a shell\nhint: look at `ulimit -u` and `ulimit -n`";
        let (reader, writer) = std::io::pipe().context(no_process)?;
        let output = Output::read(reader, TAIL_BYTES, None)?;
        let mut command = Command::new("/bin/sh");
        command.arg("-c").arg(script).env("CALLTAP_VARIANT", label).stdin(Stdio::null());
        command.stdout(writer.try_clone().context(no_process)?).stderr(writer);
        sigpipe::pass_signals_on(&mut command);
        let began = Instant::now();
        let child = command.spawn().context(no_process)?;
        // Our ends for writing go with it, or the pipe would have no end.
        drop(command);
        let pid = child.id();
        let ended = tell_end(child).inspect_err(|_| Below::Child(pid).kill_all())?;
        Ok(Self { ended, began, pid, output })
    }

    /// How long it took, if it ended then.
    pub(super) fn wall(&self, ended: Instant) -> Duration {
        ended.duration_since(self.began)
    }

    /// Kills it with all that it has started. Its end will be told.
    pub(super) fn kill(&self) {
        Below::Child(self.pid).kill_all();
    }

    /// What it wrote. To be called when it has ended.
    pub(super) fn finish(self) -> Written {
        self.output.finish()
    }

    /// Waits for its end. None if it was interrupted.
    fn wait(self, interrupted: Option<&AtomicBool>) -> Option<(ExitStatus, String)> {
        let mut deadline = None;
        loop {
            match self.ended.recv_timeout(TICK) {
                Ok((status, _)) => {
                    return deadline.is_none().then(|| (status, self.finish().tail()));
                }
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => {}
            }
            let is_interrupted = interrupted.is_some_and(|interrupted| interrupted.load(Ordering::Relaxed));
            match deadline {
                None if is_interrupted => {
                    tree::signal(self.pid, Signal::SIGTERM);
                    deadline = Some(Instant::now() + GRACE);
                }
                Some(deadline) if Instant::now() > deadline => self.kill(),
                _ => {}
            }
        }
    }
}

/// Waits for a child in a thread of its own.
///
/// # Errors
/// If there is no thread to be had.
pub(super) fn tell_end(mut child: Child) -> anyhow::Result<Receiver<(ExitStatus, Instant)>> {
    let (tell, ended) = bounded(1);
    let wait = move || {
        if let Ok(status) = child.wait() {
            let _ = tell.send((status, Instant::now()));
        }
    };
    thread::Builder::new().spawn(wait).context("cannot start a thread\nhint: look at `ulimit -u`")?;
    Ok(ended)
}

/// As a shell counts: 128 + n for death by signal n.
pub(super) fn status(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default())
}

/// Runs a command to its end. False if it was interrupted.
///
/// # Errors
/// If it cannot be started or fails.
pub(super) fn run(
    what: &str,
    script: &str,
    label: &str,
    interrupted: Option<&AtomicBool>,
) -> anyhow::Result<bool> {
    let Some((ended, output)) = Shell::start(script, label)?.wait(interrupted) else {
        return Ok(false);
    };
    if !ended.success() {
        // An interrupt of the terminal reaches it before us.
        if interrupted.is_some_and(|interrupted| interrupted.load(Ordering::Relaxed)) {
            return Ok(false);
        }
        let output = output.trim_end();
        let said = if output.is_empty() { String::new() } else { format!(", and said: {output}") };
        bail!(
            "the {what} failed: '{script}' ended with {ended}{said}\n\
             hint: try it with sh -c; CALLTAP_VARIANT was '{label}'"
        );
    }
    Ok(true)
}
