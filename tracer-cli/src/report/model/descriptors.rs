//! The descriptors' part of a report.

use serde::Serialize;

use super::Stack;
use crate::origin::Site;

/// What became of descriptors.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct Descriptors {
    pub opened: u64,
    pub closed: u64,
    pub closed_inherited: u64,
    pub closed_unseen: u64,
    pub standard_streams: u64,
    pub failed_closes: u64,
    pub double_closes: u64,
    pub foreign_closes: u64,
    pub uses_after_close: u64,
    pub refused_opens: u64,
    pub began_with: u64,
    pub peak_open: u64,
    pub peak_open_at_ns: u64,
    pub peak_in_use: u64,
    pub by_kind: Vec<KindTotal>,
    pub by_path: Vec<PathTotal>,
    pub by_stack: Vec<Balance>,
    pub still_open: Vec<StillOpen>,
    pub growing: Vec<Growing>,
    pub forecast: Option<Forecast>,
    pub faults: Vec<DescriptorFault>,
    pub failed_close_examples: Vec<FailedClose>,
    pub refused_open_examples: Vec<RefusedOpen>,
    pub passed_on: Vec<PassedOn>,
    pub passed_on_omitted: u64,
    pub at_exit: Option<AtExit>,
}

impl Descriptors {
    /// Closes and uses that no correct program makes.
    #[must_use]
    pub fn wrong_uses(&self) -> u64 {
        self.double_closes + self.foreign_closes + self.uses_after_close
    }

    /// The calls of which a text may tell.
    pub fn calls(&self) -> impl Iterator<Item = &Call> {
        let faults = self.faults.iter().flat_map(|fault| {
            [Some(&fault.call), fault.closed.as_ref(), fault.opened.as_ref(), fault.missed.as_ref()]
        });
        let passed_on = self.passed_on.iter().map(|passed| &passed.opened);
        let refused = self.refused_open_examples.iter().map(|refused| &refused.call);
        let differences = self.at_exit.iter().flat_map(|at_exit| &at_exit.differences);
        let differences = differences.filter_map(|difference| difference.opened.as_ref());
        faults.flatten().chain(passed_on).chain(refused).chain(differences)
    }
}

/// Descriptors of one kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct KindTotal {
    pub kind: String,
    pub opened: u64,
    pub closed: u64,
}

/// Descriptors left open whose paths differ in numbers or random parts only.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct PathTotal {
    pub path: String,
    pub still_open: u64,
}

/// What one group of stacks opened, and how much of it is left.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct Balance {
    pub group: Option<String>,
    pub function: String,
    pub opened: u64,
    pub still_open: u64,
    pub stack: Stack,
}

/// A descriptor that the program opened and did not close.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct StillOpen {
    pub fd: i32,
    pub kind: String,
    pub unclosed: Option<&'static str>,
    pub path: String,
    pub path_template: String,
    pub opened_by: String,
    pub site: Site,
    pub stack: Stack,
    pub tid: u32,
    pub opened_at_ns: u64,
    pub last_use: Option<LastUse>,
    pub close_on_exec: Option<bool>,
}

/// The last call that was seen to use a descriptor.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct LastUse {
    pub function: String,
    pub tid: u32,
    pub at_ns: u64,
}

/// Where a program opens ever more.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct Growing {
    pub function: String,
    pub per_minute: f64,
    pub confidence: f64,
    pub still_open: u64,
    pub opened: u64,
    pub site: Site,
    pub stack: Stack,
}

/// When the limit is reached if it goes on so.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct Forecast {
    pub in_use: u64,
    pub per_minute: f64,
    pub limit: u64,
    pub exhausted_in_ns: u64,
}

/// A call that had to do with a descriptor.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct Call {
    pub function: String,
    pub site: Site,
    pub stack: Stack,
    pub tid: u32,
    pub at_ns: u64,
}

/// A descriptor closed twice, closed for somebody else, or used after its close.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct DescriptorFault {
    pub kind: &'static str,
    pub fd: i32,
    pub path: String,
    pub call: Call,
    pub closed: Option<Call>,
    pub opened: Option<Call>,
    pub missed: Option<Call>,
}

/// A close of what was not open.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct FailedClose {
    pub fd: i32,
    pub function: String,
    pub site: Site,
    pub stack: Stack,
    pub tid: u32,
    pub at_ns: u64,
}

/// A call that got no descriptor.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct RefusedOpen {
    pub errno: u16,
    pub call: Call,
}

/// A descriptor that came through the exec by which a program began.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct PassedOn {
    pub fd: i32,
    pub kind: String,
    pub path: String,
    pub opened: Call,
}

/// The ledger beside what the kernel had at exit.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct AtExit {
    pub in_ledger: u64,
    pub in_kernel: u64,
    pub agreed: u64,
    pub differences: Vec<Difference>,
}

/// A descriptor that only one of both knows, or that is something else to each.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct Difference {
    pub fd: i32,
    pub kind: &'static str,
    pub in_ledger: Option<String>,
    pub in_kernel: Option<String>,
    pub opened: Option<Call>,
}
