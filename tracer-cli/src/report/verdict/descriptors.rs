//! What the first lines say of descriptors.

use crate::report::model::{
    Balance, DescriptorFault, EndedBy, Forecast, Growing, PassedOn, Process, Stack, StillOpen,
};
use crate::report::text::Paths;
use crate::report::text::descriptors::{fault_name, still_open, what};
use crate::report::text::place::at;
use crate::report::units::{long_time, plural, rate};

/// The findings of all images. What is still open at exec is no leak: exec closes it, or the next
/// image has it.
#[derive(Default)]
pub(super) struct DescriptorTotals<'a> {
    pub(super) seen: bool,
    pub(super) open: u64,
    double_closes: u64,
    foreign_closes: u64,
    uses_after_close: u64,
    refused_opens: u64,
    passed_on: u64,
    fault: Option<(&'a Process, &'a DescriptorFault)>,
    growing: Option<(&'a Process, &'a Growing)>,
    forecast: Option<&'a Forecast>,
    largest: Option<(&'a Process, &'a Balance)>,
    first_open: Option<(&'a Process, &'a StillOpen)>,
    first_passed: Option<(&'a Process, &'a PassedOn)>,
}

impl<'a> DescriptorTotals<'a> {
    pub(super) fn add(&mut self, process: &'a Process) {
        let Some(descriptors) = &process.descriptors else { return };
        self.double_closes += descriptors.double_closes;
        self.foreign_closes += descriptors.foreign_closes;
        self.uses_after_close += descriptors.uses_after_close;
        self.refused_opens += descriptors.refused_opens;
        self.passed_on += descriptors.passed_on.len() as u64 + descriptors.passed_on_omitted;
        let fault = descriptors.faults.first().map(|fault| (process, fault));
        self.fault = self.fault.or(fault);
        let passed = descriptors.passed_on.first().map(|passed| (process, passed));
        self.first_passed = self.first_passed.or(passed);
        if process.ended_by == EndedBy::Exec {
            return;
        }
        self.seen = true;
        self.open += descriptors.still_open.len() as u64;
        let first = descriptors.still_open.first().map(|open| (process, open));
        self.first_open = self.first_open.or(first);
        if let Some(row) = descriptors.by_stack.first()
            && self.largest.is_none_or(|(_, largest)| row.still_open > largest.still_open)
        {
            self.largest = Some((process, row));
        }
        if let Some(growing) = descriptors.growing.first()
            && self.growing.is_none_or(|(_, fastest)| growing.per_minute > fastest.per_minute)
        {
            self.growing = Some((process, growing));
            self.forecast = descriptors.forecast.as_ref();
        }
    }

    /// What was found, in a few words each.
    pub(super) fn findings(&self) -> Vec<String> {
        let mut findings = Vec::new();
        match self.open {
            0 => {}
            1 => findings.push("1 descriptor left open".to_owned()),
            count => findings.push(format!("{count} descriptors left open")),
        }
        if let Some((_, growing)) = self.growing {
            let per_minute = self.forecast.map_or(growing.per_minute, |forecast| forecast.per_minute);
            let limit = match self.forecast.map(|forecast| forecast.exhausted_in_ns) {
                Some(0) => ", the limit is reached".to_owned(),
                Some(ns) => format!(", EMFILE in {}", long_time(ns)),
                None => String::new(),
            };
            findings.push(format!("descriptors grow by {}{limit}", rate(per_minute)));
        }
        if self.refused_opens > 0 {
            let calls = plural(self.refused_opens, "call");
            findings.push(format!("{calls} refused for want of descriptors"));
        }
        for (count, kind) in [
            (self.double_closes, "double_close"),
            (self.foreign_closes, "foreign_close"),
            (self.uses_after_close, "use_after_close"),
        ] {
            if count > 0 {
                findings.push(format!("{count} x {}", fault_name(kind)));
            }
        }
        findings
    }

    /// What is no fault in itself, but may surprise.
    pub(super) fn remark(&self) -> Option<String> {
        let passed_on = plural(self.passed_on, "descriptor");
        (self.passed_on > 0).then(|| format!("{passed_on} passed on at exec"))
    }

    /// Where the first fault is.
    pub(super) fn fault(&self, paths: &Paths) -> Option<(&'a Process, String)> {
        let (process, fault) = self.fault?;
        let call = &fault.call;
        let place = at(&call.stack, Some(&call.site), paths);
        Some((process, format!("{} of fd {} by {} {place}", fault_name(fault.kind), fault.fd, call.function)))
    }

    /// Where most of what is left was opened, or what grows.
    pub(super) fn open(&self, paths: &Paths) -> Option<(&'a Process, String)> {
        if let Some((process, growing)) = self.growing {
            let place = at(&growing.stack, Some(&growing.site), paths);
            let by = &growing.function;
            let still_open = still_open(growing);
            let what = format!("{still_open} descriptors still open, and ever more, by {by} {place}");
            return Some((process, what));
        }
        if let Some((process, row)) = self.largest.filter(|(_, row)| row.still_open > 1) {
            let place = at(&row.stack, None, paths);
            let what = row_kind(process, row).unwrap_or_default();
            return Some((
                process,
                format!("{} descriptors{what} by {} {place}", row.still_open, row.function),
            ));
        }
        let (process, open) = self.first_open?;
        let path = if open.path.is_empty() { String::new() } else { format!(" {}", open.path) };
        let place = at(&open.stack, Some(&open.site), paths);
        Some((
            process,
            format!("descriptor {} ({}{path}) by {} {place}", open.fd, what(open), open.opened_by),
        ))
    }

    /// Which descriptor another program got, and who opened it.
    pub(super) fn passed(&self, paths: &Paths) -> Option<(&'a Process, String)> {
        let (process, passed) = self.first_passed?;
        let what = if passed.path.is_empty() { &passed.kind } else { &passed.path };
        let (by, fd) = (&passed.opened, passed.fd);
        let place = at(&by.stack, Some(&by.site), paths);
        Some((process, format!("got descriptor {fd} ({what}) at exec, opened by {} {place}", by.function)))
    }

    /// The stack of the first fault.
    pub(super) fn wrong_call(&self) -> Option<&'a Stack> {
        self.fault.map(|(_, fault)| &fault.call.stack)
    }

    /// The stacks of which lines are wanted, the most important first.
    pub(super) fn stacks(&self) -> impl Iterator<Item = &'a Stack> + Clone {
        let fault = self.fault.and_then(|(_, fault)| fault.opened.as_ref()).map(|opened| &opened.stack);
        let growing = self.growing.map(|(_, growing)| &growing.stack);
        let largest = self.largest.map(|(_, row)| &row.stack);
        let open = self.first_open.map(|(_, open)| &open.stack);
        [fault, growing, largest, open].into_iter().flatten()
    }
}

/// Kind and path of the descriptors of a row, if all are alike.
fn row_kind(process: &Process, row: &Balance) -> Option<String> {
    let open = &process.descriptors.as_ref()?.still_open;
    let mut members =
        open.iter().filter(|open| open.stack.frames == row.stack.frames && open.opened_by == row.function);
    let first = members.next()?;
    if members.any(|open| (&open.kind, &open.path_template) != (&first.kind, &first.path_template)) {
        return None;
    }
    let space = if first.path_template.is_empty() { "" } else { " " };
    Some(format!(" ({}{space}{})", what(first), first.path_template))
}
