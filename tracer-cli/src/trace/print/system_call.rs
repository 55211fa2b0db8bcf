//! Results of system calls, as strace shows them.

use std::io;

use nix::errno::Errno;

use super::arguments::{self, Call};
use super::text::{Color, Text};

/// What the kernel gives for a call that it will make again, or have made again; programs never see them.
const RESTARTS: [(i64, &str, &str); 4] = [
    (512, "ERESTARTSYS", "To be restarted if SA_RESTART is set"),
    (513, "ERESTARTNOINTR", "To be restarted"),
    (514, "ERESTARTNOHAND", "To be restarted if no handler"),
    (516, "ERESTART_RESTARTBLOCK", "Interrupted by signal"),
];

/// The greatest number of an error.
const GREATEST: i64 = 4095;

/// The error that a result is; None if the call succeeded.
#[must_use]
pub fn error(result: i64) -> Option<i32> {
    (-GREATEST..0).contains(&result).then_some(-result as i32)
}

/// Whether a system call never returns.
#[must_use]
pub fn never_returns(name: &str) -> bool {
    matches!(name, "exit" | "exit_group" | "rt_sigreturn")
}

/// Writes a system call's name as it is shown: `open@SYS`.
pub fn name(out: &mut Text, name: &str) {
    out.str(name);
    out.raw(b"@SYS");
}

/// Writes a result: `3`, `-1 ENOENT (No such file or directory)`, `? ERESTARTSYS (To be restarted if ...)`.
pub fn result(out: &mut Text, call: Option<&Call<'_>>, result: i64) {
    let Some(errno) = error(result) else {
        return match call {
            Some(call) => call.write_result(out),
            None => arguments::write_guess(out, result as u64),
        };
    };
    out.color(Color::Failure);
    match RESTARTS.iter().find(|(number, ..)| *number == i64::from(errno)) {
        Some((_, name, meaning)) => {
            out.raw(b"? ");
            out.str(name);
            out.raw(b" (");
            out.str(meaning);
            out.byte(b')');
        }
        None => {
            out.raw(b"-1 ");
            described(out, errno);
        }
    }
    out.plain();
}

/// Writes an error's name and what it means: `ENOENT (No such file or directory)`.
pub fn described(out: &mut Text, errno: i32) {
    error_name(out, errno);
    let meaning = io::Error::from_raw_os_error(errno).to_string();
    let meaning = meaning.rsplit_once(" (os error").map_or(meaning.as_str(), |(meaning, _)| meaning);
    out.raw(b" (");
    out.str(meaning);
    out.byte(b')');
}

/// Writes an error's name; its number if it has none.
pub fn error_name(out: &mut Text, errno: i32) {
    match Errno::from_raw(errno) {
        Errno::UnknownErrno => {
            out.raw(b"error ");
            out.signed(i64::from(errno));
        }
        known => out.str(&format!("{known:?}")),
    }
}
