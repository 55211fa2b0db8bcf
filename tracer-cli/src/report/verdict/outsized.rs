//! What the first lines say of outsized allocations.

use crate::report::model::{Outsized, OutsizedAllocation, Process, Stack};
use crate::report::text::Paths;
use crate::report::text::outsized::{capacity, death, read};
use crate::report::text::place::{at, called};
use crate::report::units::{bytes, time};

/// The findings of all images: also of those that exec replaced.
#[derive(Default)]
pub(super) struct OutsizedTotals<'a> {
    count: u64,
    largest: Option<(&'a Process, &'a Outsized, &'a OutsizedAllocation)>,
}

impl<'a> OutsizedTotals<'a> {
    pub(super) fn add(&mut self, process: &'a Process) {
        let Some(outsized) = &process.outsized else { return };
        self.count += outsized.count;
        for asked in &outsized.allocations {
            if self.largest.is_none_or(|(.., largest)| asked.bytes > largest.bytes) {
                self.largest = Some((process, outsized, asked));
            }
        }
    }

    /// The largest one, in a few words.
    pub(super) fn finding(&self) -> Option<String> {
        let (process, outsized, asked) = self.largest?;
        let vain = if asked.given { "" } else { ", in vain" };
        let more = match self.count {
            1 => String::new(),
            count => format!(" ({count} outsized allocations)"),
        };
        let death = death(asked, process).map(|death| format!(", {death}")).unwrap_or_default();
        let (size, share) = (bytes(asked.bytes), asked.percent);
        Some(format!("asked for {size} at once, {share}% of {}{vain}{more}{death}", capacity(outsized)))
    }

    /// Where it was asked for, and what was read before.
    pub(super) fn place(&self, paths: &Paths) -> Option<(&'a Process, String)> {
        let (process, _, asked) = self.largest?;
        let by = called(&asked.function);
        let place = at(&asked.stack, Some(&asked.site), paths);
        let mut place = format!("{} asked of {by} {place}", bytes(asked.bytes));
        // A multiple says more than what was read last.
        let multiple = asked.limits.iter().find(|before| before.multiple.is_some());
        if let Some(before) = multiple.or(asked.limits.first()) {
            place += &format!(", {} after {}", time(before.before_ns), read(before));
        }
        Some((process, place))
    }

    /// The stack of the largest one.
    pub(super) fn stack(&self) -> Option<&'a Stack> {
        self.largest.map(|(.., asked)| &asked.stack)
    }
}
