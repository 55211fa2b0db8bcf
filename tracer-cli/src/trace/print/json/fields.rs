//! Parts of objects.

use super::value;
use crate::prototype::types::{Kind, Lens};
use crate::trace::event::TraceEvent;
use crate::trace::print::arguments::{Call, Progress};
use crate::trace::print::text::Text;
use crate::trace::print::{integer, system_call, variadic};

/// Begins an object.
pub fn head(text: &mut Text, kind: &str, event: &TraceEvent<'_>, at_ns: u64) {
    text.raw(br#"{"type":""#);
    text.str(kind);
    text.raw(br#"","pid":"#);
    text.unsigned(u64::from(event.pid));
    field(text, "tid");
    text.unsigned(u64::from(event.tid));
    field(text, "start_ns");
    text.unsigned(at_ns);
}

/// Begins a field that is not the first.
pub fn field(text: &mut Text, name: &str) {
    text.raw(b",\"");
    text.str(name);
    text.raw(b"\":");
}

/// A field that is a string.
pub fn string(text: &mut Text, name: &str, value: &str) {
    field(text, name);
    value::quoted(text, value.as_bytes());
}

/// A path; `null` for the program itself.
pub fn optional(text: &mut Text, name: &str, path: &str) {
    field(text, name);
    match path {
        "" => text.raw(b"null"),
        path => value::quoted(text, path.as_bytes()),
    }
}

/// The object that calls.
pub fn object(text: &mut Text, path: &str) {
    text.raw(br#""object":"#);
    match path {
        "" => text.raw(b"null"),
        path => value::quoted(text, path.as_bytes()),
    }
}

/// The field of an error.
pub fn errno(text: &mut Text, error: i32) {
    text.raw(br#","errno":""#);
    system_call::error_name(text, error);
    text.byte(b'"');
}

/// Registers of which nobody knows what they mean.
pub fn guesses(text: &mut Text, registers: &[u64]) {
    for (number, register) in registers.iter().enumerate() {
        if number > 0 {
            text.byte(b',');
        }
        let mut hex = Text::default();
        integer::guess(&mut hex, *register as i64, *register);
        match hex.bytes() {
            address if address.starts_with(b"0x") => value::quoted(text, address),
            number => text.raw(number),
        }
    }
}

/// Writes the arguments that are known when the call begins, or those that are left.
pub fn arguments(
    call: &Call<'_>,
    text: &mut Text,
    progress: &mut Progress,
    returned: bool,
    scratch: &mut Text,
) {
    for parameter in call.prototype.parameters.get(progress.parameters..).unwrap_or(&[]) {
        if parameter.on_return && !returned {
            break;
        }
        let number = progress.parameters;
        progress.parameters += 1;
        if matches!(parameter.typed.lens, Lens::Hide) || !call.is_passed(parameter) {
            continue;
        }
        if parameter.typed.kind == Kind::Variadic {
            variadic::each(call, |typed, bytes| {
                comma(text, &mut progress.delimited);
                match typed {
                    Some(typed) => value::write(call, text, typed, bytes, scratch),
                    None => text.raw(br#"{"unknown":true}"#),
                }
            });
            continue;
        }
        comma(text, &mut progress.delimited);
        match call.argument(number) {
            Some((typed, bytes)) => value::write(call, text, typed, &bytes, scratch),
            None => text.raw(br#"{"unknown":true}"#),
        }
    }
}

fn comma(text: &mut Text, delimited: &mut bool) {
    if std::mem::replace(delimited, true) {
        text.byte(b',');
    }
}
