//! The ledger of mappings: what `mmap` and `mremap` gave and `munmap` did not take back.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;

use crate::event::{Action, Analyzer, Event};
use crate::pairing::TOLERANCE_NS;

/// So many unmaps of the unknown are remembered, for maps that are told late.
const EARLY: usize = 64;

/// Keeps the ranges that are mapped. Memory grows with their number.
#[derive(Debug, Default)]
pub struct Mappings {
    /// By start; ranges do not overlap.
    ranges: BTreeMap<u64, Mapping>,
    /// Unmaps that found nothing, by their start.
    early: VecDeque<(u64, Range<u64>)>,
    report: MappingReport,
}

#[derive(Clone, Copy, Debug)]
struct Mapping {
    end: u64,
    birth_ns: u64,
}

/// Findings about one process's mappings made by recorded calls. Times are nanoseconds since the
/// session began. Always `mapped_bytes + remapped_bytes == unmapped_bytes + replaced_bytes +
/// moved_bytes + still_mapped_bytes`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MappingReport {
    /// Successful calls of `mmap`.
    pub mapped_calls: u64,
    /// Bytes they mapped.
    pub mapped_bytes: u64,
    /// Successful calls of `munmap`.
    pub unmapped_calls: u64,
    /// Bytes of known mappings they unmapped.
    pub unmapped_bytes: u64,
    /// Bytes they unmapped that no recorded call had mapped.
    pub unmapped_unseen_bytes: u64,
    /// Successful calls of `mremap`.
    pub remapped_calls: u64,
    /// Bytes of the mappings they made.
    pub remapped_bytes: u64,
    /// Bytes of known mappings they took for that.
    pub moved_bytes: u64,
    /// Bytes of known mappings over which something else was mapped.
    pub replaced_bytes: u64,
    /// Bytes that are mapped.
    pub still_mapped_bytes: u64,
    /// In so many separate ranges.
    pub still_mapped_ranges: u64,
    /// The most bytes mapped at once.
    pub peak_bytes: u64,
    /// When that was.
    pub peak_ns: u64,
}

impl Mappings {
    fn map(&mut self, range: Range<u64>, birth_ns: u64) {
        if range.is_empty() {
            return;
        }
        let taken = self.take(&range, birth_ns);
        // What is still there is younger: this call is told late, and only its gaps remain.
        let mut covered = 0;
        let mut start = range.start;
        for (younger_start, Mapping { end: younger_end, .. }) in self.overlapping(&range) {
            if start < younger_start {
                self.ranges.insert(start, Mapping { end: younger_start, birth_ns });
            }
            covered += younger_end.min(range.end) - younger_start.max(range.start);
            start = younger_end;
        }
        if start < range.end {
            self.ranges.insert(start, Mapping { end: range.end, birth_ns });
        }
        self.report.replaced_bytes += taken + covered;
        self.report.still_mapped_bytes += range.end - range.start - covered;
        if self.report.still_mapped_bytes > self.report.peak_bytes {
            self.report.peak_bytes = self.report.still_mapped_bytes;
            self.report.peak_ns = birth_ns;
        }
        self.unmap_early(&range, birth_ns);
    }

    /// Takes away what unmaps told before have unmapped after `birth_ns`.
    fn unmap_early(&mut self, range: &Range<u64>, birth_ns: u64) {
        let after = |(start_ns, gone): &(u64, Range<u64>)| {
            *start_ns >= birth_ns && gone.start < range.end && range.start < gone.end
        };
        while let Some(at) = self.early.iter().position(after) {
            let Some((start_ns, gone)) = self.early.remove(at) else { break };
            let bytes = self.take(&(gone.start.max(range.start)..gone.end.min(range.end)), start_ns);
            self.report.unmapped_bytes += bytes;
            self.report.unmapped_unseen_bytes -= bytes;
        }
    }

    fn unmap(&mut self, range: Range<u64>, start_ns: u64) {
        let bytes = self.take(&range, start_ns);
        let unseen = range.end - range.start - bytes;
        self.report.unmapped_bytes += bytes;
        self.report.unmapped_unseen_bytes += unseen;
        if unseen > 0 {
            if self.early.len() == EARLY {
                self.early.pop_front();
            }
            self.early.push_back((start_ns, range));
        }
    }

    /// Removes what was mapped in `range` when `at_ns` came; its bytes.
    fn take(&mut self, range: &Range<u64>, at_ns: u64) -> u64 {
        let mut hit = self.overlapping(range);
        hit.retain(|(_, mapping)| mapping.birth_ns <= at_ns + TOLERANCE_NS);
        let mut bytes = 0;
        for (start, mapping) in hit {
            self.ranges.remove(&start);
            if start < range.start {
                self.ranges.insert(start, Mapping { end: range.start, ..mapping });
            }
            if mapping.end > range.end {
                self.ranges.insert(range.end, mapping);
            }
            bytes += mapping.end.min(range.end) - start.max(range.start);
        }
        self.report.still_mapped_bytes -= bytes;
        bytes
    }

    /// What is mapped in any part of `range`, by start.
    fn overlapping(&self, range: &Range<u64>) -> Vec<(u64, Mapping)> {
        let before = self.ranges.range(..range.start).next_back().map(|(start, _)| *start);
        let near = self.ranges.range(before.unwrap_or(range.start)..range.end);
        near.filter(|(_, mapping)| mapping.end > range.start)
            .map(|(start, mapping)| (*start, *mapping))
            .collect()
    }

    /// Mapped ranges; those that touch are one.
    fn separate_ranges(&self) -> u64 {
        let mut last_end = None;
        let starts_anew =
            |(start, mapping): &(&u64, &Mapping)| last_end.replace(mapping.end) != Some(**start);
        self.ranges.iter().filter(starts_anew).count() as u64
    }
}

/// `bytes` from `address` on; whole pages, as the kernel takes them. Empty if it makes no sense.
fn pages(address: u64, bytes: u64) -> Range<u64> {
    const PAGE: u64 = 4096;
    let end = bytes.checked_next_multiple_of(PAGE).and_then(|bytes| address.checked_add(bytes));
    address..end.unwrap_or(address)
}

impl Analyzer for Mappings {
    type Report = MappingReport;

    fn observe(&mut self, event: &Event<'_>) {
        match event.action {
            Action::Mapped { address, bytes, .. } => {
                let range = pages(address, bytes);
                self.report.mapped_calls += 1;
                self.report.mapped_bytes += range.end - range.start;
                self.map(range, event.end_ns);
            }
            Action::Unmapped { address, bytes } => {
                self.report.unmapped_calls += 1;
                self.unmap(pages(address, bytes), event.start_ns);
            }
            Action::Remapped { old, old_bytes, new, new_bytes } => {
                let range = pages(new, new_bytes);
                self.report.remapped_calls += 1;
                self.report.remapped_bytes += range.end - range.start;
                self.report.moved_bytes += self.take(&pages(old, old_bytes), event.start_ns);
                self.map(range, event.end_ns);
            }
            _ => {}
        }
    }

    fn report(&self) -> MappingReport {
        MappingReport { still_mapped_ranges: self.separate_ranges(), ..self.report.clone() }
    }
}

#[cfg(test)]
mod tests;
