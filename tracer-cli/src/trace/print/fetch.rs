//! The bytes of a call's values, from registers and from memory.

use std::ops::Deref;

use calltap_channel::trace::walk::Values;

use crate::prototype::abi::Location;
use crate::trace::event::Copied;

/// Registers that hold results.
#[derive(Clone, Copy, Debug, Default)]
pub struct Results {
    /// `rax`.
    pub rax: u64,
    /// `rdx`.
    pub rdx: u64,
    /// Low halves of `xmm0` and `xmm1`.
    pub vectors: [u64; 2],
    /// `st0` and `st1`.
    pub x87: [[u8; 10]; 2],
}

/// What a place is looked up in.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// Argument registers.
    pub values: &'a Values,
    /// Address of the return address.
    pub sp: u64,
    /// Memory that holds the stack arguments.
    pub stack: &'a Copied,
    /// Memory that holds a struct which is the result.
    pub memory: &'a Copied,
    /// Registers on return.
    pub results: Option<&'a Results>,
    /// Whether the arguments are known: the call's beginning was seen.
    pub entered: bool,
}

/// Bytes of a value; fewer than it has if some are not known.
#[derive(Debug)]
pub enum Bytes<'a> {
    /// Put together.
    Here([u8; 32], usize),
    /// Copied from memory, where they lay at this address.
    There(&'a [u8], u64),
}

impl Bytes<'_> {
    /// Nothing is known.
    pub const NONE: Self = Self::Here([0; 32], 0);

    /// Where they lie in the target's memory, if they do.
    pub fn address(&self) -> Option<u64> {
        match self {
            Self::Here(..) => None,
            Self::There(_, address) => Some(*address),
        }
    }

    fn word(word: u64) -> Self {
        let mut all = [0; 32];
        all[..8].copy_from_slice(&word.to_le_bytes());
        Self::Here(all, 8)
    }

    fn x87(register: [u8; 10]) -> Self {
        let mut all = [0; 32];
        all[..10].copy_from_slice(&register);
        Self::Here(all, 16)
    }
}

impl Deref for Bytes<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Here(all, known) => &all[..*known],
            Self::There(bytes, _) => bytes,
        }
    }
}

/// The bytes at a place.
pub fn bytes<'a>(source: &Source<'a>, location: &Location, size: usize) -> Bytes<'a> {
    let result = |take: &dyn Fn(&Results) -> Bytes<'a>| source.results.map(take);
    let found = match location {
        Location::Gpr(number) => source.values.gprs.get(usize::from(*number)).copied().map(Bytes::word),
        Location::Vector(number) => source.values.vectors.get(usize::from(*number)).copied().map(Bytes::word),
        Location::Stack(offset) => {
            let address = source.sp.wrapping_add(8 + u64::from(*offset));
            Some(Bytes::There(source.stack.at(address, size), address))
        }
        Location::Rax => result(&|results| Bytes::word(results.rax)),
        Location::Rdx => result(&|results| Bytes::word(results.rdx)),
        Location::ReturnedVector(number) => result(&|results| {
            results.vectors.get(usize::from(*number)).copied().map_or(Bytes::word(0), Bytes::word)
        }),
        Location::X87(number) => result(&|results| {
            results.x87.get(usize::from(*number)).copied().map_or(Bytes::word(0), Bytes::x87)
        }),
        Location::AtRax => result(&|results| Bytes::There(source.memory.at(results.rax, size), results.rax)),
        Location::Pieces(pieces) => Some(together(source, pieces, size)),
        Location::Nowhere => None,
    };
    found.unwrap_or(Bytes::NONE)
}

/// Puts a value together whose parts are in different places.
fn together<'a>(source: &Source<'a>, pieces: &[Location], size: usize) -> Bytes<'a> {
    let (mut all, mut known) = ([0; 32], 0);
    for piece in pieces {
        let part = bytes(source, piece, 8);
        let Some(room) = all.get_mut(known..known + part.len()) else { break };
        if part.is_empty() {
            break;
        }
        room.copy_from_slice(&part);
        known += part.len();
    }
    Bytes::Here(all, known.min(size))
}
