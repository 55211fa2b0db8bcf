//! What signals mean to the tracer process.
//!
//! * The terminal's and a supervisor's signals are for the target and the CLI: ignored here.
//! * SIGUSR1 comes from the kernel when the CLI dies: nobody will drain the rings any more.
//! * SIGUSR2 comes from the CLI: let go of everything.
//! * SIGIO comes from the CLI: the header says which processes are to be stopped for a look.

use std::path::Path;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};

use calltap_channel::segment::{READER_GONE, Segment};
use nix::errno::Errno;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

use crate::futex;

static SEGMENT: OnceLock<Segment> = OnceLock::new();
static DETACH: AtomicBool = AtomicBool::new(false);
/// The timer of [`wake`]; null until there is one.
static TIMER: AtomicPtr<libc::c_void> = AtomicPtr::new(ptr::null_mut());

/// How often the loop is woken while a process is being stopped, in nanoseconds.
const WAKE_EVERY_NS: libc::c_long = 1_000_000;

const IGNORED: [Signal; 8] = [
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGTERM,
    Signal::SIGHUP,
    Signal::SIGTSTP,
    Signal::SIGTTIN,
    Signal::SIGTTOU,
    Signal::SIGPIPE,
];

/// Installs all of it and lets signals in.
///
/// `segment_path` is below the CLI's directory in `/proc`, so it tells whether the CLI died before
/// the kernel was asked to report that.
///
/// # Errors
/// The kernel's, of calls that do not fail.
pub(crate) fn install(segment: Segment, segment_path: &Path) -> nix::Result<()> {
    SEGMENT.get_or_init(|| segment);
    // SIGCHLD must not be ignored, as it may have been inherited.
    set(Signal::SIGCHLD, SigHandler::SigDfl)?;
    for signal in IGNORED {
        set(signal, SigHandler::SigIgn)?;
    }
    set(Signal::SIGUSR1, SigHandler::Handler(reader_died))?;
    set(Signal::SIGUSR2, SigHandler::Handler(detach))?;
    set(Signal::SIGALRM, SigHandler::Handler(woken))?;
    make_timer()?;
    set(Signal::SIGIO, SigHandler::Handler(wake))?;
    nix::sys::prctl::set_pdeathsig(Signal::SIGUSR1)?;
    SigSet::empty().thread_set_mask()?;
    if std::fs::symlink_metadata(segment_path).is_err() {
        reader_died(0);
    }
    Ok(())
}

/// Whether the CLI has asked to let go of everything.
pub(crate) fn detach_requested() -> bool {
    DETACH.load(Ordering::Relaxed)
}

/// Ends what SIGIO began.
pub(crate) fn rest() {
    set_timer(0);
}

/// A timer of its own: that of `setitimer` is the placement's.
fn make_timer() -> nix::Result<()> {
    let mut timer: libc::timer_t = ptr::null_mut();
    // SAFETY: all zero is a valid event: plain integers, and no pointer that is used.
    let mut event: libc::sigevent = unsafe { std::mem::zeroed() };
    event.sigev_notify = libc::SIGEV_SIGNAL;
    event.sigev_signo = libc::SIGALRM;
    // SAFETY: both pointers are to live values.
    Errno::result(unsafe { libc::timer_create(libc::CLOCK_MONOTONIC, &raw mut event, &raw mut timer) })?;
    TIMER.store(timer, Ordering::Relaxed);
    Ok(())
}

/// Sends SIGALRM so often, again and again; 0: never. Async-signal-safe.
fn set_timer(every_ns: libc::c_long) {
    let interval = libc::timespec { tv_sec: 0, tv_nsec: every_ns };
    let setting = libc::itimerspec { it_interval: interval, it_value: interval };
    // SAFETY: the timer was made by `make_timer` before the first signal is let in, and is never deleted.
    unsafe { libc::timer_settime(TIMER.load(Ordering::Relaxed), 0, &raw const setting, ptr::null_mut()) };
}

/// Interrupts waiting.
extern "C" fn woken(_signal: i32) {}

/// Has the loop look at what was asked for. The signal may come in the moment before `waitpid` blocks,
/// and would not be noticed; so others follow, until [`rest`].
extern "C" fn wake(_signal: i32) {
    let errno = Errno::last_raw();
    set_timer(WAKE_EVERY_NS);
    Errno::set_raw(errno);
}

fn set(signal: Signal, handler: SigHandler) -> nix::Result<()> {
    let action = SigAction::new(handler, SaFlags::empty(), SigSet::all());
    // SAFETY: all handlers are async-signal-safe: atomics and raw system calls, errno kept.
    unsafe { sigaction(signal, &action) }.map(drop)
}

/// Tells everyone who waits for the reader that it is gone.
extern "C" fn reader_died(_signal: i32) {
    let Some(segment) = SEGMENT.get() else { return };
    let errno = Errno::last_raw();
    let (header, inner) = (segment.header(), segment.inner());
    header.reader.store(READER_GONE, Ordering::SeqCst);
    inner.reader.store(READER_GONE, Ordering::SeqCst);
    inner.released_bell.fetch_add(1, Ordering::SeqCst);
    futex::wake_all(&inner.released_bell);
    let rings = u64::from(header.high_water.load(Ordering::Relaxed)).min(segment.layout().ring_count);
    for index in 0..rings as usize {
        let waiting = &segment.control(index).waiting;
        // Zero as well as a wake: one that is about to sleep on it does not begin.
        if waiting.swap(0, Ordering::SeqCst) != 0 {
            futex::wake_all(futex::low_half(waiting));
        }
    }
    Errno::set_raw(errno);
}

/// Asks the loop to let go.
///
/// If the signal comes in the moment before `waitpid` blocks, the loop would notice only at the
/// next stop, perhaps never. A child that ends at once is an event that `waitpid` cannot miss.
extern "C" fn detach(_signal: i32) {
    let errno = Errno::last_raw();
    DETACH.store(true, Ordering::SeqCst);
    // SAFETY: raw fork and exit: async-signal-safe, and the child runs no code but this.
    unsafe {
        if libc::syscall(libc::SYS_fork) == 0 {
            libc::syscall(libc::SYS_exit_group, 0);
        }
    }
    Errno::set_raw(errno);
}
