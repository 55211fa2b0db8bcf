//! Starting the target as a tracee: forked, seized while it waits, and only then let into its exec.

use std::ffi::{CStr, CString, OsString, c_char};
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::ptrace::{self, Options};
use nix::unistd::{ForkResult, Pid, fork, pipe2};

use super::filter;
use super::user::User;
use crate::environment::{Change, changed};
use crate::sigpipe;

/// Why the target could not be started as a tracee.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LaunchError {
    /// A word of the command has a NUL byte inside.
    #[error("the command has a NUL byte in it, which no program can be given")]
    Nul,
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

/// Forks a child that will execute `target` under `filter` (none if empty), and seizes it with `options`.
///
/// To be called with all signals blocked and their dispositions as inherited: the child then has
/// only [`sigpipe::restore`] to do.
///
/// # Errors
/// [`LaunchError`]; then no child is left.
pub(crate) fn start(
    target: &Target<'_>,
    options: Options,
    filter: &[libc::sock_filter],
) -> Result<Launched, LaunchError> {
    let program = CString::new(target.program.as_os_str().as_bytes()).map_err(|_| LaunchError::Nul)?;
    let words = target
        .command
        .iter()
        .map(|word| CString::new(word.as_bytes()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| LaunchError::Nul)?;
    let variables = changed(inherited(), target.environment).map_err(|_| LaunchError::Nul)?;
    let (argv, envp) = (pointers(&words), pointers(&variables));

    let (go_there, go) = pipe2(OFlag::O_CLOEXEC).map_err(LaunchError::Resources)?;
    let (failure, failure_there) =
        pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK).map_err(LaunchError::Resources)?;

    // SAFETY: this process has one thread, and the child calls only async-signal-safe functions.
    match unsafe { fork() }.map_err(LaunchError::Resources)? {
        ForkResult::Child => {
            // Or the child would wait for ever for a tracer that died.
            drop(go);
            let vectors = Vectors { program: &program, argv: &argv, envp: &envp };
            execute(&go_there, failure_there.as_raw_fd(), &vectors, filter, target.user)
        }
        ForkResult::Parent { child } => {
            if let Err(errno) = ptrace::seize(child, options) {
                // The child sees the end of the pipe and exits.
                drop(go);
                let _ = nix::sys::wait::waitpid(child, None);
                return Err(LaunchError::Refused { errno, hint: why_refused() });
            }
            Ok(Launched { pid: child, go: Some(go), failure: File::from(failure) })
        }
    }
}

/// What execve takes; the arrays end with a null pointer.
struct Vectors<'a> {
    program: &'a CStr,
    argv: &'a [*const c_char],
    envp: &'a [*const c_char],
}

/// The child: waits until it is seized, then becomes the target.
fn execute(
    go: &OwnedFd,
    failure: RawFd,
    vectors: &Vectors<'_>,
    filter: &[libc::sock_filter],
    user: Option<&User>,
) -> ! {
    let mut byte = [0];
    if matches!(nix::unistd::read(go, &mut byte), Ok(1)) {
        // Before the filter, which forbids to gain rights: a program of that user may have some to gain.
        if let Err(errno) = user.map_or(Ok(()), User::become_it) {
            tell(failure, false, errno as i32);
            // SAFETY: as at the end.
            unsafe { libc::_exit(127) }
        }
        let filtered = if filter.is_empty() { Ok(()) } else { filter::install(filter) };
        if let Err(errno) = filtered {
            tell(failure, true, errno as i32);
        } else {
            sigpipe::restore();
            let Vectors { program, argv, envp } = vectors;
            // SAFETY: NUL-terminated strings in NULL-terminated arrays, all alive.
            unsafe { libc::execve(program.as_ptr(), argv.as_ptr(), envp.as_ptr()) };
            tell(failure, false, Errno::last_raw());
        }
    }
    // SAFETY: ends this process without running anything of the parent's.
    unsafe { libc::_exit(127) }
}

/// Writes a [`Failure`] for the parent.
fn tell(failure: RawFd, of_filter: bool, errno: i32) {
    let [a, b, c, d] = errno.to_ne_bytes();
    let bytes = [u8::from(of_filter), a, b, c, d];
    // SAFETY: the buffer is alive and as long as announced.
    unsafe { libc::write(failure, bytes.as_ptr().cast(), bytes.len()) };
}

/// The environment that we were given, every string of it.
fn inherited() -> Vec<CString> {
    let mut strings = Vec::new();
    // SAFETY: libc's own variable; this process has one thread, which does not change it here.
    let mut next = unsafe { environ };
    while !next.is_null() {
        // SAFETY: within an array of pointers that ends with a null pointer, which is not passed.
        let string = unsafe { *next };
        if string.is_null() {
            break;
        }
        // SAFETY: a NUL-terminated string that nobody changes meanwhile.
        strings.push(unsafe { CStr::from_ptr(string) }.to_owned());
        // SAFETY: the null pointer at the array's end comes after this one.
        next = unsafe { next.add(1) };
    }
    strings
}

/// Pointers to the strings, and a null pointer.
fn pointers(strings: &[CString]) -> Vec<*const c_char> {
    strings.iter().map(|string| string.as_ptr()).chain([std::ptr::null()]).collect()
}

unsafe extern "C" {
    static environ: *const *const c_char;
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
