//! What the first lines say of memory that is free and was not given back.

use calltap_analyzers::arenas::report::VerdictKind;

use crate::report::model::{Advice, EndedBy, LastLook, Process};
use crate::report::text::Paths;
use crate::report::text::arenas::{pin, saving, words};
use crate::report::units::bytes;

/// Less than this is not worth a word,
const LEAST_BYTES: u64 = 16 << 20;
/// nor is a smaller share of what is resident.
const LEAST_PERCENT: u64 = 25;

/// The process that keeps most.
#[derive(Default)]
pub(super) struct MemoryTotals<'a> {
    largest: Option<(&'a Process, &'a LastLook)>,
}

impl<'a> MemoryTotals<'a> {
    pub(super) fn add(&mut self, process: &'a Process) {
        let Some(arenas) = &process.arenas else { return };
        if process.ended_by != EndedBy::Exec && kept(&arenas.last) > self.kept_bytes() {
            self.largest = Some((process, &arenas.last));
        }
    }

    /// Resident bytes that are free; 0 if they are not worth a word.
    pub(super) fn kept_bytes(&self) -> u64 {
        self.largest.map_or(0, |(_, last)| kept(last))
    }

    /// How much of what is resident is kept though it is free, and by what name.
    pub(super) fn remark(&self) -> Option<String> {
        let (_, last) = self.largest?;
        let reasons = [VerdictKind::Retention, VerdictKind::Fragmentation].into_iter().filter_map(|kind| {
            let size = of(last, kind);
            (size > 0).then(|| format!("{} {}", words::verdict(kind), bytes(size)))
        });
        let reasons: Vec<_> = reasons.collect();
        let resident = last.ledger.anonymous_bytes;
        Some(format!("{} resident, of it free and kept: {}", bytes(resident), reasons.join(", ")))
    }

    /// The block that pins most of it.
    pub(super) fn place(&self, paths: &Paths) -> Option<(&'a Process, String)> {
        let (process, last) = self.largest?;
        let first = last.pins.first()?;
        Some((process, pin(first, last.at_ns, paths)))
    }

    /// The command that is expected to save most.
    pub(super) fn next(&self) -> Option<String> {
        let (_, last) = self.largest?;
        let commands = last.advice.iter().filter_map(|advice| Some((advice.command.as_ref()?, advice)));
        let (command, advice) = commands.max_by_key(|(_, advice): &(&String, &Advice)| advice.saves_bytes)?;
        Some(format!("{command}   {}", saving(advice)))
    }
}

/// Resident bytes that are free; 0 if they are not worth a word.
pub(in crate::report) fn kept(last: &LastLook) -> u64 {
    let kept = of(last, VerdictKind::Retention) + of(last, VerdictKind::Fragmentation);
    let share = u128::from(kept) * 100;
    let is_large = share >= u128::from(last.ledger.anonymous_bytes) * u128::from(LEAST_PERCENT);
    if kept >= LEAST_BYTES && is_large { kept } else { 0 }
}

fn of(last: &LastLook, kind: VerdictKind) -> u64 {
    last.verdict(kind).map_or(0, |verdict| verdict.resident_bytes)
}
