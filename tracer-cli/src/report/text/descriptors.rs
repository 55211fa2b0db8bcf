//! The investigation of descriptors: how many of how many, what grows, what was wrong, what is left
//! and who opened it, and how the limit is raised until that is repaired.

use super::Page;
use crate::report::model::{AtExit, Descriptors, Process};
use crate::report::units::plural;

mod faults;
mod growth;
mod left;
mod limits;

pub(in crate::report) use faults::name as fault_name;
pub(in crate::report) use growth::still_open;
pub(in crate::report) use left::what;

/// Nothing if descriptors were not looked at.
pub(super) fn descriptors_part(process: &Process, page: &Page<'_>) -> String {
    let Some(descriptors) = &process.descriptors else {
        return String::new();
    };
    let mut text = format!("  descriptors: {}{}", counts(descriptors), at_exit(process, descriptors));
    text += &limits::brief(process, descriptors);
    text.push('\n');
    text += &descriptors.at_exit.as_ref().map(differences).unwrap_or_default();
    text += &growth::growth_part(descriptors, page);
    text += &faults::faults_part(descriptors, page);
    text += &left::left_part(descriptors, page);
    text + &limits::limits_part(process, descriptors)
}

fn counts(descriptors: &Descriptors) -> String {
    if descriptors.opened == 0 && descriptors.failed_closes == 0 {
        return "none opened".to_owned();
    }
    let standard_streams = match descriptors.standard_streams {
        0 => String::new(),
        count => format!(", {} redirected", plural(count, "standard stream")),
    };
    format!(
        "{} opened, {} closed, {} still open{standard_streams}, at most {} at once, {}",
        descriptors.opened,
        descriptors.closed,
        descriptors.still_open.len(),
        descriptors.peak_open,
        plural(descriptors.failed_closes, "failed close"),
    )
}

fn at_exit(process: &Process, descriptors: &Descriptors) -> String {
    match (&descriptors.at_exit, process.kernel_descriptors_at_exit) {
        (Some(at_exit), _) if at_exit.differences.is_empty() => {
            format!("; ledger and /proc agree: {} of {}", at_exit.agreed, at_exit.in_kernel)
        }
        (Some(at_exit), _) => format!("; {} open in /proc at exit", at_exit.in_kernel),
        (None, Some(count)) => format!("; {count} open in the kernel at exit"),
        (None, None) => String::new(),
    }
}

/// Every one: there should be none.
fn differences(at_exit: &AtExit) -> String {
    if at_exit.differences.is_empty() {
        return String::new();
    }
    let mut text = format!(
        "    ledger and /proc differ at exit: {} of {} agree\n",
        at_exit.agreed,
        at_exit.in_kernel.max(at_exit.in_ledger),
    );
    for difference in &at_exit.differences {
        let side = |side: &Option<String>, name| match side.as_deref() {
            Some("") => format!("open in {name}"),
            Some(what) => format!("{what} in {name}"),
            None => format!("not in {name}"),
        };
        let ledger = side(&difference.in_ledger, "the ledger");
        text += &format!("      fd {}: {ledger}, {}\n", difference.fd, side(&difference.in_kernel, "/proc"));
    }
    text
}
