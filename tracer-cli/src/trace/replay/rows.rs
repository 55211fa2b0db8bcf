//! Prototypes for what was recorded: only those of which all values are there.

use std::path::Path;
use std::rc::Rc;

use calltap_channel::stack::End;
use calltap_channel::trace::plan::{Plan, shape};

use crate::prototype::compile::Compiler;
use crate::prototype::library::Prototypes;
use crate::prototype::types::Prototype;
use crate::trace::stream::{Lookup, Met};

/// Prototypes as they are known now, for calls as they were recorded.
pub struct Recorded {
    plan: Vec<u64>,
    prototypes: Rc<Prototypes>,
    /// Path of the program, which provides what has no path.
    program: String,
}

impl Recorded {
    /// Of a recording with this plan and program.
    #[must_use]
    pub fn new(plan: Vec<u64>, prototypes: Rc<Prototypes>, program: String) -> Self {
        Self { plan, prototypes, program }
    }
}

impl Lookup for Recorded {
    fn function(&mut self, met: &Met) -> Option<Rc<Prototype>> {
        let recorded = Plan::new(&self.plan)?.numbered(met.row?)?.shape;
        let provider = if met.provider.is_empty() { &self.program } else { &met.provider };
        let prototype = self.prototypes.of(&met.name, Path::new(provider))?;
        let needed = Compiler::new(0).compile(&prototype).shape;
        has_all(recorded, needed).then_some(prototype)
    }

    fn system_call(&mut self, name: &str) -> Option<Rc<Prototype>> {
        self.prototypes.system_call(name)
    }
}

/// Whether what was recorded by one shape is enough for another one.
fn has_all(recorded: u64, needed: u64) -> bool {
    let fields =
        [(0, shape::GPRS), (shape::VECTORS_SHIFT, shape::VECTORS), (shape::STACK_SHIFT, shape::STACK)];
    let flags = shape::RDX | shape::RETURNS_VECTORS | shape::RETURNS_X87;
    fields.iter().all(|(shift, mask)| recorded >> shift & mask >= needed >> shift & mask)
        && needed & flags & !recorded == 0
}

/// How a stack ends, by its number.
pub(super) fn end(number: u64) -> Option<End> {
    [End::Outermost, End::Depth, End::Lost].into_iter().find(|end| *end as u64 == number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prototype_needs_what_was_recorded() {
        let recorded = 3 | 2 << shape::VECTORS_SHIFT | 16 << shape::STACK_SHIFT | shape::RDX;
        assert!(has_all(recorded, recorded) && has_all(recorded, 2));
        assert!(!has_all(recorded, 4));
        assert!(!has_all(recorded, 3 << shape::VECTORS_SHIFT));
        assert!(!has_all(recorded, 24 << shape::STACK_SHIFT));
        assert!(!has_all(recorded, shape::RETURNS_X87));
    }
}
