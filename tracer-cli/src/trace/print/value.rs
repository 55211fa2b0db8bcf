//! Values to text, by type and lens, as ltrace does.

use super::arguments::Call;
use super::expression::{self, Length, Members};
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

/// A pointer that was followed.
pub struct Followed<'a> {
    address: u64,
    /// The struct it leads to.
    to: Option<*const Struct>,
    /// The one before it.
    before: Option<&'a Followed<'a>>,
}

impl Followed<'_> {
    fn all(&self) -> impl Iterator<Item = &Followed<'_>> {
        std::iter::successors(Some(self), |followed| followed.before)
    }
}

/// Elements as far as they were copied.
struct Elements<'a> {
    /// Bytes of those that are shown.
    bytes: &'a [u8],
    /// There are more than are shown.
    cut: bool,
    /// Memory ended, or its copy did.
    missing: bool,
}

impl Elements<'_> {
    /// Whether there is something to show, if only that there are none.
    fn any(&self) -> bool {
        !self.missing || !self.bytes.is_empty()
    }
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
        (Lens::String | Lens::Format, _) => text(call, out, value, around, own),
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
        Kind::Pointer(to) => pointer(call, out, value, to, around),
        Kind::Array { of, length } => {
            let length = expression::length(call, length, around.members);
            array(call, out, value, of, length, around);
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

fn pointer(call: &Call<'_>, out: &mut Text, value: Value<'_>, to: &Typed, around: Around<'_>) {
    let Some(address) = integer::number(value.typed, value.bytes) else { return out.unknown() };
    let address = address as u64;
    if address == 0 {
        return out.raw(b"nil");
    }
    let of = match &to.kind {
        Kind::Void => return out.hex(address),
        Kind::Struct(of) => Some(&raw const **of),
        _ => None,
    };
    let mut same = 0;
    for (level, followed) in around.pointer.into_iter().flat_map(Followed::all).enumerate() {
        if followed.address == address {
            out.raw(b"recurse");
            return (0..level).for_each(|_| out.byte(b'^'));
        }
        same += u64::from(of.is_some() && followed.to == of);
    }
    if of.is_some() && same >= call.limits.array {
        return out.raw(b"...");
    }
    let followed = Followed { address, to: of, before: around.pointer };
    let around = Around { pointer: Some(&followed), ..around };
    let bytes = call.memory.at(address, to.layout().0);
    let dynamic = matches!(to.kind, Kind::Array { .. });
    if bytes.is_empty() && to.layout().0 > 0 && !dynamic {
        return unreadable(out, address);
    }
    show(call, out, Value { typed: to, bytes, address: Some(address) }, around);
}

/// Writes a pointer to what could not be read.
pub fn unreadable(out: &mut Text, address: u64) {
    out.hex(address);
    out.unknown();
}

/// Writes with [`Lens::String`].
fn text(call: &Call<'_>, out: &mut Text, value: Value<'_>, around: Around<'_>, own: bool) {
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

/// Writes an array with its elements.
fn array(call: &Call<'_>, out: &mut Text, value: Value<'_>, of: &Typed, length: Length, around: Around<'_>) {
    let size = of.layout().0.max(1);
    let found = elements(call, value.bytes, value.address, size, length, call.limits.array);
    let Some(elements) = found.filter(Elements::any) else { return absent(out, value, length) };
    out.raw(b"[ ");
    let mut delimited = false;
    each(elements.bytes, size, value.address, |bytes, address| {
        delimited |=
            delimit(out, delimited, |out| show(call, out, Value { typed: of, bytes, address }, around));
    });
    if elements.missing {
        delimit(out, delimited, Text::unknown);
    } else if elements.cut {
        out.raw(b"...");
    }
    out.raw(b" ]");
}

fn each(bytes: &[u8], size: usize, address: Option<u64>, mut show: impl FnMut(&[u8], Option<u64>)) {
    for (number, element) in bytes.chunks_exact(size).enumerate() {
        show(element, address.map(|address| address.wrapping_add((number * size) as u64)));
    }
}

/// Writes what stands for an array of which nothing is there.
fn absent(out: &mut Text, value: Value<'_>, length: Length) {
    match (length, value.address) {
        (Length::Unknown, _) | (_, None) => out.unknown(),
        // A call that should have filled it has failed.
        (Length::Negative, Some(address)) => out.hex(address),
        (_, Some(address)) => unreadable(out, address),
    }
}

/// The elements of an array of which at most `limit` are shown: those inside a value, or those at an address. None if
/// its length is not known.
fn elements<'a>(
    call: &Call<'a>,
    inside: &'a [u8],
    address: Option<u64>,
    size: usize,
    length: Length,
    limit: u64,
) -> Option<Elements<'a>> {
    let (most, to_zero) = match length {
        Length::Exactly(count) => (count, false),
        Length::UpToZero(most) => (most, true),
        Length::Negative | Length::Unknown => return None,
    };
    let wanted = usize::try_from(most.min(limit.saturating_add(1))).unwrap_or(usize::MAX);
    let bytes = wanted.saturating_mul(size);
    let known = match (inside.get(..bytes), address) {
        (Some(inside), _) if !inside.is_empty() || bytes == 0 => inside,
        (_, Some(address)) => call.memory.at(address, bytes),
        _ => inside,
    };
    let known = &known[..known.len() - known.len() % size];
    let zero = |element: &[u8]| element.iter().all(|byte| *byte == 0);
    let end = to_zero.then(|| known.chunks_exact(size).position(zero)).flatten();
    let have = (known.len() / size) as u64;
    let shown = end.map_or(have, |end| end as u64).min(limit);
    Some(Elements {
        bytes: &known[..shown as usize * size],
        // If exactly so many were copied as may be shown, more could be there.
        cut: end.map_or(shown == limit && most > limit, |end| end as u64 > limit),
        missing: end.is_none() && have < most && have < limit,
    })
}
