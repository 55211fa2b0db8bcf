//! Copying what a call's arguments point to, by the nodes of a plan.
//!
//! A node says what lies at an address, as far as that is needed to find what must be copied. Whoever prints
//! a call has the full type; here only sizes, counts and pointers are known.
//!
//! # Nodes
//!
//! A capture names a place, which holds an address, and the node of what lies there. Word 0 of a node is its kind
//! in bits 0-7, a size in bytes in bits 8-39, and a [`Limit`] in bits 40-47.
//!
//! | kind | size | words behind |
//! |---|---|---|
//! | [`node::BYTES`] | of all of it | |
//! | [`node::POINTER`] | | node of what it points to |
//! | [`node::ARRAY`] | of an element | node of each element (0: nothing leads further), expression: how many |
//! | [`node::STRUCT`] | of all of it | how many members follow; of each its offset (bit 32: [`node::APART`]) and its node |
//! | [`node::FORMAT`] | of a character | registers and stack bytes before the arguments: integer in bits 0-7, vector 8-15, stack 16-31 |
//!
//! Of a struct only those members are listed that lead further. A node may lead back to one that led to it.
//!
//! # Expressions
//!
//! Word 0 is the kind in bits 0-7, the value's size in bytes in bits 8-15, in bit 16 whether it is signed, in bits 24-31 by how
//! many bits it is to be shifted down first.
//!
//! | kind | word 1 |
//! |---|---|
//! | [`expression::CONSTANT`] | the value |
//! | [`expression::PLACE`] | a [`Place`] |
//! | [`expression::MEMBER`] | offset in the struct around it |
//! | [`expression::ZERO`] | up to an element that is all zero, at most as many as the expression here says (0: any number) |
//!
//! # Limits
//!
//! Memory that lies, or changes meanwhile, makes a walk give less, never run on: a walk copies [`BUDGET`] bytes at most, makes [`MAX_STEPS`] steps, follows [`MAX_POINTERS`] pointers behind each other, and forgets what is nested deeper than [`MAX_NESTING`]. A pointer that was
//! followed to get where it stands is not followed again; a struct is not entered again within itself more often than the
//! plan's limit of array elements. Of arrays and strings one element more than the limit is copied: so it can be seen
//! that there are more.

pub mod expression;
mod format;
pub mod node;
#[cfg(test)]
mod tests;
mod walker;

use super::plan::{Place, Plan};
pub use node::Limit;
pub use walker::Scratch;
use walker::Walker;

/// The most bytes that one walk copies.
pub const BUDGET: usize = 64 << 10;
/// The most pointers that are followed behind each other.
pub const MAX_POINTERS: usize = 64;
/// The most structs and arrays within each other of which more is to be walked.
pub const MAX_NESTING: usize = 24;
/// The most nodes that one walk looks at and reads that it makes.
pub const MAX_STEPS: usize = 8 << 10;
/// The most characters of a format that are looked at.
pub const MAX_FORMAT: u64 = 4096;
/// The most arguments of a format.
pub const MAX_FORMATTED: usize = 48;

/// Memory that may be anything.
pub trait Memory {
    /// Copies bytes at `address`, as many as can be read without a gap; gives how many.
    fn read(&mut self, address: u64, into: &mut [u8]) -> usize;
}

/// Who takes what was copied.
pub trait Sink {
    /// These bytes lay at `address`. Regions may overlap and come twice.
    fn region(&mut self, address: u64, bytes: &[u8]);
}

/// A call's values, as far as they are known.
#[derive(Clone, Copy, Debug, Default)]
pub struct Values {
    /// `rdi rsi rdx rcx r8 r9`.
    pub gprs: [u64; 6],
    /// Low halves of `xmm0`..`xmm7`.
    pub vectors: [u64; 8],
    /// Address of the return address; stack arguments are above it.
    pub sp: u64,
    /// The result, on return.
    pub rax: u64,
    /// Its second half, on return.
    pub rdx: u64,
}

impl Values {
    /// The value at a place; stack arguments are read.
    pub fn at(&self, place: Place, memory: &mut impl Memory) -> Option<u64> {
        Some(match place {
            Place::Gpr(number) => *self.gprs.get(usize::from(number))?,
            Place::Vector(number) => *self.vectors.get(usize::from(number))?,
            Place::Rax => self.rax,
            Place::Rdx => self.rdx,
            Place::Stack(offset) => read_word(memory, self.stack_argument(u64::from(offset)))?,
        })
    }

    /// The address of what is so many bytes above the first stack argument.
    #[must_use]
    pub const fn stack_argument(&self, offset: u64) -> u64 {
        self.sp.wrapping_add(8).wrapping_add(offset)
    }
}

/// Copies what the captures at `captures` (an offset in the plan) lead to. Needs some hundred bytes of stack, and what
/// `memory` and `sink` do.
// Not inlined, nor the next: its caller's stack may be small, and must not hold two of these.
#[inline(never)]
pub fn walk(
    plan: &Plan<'_>,
    captures: usize,
    values: &Values,
    memory: &mut impl Memory,
    sink: &mut impl Sink,
    scratch: &mut Scratch,
) {
    let mut walker = Walker::new(*plan, values, memory, sink, scratch);
    for (place, node) in plan.captures(captures) {
        walker.begin(place, node);
    }
}

/// Copies `bytes` bytes at an address, in pieces.
#[inline(never)]
pub fn copy(address: u64, bytes: u64, memory: &mut impl Memory, sink: &mut impl Sink, scratch: &mut Scratch) {
    Walker::new(Plan::EMPTY, &Values::default(), memory, sink, scratch).copy(address, bytes);
}

fn read_word(memory: &mut impl Memory, address: u64) -> Option<u64> {
    let mut bytes = [0; 8];
    (memory.read(address, &mut bytes) == bytes.len()).then(|| u64::from_le_bytes(bytes))
}
