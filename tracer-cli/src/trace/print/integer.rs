//! Integers.

use super::text::Text;
use crate::prototype::types::{Kind, Lens, Typed};

/// Within these a number of which nothing is known is shown in decimal.
const SMALL: std::ops::RangeInclusive<i64> = -10_000..=10_000;

/// The number in the first bytes of a value, widened as its type says; None if it is none, or not all of it is known.
pub fn number(typed: &Typed, bytes: &[u8]) -> Option<i64> {
    let (size, signed) = match typed.kind {
        Kind::Int { bytes, signed } => (usize::from(bytes), signed),
        Kind::Char => (1, false),
        Kind::Pointer(_) => (8, false),
        _ => return None,
    };
    let mut word = [0; 8];
    word.get_mut(..size)?.copy_from_slice(bytes.get(..size)?);
    let unused = 64 - 8 * size as u32;
    let wide = u64::from_le_bytes(word) << unused;
    Some(if signed { (wide as i64) >> unused } else { (wide >> unused) as i64 })
}

/// Writes an integer of so many bytes; `value` is widened as [`number`] does.
pub fn write(out: &mut Text, value: i64, size: u8, signed: bool, lens: &Lens) {
    let bits = value as u64 & u64::MAX >> (64 - 8 * u32::from(size));
    match lens {
        Lens::Octal => out.octal(bits),
        Lens::Hex => out.hex(bits),
        Lens::Guess => guess(out, value, bits),
        _ if signed => out.signed(value),
        _ => out.unsigned(bits),
    }
}

/// Writes a number of which nothing is known.
pub fn guess(out: &mut Text, value: i64, bits: u64) {
    if SMALL.contains(&value) {
        out.signed(value);
    } else {
        out.hex(bits);
    }
}
