//! A program under way, with the process of ours above it.

use std::ffi::OsString;
use std::fs::File;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use crossbeam_channel::{Receiver, never, select, unbounded};
use nix::sys::signal::Signal;

use super::end::End;
use super::output::Output;
use super::shell::{self, TICK};
use super::tree::{self, Below};
use super::{Plan, calltap};
use crate::compare::descendants;
use crate::compare::run::Ending;
use crate::compare::when::When;
use crate::sigpipe;

/// Of stderr, for messages.
const STDERR_BYTES: usize = 4096;
/// How long a program that is interrupted has for its end: by itself, for a terminal tells it too; then by SIGTERM.
const BY_ITSELF: Duration = Duration::from_millis(500);
const BY_REQUEST: Duration = Duration::from_secs(5);
/// How long ours have to tell of a program that was killed.
const TO_TELL: Duration = Duration::from_secs(20);
/// After the program's own end, `calltap run` waits so long for what it left running.
const LEFT_BEHIND: Duration = Duration::from_secs(1);

/// A program under way.
pub(super) struct Running<'a> {
    pub(super) plan: &'a Plan,
    pub(super) label: &'a str,
    pub(super) started: Instant,
    interrupted: &'a AtomicBool,
    below: Below,
    /// The program's first process, once it was seen.
    root: Option<u32>,
    /// When it was first seen to have ended.
    root_ended: Option<Instant>,
    ended: Receiver<(ExitStatus, Instant)>,
    lines: Receiver<String>,
    stdout: Output,
    stderr: Output,
}

/// What a wait came to.
pub(super) enum Woken<T> {
    /// The run has ended.
    Ended(ExitStatus),
    /// The program has written a line.
    Line(String),
    /// What was waited for beside it has come.
    Also(T),
    /// It is time.
    Deadline,
    /// Somebody wants us to end.
    Interrupted,
}

impl<'a> Running<'a> {
    /// Starts calltap with these arguments.
    ///
    /// # Errors
    /// If there is no process to be had, or no input.
    pub(super) fn start(
        plan: &'a Plan,
        label: &'a str,
        arguments: &[OsString],
        tapped: bool,
        interrupted: &'a AtomicBool,
    ) -> anyhow::Result<Self> {
        let no_process = "cannot start a process\nhint: look at `ulimit -u` and `ulimit -n`";
        let input = match &plan.input {
            Some(path) => File::open(path)
                .with_context(|| {
                    format!("cannot read the input {}\nhint: see the option --input", path.display())
                })?
                .into(),
            None => Stdio::null(),
        };
        let says = matches!(plan.until, Some(When::Says(_)));
        let (tell_line, lines) = unbounded();
        let tell_line = says.then_some(tell_line);
        let (stdout, stdout_there) = std::io::pipe().context(no_process)?;
        let (stderr, stderr_there) = std::io::pipe().context(no_process)?;
        let stdout = Output::read(stdout, 0, tell_line.clone())?;
        let stderr = Output::read(stderr, STDERR_BYTES, tell_line)?;
        let mut command = Command::new(calltap());
        command.args(arguments).stdin(input).stdout(stdout_there).stderr(stderr_there);
        sigpipe::pass_signals_on(&mut command);
        let started = Instant::now();
        let child = command.spawn().context(no_process)?;
        // Our ends for writing go with it, or the pipes would have no end.
        drop(command);
        let pid = child.id();
        let below = if tapped { Below::Tracer(pid) } else { Below::Child(pid) };
        let ended = shell::tell_end(child).inspect_err(|_| below.kill_all())?;
        let (root, root_ended) = (None, None);
        Ok(Self { plan, label, started, interrupted, below, root, root_ended, ended, lines, stdout, stderr })
    }

