//! What grows, and when that meets the limit.

use calltap_analyzers::descriptors::DescriptorReport;

use super::super::super::model::{Forecast, Growing};
use super::super::{Sites, function_name};
use crate::exit_snapshot::ExitSnapshot;

/// The fastest first.
pub(super) fn growing(report: &DescriptorReport, sites: &mut Sites<'_, '_>) -> Vec<Growing> {
    let growing = report.growing.iter().map(|growth| Growing {
        function: function_name(growth.function),
        per_minute: growth.per_second * 60.0,
        confidence: growth.confidence,
        still_open: growth.open,
        opened: growth.opened,
        site: sites.at(growth.site, growth.stack),
        stack: sites.stack(growth.site, growth.stack),
    });
    growing.collect()
}

/// None if nothing grows, or the limit is not known.
pub(super) fn forecast(report: &DescriptorReport, snapshot: Option<&ExitSnapshot>) -> Option<Forecast> {
    let limit = snapshot?.limits.open_files?.soft?;
    let exhausted_in_ns = report.forecast(limit)?;
    let per_second: f64 = report.growing.iter().map(|growth| growth.per_second).sum();
    Some(Forecast { in_use: report.in_use(), per_minute: per_second * 60.0, limit, exhausted_in_ns })
}
