//! The parts of a call's line.

use super::arguments::{self, Call, GUESSED, Limits, Progress};
use super::text::{Color, Text};
use super::{system_call, view};
use crate::trace::event::{Entered, Returned, SystemCall};

/// Writes a library call's left side: caller, name, and the arguments that are known when it begins.
pub fn left(
    out: &mut Text,
    caller: Option<&str>,
    name: &str,
    entered: &Entered<'_>,
    limits: Limits,
) -> Progress {
    if let Some(caller) = caller {
        out.color(Color::Dim);
        out.str(caller);
        out.raw(b"->");
        out.plain();
    }
    begin(out, name);
    let mut progress = Progress::default();
    match view::at_entry(entered, limits) {
        Some(call) => call.write_arguments(out, &mut progress, false),
        None => arguments::write_guesses(out, &entered.values.gprs[..GUESSED]),
    }
    progress
}

/// Writes a function's name and the parenthesis behind it.
pub fn begin(out: &mut Text, name: &str) {
    out.color(Color::Name);
    out.str(name);
    out.plain();
    out.byte(b'(');
}

/// Writes a system call's left side: name, and the arguments that are known when it begins.
pub fn system_left(out: &mut Text, call: &SystemCall<'_>, limits: Limits) -> Progress {
    out.color(Color::Name);
    system_call::name(out, call.name);
    out.plain();
    out.byte(b'(');
    let mut progress = Progress::default();
    let registers = view::registers(call);
    match view::system(call, &registers, None, limits) {
        Some(call) => call.write_arguments(out, &mut progress, false),
        None => arguments::write_guesses(out, &call.arguments),
    }
    progress
}

/// Writes a library call's result.
pub fn result(out: &mut Text, call: Option<&Call<'_>>, returned: &Returned<'_>, error: Option<i32>) {
    if returned.left {
        return out.raw(b"<unwound>");
    }
    if error.is_some() {
        out.color(Color::Failure);
    }
    match call {
        Some(call) => call.write_result(out),
        None => arguments::write_guess(out, returned.values.rax),
    }
    if error.is_some() {
        out.plain();
    }
}
