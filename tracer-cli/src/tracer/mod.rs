//! The tracer: a process of its own between the CLI and the target.
//!
//! It is the target's parent and the CLI's child, has one thread, and writes what it sees of the
//! target's processes into its own ring. If the CLI dies it goes on resuming the target.

mod arguments;
mod calls;
mod captures;
mod child;
mod denied_clock;
mod events;
mod family;
#[cfg(test)]
mod faulting;
mod filter;
mod guarded;
mod held;
mod injection;
mod launch;
pub(crate) mod loader;
mod memory;
mod notes;
mod placement;
pub(crate) mod process;
mod program;
mod ptrace;
pub(crate) mod reach;
mod signals;
pub(crate) mod sleep;
pub(crate) mod startup;
mod tracees;
pub(crate) mod unwind;
mod user;

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use anyhow::{Context, anyhow};
use calltap_channel::segment::Segment;
use nix::sys::ptrace::Options;

use self::calls::Calls;
use self::events::Events;
use self::filter::{ALWAYS, FILTER_DATA};
use self::injection::Injection;
use self::launch::Target;
use self::notes::Notes;
use self::placement::Placement;
use self::process::Ends;
pub(crate) use self::user::User;
use crate::environment::Change;
use crate::system_calls::Selection;

/// What the CLI asks the tracer to do.
#[derive(Debug)]
pub(crate) struct Spec {
    /// The segment, which the CLI has mapped.
    pub(crate) segment: Segment,
    /// Where processes of the target find the segment: `/proc/PID/fd/N` of the CLI.
    pub(crate) segment_path: OsString,
    /// Whether processes that the first one makes are followed.
    pub(crate) follow: bool,
    /// The system calls that are stopped.
    pub(crate) system_calls: Selection,
    /// Whether threads stop at all system calls, without a filter.
    pub(crate) all_stops: bool,
    /// Whether processes' descriptors are listed where they begin.
    pub(crate) lists_descriptors: bool,
    /// The name of the user whose ids the target gets; None: ours.
    pub(crate) user: Option<String>,
    /// What is changed in the target's environment.
    pub(crate) environment: Vec<Change>,
    /// The file to execute.
    pub(crate) program: PathBuf,
    /// The target's argument vector, its name included.
    pub(crate) command: Vec<OsString>,
}

/// Starts the target and follows it until every followed process has ended.
///
/// The process must have one thread, hold all signals back and have none of the CLI's descriptors:
/// [`process::Process::start`]. What they share is in `ends`.
///
/// # Errors
/// If the target could not be started as a tracee; it has not run then.
fn main(spec: Spec, mut ends: Ends) -> anyhow::Result<()> {
    let options = options(&spec);
    let segment = spec.segment;
    let notes = Notes::claim(segment).ok_or_else(|| anyhow!("the segment has no free ring"))?;

    // Before the handlers: the child keeps the dispositions it will pass on to the target.
    let filter = match segment.inner().tag.load(Ordering::Relaxed) {
        0 => Vec::new(),
        tag => spec.system_calls.filter(tag, FILTER_DATA, &ALWAYS),
    };
    let user = spec.user.as_deref().map(User::named).transpose()?;
    let target = Target {
        program: &spec.program,
        command: &spec.command,
        environment: &spec.environment,
        user: user.as_ref(),
    };
    let traces_calls = !spec.system_calls.is_empty();
    // Threads are moved only if their children are seen, to be moved back.
    let mut placement = (traces_calls && spec.follow).then(Placement::new);
    placement.iter_mut().for_each(Placement::stay);
    let mut root = launch::start(&target, options, filter)?;
    // The CLI has failed, and says why.
    let Some(library) = ends.library() else { return Ok(()) };
    let injection = Injection::new(library.clone(), &spec.segment_path)
        .context("cannot find the interposer's file or the segment")?;
    // The target has the other copy, up to its exec.
    drop(ends);
    segment.inner().root_pid.store(root.pid.as_raw() as u64, Ordering::Release);
    // It stops behind its exec at the latest. Where it shares our CPU it begins once we wait for that.
    root.begin();
    signals::install(segment, Path::new(&spec.segment_path)).context("cannot install signals")?;
    placement.iter_mut().for_each(|placement| placement.launched(root.pid.as_raw()));
    let calls =
        traces_calls.then(|| Calls::new(spec.system_calls, spec.all_stops, placement, segment, &library));
    release_standard_streams();
    Events::new(notes, injection, spec.follow, calls, spec.lists_descriptors, root)
        .run()
        .context("lost control of the target")
}

fn options(spec: &Spec) -> Options {
    let mut options = Options::PTRACE_O_EXITKILL
        | Options::PTRACE_O_TRACECLONE
        | Options::PTRACE_O_TRACEEXEC
        | Options::PTRACE_O_TRACEEXIT;
    if spec.follow {
        options |= Options::PTRACE_O_TRACEFORK | Options::PTRACE_O_TRACEVFORK;
    }
    if !spec.system_calls.is_empty() {
        options |= Options::PTRACE_O_TRACESYSGOOD | Options::PTRACE_O_TRACESECCOMP;
    }
    options
}

/// Lets go of standard input and output, so that nobody who waits for their end waits for us too.
fn release_standard_streams() {
    let Ok(null) = File::options().read(true).write(true).open("/dev/null") else {
        return;
    };
    // Fails only for want of descriptors; then they stay open as long as the target does.
    let _ = nix::unistd::dup2_stdin(&null);
    let _ = nix::unistd::dup2_stdout(&null);
}
