//! Who made a call: what is given is put to a place's account.

use crate::event::{Event, FunctionId};

/// A call site with the stack behind it, and the function it called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) site: u64,
    pub(crate) stack: u32,
    pub(crate) function: FunctionId,
}

impl Place {
    /// Where `event` was called.
    #[inline(always)]
    pub(crate) const fn of(event: &Event<'_>) -> Self {
        Self { site: event.site, stack: event.stack, function: event.function }
    }
}
