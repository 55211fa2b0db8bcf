//! The stack table and the symbols as the source of the report's stacks.

use std::cell::Cell;
use std::sync::Arc;

use calltap_analyzers::event::Image;
use calltap_channel::stack::{Frame as RawFrame, Stack, StackTable};

use super::model::Frame;
use super::stacks::Source;
use crate::origin::{Origins, Ownership, Site};
use crate::symbols::{Detail, NamedFrame, Symbols};

/// What is left of the stacks when the run is over.
pub struct Recorded<'a> {
    /// All stacks.
    table: StackTable,
    /// Names for their frames.
    symbols: &'a mut Symbols,
    /// Whose code they are in.
    origins: Origins,
    /// Whether a stack was found that somebody has written over.
    damaged: Cell<bool>,
    /// Is told how many addresses have been looked up, and of how many.
    progress: &'a mut dyn FnMut(usize, usize),
}

impl<'a> Recorded<'a> {
    /// Stacks of `table` with the names that `symbols` has.
    #[must_use]
    pub fn new(
        table: StackTable,
        symbols: &'a mut Symbols,
        progress: &'a mut dyn FnMut(usize, usize),
    ) -> Self {
        Self { table, symbols, origins: Origins::new(), damaged: Cell::new(false), progress }
    }
}

impl Source for Recorded<'_> {
    fn stack(&self, id: u32) -> Option<Stack> {
        let stack = self.table.get(id);
        if stack.is_none() && self.table.is_damaged(id) {
            self.damaged.set(true);
        }
        stack
    }

    fn has_damage(&self) -> bool {
        self.damaged.get()
    }

    fn resolve(&mut self, frames: &[(Image, RawFrame)], detail: Detail) {
        self.symbols.resolve(frames, detail, self.progress);
    }

    fn name(&self, image: Image, frame: RawFrame) -> Vec<Frame> {
        self.symbols.name(image, frame).into_iter().map(shown).collect()
    }

    fn site(&mut self, image: Image, frame: RawFrame) -> Site {
        let address = frame.address();
        match self.symbols.code(image, frame) {
            Some(code) => Site {
                address,
                object: Some(code.path.to_string()),
                offset: code.address,
                symbol: self.origins.symbol(&code, self.symbols),
            },
            None => Site { address, ..Site::default() },
        }
    }

    fn owner(&mut self, image: Image, frame: RawFrame, function: &str) -> Ownership {
        match self.symbols.code(image, frame) {
            Some(code) => self.origins.owner(&code, function, self.symbols),
            None => Ownership::ProgramGuess,
        }
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
