//! Outsized allocations, and what was read before them.

use super::Page;
use super::place::called;
use super::stack;
use crate::report::model::{LimitBefore, Outsized, OutsizedAllocation, Process};
use crate::report::units::{bytes, bytes_exactly, plural, time};

pub(super) fn outsized_part(process: &Process, page: &Page<'_>) -> String {
    let Some(outsized) = process.outsized.as_ref().filter(|outsized| outsized.count > 0) else {
        return String::new();
    };
    let mut text = format!(
        "  outsized: {} of more than {}% of {} ({})\n",
        plural(outsized.count, "allocation"),
        outsized.percent,
        capacity(outsized),
        bytes(outsized.capacity_bytes),
    );
    let shown = &outsized.allocations[..outsized.allocations.len().min(page.view.top)];
    for asked in shown {
        text += &format!("    {}\n", line(outsized, asked, process));
        for before in &asked.limits {
            text += &format!("      {}\n", limit(before, asked));
        }
        text += &stack::lines(&asked.stack, 8, page);
    }
    let more = outsized.count - shown.len() as u64;
    if more > 0 {
        text += &format!("    ... and {} (see --top)\n", plural(more, "more outsized allocation"));
    }
    text
}

/// What the program could have used at most.
pub(in crate::report) fn capacity(outsized: &Outsized) -> &'static str {
    match outsized.capacity_set_by {
        "cgroup" => "the cgroup's limit",
        _ => "RAM",
    }
}

fn line(outsized: &Outsized, asked: &OutsizedAllocation, process: &Process) -> String {
    format!(
        "{}, {}% of {}, asked of {} at {} by thread {}: {}{}",
        bytes_exactly(asked.bytes),
        asked.percent,
        capacity(outsized),
        called(&asked.function),
        time(asked.at_ns),
        asked.tid,
        outcome(asked),
        death(asked, process).map(|death| format!("; {death}")).unwrap_or_default(),
    )
}

fn outcome(asked: &OutsizedAllocation) -> String {
    match (asked.given, &asked.error) {
        (true, _) => "given".to_owned(),
        (false, Some(error)) => format!("refused ({error})"),
        (false, None) => "refused".to_owned(),
    }
}

/// What the process died of, and how long after.
pub(in crate::report) fn death(asked: &OutsizedAllocation, process: &Process) -> Option<String> {
    let after = time(asked.killed_after_ns?);
    let signal = match (&process.signal_name, process.signal) {
        (Some(name), _) => name.clone(),
        (None, number) => format!("signal {}", number?),
    };
    Some(format!("killed by {signal} {after} later"))
}

/// `2.00 ms after getrlimit(RLIMIT_NOFILE) told 1073741816: 48 bytes for each`.
fn limit(before: &LimitBefore, asked: &OutsizedAllocation) -> String {
    let by = match before.tid == asked.tid {
        true => String::new(),
        false => format!(" by thread {}", before.tid),
    };
    let each = match &before.multiple {
        Some(multiple) => {
            let of = if Some(multiple.value) == before.value { "each" } else { "each of the hard limit" };
            let beyond = match multiple.beyond_bytes {
                0 => "exactly ".to_owned(),
                _ => String::new(),
            };
            let rest = match multiple.beyond_bytes {
                0 => String::new(),
                more @ 1.. => format!(", and {}", plural(more.unsigned_abs(), "byte")),
                less => format!(", less {}", plural(less.unsigned_abs(), "byte")),
            };
            format!(": {beyond}{} for {of}{rest}", plural(multiple.bytes_each, "byte"))
        }
        None => String::new(),
    };
    format!("{} after {}{by}{each}", time(before.before_ns), read(before))
}

/// `getrlimit(RLIMIT_NOFILE) told 1024 (hard 4096)`.
pub(in crate::report) fn read(before: &LimitBefore) -> String {
    let number = |value: Option<u64>| value.map_or("unlimited".to_owned(), |value| value.to_string());
    let is_resource = before.limit.starts_with("RLIMIT_");
    let hard = match is_resource && before.hard != before.value {
        true => format!(" (hard {})", number(before.hard)),
        false => String::new(),
    };
    format!("{}({}) told {}{hard}", before.function, before.limit, number(before.value))
}
