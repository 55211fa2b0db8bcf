//! Words of a node; see [`super`].

/// Kind: bytes that lead nowhere.
pub const BYTES: u64 = 0;
/// Kind: a pointer.
pub const POINTER: u64 = 1;
/// Kind: elements one after the other; strings, too.
pub const ARRAY: u64 = 2;
/// Kind: a struct.
pub const STRUCT: u64 = 3;
/// Kind: a printf format, whose arguments are those of the call.
pub const FORMAT: u64 = 4;

/// Flag of a member's offset: its bytes are not counted in the struct's size (an array without a fixed length).
pub const APART: u64 = 1 << 32;

/// How much of an array is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u64)]
pub enum Limit {
    /// As much as of arrays.
    Array = 0,
    /// As much as of strings.
    String = 1,
    /// All of it.
    None = 2,
}

/// Word 0.
#[must_use]
pub const fn word(kind: u64, size: u32, limit: Limit) -> u64 {
    kind | (size as u64) << 8 | (limit as u64) << 40
}

/// Word 1 of a [`FORMAT`].
#[must_use]
pub const fn cursor(gprs: u8, vectors: u8, stack: u16) -> u64 {
    gprs as u64 | (vectors as u64) << 8 | (stack as u64) << 16
}

pub(super) const fn kind(word: u64) -> u64 {
    word & 0xff
}

pub(super) const fn size(word: u64) -> u64 {
    word >> 8 & 0xffff_ffff
}

pub(super) const fn limit(word: u64) -> Limit {
    match word >> 40 & 0xff {
        0 => Limit::Array,
        1 => Limit::String,
        _ => Limit::None,
    }
}
