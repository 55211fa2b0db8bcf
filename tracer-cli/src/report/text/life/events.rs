//! What happened to a process, beside its beginning and its end: a line each.

use std::cmp::Reverse;

use super::command;
use crate::report::model::{Lived, SignalGot, SignalSent, Stopped};
use crate::report::text::process::shortened;
use crate::report::units::{bytes, plural, time};

/// Rows of one kind.
const ROWS: usize = 5;
/// Objects that are named.
const OBJECTS: usize = 3;

/// Whether something happened that makes a process another than its siblings.
pub(super) fn are_telling(process: &Lived) -> bool {
    let Lived { programs, signals_got, signals_sent, stopped, .. } = process;
    programs.len() > 1 || !signals_got.is_empty() || !signals_sent.is_empty() || !stopped.is_empty()
}

/// All lines.
pub(super) fn of(process: &Lived) -> Vec<String> {
    let mut lines = Vec::new();
    if let [former @ .., _] = &process.programs[..] {
        let before = former.iter().map(|program| {
            let command =
                if program.command.is_empty() { program.path.clone() } else { program.command.join(" ") };
            format!("before that {}, exec at {}", shortened(&command, 60), time(program.at_ns))
        });
        some(before, &mut lines);
    }
    some(process.signals_got.iter().map(got), &mut lines);
    some(process.signals_sent.iter().map(sent), &mut lines);
    some(process.stopped.iter().map(stopped), &mut lines);
    // A fork's copies are its maker's.
    if !command(process).is_empty() && !process.objects.is_empty() {
        lines.push(objects(process));
    }
    lines
}

/// Adds the first rows, and how many there are more.
fn some(rows: impl ExactSizeIterator<Item = String>, lines: &mut Vec<String>) {
    let omitted = rows.len().saturating_sub(ROWS);
    lines.extend(rows.take(ROWS));
    if omitted > 0 {
        lines.push(format!("... and {omitted} more of these (all with --format json)"));
    }
}

fn got(got: &SignalGot) -> String {
    let from = match (got.sender_pid, got.sender_uid) {
        (Some(pid), Some(uid)) => format!(" from {pid} (uid {uid})"),
        (Some(pid), None) => format!(" from {pid}"),
        (None, _) => String::new(),
    };
    format!("got {}{from} {}", signal(&got.signal_name), when(got.count, got.first_ns, got.last_ns))
}

fn sent(sent: &SignalSent) -> String {
    let error = sent.error_name.as_ref().map(|name| format!(": {name}")).unwrap_or_default();
    let target = format!("{} {}", sent.target, sent.target_id);
    let what = match &sent.signal_name {
        Some(name) => format!("sent {name} to {target}"),
        None => format!("asked whether {target} is there"),
    };
    format!("{what} {}{error}", when(sent.count, sent.first_ns, sent.last_ns))
}

fn stopped(stopped: &Stopped) -> String {
    let by = format!("stopped by {} at {}", signal(&stopped.signal_name), time(stopped.from_ns));
    match stopped.until_ns {
        Some(until) => format!("{by} for {}", time(until.saturating_sub(stopped.from_ns))),
        None => by,
    }
}

fn objects(process: &Lived) -> String {
    let mut largest: Vec<_> = process.objects.iter().collect();
    largest.sort_by_key(|object| Reverse(object.bytes));
    let shown = largest.iter().take(OBJECTS).map(|object| {
        let name = object.path.rsplit('/').next().unwrap_or_default();
        format!("{name} at {:#x} {}", object.address, bytes(object.bytes))
    });
    let shown = shown.collect::<Vec<_>>().join(", ");
    let all = process.objects.iter().map(|object| object.bytes).sum();
    let count = plural(process.objects.len() as u64, "object");
    let more = if process.objects.len() > OBJECTS { ", ..." } else { "" };
    format!("{count} mapped, {}: {shown}{more}", bytes(all))
}

fn signal(name: &Option<String>) -> &str {
    name.as_deref().unwrap_or("no signal")
}

fn when(count: u64, first_ns: u64, last_ns: u64) -> String {
    match count {
        1 => format!("at {}", time(first_ns)),
        _ => format!("{count} times, {} to {}", time(first_ns), time(last_ns)),
    }
}
