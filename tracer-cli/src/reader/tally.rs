//! How often each distinct stack asked for memory, for tests that compare it with another unwinder's.

use std::collections::HashMap;
use std::fmt::Write as _;

use calltap_analyzers::event::Image;
use calltap_channel::record::Record;
use calltap_channel::stack::StackTable;
use calltap_channel::{Family, Function};

/// Counts by image and stack number.
#[derive(Debug, Default)]
pub struct Tally {
    counts: HashMap<(Image, u32), u64>,
}

impl Tally {
    /// Counts a call that has a stack, if it is of the family of memory.
    pub(super) fn count(&mut self, record: &Record<'_>, function: Function, image: Image) {
        if record.stack() != 0 && function.family() == Family::Memory {
            *self.counts.entry((image, record.stack())).or_default() += 1;
        }
    }

    /// One line for each stack: its count, the process id and its return addresses in hexadecimal,
    /// innermost first.
    #[must_use]
    pub fn lines(&self, table: &StackTable, pid_of: impl Fn(Image) -> u32) -> String {
        let mut text = String::new();
        for ((image, id), count) in &self.counts {
            let frames = table.get(*id).map(|stack| stack.frames).unwrap_or_default();
            let addresses: Vec<_> = frames.iter().map(|frame| format!("{:x}", frame.address())).collect();
            let _ = writeln!(text, "{count} {} {}", pid_of(*image), addresses.join(","));
        }
        text
    }
}
