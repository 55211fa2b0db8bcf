//! Numbers that depend on the call; see [`super`] for their words.

use super::walker::Walker;
use super::{Memory, Sink};
use crate::trace::plan::Place;

/// Kind: a constant.
pub const CONSTANT: u64 = 0;
/// Kind: an argument or the result.
pub const PLACE: u64 = 1;
/// Kind: a member of the struct around.
pub const MEMBER: u64 = 2;
/// Kind: as many as come before one that is all zero.
pub const ZERO: u64 = 3;

/// `zero(zero(...))` is looked into so deep.
const MAX_DEPTH: usize = 4;

/// Word 0 of a [`PLACE`] or [`MEMBER`]: `size` in bytes, shifted down by `shift` bits first.
#[must_use]
pub const fn word(kind: u64, size: u8, signed: bool, shift: u8) -> u64 {
    kind | (size as u64) << 8 | (signed as u64) << 16 | (shift as u64) << 24
}

/// How many elements an array has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// So many.
    Exactly(u64),
    /// As many as come before one that is all zero, at most so many.
    UntilZero(u64),
}

impl<M: Memory, S: Sink> Walker<'_, M, S> {
    /// What the expression at `at` says, `structure` being the address of the struct around. What cannot be
    /// known, and what is negative, is nothing.
    pub(super) fn extent(&mut self, mut at: usize, structure: u64) -> Extent {
        let mut until_zero = false;
        for _ in 0..MAX_DEPTH {
            if self.plan.word(at) & 0xff == ZERO {
                until_zero = true;
                at = self.plan.word(at.saturating_add(1)) as usize;
                if at == 0 {
                    return Extent::UntilZero(u64::MAX);
                }
                continue;
            }
            let value = self.value(at, structure).and_then(|value| u64::try_from(value).ok()).unwrap_or(0);
            return if until_zero { Extent::UntilZero(value) } else { Extent::Exactly(value) };
        }
        Extent::Exactly(0)
    }

    fn value(&mut self, at: usize, structure: u64) -> Option<i64> {
        let (word, operand) = (self.plan.word(at), self.plan.word(at.saturating_add(1)));
        let raw = match word & 0xff {
            CONSTANT => return Some(operand as i64),
            PLACE => self.values.at(Place::of(operand)?, self.memory)?,
            MEMBER => {
                let mut bytes = [0; 8];
                let size = ((word >> 8 & 0xff) as usize).min(bytes.len());
                let into = bytes.get_mut(..size)?;
                if self.memory.read(structure.wrapping_add(operand), into) < size {
                    return None;
                }
                u64::from_le_bytes(bytes)
            }
            _ => return None,
        };
        Some(extended(raw, word))
    }
}

/// The value in the low bytes of `raw`, as word 0 says.
fn extended(raw: u64, word: u64) -> i64 {
    let shifted = raw >> (word >> 24 & 63);
    let unused = 64 - 8 * (word >> 8 & 0xff).clamp(1, 8) as u32;
    if word & 1 << 16 == 0 {
        (shifted << unused >> unused) as i64
    } else {
        (shifted << unused) as i64 >> unused
    }
}
