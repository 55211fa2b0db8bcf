//! `vfork`: it is entered by a jump, so that its two returns are not seen, but they can be told from what happens. In the
//! child it gives 0 when the process is created; in its parent the child's id, at the latest when that goes on.

use std::io;

use super::{Lines, UNFINISHED, resumed};
use crate::trace::event::{TraceEvent, What};
use crate::trace::print::style::Ids;

/// Whether a function of this name is `vfork`.
pub(super) fn is_vfork(name: &str) -> bool {
    matches!(name, "vfork" | "__vfork")
}

/// A `vfork` that has not returned in the parent.
#[derive(Clone, Copy, Debug)]
pub struct Vfork {
    /// The child, when it is there.
    child: Option<u32>,
    /// Calls that are open around it.
    depth: usize,
}

impl Lines {
    /// It begins; its line stays open.
    pub(super) fn vfork_begins(&mut self, event: &TraceEvent<'_>, depth: usize) {
        self.unfinished = Some((event.tid, depth));
        self.vforks.insert(event.tid, Vfork { child: None, depth });
    }

    /// A process is created: if by `vfork`, it returns in the child.
    pub(super) fn vfork_child(&mut self, event: &TraceEvent<'_>, child: u32) -> io::Result<()> {
        let Some(vfork) = self.vforks.get_mut(&event.tid).filter(|vfork| vfork.child.is_none()) else {
            return Ok(());
        };
        vfork.child = Some(child);
        // Without thread ids children are not followed.
        if self.style.ids == Ids::None {
            return Ok(());
        }
        self.interrupt(UNFINISHED)?;
        self.vfork_returns(event, child, Some(0), 0)
    }

    /// Something happens to a thread: if it shows that a `vfork` has returned, that is said first.
    pub(super) fn vfork_parent(&mut self, event: &TraceEvent<'_>) -> io::Result<()> {
        let within = match &event.what {
            What::Entered(_) | What::Returned(_) => false,
            What::CallBegan(call) | What::CallEnded(call) => {
                matches!(call.name, "vfork" | "clone" | "clone3")
            }
            _ => true,
        };
        if within {
            return Ok(());
        }
        let Some(vfork) = self.vforks.remove(&event.tid) else { return Ok(()) };
        if self.unfinished == Some((event.tid, vfork.depth)) {
            self.unfinished = None;
            return self.vfork_result(vfork.child);
        }
        self.interrupt(UNFINISHED)?;
        self.vfork_returns(event, event.tid, vfork.child, vfork.depth)
    }

    fn vfork_returns(
        &mut self,
        event: &TraceEvent<'_>,
        tid: u32,
        result: Option<u32>,
        depth: usize,
    ) -> io::Result<()> {
        self.out.begin();
        self.head.write(&mut self.out.text, tid, event.at_ns, None, depth);
        resumed(&mut self.out.text, "vfork");
        self.vfork_result(result)
    }

    fn vfork_result(&mut self, result: Option<u32>) -> io::Result<()> {
        self.result_column();
        match result {
            Some(result) => self.out.text.unsigned(u64::from(result)),
            None => self.out.text.unknown(),
        }
        self.out.end()
    }
}
