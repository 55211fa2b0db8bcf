//! What `run` and `trace` have in common: the rings, the tracer process, signals, the exit status.

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitStatus;

use anyhow::Context;
use calltap_channel::segment::{Layout, Segment};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::environment::Change;
use crate::preflight::Program;
use crate::segment_file::SegmentFile;
use crate::signals::Arrived;
use crate::system_calls::Selection;
use crate::tracer::Spec;
use crate::tracer::process::{Process, Waiting};

/// A layout with one ring more than threads, for the tracer.
///
/// # Errors
/// If rings of this size cannot be made.
pub fn layout(threads: u64, ring_bytes: u64) -> anyhow::Result<Layout> {
    Layout::new(threads + 1, ring_bytes)
        .map_err(|reason| anyhow::anyhow!("rings of {ring_bytes} bytes cannot be made: {reason:?}"))
}

/// How the tracer process is to be started.
#[derive(Debug)]
pub struct Start<'a> {
    /// What to execute.
    pub program: &'a Program,
    /// Its arguments, its name first.
    pub command: &'a [OsString],
    /// The segment.
    pub file: &'a SegmentFile,
    /// Whether children are followed.
    pub follow: bool,
    /// The system calls that are stopped.
    pub system_calls: &'a Selection,
    /// Stop at all system calls, without a filter.
    pub all_stops: bool,
    /// Whether processes' descriptors are listed where they begin.
    pub lists_descriptors: bool,
    /// Whose ids the program gets; None: ours.
    pub user: Option<&'a str>,
    /// What is changed in the program's environment.
    pub environment: &'a [Change],
}

impl Start<'_> {
    /// Starts it: it makes everything ready while the library is looked for. To be called while this process has but one
    /// thread.
    ///
    /// # Errors
    /// If there is no process to be had.
    pub fn tracer(&self) -> anyhow::Result<Waiting> {
        self.file.segment().prepare_inner();
        let spec = Spec {
            segment: self.file.segment(),
            segment_path: self.file.path().into(),
            follow: self.follow,
            system_calls: self.system_calls.clone(),
            all_stops: self.all_stops,
            lists_descriptors: self.lists_descriptors,
            user: self.user.map(str::to_owned),
            environment: self.environment.to_vec(),
            program: self.program.path.clone(),
            command: self.command.to_vec(),
        };
        Process::start(spec, crate::tell).context(
            "cannot start the tracer process\n\
             hint: a limit on processes (ulimit -u) counts",
        )
    }
}

/// Where signals go.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    tracer: Pid,
}

impl Target {
    /// The target of this tracer process.
    #[must_use]
    pub fn of(tracer: Pid) -> Self {
        Self { tracer }
    }

    /// Whether this process is the tracer's child: between its end and our hearing of it, its number may have become
    /// somebody else's.
    fn has_started(&self, process: u64) -> bool {
        let Ok(process) = u32::try_from(process) else { return false };
        process != 0
            && crate::snapshot::find::Status::of(process)
                .is_some_and(|status| i64::from(status.parent) == i64::from(self.tracer.as_raw()))
    }

    /// Hands a signal to the program; once that has ended, lets its children go.
    pub fn hand_on(&self, arrived: Arrived, segment: &Segment, root_ended: bool) {
        let root = segment.inner().root_pid.load(std::sync::atomic::Ordering::Acquire);
        let ends =
            matches!(arrived.signal, Signal::SIGINT | Signal::SIGTERM | Signal::SIGHUP | Signal::SIGQUIT);
        if root_ended && ends {
            // Only background children are left; they run on without us.
            let _ = kill(self.tracer, Signal::SIGUSR2);
        } else if arrived.sent && self.has_started(root) {
            let _ = kill(Pid::from_raw(root as i32), arrived.signal);
        }
    }
}

/// What is wrong if the tracer has failed. It has said on stderr why it gave up, unless it was killed; if the
/// program could not be executed, that is told elsewhere.
///
/// # Errors
/// That it has.
pub fn tracer_failed(failure: ExitStatus, exec_errno: Option<i32>) -> anyhow::Result<()> {
    match (failure.signal(), exec_errno) {
        (_, Some(_)) => Ok(()),
        (Some(signal), None) => {
            anyhow::bail!("the tracer process was killed by signal {signal}, and the program with it")
        }
        (None, None) => anyhow::bail!("the tracer process failed"),
    }
}

/// Why a program was not executed: the kernel's reason, or that it refused the filter of system calls. The verb's
/// options that do `without_filter` are the hint then.
#[must_use]
pub fn not_executed(
    program: &Path,
    errno: i32,
    filter_refused: bool,
    without_filter: &'static str,
) -> anyhow::Error {
    if filter_refused {
        FilterRefused { cause: std::io::Error::from_raw_os_error(errno), without_filter }.into()
    } else {
        NotExecuted::new(program, errno).into()
    }
}

/// The kernel refused the filter that stops system calls.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot stop system calls: the kernel refuses the filter: {cause}\n\
     hint: a sandbox or an old kernel is in the way; {without_filter}"
)]
struct FilterRefused {
    cause: std::io::Error,
    without_filter: &'static str,
}

/// The kernel refused to execute the program, although it looked executable.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot execute {}: {}\n\
     hint: run it without calltap to see whether the system itself refuses it",
    .program.display(), std::io::Error::from_raw_os_error(*.errno)
)]
pub struct NotExecuted {
    program: std::path::PathBuf,
    errno: i32,
}

impl NotExecuted {
    /// This program was refused with this error number.
    #[must_use]
    pub fn new(program: &Path, errno: i32) -> Self {
        Self { program: program.to_owned(), errno }
    }

    /// 127 if there is nothing to execute, 126 if it cannot be (POSIX sh, "Command Search").
    #[must_use]
    pub fn status(&self) -> u8 {
        if self.errno == nix::libc::ENOENT { 127 } else { 126 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_verb_hints_at_its_own_options() {
        let refused =
            |without| not_executed(Path::new("/bin/true"), nix::libc::EACCES, true, without).to_string();
        for (verb, without_filter) in
            [("run", crate::run::WITHOUT_FILTER), ("trace", crate::trace::WITHOUT_FILTER)]
        {
            let text = refused(without_filter);
            assert!(
                text.contains("refuses the filter: Permission denied") && text.ends_with(without_filter),
                "{text}"
            );
            let options = without_filter.split_whitespace().filter(|word| word.starts_with('-'));
            for option in options.map(|word| word.trim_end_matches([',', ';'])) {
                let line = ["calltap", verb, option, "all", "--", "true"];
                let known = <crate::cli::Cli as clap::Parser>::try_parse_from(line);
                assert!(
                    !known.is_err_and(|error| error.kind() == clap::error::ErrorKind::UnknownArgument),
                    "{option}"
                );
            }
        }
        let other = not_executed(Path::new("/bin/true"), nix::libc::EACCES, false, "").to_string();
        assert!(other.starts_with("cannot execute /bin/true: Permission denied"), "{other}");
    }
}
