//! Names of signals and what they mean, in the C library's words.

use super::text::Text;

/// Signals 1 to 31.
const SIGNALS: [(&str, &str); 31] = [
    ("SIGHUP", "Hangup"),
    ("SIGINT", "Interrupt"),
    ("SIGQUIT", "Quit"),
    ("SIGILL", "Illegal instruction"),
    ("SIGTRAP", "Trace/breakpoint trap"),
    ("SIGABRT", "Aborted"),
    ("SIGBUS", "Bus error"),
    ("SIGFPE", "Floating point exception"),
    ("SIGKILL", "Killed"),
    ("SIGUSR1", "User defined signal 1"),
    ("SIGSEGV", "Segmentation fault"),
    ("SIGUSR2", "User defined signal 2"),
    ("SIGPIPE", "Broken pipe"),
    ("SIGALRM", "Alarm clock"),
    ("SIGTERM", "Terminated"),
    ("SIGSTKFLT", "Stack fault"),
    ("SIGCHLD", "Child exited"),
    ("SIGCONT", "Continued"),
    ("SIGSTOP", "Stopped (signal)"),
    ("SIGTSTP", "Stopped"),
    ("SIGTTIN", "Stopped (tty input)"),
    ("SIGTTOU", "Stopped (tty output)"),
    ("SIGURG", "Urgent I/O condition"),
    ("SIGXCPU", "CPU time limit exceeded"),
    ("SIGXFSZ", "File size limit exceeded"),
    ("SIGVTALRM", "Virtual timer expired"),
    ("SIGPROF", "Profiling timer expired"),
    ("SIGWINCH", "Window changed"),
    ("SIGIO", "I/O possible"),
    ("SIGPWR", "Power failure"),
    ("SIGSYS", "Bad system call"),
];

/// The first real-time signal that programs may use: the C library keeps those before it.
const FIRST_REAL_TIME: i32 = 34;

fn known(signal: i32) -> Option<&'static (&'static str, &'static str)> {
    SIGNALS.get(usize::try_from(signal).ok()?.checked_sub(1)?)
}

/// Writes a signal's name: `SIGCHLD`, `SIGRTMIN+6`.
pub fn name(out: &mut Text, signal: i32) {
    match known(signal) {
        Some((name, _)) => out.str(name),
        None if (FIRST_REAL_TIME..=64).contains(&signal) => {
            out.str("SIGRTMIN+");
            out.signed(i64::from(signal - FIRST_REAL_TIME));
        }
        None => {
            out.str("SIG");
            out.signed(i64::from(signal));
        }
    }
}

/// Writes what a signal means.
pub fn meaning(out: &mut Text, signal: i32) {
    match known(signal) {
        Some((_, meaning)) => out.str(meaning),
        None if (FIRST_REAL_TIME..=64).contains(&signal) => {
            out.str("Real-time signal ");
            out.signed(i64::from(signal - FIRST_REAL_TIME));
        }
        None => {
            out.str("Unknown signal ");
            out.signed(i64::from(signal));
        }
    }
}
