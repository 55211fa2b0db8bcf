//! Values to text, by type and lens, as ltrace does.

mod array;
mod pointer;
mod text;

pub use self::pointer::Followed;
pub use self::text::narrow_string;
use super::arguments::Call;
use super::expression::{self, Members};
use super::text::{Color, Text};
use super::{bits, float, integer, names, string};
use crate::prototype::types::{Kind, Lens, Struct, Typed};

/// A value.
#[derive(Clone, Copy)]
pub struct Value<'a> {
    /// What it is.
    pub typed: &'a Typed,
    /// Its bytes, as many as are known.
    pub bytes: &'a [u8],
    /// Where they lie in the target's memory, if they do.
    pub address: Option<u64>,
}

/// What a value is in.
#[derive(Clone, Copy)]
pub struct Around<'a> {
    /// The lens of the nearest value around that has one.
    pub lens: &'a Lens,
    /// Pointers that were followed to get here.
    pub pointer: Option<&'a Followed<'a>>,
    /// The struct around.
    pub members: Option<Members<'a>>,
}

impl Around<'_> {
    /// Nothing: an argument or a result.
    pub const NOTHING: Around<'static> = Around { lens: &Lens::Default, pointer: None, members: None };
}

/// Writes a value. Hidden ones write nothing.
pub fn show(call: &Call<'_>, out: &mut Text, value: Value<'_>, around: Around<'_>) {
    let own = !matches!(value.typed.lens, Lens::Default);
    let lens = if own { &value.typed.lens } else { around.lens };
    let around = Around { lens, ..around };
    let integer = match value.typed.kind {
        Kind::Int { bytes, signed } => Some((bytes, signed)),
        Kind::Char => Some((1, false)),
        _ => None,
    };
    match (lens, integer) {
        (Lens::Hide, _) => {}
        (Lens::String | Lens::Format, _) => text::write(call, out, value, around, own),
        (Lens::Bits, _) if !matches!(value.typed.kind, Kind::Pointer(_)) => {
            let size = value.typed.layout().0;
            match value.bytes.get(..size) {
                Some(bytes) => bits::write(out, bytes),
                None => out.unknown(),
            }
        }
        (_, Some((size, signed))) => match integer::number(value.typed, value.bytes) {
            Some(number) => scalar(out, number, size, signed, lens, &value.typed.kind),
            None => out.unknown(),
        },
        _ => compound(call, out, value, around),
    }
}

fn scalar(out: &mut Text, number: i64, size: u8, signed: bool, lens: &Lens, kind: &Kind) {
    match lens {
        Lens::Bool => out.str(if number == 0 { "false" } else { "true" }),
        Lens::Enum(names) => names::one(out, names, number, size, signed),
        Lens::Flags(names) => names::flags(out, names, number, size),
        Lens::Default if *kind == Kind::Char => quoted(out, |out| string::narrow(out, number as u8)),
        _ => integer::write(out, number, size, signed, lens),
    }
}

fn quoted(out: &mut Text, write: impl FnOnce(&mut Text)) {
    out.color(Color::String);
    out.byte(b'\'');
    write(out);
    out.byte(b'\'');
    out.plain();
}

/// Writes what is no integer, as its type suggests.
fn compound(call: &Call<'_>, out: &mut Text, value: Value<'_>, around: Around<'_>) {
    let hex = matches!(around.lens, Lens::Hex);
    match &value.typed.kind {
        Kind::Void => out.raw(b"<void>"),
        Kind::Float(size) => float::write(out, value.bytes, *size, hex),
        Kind::Complex(size) => float::complex(out, value.bytes, *size, hex),
        Kind::Vector(size) => vector(out, value.bytes, usize::from(*size)),
        Kind::Pointer(to) => pointer::write(call, out, value, to, around),
        Kind::Array { of, length } => {
            let length = expression::length(call, length, around.members);
            array::write(call, out, value, of, length, around);
        }
        Kind::Struct(of) => members(call, out, value, of, around),
        Kind::Int { .. } | Kind::Char | Kind::Variadic => {}
    }
}

/// Writes a vector register's eight-byte parts; those that are not recorded are unknown.
fn vector(out: &mut Text, bytes: &[u8], size: usize) {
    out.byte(b'<');
    for part in 0..size / 8 {
        if part > 0 {
            out.raw(b", ");
        }
        match bytes.get(8 * part..8 * part + 8).and_then(<[u8]>::first_chunk) {
            Some(part) => out.hex(u64::from_le_bytes(*part)),
            None => out.unknown(),
        }
    }
    out.byte(b'>');
}

fn members(call: &Call<'_>, out: &mut Text, value: Value<'_>, of: &Struct, around: Around<'_>) {
    let around = Around { members: Some(Members { of, bytes: value.bytes }), ..around };
    out.raw(b"{ ");
    let mut delimited = false;
    for (offset, typed) in of.offsets() {
        let address = value.address.map(|address| address.wrapping_add(offset as u64));
        let member = Value { typed, bytes: value.bytes.get(offset..).unwrap_or(&[]), address };
        delimited |= delimit(out, delimited, |out| show(call, out, member, around));
    }
    out.raw(b" }");
}

/// Writes something with a comma in front, if something was written before; whether it wrote anything.
pub fn delimit(out: &mut Text, delimited: bool, write: impl FnOnce(&mut Text)) -> bool {
    let before = out.mark();
    if delimited {
        out.raw(b", ");
    }
    let start = out.mark();
    write(out);
    if out.mark() == start {
        out.rewind(before);
        return false;
    }
    true
}
