//! Where a call's values are: the System V x86-64 calling convention (psABI 1.0, 3.2.3).

mod class;
#[cfg(test)]
pub(super) mod tests;

use self::class::{Class, classes};
use super::types::{Kind, Prototype, Typed};

/// Integer registers that carry arguments.
pub const GPRS: u8 = 6;
/// Vector registers that carry arguments.
pub const VECTORS: u8 = 8;
/// Stack bytes that can be told of: whole words.
const MOST_STACK: u16 = 0xfff8;

/// Where one value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// In integer register number so-and-so, 0 = `rdi`.
    Gpr(u8),
    /// In the low half of vector register number so-and-so.
    Vector(u8),
    /// In memory, so many bytes above the first stack argument.
    Stack(u16),
    /// A struct, complex number or vector in registers: each eight bytes where they are. The upper parts of vectors are
    /// `Nowhere`; a piece in `X87` stands for sixteen bytes.
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
    /// Of each parameter. A [`Kind::Variadic`] is `Nowhere`: see [`Cursor`].
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

/// The places of a function's values. An array that is a parameter is its address, as in C.
#[must_use]
pub fn places(prototype: &Prototype) -> Places {
    let returned = returned(&prototype.returns);
    // The caller says where a result in memory goes by a first argument that the prototype does not show.
    let mut next = Cursor { gprs: u8::from(returned == Location::AtRax), ..Cursor::default() };
    let parameters = prototype.parameters.iter().map(|parameter| next.place(&parameter.typed)).collect();
    Places { parameters, returned, next }
}

impl Cursor {
    /// The place of the next argument.
    pub fn place(&mut self, typed: &Typed) -> Location {
        if matches!(typed.kind, Kind::Void | Kind::Variadic) {
            return Location::Nowhere;
        }
        let Some(classes) = classes(typed) else { return self.in_memory(typed.layout()) };
        let count = |class| classes.iter().filter(|of| **of == class).count();
        let in_x87 = count(Class::X87) + count(Class::ComplexX87) > 0;
        let gprs = usize::from(self.gprs) + count(Class::Integer);
        let vectors = usize::from(self.vectors) + count(Class::Sse);
        if in_x87 || gprs > usize::from(GPRS) || vectors > usize::from(VECTORS) {
            return self.in_memory(typed.layout());
        }
        let mut piece = |class| match class {
            Class::Integer => (Location::Gpr(self.gprs), self.gprs += 1).0,
            Class::Sse => (Location::Vector(self.vectors), self.vectors += 1).0,
            _ => Location::Nowhere,
        };
        joined(typed, classes.into_iter().map(&mut piece).collect())
    }

    fn in_memory(&mut self, (size, align): (usize, usize)) -> Location {
        if size == 0 {
            return Location::Nowhere;
        }
        let at = usize::from(self.stack).next_multiple_of(align.max(8));
        let behind = at.saturating_add(size).checked_next_multiple_of(8).unwrap_or(usize::MAX);
        // Nobody passes so much by value; what is behind it is out of reach, too.
        self.stack = u16::try_from(behind).unwrap_or(MOST_STACK);
        if behind > usize::from(self.stack) {
            return Location::Nowhere;
        }
        u16::try_from(at).map_or(Location::Nowhere, Location::Stack)
    }
}

fn returned(typed: &Typed) -> Location {
    if matches!(typed.kind, Kind::Void | Kind::Variadic) {
        return Location::Nowhere;
    }
    let Some(classes) = classes(typed) else { return Location::AtRax };
    let (mut gprs, mut vectors) = ([Location::Rax, Location::Rdx].into_iter(), 0..2);
    let mut pieces = Vec::new();
    for class in classes {
        match class {
            Class::Integer => pieces.push(gprs.next().unwrap_or(Location::Nowhere)),
            Class::Sse => pieces.push(vectors.next().map_or(Location::Nowhere, Location::ReturnedVector)),
            Class::X87 => pieces.push(Location::X87(0)),
            Class::ComplexX87 => pieces.extend([Location::X87(0), Location::X87(1)]),
            // The second half of the piece before it.
            Class::X87Up => {}
            Class::SseUp | Class::None => pieces.push(Location::Nowhere),
        }
    }
    joined(typed, pieces)
}

/// A value in these pieces: of a scalar there is one.
fn joined(typed: &Typed, mut pieces: Vec<Location>) -> Location {
    match typed.kind {
        _ if pieces.is_empty() => Location::Nowhere,
        Kind::Struct(_) | Kind::Complex(_) | Kind::Vector(_) => Location::Pieces(pieces),
        _ => pieces.swap_remove(0),
    }
}
