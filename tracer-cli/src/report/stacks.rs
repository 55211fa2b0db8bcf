//! Stacks as the report shows them: named, without what tells nothing, alike ones as one.

use calltap_analyzers::event::Image;
use calltap_channel::stack::{self, Frame as RawFrame};
use clap::ValueEnum;
use serde::Serialize;

use super::model::{Frame, Stack};
use crate::origin::{Ownership, Site};
use crate::symbols::Detail;

#[cfg(test)]
pub(in crate::report) mod fake;
mod frames;
mod group;
mod hidden;
pub mod name;
mod place;
mod shown;

pub use frames::{FrameId, NameId};
pub use group::{Group, group};
pub use place::{in_object, is_ours, own};
pub use shown::{Place, Shown, Stacks};

/// Where stacks and the names of their frames come from.
pub trait Source {
    /// The stack of this id, if there is one.
    fn stack(&self, id: u32) -> Option<stack::Stack>;

    /// Whether one of those that were asked for has been written over.
    fn has_damage(&self) -> bool {
        false
    }

    /// Looks up everything that will be asked for, which is faster than one by one. May take
    /// seconds, and show how far it is.
    fn resolve(&mut self, frames: &[(Image, RawFrame)], detail: Detail);

    /// What a frame is, what was inlined into it first; empty if nothing is known.
    fn name(&self, image: Image, frame: RawFrame) -> Vec<Frame>;

    /// Where a frame is in its object file, as the linker has it. Only of what was looked up.
    fn site(&mut self, image: Image, frame: RawFrame) -> Site;

    /// Whose a block is that `function` (a C symbol) gave to the caller that a frame returns to. Only of
    /// what was looked up.
    fn owner(&mut self, image: Image, frame: RawFrame, function: &str) -> Ownership;
}

/// What makes stacks one group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum GroupBy {
    /// The whole stack, as it is shown
    #[default]
    Stack,
    /// The innermost function that is shown
    Function,
    /// Its source line, or its place in the object file
    Site,
    /// The executable or library that it is in
    Object,
}

/// What the width of a flame graph stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum StackValue {
    /// Bytes still allocated at the end
    #[default]
    Leaked,
    /// Bytes that were live when the heap was largest
    Peak,
    /// Bytes of all allocations
    Allocated,
    /// Allocations
    Allocations,
    /// Allocations that were released at once
    Temporary,
    /// Descriptors still open at the end
    Descriptors,
}

impl Stack {
    /// What its group has in common; None for whole stacks.
    #[must_use]
    pub fn group(&self, group_by: GroupBy) -> Option<String> {
        match self.frames.first() {
            Some(leaf) => place::label(leaf, group_by),
            None => (group_by != GroupBy::Stack).then(|| "unknown".to_owned()),
        }
    }
}
