//! What is added up once it is known which library call made a system call.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::stops::Sums;
use super::texts::{Text, Texts};
use super::{CallId, CallTotals, ErrorRow, KernelReport, Residue};
use crate::event::{Event, FunctionId};
use crate::hash::SpreadMap;

/// Different errors, and different places without a library call, at most.
const MOST: usize = 10_000;

/// A system call that was told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told {
    pub(super) id: CallId,
    pub(super) start_ns: u64,
    /// None if its end was not seen.
    pub(super) duration_ns: Option<u64>,
    pub(super) errno: u16,
    pub(super) text: Text,
    pub(super) site: u64,
    pub(super) stack: u32,
    pub(super) in_hook: Option<bool>,
    pub(super) stopped_ns: u64,
    pub(super) makes_descriptor: bool,
    pub(super) closes: bool,
}

impl Told {
    pub(super) fn sums(&self) -> Sums {
        Sums {
            count: 1,
            failed: u64::from(self.errno != 0),
            named: u64::from(self.text != Text::None),
            closes: u64::from(self.closes),
            stopped_ns: self.stopped_ns,
        }
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Tables {
    pub(super) calls: CallTotals,
    pub(super) texts: Texts,
    errors: SpreadMap<ErrorKey, u64>,
    errors_omitted: u64,
    residue: BTreeMap<ResidueKey, Left>,
    residue_omitted: u64,
    unclaimed: u64,
    pub(super) decided_early: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct ErrorKey {
    errno: u16,
    id: Option<CallId>,
    function: Option<FunctionId>,
    text: Text,
    site: u64,
    stack: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct ResidueKey {
    id: CallId,
    stack: u32,
    site: u64,
    sure: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct Left {
    count: u64,
    descriptors: u64,
}

impl Tables {
    /// A library call made this system call.
    pub(super) fn claimed(&mut self, call: &Told, event: &Event<'_>) {
        self.calls.count(call, Some(event.function));
        let stack = if call.stack == 0 { event.stack } else { call.stack };
        self.failed(ErrorKey {
            errno: call.errno,
            id: Some(call.id),
            function: Some(event.function),
            text: call.text,
            site: event.site,
            stack,
        });
    }

    /// No library call that was told made this system call.
    pub(super) fn without_library_call(&mut self, call: &Told) {
        self.calls.count(call, None);
        self.failed(ErrorKey {
            errno: call.errno,
            id: Some(call.id),
            function: None,
            text: call.text,
            site: call.site,
            stack: call.stack,
        });
        // One with a hook on its stack had one, though it was not told.
        if call.in_hook != Some(true) {
            let sure = call.in_hook == Some(false);
            let key = ResidueKey { id: call.id, stack: call.stack, site: call.site, sure };
            self.left(key, Left { count: 1, descriptors: u64::from(call.makes_descriptor) });
        }
    }

    /// Its thread has ended, and no library call that was told made it.
    pub(super) fn given_up(&mut self, call: &Told) {
        self.unclaimed += u64::from(call.in_hook == Some(true));
        self.without_library_call(call);
    }

    /// A library call failed, and no system call in it was seen to fail.
    pub(super) fn library_call_failed(&mut self, event: &Event<'_>, text: Text) {
        self.failed(ErrorKey {
            errno: event.errno,
            id: None,
            function: Some(event.function),
            text,
            site: event.site,
            stack: event.stack,
        });
    }

    fn failed(&mut self, key: ErrorKey) {
        if key.errno != 0 {
            self.failed_often(key, 1);
        }
    }

    fn failed_often(&mut self, key: ErrorKey, times: u64) {
        let has_row =
            key.text != Text::Omitted && (self.errors.len() < MOST || self.errors.contains_key(&key));
        if has_row {
            *self.errors.entry(key).or_default() += times;
        } else {
            self.errors_omitted += times;
        }
    }

    fn left(&mut self, key: ResidueKey, left: Left) {
        if self.residue.len() >= MOST && !self.residue.contains_key(&key) {
            self.residue_omitted += left.count;
            return;
        }
        let mine = self.residue.entry(key).or_default();
        mine.count += left.count;
        mine.descriptors += left.descriptors;
    }

    /// Adds what `later` has, and tells which of its texts is which here.
    pub(super) fn absorb(&mut self, later: Self) -> impl Fn(Text) -> Text + use<> {
        let text_here = self.texts.absorb(later.texts);
        self.calls.add(&later.calls);
        for (key, count) in later.errors {
            self.failed_often(ErrorKey { text: text_here(key.text), ..key }, count);
        }
        later.residue.into_iter().for_each(|(key, left)| self.left(key, left));
        self.errors_omitted += later.errors_omitted;
        self.residue_omitted += later.residue_omitted;
        self.unclaimed += later.unclaimed;
        self.decided_early += later.decided_early;
        text_here
    }

    /// All but the stops, the calls and the cost split.
    pub(super) fn report(&self) -> KernelReport {
        KernelReport {
            paths: self.texts.report(),
            paths_omitted: self.texts.omitted(),
            errors: self.errors_report(),
            errors_omitted: self.errors_omitted,
            residue: self.residue_report(),
            residue_omitted: self.residue_omitted,
            unclaimed: self.unclaimed,
            decided_early: self.decided_early,
            ..KernelReport::default()
        }
    }

    fn errors_report(&self) -> Vec<ErrorRow> {
        let texts = self.texts.by_number();
        let mut errors: Vec<(&ErrorKey, &u64)> = self.errors.iter().collect();
        errors.sort_by_key(|(key, count)| (Reverse(**count), **key));
        let row = |(key, count): (&ErrorKey, &u64)| ErrorRow {
            errno: key.errno,
            id: key.id,
            function: key.function,
            text: match key.text {
                Text::Number(number) => texts[number as usize].to_vec(),
                Text::None | Text::Omitted => Vec::new(),
            },
            site: key.site,
            stack: key.stack,
            count: *count,
        };
        errors.into_iter().map(row).collect()
    }

    fn residue_report(&self) -> Vec<Residue> {
        let row = |(key, left): (&ResidueKey, &Left)| Residue {
            id: key.id,
            stack: key.stack,
            site: key.site,
            count: left.count,
            descriptors: left.descriptors,
            sure: key.sure,
        };
        let mut rows: Vec<Residue> = self.residue.iter().map(row).collect();
        rows.sort_by_key(|row| Reverse(row.count));
        rows
    }
}