    /// Lets it run, works it if it is a service, and waits for its end. None if it was interrupted.
    ///
    /// # Errors
    /// If there is no process for its load, or ours get lost.
    pub(super) fn finish(mut self) -> anyhow::Result<Option<End>> {
        if self.plan.until.is_some() {
            return self.serve();
        }
        let limit = self.plan.time_limit.map(|limit| self.started + limit);
        match self.wait(limit, &never::<()>(), true) {
            Woken::Ended(status) => Ok(Some(self.end(status, None))),
            Woken::Interrupted => self.abort(),
            _ => self.kill(Ending::TimedOut).map(Some),
        }
    }

    /// Waits until something happens. An interruption only counts if it is heeded.
    pub(super) fn wait<T>(&mut self, until: Option<Instant>, also: &Receiver<T>, heed: bool) -> Woken<T> {
        loop {
            if heed && self.interrupted.load(Ordering::Relaxed) {
                return Woken::Interrupted;
            }
            self.look_at_root();
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            select! {
                recv(self.ended) -> ended => if let Ok((status, _)) = ended {
                    return Woken::Ended(status);
                },
                recv(self.lines) -> line => match line {
                    Ok(line) => return Woken::Line(line),
                    Err(_) => self.lines = never(),
                },
                recv(also) -> also => if let Ok(also) = also {
                    return Woken::Also(also);
                },
                default(left.map_or(TICK, |left| left.min(TICK))) => if left.is_some_and(|left| left < TICK) {
                    return Woken::Deadline;
                },
            }
        }
    }

    /// Nobody listens to lines any more.
    pub(super) fn ignore_lines(&mut self) {
        self.lines = never();
    }

    /// `calltap run` follows a program's children to their end; a run of ours ends with the program.
    fn look_at_root(&mut self) {
        let gone = match self.root {
            Some(root) => !descendants::is_alive(root),
            None => {
                self.root = self.below.root();
                self.root.is_none() && self.below.root_is_gone()
            }
        };
        if let Below::Tracer(pid) = self.below
            && gone
        {
            let ended = *self.root_ended.get_or_insert_with(Instant::now);
            if ended.elapsed() > LEFT_BEHIND {
                // It lets them go then.
                tree::signal(pid, Signal::SIGTERM);
                self.root_ended = Some(Instant::now());
            }
        }
    }

    /// Sends a signal to the program's first process; false if there is none.
    pub(super) fn signal(&mut self, signal: Signal) -> bool {
        self.look_at_root();
        if let Some(root) = self.root {
            tree::signal(root, signal);
        }
        self.root.is_some()
    }

    /// Kills the program and waits for ours to tell of it.
    pub(super) fn kill(mut self, ending: Ending) -> anyhow::Result<End> {
        self.below.kill_program();
        if let Woken::Ended(status) = self.wait_for_end(TO_TELL) {
            return Ok(self.end(status, Some(ending)));
        }
        self.below.kill_all();
        match self.wait_for_end(TO_TELL) {
            Woken::Ended(status) => Ok(self.end(status, Some(ending))),
            _ => anyhow::bail!("process {} cannot be killed", self.below.ours()),
        }
    }

    /// Makes an end, the more resolutely the longer it takes.
    pub(super) fn abort(mut self) -> anyhow::Result<Option<End>> {
        if let Woken::Ended(_) = self.wait_for_end(BY_ITSELF) {
            return Ok(None);
        }
        if self.signal(Signal::SIGTERM)
            && let Woken::Ended(_) = self.wait_for_end(BY_REQUEST)
        {
            return Ok(None);
        }
        self.kill(Ending::TimedOut)?;
        Ok(None)
    }

    /// Waits for its end alone.
    pub(super) fn wait_for_end(&mut self, limit: Duration) -> Woken<()> {
        self.ignore_lines();
        self.wait(Some(Instant::now() + limit), &never(), false)
    }

    /// What is left of it.
    pub(super) fn end(self, status: ExitStatus, by_us: Option<Ending>) -> End {
        let (stdout, stderr) = (self.stdout.finish(), self.stderr.finish());
        End {
            status,
            by_us,
            stdout_bytes: stdout.bytes,
            stdout_crc32: stdout.crc32.finalize(),
            stderr_tail: stderr.tail(),
            ready_ns: None,
            load: None,
        }
    }
}
