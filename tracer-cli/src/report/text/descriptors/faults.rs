//! What was done wrong with descriptors.

use super::super::Page;
use super::super::place::at;
use super::super::process::shortened;
use super::super::stack;
use crate::report::model::{Call, DescriptorFault, Descriptors};
use crate::report::units::{plural, time};

/// Error number of a call that met the system's limit.
const ENFILE: u16 = 23;

pub(super) fn faults_part(descriptors: &Descriptors, page: &Page<'_>) -> String {
    let mut text = String::new();
    for (kind, count) in [
        ("double_close", descriptors.double_closes),
        ("foreign_close", descriptors.foreign_closes),
        ("use_after_close", descriptors.uses_after_close),
    ] {
        let faults: Vec<_> = descriptors.faults.iter().filter(|fault| fault.kind == kind).collect();
        let shown = faults.len().min(page.view.top);
        faults[..shown].iter().for_each(|fault| text += &told(fault, page));
        let omitted = count.saturating_sub(shown as u64);
        if omitted > 0 {
            text += &format!("    ... and {omitted} more: {} in all\n", several(kind, count));
        }
    }
    text + &refused(descriptors, page) + &passed_on(descriptors, page)
}

/// A fault of this kind, in words.
pub(in crate::report) fn name(kind: &str) -> &'static str {
    match kind {
        "double_close" => "double close",
        "foreign_close" => "close of another's descriptor",
        _ => "use after close",
    }
}

fn several(kind: &str, count: u64) -> String {
    format!("{count} x {}", name(kind))
}

fn told(fault: &DescriptorFault, page: &Page<'_>) -> String {
    let path =
        if fault.path.is_empty() { String::new() } else { format!(" ({})", shortened(&fault.path, 80)) };
    let mut text = format!("    {} of fd {}{path}\n", name(fault.kind), fault.fd);
    let (first, before, opened) = match fault.kind {
        "double_close" => ("closed again", "closed before", "opened"),
        "foreign_close" => ("closed", "the closer's own was closed", "but opened"),
        _ => ("used", "closed before", "opened"),
    };
    text += &call(first, &fault.call, page);
    for (what, earlier) in [(before, &fault.closed), (opened, &fault.opened), ("missed", &fault.missed)] {
        text += &earlier.as_ref().map(|earlier| call(what, earlier, page)).unwrap_or_default();
    }
    text
}

/// One line; a stack of several frames follows it, unless the line has told it already.
fn call(what: &str, call: &Call, page: &Page<'_>) -> String {
    let place = at(&call.stack, Some(&call.site), &page.paths);
    let mut text =
        format!("      {what} by {} {place}, thread {}, at {}\n", call.function, call.tid, time(call.at_ns));
    if call.stack.frames.len() > 1 {
        text += &stack::lines(&call.stack, 10, page);
    }
    text
}

/// Calls that found no free number.
fn refused(descriptors: &Descriptors, page: &Page<'_>) -> String {
    let Some(first) = descriptors.refused_open_examples.first() else {
        return String::new();
    };
    let calls = plural(descriptors.refused_opens, "call");
    let (name, whose) = match first.errno {
        ENFILE => ("ENFILE", "the system's"),
        _ => ("EMFILE", "the process's"),
    };
    format!("    {calls} refused for want of descriptors ({name}: {whose} limit)\n")
        + &call("first", &first.call, page)
}

/// What this program got from the one before.
fn passed_on(descriptors: &Descriptors, page: &Page<'_>) -> String {
    let shown = descriptors.passed_on.iter().take(page.view.top);
    let mut text = String::new();
    for passed in shown.clone() {
        let what = if passed.path.is_empty() { &passed.kind } else { &passed.path };
        let what = shortened(what, 80);
        text += &format!("    fd {} ({what}) came through exec, for want of O_CLOEXEC\n", passed.fd);
        text += &call("opened", &passed.opened, page);
    }
    let omitted = (descriptors.passed_on.len() - shown.len()) as u64 + descriptors.passed_on_omitted;
    if omitted > 0 {
        text += &format!("    ... and {omitted} more came through exec (see --top)\n");
    }
    text
}
