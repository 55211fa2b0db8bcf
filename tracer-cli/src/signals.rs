//! Signals to calltap itself: handed on to the target as a terminal or an init would.

use std::thread;

use crossbeam_channel::Sender;
use nix::sys::signal::{SigSet, Signal};

/// A signal that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrived {
    /// Which.
    pub signal: Signal,
    /// Whether a process sent it. The terminal's own go to the whole foreground group, the target
    /// included, and must not be handed on a second time.
    pub sent: bool,
}

/// Signals that mean "end" or belong to the target.
const HANDED_ON: [Signal; 6] =
    [Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGUSR1, Signal::SIGUSR2];

/// Holds these signals back in this thread and in those it starts later.
///
/// # Errors
/// The kernel's.
pub fn hold() -> nix::Result<()> {
    set().thread_block()
}

fn set() -> SigSet {
    HANDED_ON.into_iter().collect()
}

/// Tells of every signal that arrives, from a thread of its own, for the rest of the process's life.
///
/// [`hold`] has been called.
pub fn listen(to: Sender<Arrived>) {
    thread::spawn(move || {
        let set = set();
        loop {
            // SAFETY: siginfo_t is plain integers; all zero is a valid value to be overwritten.
            let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
            // SAFETY: both pointers are to live values.
            let number = unsafe { libc::sigwaitinfo(set.as_ref(), &raw mut info) };
            let Ok(signal) = Signal::try_from(number) else { continue };
            let sent = info.si_code != libc::SI_KERNEL;
            if to.send(Arrived { signal, sent }).is_err() {
                return;
            }
        }
    });
}
