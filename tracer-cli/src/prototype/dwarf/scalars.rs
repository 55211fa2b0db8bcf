//! Types without parts: numbers, characters, enumerations.

use std::rc::Rc;

use gimli::{AttributeValue, DwAte};

use super::entries::Entry;
use super::types::{Types, nothing};
use crate::prototype::types::{Kind, Lens, Names, Typed};

impl<'d> Types<'_, 'd> {
    /// A number, or whatever else has a size and an encoding; `None` if it has no place in the language.
    pub(super) fn base(&self, entry: &Entry<'d>) -> Option<Typed> {
        let bytes = u8::try_from(self.entries.number(entry, gimli::DW_AT_byte_size)?).ok()?;
        let AttributeValue::Encoding(encoding) = self.entries.value(entry, gimli::DW_AT_encoding)? else {
            return None;
        };
        let name = self.entries.text(entry, gimli::DW_AT_name);
        let kind = match (encoding, bytes) {
            _ if bytes == 1 && name == Some("char") => Kind::Char,
            (gimli::DW_ATE_boolean, 1) => {
                return Some(Typed { lens: Lens::Bool, ..integer(1, false) });
            }
            (gimli::DW_ATE_address, 8) => return Some(nothing()),
            // The other one of 16 bytes is in a vector register.
            (gimli::DW_ATE_float, 16) if name.is_some_and(|name| name.contains("128")) => {
                return Some(Typed { kind: Kind::Vector(16), lens: Lens::Hex });
            }
            (gimli::DW_ATE_float, 4 | 8 | 16) => Kind::Float(bytes),
            (gimli::DW_ATE_complex_float, 32) if name.is_some_and(|name| name.contains("128")) => {
                return None;
            }
            (gimli::DW_ATE_complex_float, 8 | 16 | 32) => Kind::Complex(bytes / 2),
            _ => return is_integer(encoding).then(|| sized(bytes, is_signed(encoding)))?,
        };
        Some(Typed::plain(kind))
    }

    /// An integer whose values have names.
    pub(super) fn enumeration(&mut self, entry: &Entry<'d>) -> Option<Typed> {
        if let Some(known) = self.enums.get(&entry.key()) {
            return Some(known.clone());
        }
        let bytes = u8::try_from(self.entries.number(entry, gimli::DW_AT_byte_size)?).ok()?;
        let mut names = Names::default();
        for child in self.entries.children(entry) {
            let value = self.entries.value(&child, gimli::DW_AT_const_value);
            let value = value.and_then(|value| match value {
                AttributeValue::Sdata(value) => Some(value),
                value => value.udata_value().map(u64::cast_signed),
            });
            if let (Some(name), Some(value)) = (self.entries.text(&child, gimli::DW_AT_name), value) {
                names.values.push((name.to_owned(), value));
            }
        }
        let signed = names.values.iter().any(|(_, value)| *value < 0);
        let typed = Typed { lens: Lens::Enum(Rc::new(names)), ..sized(bytes, signed)? };
        self.enums.insert(entry.key(), typed.clone());
        Some(typed)
    }
}

/// An integer.
pub(super) fn integer(bytes: u8, signed: bool) -> Typed {
    Typed::plain(Kind::Int { bytes, signed })
}

/// An integer; `None` if there is none of this size in the language.
fn sized(bytes: u8, signed: bool) -> Option<Typed> {
    matches!(bytes, 1 | 2 | 4 | 8).then(|| integer(bytes, signed))
}

fn is_signed(encoding: DwAte) -> bool {
    matches!(encoding, gimli::DW_ATE_signed | gimli::DW_ATE_signed_char)
}

fn is_integer(encoding: DwAte) -> bool {
    is_signed(encoding)
        || matches!(
            encoding,
            gimli::DW_ATE_unsigned | gimli::DW_ATE_unsigned_char | gimli::DW_ATE_UTF | gimli::DW_ATE_boolean
        )
}
