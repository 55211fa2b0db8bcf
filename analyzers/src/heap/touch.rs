//! Cache misses of many events at once.

use super::HeapLedger;
use crate::event::{Action, Event};

/// With fewer blocks than this alive, their slots stay in the CPU's cache anyway.
const MANY_BLOCKS: u64 = 8192;
/// With fewer places than this, their accounts do.
const MANY_PLACES: usize = 2048;

impl HeapLedger {
    /// Reads what observing these events will need first, and returns anything that depends on it:
    /// done for many events before the first of them, their cache misses overlap. What the CPU's
    /// cache holds anyway is left alone.
    #[must_use]
    pub fn touch(&self, events: &[Event<'_>]) -> u64 {
        let mut seen = 0;
        if self.totals.live.blocks >= MANY_BLOCKS {
            for event in events {
                match event.action {
                    Action::Allocated { block, .. } | Action::Freed { block, .. } => {
                        seen ^= self.table.touch(block.0);
                    }
                    Action::Reallocated { old, new, .. } => {
                        seen ^= self.table.touch(old.0) ^ self.table.touch(new.0);
                    }
                    _ => {}
                }
            }
        }
        if self.origins.len() >= MANY_PLACES {
            for event in events {
                if let Action::Allocated { .. } | Action::Reallocated { .. } = event.action {
                    seen ^= self.origins.touch(event);
                }
            }
        }
        seen
    }
}
