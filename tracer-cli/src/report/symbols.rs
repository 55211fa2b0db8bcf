//! The stack table and the symbols as the source of the report's stacks.

use std::sync::Arc;

use calltap_analyzers::event::Image;
use calltap_channel::stack::{Frame as RawFrame, Stack, StackTable};

use super::model::Frame;
use super::stacks::Source;
use crate::symbols::{NamedFrame, Symbols};

/// What is left of the stacks when the run is over.
pub struct Recorded<'a> {
    /// All stacks.
    pub table: StackTable,
    /// Names for their frames.
    pub symbols: &'a mut Symbols,
    /// Is told how many addresses have been looked up, and of how many.
    pub progress: &'a mut dyn FnMut(usize, usize),
}

impl Source for Recorded<'_> {
    fn stack(&self, id: u32) -> Option<Stack> {
        self.table.get(id)
    }

    fn resolve(&mut self, frames: &[(Image, RawFrame)]) {
        self.symbols.resolve(frames, self.progress);
    }

    fn name(&self, image: Image, frame: RawFrame) -> Vec<Frame> {
        self.symbols.name(image, frame).into_iter().map(shown).collect()
    }
}

fn shown(named: NamedFrame) -> Frame {
    Frame {
        function: named.function,
        file: named.file,
        line: named.line,
        inlined: named.inlined,
        object: named.object.filter(|path: &Arc<str>| !path.is_empty()),
        offset: named.offset,
        address: named.address,
        guessed: named.guessed,
    }
}
