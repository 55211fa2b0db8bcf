//! What becomes the target: a process that shares the tracer's memory up to its exec.
//!
//! A fork would copy the tables of that memory, have the tracer copy each page that it writes to afterwards, and give
//! all of it back at the exec: half a millisecond of each start. As with `posix_spawn`, the child has a stack of its
//! own and changes nothing else but `errno`, and that only if it fails. Descriptors, signals and ids are its own.

use std::ffi::{CStr, CString, OsString, c_char, c_int, c_void};
use std::os::fd::RawFd;
use std::os::unix::ffi::OsStrExt;

use nix::errno::Errno;
use nix::unistd::Pid;

use super::filter;
use super::launch::{LaunchError, Target};
use super::user::User;
use crate::environment::changed;
use crate::sigpipe;

/// Bytes of the child's stack. It calls little.
const STACK: usize = 64 << 10;

/// Its ends of two pipes, and the one end that it has to close.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends {
    /// Where it reads the byte on which it goes on.
    pub(super) go: RawFd,
    /// The other end of that: open, it would wait for ever for a tracer that died.
    pub(super) others_go: RawFd,
    /// Where it writes why it cannot execute.
    pub(super) failure: RawFd,
}

/// All that it reads.
#[derive(Debug)]
pub(super) struct Child {
    program: CString,
    argv: Strings,
    envp: Strings,
    filter: Vec<libc::sock_filter>,
    user: Option<User>,
    ends: Ends,
    stack: Vec<u8>,
}

/// Strings, and pointers to them with a null pointer behind.
#[derive(Debug)]
struct Strings {
    pointers: Vec<*const c_char>,
    /// What they point to.
    _strings: Vec<CString>,
}

impl Strings {
    fn new(strings: Vec<CString>) -> Self {
        let pointers = strings.iter().map(|string| string.as_ptr()).chain([std::ptr::null()]).collect();
        Self { pointers, _strings: strings }
    }
}

impl Child {
    /// One that will execute `target` under `filter` (none if empty).
    ///
    /// # Errors
    /// [`LaunchError::Nul`].
    pub(super) fn new(
        target: &Target<'_>,
        filter: Vec<libc::sock_filter>,
        ends: Ends,
    ) -> Result<Self, LaunchError> {
        let string = |word: &OsString| CString::new(word.as_bytes());
        let words = target.command.iter().map(string).collect::<Result<_, _>>()?;
        Ok(Self {
            program: CString::new(target.program.as_os_str().as_bytes())?,
            argv: Strings::new(words),
            envp: Strings::new(changed(inherited(), target.environment)?),
            filter,
            user: target.user.cloned(),
            ends,
            stack: Vec::with_capacity(STACK),
        })
    }

    /// Starts it.
    ///
    /// # Errors
    /// Of clone(2).
    pub(super) fn start(self) -> nix::Result<Pid> {
        // For good: nobody tells when it has executed or ended, and there is one in the tracer's life.
        let itself = Box::leak(Box::new(self));
        // Who changes its user makes the memory that it has undumpable, and with it ours.
        let shared = if itself.user.is_none() { libc::CLONE_VM } else { 0 };
        // SAFETY: within the capacity, at its end; clone aligns it.
        let top = unsafe { itself.stack.as_mut_ptr().add(STACK) };
        let itself = std::ptr::from_mut(itself).cast();
        // SAFETY: the stack is nobody else's, and what it reads lives for ever.
        let pid = unsafe { libc::clone(become_target, top.cast(), shared | libc::SIGCHLD, itself) };
        Errno::result(pid).map(Pid::from_raw)
    }

    /// Waits until it is seized, then becomes the target.
    fn execute(&self) -> ! {
        let Ends { go, others_go, failure } = self.ends;
        // SAFETY: the child's own descriptor, which it does not use.
        unsafe { libc::close(others_go) };
        let mut byte = 0_u8;
        // SAFETY: the byte is alive.
        if unsafe { libc::read(go, (&raw mut byte).cast(), 1) } == 1 {
            // Before the filter, which forbids to gain rights: a program of that user may have some to gain.
            if let Err(errno) = self.user.as_ref().map_or(Ok(()), User::become_it) {
                tell(failure, false, errno as i32);
                // SAFETY: as at the end.
                unsafe { libc::_exit(127) }
            }
            let filtered = if self.filter.is_empty() { Ok(()) } else { filter::install(&self.filter) };
            if let Err(errno) = filtered {
                tell(failure, true, errno as i32);
            } else {
                sigpipe::restore();
                let (argv, envp) = (self.argv.pointers.as_ptr(), self.envp.pointers.as_ptr());
                // SAFETY: NUL-terminated strings in NULL-terminated arrays, all alive.
                unsafe { libc::execve(self.program.as_ptr(), argv, envp) };
                tell(failure, false, Errno::last_raw());
            }
        }
        // SAFETY: ends this process without running anything of the tracer's.
        unsafe { libc::_exit(127) }
    }
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

unsafe extern "C" {
    static environ: *const *const c_char;
}

extern "C" fn become_target(child: *mut c_void) -> c_int {
    // SAFETY: `Child::start` has passed it, and nobody changes it any more.
    unsafe { &*child.cast::<Child>() }.execute()
}

/// Writes a [`super::launch::Failure`] for the tracer.
fn tell(failure: RawFd, of_filter: bool, errno: i32) {
    let [a, b, c, d] = errno.to_ne_bytes();
    let bytes = [u8::from(of_filter), a, b, c, d];
    // SAFETY: the buffer is alive and as long as announced.
    unsafe { libc::write(failure, bytes.as_ptr().cast(), bytes.len()) };
}
