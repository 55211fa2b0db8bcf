//! Starting the program: forked and executed, with nothing of ours in it.

use std::ffi::{CStr, CString, OsString, c_char};
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::time::Instant;

use anyhow::Context;
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::unistd::{ForkResult, Pid, fork, pipe2};

use crate::environment::{Change, changed};
use crate::sigpipe;

const PRELOAD: &str = "LD_PRELOAD";

/// A program that is under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Started {
    /// Its process.
    pub(super) pid: Pid,
    /// Just before its fork.
    pub(super) began: Instant,
}

/// The environment that we were given, with changes, and a library put in front of what would be preloaded then.
///
/// # Errors
/// If a value has a NUL byte in it, or our environment cannot be read.
pub(super) fn environment(changes: &[Change], preload: Option<&Path>) -> anyhow::Result<Vec<CString>> {
    // As the kernel keeps it, strings without a `=` among them.
    let block = std::fs::read("/proc/self/environ").context("cannot read the environment")?;
    let given = block.split_inclusive(|&byte| byte == 0).filter_map(|string| {
        let string = CStr::from_bytes_with_nul(string).ok()?;
        Some(string.to_owned())
    });
    let nul = "the environment cannot have a NUL byte in it";
    let environment = changed(given.collect(), changes).context(nul)?;
    let Some(library) = preload else { return Ok(environment) };
    let mut value = OsString::from(format!("{PRELOAD}="));
    value.push(library);
    let mut value = value.into_vec();
    let before = environment.iter().find_map(|string| {
        string
            .as_bytes()
            .strip_prefix(PRELOAD.as_bytes())?
            .strip_prefix(b"=")
            .filter(|value| !value.is_empty())
    });
    if let Some(before) = before {
        value.push(b':');
        value.extend(before);
    }
    let preloaded = Change::parse(OsString::from_vec(value)).map_err(anyhow::Error::msg)?;
    changed(environment, &[preloaded]).context(nul)
}

/// Forks and executes `command`, which is looked for in our PATH.
///
/// Returns the kernel's reason if it cannot be executed. To be called while this process has one thread.
///
/// # Errors
/// If no process or pipe can be made, or the command has a NUL byte in it.
pub(super) fn start(command: &[OsString], environment: &[CString]) -> anyhow::Result<Result<Started, i32>> {
    let words: Vec<CString> = command
        .iter()
        .map(|word| CString::new(word.as_bytes()))
        .collect::<Result<_, _>>()
        .context("the command has a NUL byte in it, which no program can be given")?;
    let (argv, envp) = (pointers(&words), pointers(environment));
    let no_process = "cannot start a process\nhint: look at `ulimit -u` and `ulimit -n`";
    let (failure, failure_there) = pipe2(OFlag::O_CLOEXEC).context(no_process)?;
    let began = Instant::now();
    // SAFETY: this process has one thread, and the child calls only async-signal-safe functions.
    match unsafe { fork() }.context(no_process)? {
        ForkResult::Child => execute(&argv, &envp, failure_there.as_raw_fd()),
        ForkResult::Parent { child } => {
            drop(failure_there);
            let mut errno = [0; 4];
            // The exec closes the pipe; so does the end of a child that was killed before it.
            match File::from(failure).read_exact(&mut errno) {
                Err(_) => Ok(Ok(Started { pid: child, began })),
                Ok(()) => {
                    let _ = nix::sys::wait::waitpid(child, None);
                    Ok(Err(i32::from_ne_bytes(errno)))
                }
            }
        }
    }
}

/// The child: becomes the program, or says why not.
fn execute(argv: &[*const c_char], envp: &[*const c_char], failure: RawFd) -> ! {
    sigpipe::restore();
    // SAFETY: NUL-terminated strings in arrays that end with a null pointer, all alive.
    unsafe { libc::execvpe(argv[0], argv.as_ptr(), envp.as_ptr()) };
    let errno = Errno::last_raw().to_ne_bytes();
    // SAFETY: the buffer is alive and as long as announced; `_exit` runs nothing of the parent's.
    unsafe {
        libc::write(failure, errno.as_ptr().cast(), errno.len());
        libc::_exit(127)
    }
}

fn pointers(strings: &[CString]) -> Vec<*const c_char> {
    strings.iter().map(|string| string.as_ptr()).chain([std::ptr::null()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_comes_before_what_would_be_preloaded() {
        let preload = |changes: &[&str], library: Option<&str>| {
            let changes: Vec<Change> =
                changes.iter().map(|text| Change::parse(text.into()).unwrap()).collect();
            let environment = environment(&changes, library.map(Path::new)).unwrap();
            let found: Vec<String> = environment
                .into_iter()
                .filter_map(|string| Some(string.to_str().ok()?.strip_prefix("LD_PRELOAD=")?.to_owned()))
                .collect();
            found
        };
        assert_eq!(preload(&["LD_PRELOAD"], None), [""; 0]);
        assert_eq!(preload(&["LD_PRELOAD"], Some("/a.so")), ["/a.so"]);
        assert_eq!(preload(&["LD_PRELOAD="], Some("/a.so")), ["/a.so"]);
        assert_eq!(preload(&["LD_PRELOAD=b.so:c.so"], Some("/a.so")), ["/a.so:b.so:c.so"]);
        assert_eq!(preload(&["LD_PRELOAD=b.so"], None), ["b.so"]);
    }

    #[test]
    fn all_else_stays_as_it_was_given() {
        let ours = std::fs::read("/proc/self/environ").unwrap();
        let mut same: Vec<u8> = Vec::new();
        for string in environment(&[], None).unwrap() {
            same.extend(string.as_bytes_with_nul());
        }
        assert_eq!(String::from_utf8_lossy(&same), String::from_utf8_lossy(&ours));
    }
}
