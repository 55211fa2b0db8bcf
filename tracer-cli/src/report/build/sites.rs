//! Names for addresses: of one session, and of one process in it.

use std::collections::HashMap;

use calltap_analyzers::event::Image;

use super::Wishes;
use crate::origin::{Ownership, Site};
use crate::report::model::Stack;
use crate::report::stacks::{FrameId, NameId, Source, StackValue, Stacks};
use crate::stack_files::{Folded, Folding};

/// So many rows of leaks in one report are listed in full; processes that come later list but the
/// first few. A report of a large build would not fit into memory.
const ROWS_OF_A_SESSION: usize = 200_000;

const MANY_PROCESSES: usize = 20;

/// What is kept from process to process.
pub(super) struct Naming<'a> {
    pub(super) stacks: Stacks<'a>,
    pub(super) wishes: &'a Wishes,
    /// Rows of leaks that may still be listed.
    pub(super) rows_left: usize,
    folding: Option<Folding>,
    /// Folded stacks begin with the process.
    several: bool,
    /// More processes than can be told of at length.
    pub(super) many: bool,
    /// The pattern that suppresses what is called from a frame.
    suppressed: HashMap<FrameId, Option<usize>>,
}

impl<'a> Naming<'a> {
    pub(super) fn new(source: &'a mut dyn Source, wishes: &'a Wishes, processes: usize) -> Self {
        Self {
            stacks: Stacks::new(source, wishes.view.raw),
            wishes,
            rows_left: ROWS_OF_A_SESSION,
            folding: wishes.folded.map(Folding::new),
            several: processes > 1,
            many: processes > MANY_PROCESSES,
            suppressed: HashMap::new(),
        }
    }

    pub(super) fn folded(mut self) -> Option<Folded> {
        let folding = self.folding?;
        Some(folding.finish(self.stacks.names().all()))
    }
}

/// Names the places of one process.
pub(super) struct Sites<'n, 'a> {
    image: Option<Image>,
    pub(super) naming: &'n mut Naming<'a>,
    /// Whether more than its leaks is shown by stack: not in a text if there are many processes.
    pub(super) detail: bool,
    root: Option<NameId>,
}

impl<'n, 'a> Sites<'n, 'a> {
    pub(super) fn of(naming: &'n mut Naming<'a>, image: Option<Image>, program: &str, detail: bool) -> Self {
        let name = program.rsplit('/').next().unwrap_or(program);
        let root = naming.several.then(|| naming.stacks.names().id(name));
        if let Some(image) = image {
            naming.stacks.begin(image);
        }
        Self { image, naming, detail, root }
    }

    pub(super) fn at(&mut self, site: u64, stack: u32) -> Site {
        self.naming.stacks.site((stack, site))
    }

    pub(super) fn owner(&mut self, site: u64, stack: u32, function: &str) -> Ownership {
        self.naming.stacks.owner((stack, site), function)
    }

    pub(super) fn stack(&mut self, site: u64, stack: u32) -> Stack {
        self.naming.stacks.model((stack, site))
    }

    /// Site and stack of a call that perhaps another image made.
    pub(super) fn elsewhere(&mut self, image: Image, site: u64, stack: u32) -> (Site, Stack) {
        if self.image.is_none_or(|own| own == image) {
            return (self.at(site, stack), self.stack(site, stack));
        }
        self.naming.stacks.begin(image);
        let named = (self.at(site, stack), self.stack(site, stack));
        self.image.iter().for_each(|&own| self.naming.stacks.begin(own));
        named
    }

    /// Adds to what is folded, if it is this value that is.
    pub(super) fn fold(&mut self, value: StackValue, site: u64, stack: u32, amount: u64) {
        let Naming { stacks, folding, .. } = &mut *self.naming;
        let Some(folding) = folding.as_mut().filter(|folding| folding.value() == value && amount > 0) else {
            return;
        };
        let shown = stacks.shown((stack, site));
        let frames = stacks.frames(shown).iter().map(|&frame| stacks.name_of(frame));
        folding.add(self.root, frames, stacks.end(shown), amount);
    }

    /// The pattern that suppresses a leak, if one does. Hidden frames count too, and so does the
    /// function that gave the block: LeakSanitizer has it on the stack.
    pub(super) fn suppressed_by(&mut self, site: u64, stack: u32, function: &str) -> Option<usize> {
        let Naming { stacks, wishes, suppressed, .. } = &mut *self.naming;
        let suppressions = &wishes.suppressions;
        if suppressions.is_empty() {
            return None;
        }
        let (frames, _) = stacks.all_frames((stack, site));
        suppressions.of_name(function).or_else(|| {
            frames.into_iter().find_map(|id| {
                *suppressed.entry(id).or_insert_with(|| suppressions.of_frame(stacks.frame(id)))
            })
        })
    }
}
