//! Values as JSON.
//!
//! Integers and finite floating-point numbers are numbers, `bool` is a boolean, `NULL` is `null`, nothing (`void`) is
//! `null`, too. A string is a string; one that is longer than is shown is `{"text":"abc","cut":true}`, one that ends
//! where memory could not be read `{"text":"abc","incomplete":true}`. A pointer to what could not be read is
//! `{"pointer":"0x1234","unreadable":true}`, what is not known `{"unknown":true}`. Everything else is a string with the
//! text that a line would show.

use crate::prototype::types::{Kind, Lens, Typed};
use crate::trace::print::arguments::Call;
use crate::trace::print::fetch::Bytes;
use crate::trace::print::text::Text;
use crate::trace::print::value::{self, Around, Value};
use crate::trace::print::{integer, string};

/// Writes a value; `scratch` is used for what is put together first.
pub fn write(call: &Call<'_>, out: &mut Text, typed: &Typed, bytes: &Bytes<'_>, scratch: &mut Text) {
    let value = Value { typed, bytes, address: bytes.address() };
    let number = integer::number(typed, bytes);
    match (&typed.kind, &typed.lens, number) {
        (Kind::Void, ..) => out.raw(b"null"),
        (Kind::Int { signed, .. }, Lens::Default | Lens::Guess, Some(number)) => {
            if *signed {
                out.signed(number)
            } else {
                out.unsigned(number as u64)
            }
        }
        (Kind::Int { .. } | Kind::Char, Lens::Bool, Some(number)) => {
            out.raw(if number == 0 { b"false" } else { b"true" });
        }
        (Kind::Char, Lens::Default, Some(number)) => {
            scratch.clear();
            string::narrow(scratch, number as u8);
            quoted(out, scratch.bytes());
        }
        (Kind::Float(4), Lens::Default, _) => match bytes.first_chunk() {
            // The shortest text that means the same `float`.
            Some(bytes) if f32::from_le_bytes(*bytes).is_finite() => {
                out.str(&format!("{:?}", f32::from_le_bytes(*bytes)));
            }
            _ => as_text(call, out, value, scratch),
        },
        (Kind::Float(8), Lens::Default, _) => match bytes.first_chunk() {
            Some(bytes) if f64::from_le_bytes(*bytes).is_finite() => {
                out.str(&format!("{:?}", f64::from_le_bytes(*bytes)));
            }
            _ => as_text(call, out, value, scratch),
        },
        (Kind::Pointer(_), _, Some(0)) => out.raw(b"null"),
        (Kind::Pointer(to), Lens::String | Lens::Format, Some(_)) => {
            characters(call, out, value, matches!(to.kind, Kind::Pointer(_)), scratch);
        }
        _ if bytes.is_empty() && typed.layout().0 > 0 => out.raw(br#"{"unknown":true}"#),
        _ => as_text(call, out, value, scratch),
    }
}

/// Writes a string, with what there is to say of it.
fn characters(call: &Call<'_>, out: &mut Text, value: Value<'_>, deep: bool, scratch: &mut Text) {
    match value::narrow_string(call, value).filter(|_| !deep) {
        Some(found) if !found.cut && !found.missing => quoted(out, found.bytes),
        Some(found) if found.missing && found.bytes.is_empty() => {
            out.raw(br#"{"pointer":""#);
            out.hex(found.address);
            out.raw(br#"","unreadable":true}"#);
        }
        Some(found) => {
            out.raw(br#"{"text":"#);
            quoted(out, found.bytes);
            out.raw(if found.missing { br#","incomplete":true}"# } else { br#","cut":true}"# });
        }
        None => as_text(call, out, value, scratch),
    }
}

fn as_text(call: &Call<'_>, out: &mut Text, value: Value<'_>, scratch: &mut Text) {
    scratch.clear();
    value::show(call, scratch, value, Around::NOTHING);
    let text = scratch.bytes();
    // A wide string is written with its quotation marks.
    match text.strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\"")) {
        Some(inner) if !inner.contains(&b'"') => quoted(out, inner),
        _ => quoted(out, text),
    }
}

/// Writes a JSON string. Bytes that are no UTF-8 are written as `\xff`, in text.
pub fn quoted(out: &mut Text, mut bytes: &[u8]) {
    out.byte(b'"');
    loop {
        match std::str::from_utf8(bytes) {
            Ok(text) => {
                escaped(out, text);
                break;
            }
            Err(error) => {
                let (valid, rest) = bytes.split_at(error.valid_up_to());
                escaped(out, std::str::from_utf8(valid).unwrap_or_default());
                let bad = error.error_len().unwrap_or(rest.len());
                for byte in &rest[..bad] {
                    out.raw(br"\\x");
                    out.byte(b"0123456789abcdef"[usize::from(byte >> 4)]);
                    out.byte(b"0123456789abcdef"[usize::from(byte & 15)]);
                }
                bytes = &rest[bad..];
            }
        }
    }
    out.byte(b'"');
}

fn escaped(out: &mut Text, text: &str) {
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|byte| *byte < b' ' || matches!(byte, b'"' | b'\\' | 0x7f)) {
        out.raw(&rest[..at]);
        match rest[at] {
            b'"' => out.raw(br#"\""#),
            b'\\' => out.raw(br"\\"),
            b'\n' => out.raw(br"\n"),
            b'\r' => out.raw(br"\r"),
            b'\t' => out.raw(br"\t"),
            byte => {
                out.raw(br"\u00");
                out.byte(b"0123456789abcdef"[usize::from(byte >> 4)]);
                out.byte(b"0123456789abcdef"[usize::from(byte & 15)]);
            }
        }
        rest = &rest[at + 1..];
    }
    out.raw(rest);
}
