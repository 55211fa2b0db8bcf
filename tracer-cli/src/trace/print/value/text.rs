//! Strings and characters.

use super::array::{Elements, absent, each, elements};
use super::{Around, Value, compound, quoted, show};
use crate::prototype::types::{Kind, Lens, Typed};
use crate::trace::print::arguments::Call;
use crate::trace::print::expression::{self, Length};
use crate::trace::print::text::{Color, Text};
use crate::trace::print::{integer, string};

/// Writes with [`Lens::String`].
pub(super) fn write(call: &Call<'_>, out: &mut Text, value: Value<'_>, around: Around<'_>, own: bool) {
    let element = |typed: &Typed| matches!(typed.kind, Kind::Char | Kind::Int { .. });
    match &value.typed.kind {
        Kind::Char => match value.bytes.first() {
            Some(character) => string::narrow(out, *character),
            None => out.unknown(),
        },
        Kind::Int { bytes, .. } => match integer::number(value.typed, value.bytes) {
            // What functions that give wide characters give at the end of a file.
            Some(-1) | Some(0xffff_ffff) if *bytes == 4 => out.raw(b"EOF"),
            Some(number) if own => quoted(out, |out| string::wide(out, number as u64)),
            Some(number) => string::wide(out, number as u64),
            None => out.unknown(),
        },
        Kind::Pointer(to) if element(to) => match integer::number(value.typed, value.bytes) {
            Some(0) => out.raw(b"nil"),
            Some(address) => {
                let value = Value { typed: to, bytes: &[], address: Some(address as u64) };
                characters(call, out, value, to, Length::UpToZero(u64::MAX), around);
            }
            None => out.unknown(),
        },
        Kind::Array { of, length } => {
            let length = expression::length(call, length, around.members);
            characters(call, out, value, of, length, around);
        }
        _ => compound(call, out, value, around),
    }
}

/// A string of narrow characters that a pointer leads to.
pub struct Narrow<'a> {
    /// Where it is.
    pub address: u64,
    /// Those that are shown.
    pub bytes: &'a [u8],
    /// There are more than are shown.
    pub cut: bool,
    /// Memory ended, or its copy did.
    pub missing: bool,
}

/// The string that a pointer leads to; None if it is something else, or its length is not known.
pub fn narrow_string<'a>(call: &Call<'a>, value: Value<'_>) -> Option<Narrow<'a>> {
    let Kind::Pointer(to) = &value.typed.kind else { return None };
    let address = integer::number(value.typed, value.bytes)? as u64;
    let (of, length) = match &to.kind {
        Kind::Array { of, length } => (&**of, expression::length(call, length, None)),
        _ => (&**to, Length::UpToZero(u64::MAX)),
    };
    if of.kind != Kind::Char || !matches!(of.lens, Lens::Default) {
        return None;
    }
    let found = elements(call, &[], Some(address), 1, length, call.limits.string)?;
    Some(Narrow { address, bytes: found.bytes, cut: found.cut, missing: found.missing })
}

/// Writes an array as a string.
fn characters(
    call: &Call<'_>,
    out: &mut Text,
    value: Value<'_>,
    of: &Typed,
    length: Length,
    around: Around<'_>,
) {
    let size = of.layout().0.max(1);
    let found = elements(call, value.bytes, value.address, size, length, call.limits.string);
    let Some(elements) = found.filter(Elements::any) else { return absent(out, value, length) };
    out.color(Color::String);
    out.byte(b'"');
    if of.kind == Kind::Char && matches!(of.lens, Lens::Default) {
        string::narrow_all(out, elements.bytes);
    } else {
        each(elements.bytes, size, value.address, |bytes, address| {
            show(call, out, Value { typed: of, bytes, address }, around);
        });
    }
    out.byte(b'"');
    out.plain();
    if elements.missing {
        out.unknown();
    } else if elements.cut {
        out.raw(b"...");
    }
}
