//! Where a call's values are: the System V x86-64 calling convention (psABI 1.0, 3.2.3).

use super::types::Prototype;

/// Where one value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// In integer register number so-and-so, 0 = `rdi`.
    Gpr(u8),
    /// In the low half of vector register number so-and-so.
    Vector(u8),
    /// In memory, so many bytes above the first stack argument.
    Stack(u16),
    /// A struct or complex number of up to 16 bytes: each eight bytes where they are.
    Pieces(Vec<Location>),
    /// `rax`.
    Rax,
    /// `rdx`.
    Rdx,
    /// `xmm0` (0) or `xmm1` (1) on return.
    ReturnedVector(u8),
    /// `st0` (0) or `st1` (1) on return.
    X87(u8),
    /// In memory at the address that `rax` holds on return.
    AtRax,
    /// Nowhere: it has no size, or calltap does not record it (the upper parts of vectors).
    Nowhere,
}

/// Where the values of a call are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// Of each parameter. A [`super::types::Kind::Variadic`] is `Nowhere`: see [`Cursor`].
    pub parameters: Vec<Location>,
    /// Of the result.
    pub returned: Location,
    /// Where the next value would be: of arguments behind `...`.
    pub next: Cursor,
}

/// Registers and stack bytes used so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    /// Integer registers.
    pub gprs: u8,
    /// Vector registers.
    pub vectors: u8,
    /// Stack bytes.
    pub stack: u16,
}

/// The places of a function's values.
#[must_use]
pub fn places(prototype: &Prototype) -> Places {
    let _ = prototype;
    Places { parameters: Vec::new(), returned: Location::Nowhere, next: Cursor::default() }
}
