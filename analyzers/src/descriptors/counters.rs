//! What is counted while the events come.

use std::collections::BTreeMap;

use super::growth::Series;
use super::number::Opened;
use super::report::KindCounts;
use crate::hash::SpreadMap;
use crate::place::Place;

/// So many must be open before a place's count is followed in time.
const FOLLOWED: u64 = 4;

#[derive(Clone, Debug, Default)]
pub(crate) struct Counters {
    pub(crate) open: u64,
    pub(crate) closed_inherited: u64,
    pub(crate) replaced_unseen: u64,
    pub(crate) vfork_child_calls: u64,
    pub(crate) peak_open: u64,
    pub(crate) peak_ns: u64,
    pub(crate) peak_in_use: u64,
    pub(crate) kinds: BTreeMap<&'static str, KindCounts>,
    pub(crate) places: SpreadMap<Place, Tally>,
}

/// What one place opened.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    /// How many were opened.
    pub(crate) opened: u64,
    /// How many are open.
    pub(crate) open: u64,
    /// How many were open when, if there were ever a few at once.
    pub(crate) series: Option<Box<Series>>,
}

impl Counters {
    pub(crate) fn opened(&mut self, opened: &Opened) {
        self.kinds.entry(opened.descriptor.source.kind).or_default().opened += 1;
        self.places.entry(opened.place).or_default().opened += 1;
    }

    pub(crate) fn closed(&mut self, kind: &'static str) {
        self.kinds.entry(kind).or_default().closed += 1;
    }

    pub(crate) fn unclosed(&mut self, kind: &'static str) {
        self.kinds.entry(kind).or_default().closed -= 1;
    }

    /// What was counted as opened, and is open, is in truth of another kind, or another place asked
    /// for it.
    pub(crate) fn renamed(&mut self, was: &Opened, is: &Opened) {
        self.kinds.entry(was.descriptor.source.kind).or_default().opened -= 1;
        self.kinds.entry(is.descriptor.source.kind).or_default().opened += 1;
        if was.place != is.place {
            let inner = self.places.entry(was.place).or_default();
            inner.opened -= 1;
            inner.change(inner.open - 1, was.opened_ns);
            let outer = self.places.entry(is.place).or_default();
            outer.opened += 1;
            outer.change(outer.open + 1, was.opened_ns);
        }
    }

    pub(crate) fn began(&mut self, opened: &Opened) {
        self.open += 1;
        if self.open > self.peak_open {
            self.peak_open = self.open;
            self.peak_ns = opened.opened_ns;
        }
        let tally = self.places.entry(opened.place).or_default();
        tally.change(tally.open + 1, opened.opened_ns);
    }

    pub(crate) fn ended(&mut self, opened: &Opened, at_ns: u64) {
        self.open -= 1;
        let tally = self.places.entry(opened.place).or_default();
        tally.change(tally.open - 1, at_ns);
    }

    /// So many are open, inherited ones included.
    pub(crate) fn in_use(&mut self, now: u64) {
        self.peak_in_use = self.peak_in_use.max(now);
    }
}

impl Tally {
    fn change(&mut self, open: u64, at_ns: u64) {
        self.open = open;
        match &mut self.series {
            Some(series) => series.add(at_ns, open),
            None if open >= FOLLOWED => self.series = Some(Box::new(Series::new(at_ns, open))),
            None => {}
        }
    }
}
