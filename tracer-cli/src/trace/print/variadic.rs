//! Arguments behind a printf format: how many there are and of which types, the format says.

mod format;

use std::rc::Rc;

use self::format::{Form, Most, Takes};
use super::arguments::Call;
use super::fetch::{self, Bytes};
use super::text::Text;
use super::value;
use crate::prototype::abi::{Cursor, Location};
use crate::prototype::types::{Expression, Kind, Lens, Typed};

/// Writes the arguments behind the format.
pub fn write(call: &Call<'_>, out: &mut Text, delimited: &mut bool) {
    each(call, |typed, bytes| {
        *delimited |= value::delimit(out, *delimited, |out| match typed {
            Some(typed) => call.write_value(out, typed, bytes),
            None => out.unknown(),
        });
    });
}

/// Tells of each argument behind the format: its type and bytes. No type: what is there nobody knows.
pub fn each(call: &Call<'_>, mut tell: impl FnMut(Option<&Typed>, &Bytes<'_>)) {
    let Some(places) = call.places else { return };
    let Some((unit, text)) = text(call) else { return tell(None, &Bytes::NONE) };
    let taken = format::parse(text.chunks_exact(unit).map(|unit| {
        let mut word = [0; 8];
        word[..unit.len()].copy_from_slice(unit);
        u64::from_le_bytes(word)
    }));
    let mut cursor = places.next;
    let mut numbers = Vec::with_capacity(taken.len());
    for takes in taken {
        let location = advance(&mut cursor, takes);
        let bytes =
            fetch::bytes(&call.source, &location, if takes == Some(Takes::Float(16)) { 16 } else { 8 });
        numbers.push(bytes.first_chunk().map(|word| i64::from_le_bytes(*word)));
        match takes {
            Some(takes) => tell(Some(&typed(takes, &numbers)), &bytes),
            None => tell(None, &bytes),
        }
    }
}

/// Size of a character, and the format's characters, as many as were copied.
fn text<'a>(call: &Call<'a>) -> Option<(usize, &'a [u8])> {
    let number = call.prototype.parameters.iter().position(|p| matches!(p.typed.lens, Lens::Format))?;
    let Kind::Pointer(to) = &call.prototype.parameters[number].typed.kind else { return None };
    let unit = match &to.kind {
        Kind::Array { of, .. } => of.layout().0,
        _ => to.layout().0,
    };
    let format = call.memory.at(call.number(number)? as u64, usize::MAX);
    (matches!(unit, 1 | 2 | 4 | 8) && !format.is_empty()).then_some((unit, format))
}

/// The type of what a conversion takes; `numbers` are the arguments so far.
fn typed(takes: Takes, numbers: &[Option<i64>]) -> Typed {
    let integer = |bytes, signed| Kind::Int { bytes, signed };
    match takes {
        Takes::Int { form: Form::Character, bytes: 1, .. } => Typed::plain(Kind::Char),
        Takes::Int { form, bytes, signed } => {
            let lens = match form {
                Form::Decimal => Lens::Default,
                Form::Octal => Lens::Octal,
                Form::Hex => Lens::Hex,
                Form::Character => Lens::String,
            };
            Typed { kind: integer(bytes, signed), lens }
        }
        Takes::Float(size) => Typed::plain(Kind::Float(size)),
        Takes::Address => Typed::plain(Kind::Pointer(Rc::new(Typed::plain(Kind::Void)))),
        Takes::String { unit, most } => {
            let character = Rc::new(Typed::plain(if unit == 1 { Kind::Char } else { integer(unit, false) }));
            let most = match most {
                Most::All => None,
                Most::Number(most) => i64::try_from(most).ok(),
                // The low half: an int.
                Most::Argument(number) => numbers
                    .get(number)
                    .copied()
                    .flatten()
                    .map(|number| i64::from((number as i32).unsigned_abs())),
            };
            let to = match most {
                None => character,
                Some(most) => {
                    let length = Expression::Zero(Some(Box::new(Expression::Constant(most))));
                    Rc::new(Typed::plain(Kind::Array { of: character, length }))
                }
            };
            Typed { kind: Kind::Pointer(to), lens: Lens::String }
        }
    }
}

/// Where the next argument is; the one behind it is looked for behind it.
fn advance(cursor: &mut Cursor, takes: Option<Takes>) -> Location {
    let mut stack = |size: u16| {
        cursor.stack = cursor.stack.next_multiple_of(size);
        cursor.stack += size;
        Location::Stack(cursor.stack - size)
    };
    match takes {
        Some(Takes::Float(16)) => stack(16),
        Some(Takes::Float(_)) if cursor.vectors < 8 => {
            cursor.vectors += 1;
            Location::Vector(cursor.vectors - 1)
        }
        Some(Takes::Float(_)) => stack(8),
        _ if cursor.gprs < 6 => {
            cursor.gprs += 1;
            Location::Gpr(cursor.gprs - 1)
        }
        _ => stack(8),
    }
}
