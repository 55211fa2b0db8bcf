//! The section, and the line, of one process.

use super::Page;
use super::arenas::arenas_part;
use super::descriptors::descriptors_part;
use super::heap::heap_part;
use super::latency::{by_size_part, latency_part};
use super::outsized::outsized_part;
use super::system_calls::system_calls_part;
use crate::report::model::{EndedBy, Mappings, Process};
use crate::report::units::{bytes, plural, time};

pub(super) fn headline(process: &Process) -> String {
    let end = match (process.ended_by, process.exit_code, process.signal) {
        (EndedBy::Exit, Some(code), _) => format!("status {code}"),
        (EndedBy::Signal, _, Some(signal)) => match &process.signal_name {
            Some(name) => format!("killed by {name}"),
            None => format!("killed by signal {signal}"),
        },
        (EndedBy::Exec, ..) => "replaced by exec".to_owned(),
        (EndedBy::Detached, ..) => "let go".to_owned(),
        (EndedBy::Running, ..) => "still running".to_owned(),
        (EndedBy::Exit | EndedBy::Signal, ..) => "ended".to_owned(),
    };
    let command = process.command.join(" ");
    format!("process {}: {}; {end}", process.pid, shortened(&command, 60))
}

/// At most so many characters, on one line.
pub(super) fn shortened(text: &str, most: usize) -> String {
    let mut line: String = text.chars().take(most).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(most).is_some() {
        line += "...";
    }
    line
}

pub(super) fn summary(process: &Process) -> String {
    if !process.tapped {
        let reason = process.untapped_reason.as_deref().unwrap_or("unknown reason");
        let seen: u64 = process.system_calls.iter().flat_map(|part| &part.calls).map(|row| row.count).sum();
        return match seen {
            0 => format!("not tapped: {reason}"),
            _ => format!("not tapped: {reason}; {} seen", plural(seen, "system call")),
        };
    }
    let is_replaced = process.ended_by == EndedBy::Exec;
    let mut parts = Vec::new();
    if let Some(heap) = &process.heap {
        let left = &heap.still_allocated;
        parts.push(match left.blocks {
            count if is_replaced => format!("it had {}, {}", plural(count, "block"), bytes(left.bytes)),
            0 => "no block still allocated".to_owned(),
            count => format!("{} still allocated, {}", plural(count, "block"), bytes(left.bytes)),
        });
        let faults = heap.double_frees + heap.unmatched_frees + heap.mismatched_frees;
        if faults > 0 {
            parts.push(plural(faults, "wrong release"));
        }
    }
    if let Some(descriptors) = &process.descriptors {
        parts.push(match descriptors.still_open.len() as u64 {
            count if is_replaced => format!("{} open", plural(count, "descriptor")),
            0 => "no descriptor left open".to_owned(),
            count => format!("{} left open", plural(count, "descriptor")),
        });
        let faults = descriptors.wrong_uses();
        if faults > 0 {
            parts.push(plural(faults, "wrong use") + " of descriptors");
        }
        let passed_on = descriptors.passed_on.len() as u64 + descriptors.passed_on_omitted;
        if passed_on > 0 {
            parts.push(plural(passed_on, "descriptor") + " got at exec");
        }
    }
    parts.join(", ")
}

pub(super) fn section(process: &Process, page: &Page<'_>) -> String {
    let mut text = headline(process);
    text += &format!(", {}", plural(process.threads, "thread"));
    if let Some(ended_ns) = process.ended_ns {
        text += &format!(", {}", time(ended_ns.saturating_sub(process.started_ns)));
    }
    if let Some(peak) = process.memory_at_exit.as_ref().and_then(|memory| memory.vm_hwm_bytes) {
        text += &format!(", peak resident {}", bytes(peak));
    }
    text.push('\n');
    text += &outsized_part(process, page);
    if let Some(heap) = &process.heap {
        text += &heap_part(heap, page);
    }
    text += &arenas_part(process.arenas.as_ref(), page);
    text += &descriptors_part(process, page);
    if let Some(mappings) = &process.mappings {
        text += &mappings_part(mappings);
    }
    for call in &process.unfinished_calls {
        text +=
            &format!("  thread {} ended inside {}({:#x})\n", call.tid, call.function, call.first_argument);
    }
    text += &latency_part(&process.latency, page);
    text += &by_size_part(process.latency_by_size.as_deref().unwrap_or_default(), page);
    text + &process.system_calls.as_ref().map(|part| system_calls_part(part, page)).unwrap_or_default()
}

fn mappings_part(mappings: &Mappings) -> String {
    if mappings.mapped == 0 && mappings.unmapped == 0 && mappings.remapped == 0 {
        return String::new();
    }
    format!(
        "  mappings by library calls: {} mapped, {} unmapped, {} remapped; peak {}, {} still mapped\n",
        mappings.mapped,
        mappings.unmapped,
        mappings.remapped,
        bytes(mappings.peak_bytes),
        bytes(mappings.still_mapped_bytes),
    )
}
