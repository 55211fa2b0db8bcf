//! Starting the target as a tracee: seized while it waits, and only then let into its exec.

use std::ffi::{NulError, OsString};
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::ptrace::{self, Options};
use nix::unistd::{Pid, pipe2};

use super::child::{Child, Ends};
use super::user::User;
use crate::environment::Change;

/// Why the target could not be started as a tracee.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LaunchError {
    /// A word of the command has a NUL byte inside.
    #[error("the command has a NUL byte in it, which no program can be given")]
    Nul(#[from] NulError),
    /// No process or pipe could be made.
    #[error("cannot start a process: {0}\nhint: look at `ulimit -u` and `ulimit -n`")]
    Resources(Errno),
    /// The kernel does not let us trace our own child.
    #[error("cannot trace the target: {errno}\nhint: {hint}")]
    Refused {
        /// The kernel's reason.
        errno: Errno,
        /// What is in the way, as far as we can see.
        hint: &'static str,
    },
}

/// A target on its way into its exec.
#[derive(Debug)]
pub(crate) struct Launched {
    /// Its process id.
    pub(crate) pid: Pid,
    /// What it waits for. Closed without a word, it exits.
    go: Option<OwnedFd>,
    /// Where it writes why it cannot execute; closed by the exec.
    failure: File,
}

impl Launched {
    /// Lets it into its exec.
    pub(crate) fn begin(&mut self) {
        if let Some(go) = self.go.take() {
            // Fails only if the child was killed, which the event loop will hear of.
            let _ = nix::unistd::write(&go, &[1]);
        }
    }

    /// Why the exec failed; `None` if it did not, or has not yet. Never blocks.
    pub(crate) fn failure(&mut self) -> Option<Failure> {
        let mut bytes = [0; 5];
        self.failure.read_exact(&mut bytes).ok()?;
        let [of_filter, errno @ ..] = bytes;
        Some(Failure { errno: i32::from_ne_bytes(errno), of_filter: of_filter != 0 })
    }
}

/// Why the target could not be executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The kernel's reason.
    pub(crate) errno: i32,
    /// Whether it is the filter that was refused, not the exec.
    pub(crate) of_filter: bool,
}

/// What is started.
#[derive(Debug)]
pub(crate) struct Target<'a> {
    /// The file to execute.
    pub(crate) program: &'a Path,
    /// Its arguments, its name included.
    pub(crate) command: &'a [OsString],
    /// What is changed in the environment that we were given.
    pub(crate) environment: &'a [Change],
    /// Whose ids it gets; None: ours.
    pub(crate) user: Option<&'a User>,
}

/// Starts a child that will execute `target` under `filter` (none if empty), and seizes it with `options`.
///
/// To be called with all signals blocked and their dispositions as inherited: the child then has only
/// [`crate::sigpipe::restore`] to do.
///
/// # Errors
/// [`LaunchError`]; then no child is left.
pub(crate) fn start(
    target: &Target<'_>,
    options: Options,
    filter: Vec<libc::sock_filter>,
) -> Result<Launched, LaunchError> {
    let (go_there, go) = pipe2(OFlag::O_CLOEXEC).map_err(LaunchError::Resources)?;
    let (failure, failure_there) =
        pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK).map_err(LaunchError::Resources)?;
    let ends =
        Ends { go: go_there.as_raw_fd(), others_go: go.as_raw_fd(), failure: failure_there.as_raw_fd() };
    let pid = Child::new(target, filter, ends)?.start().map_err(LaunchError::Resources)?;
    if let Err(errno) = ptrace::seize(pid, options) {
        // The child sees the end of the pipe and exits.
        drop(go);
        let _ = nix::sys::wait::waitpid(pid, None);
        return Err(LaunchError::Refused { errno, hint: why_refused() });
    }
    Ok(Launched { pid, go: Some(go), failure: File::from(failure) })
}

fn why_refused() -> &'static str {
    let traced = std::fs::read_to_string("/proc/self/status").is_ok_and(|status| {
        status.lines().any(|line| line.starts_with("TracerPid:") && !line.ends_with("\t0"))
    });
    let forbidden =
        std::fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope").is_ok_and(|scope| scope.trim() == "3");
    if traced {
        "calltap is itself being traced (by strace -f or a debugger), and a process has one tracer"
    } else if forbidden {
        "kernel.yama.ptrace_scope is 3, which forbids tracing until the next boot"
    } else {
        "a seccomp filter forbids ptrace; in a container, start it with --cap-add=SYS_PTRACE"
    }
}
