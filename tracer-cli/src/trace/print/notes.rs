//! Lines that are no call's.

use super::signal;
use super::text::Text;
use crate::trace::event::What;

/// Writes what happened; nothing if that is no line of its own.
pub fn write(out: &mut Text, what: &What<'_>) {
    match what {
        What::Signal { signal, .. } => {
            out.raw(b"--- ");
            signal::name(out, *signal);
            out.raw(b" (");
            signal::meaning(out, *signal);
            out.raw(b") ---");
        }
        What::Executed { .. } => out.raw(b"--- Called exec() ---"),
        What::Exited(status) => {
            out.raw(b"+++ exited (status ");
            out.signed(i64::from(*status));
            out.raw(b") +++");
        }
        What::Killed(signal) => {
            out.raw(b"+++ killed by ");
            signal::name(out, *signal);
            out.raw(b" +++");
        }
        What::Lost(records) => {
            out.raw(b"+++ lost ");
            out.unsigned(*records);
            out.raw(b" records +++");
        }
        _ => {}
    }
}

/// Writes that nothing is seen of a program's library calls, and why.
pub fn untapped(out: &mut Text, program: &str, why: &str) {
    out.raw(b"--- library calls of ");
    out.str(program);
    out.raw(b" are not seen: ");
    out.str(why);
    out.raw(b" ---");
}
