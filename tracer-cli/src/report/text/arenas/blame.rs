//! Who is to blame, and what to do about it.

use calltap_analyzers::arenas::report::PinKind;

use super::super::place::{at, called};
use super::super::table::aligned;
use super::super::{Page, Paths};
use super::words;
use crate::report::model::{Advice, Culprit, LastLook, Pin};
use crate::report::units::{bytes, long_time, plural};

/// So many pins, and so many remedies, are in a text.
const MOST: usize = 3;

pub(super) fn pins_part(last: &LastLook, page: &Page<'_>) -> String {
    let mut text = String::new();
    for pin in last.pins.iter().take(MOST) {
        let what = self::pin(pin, last.at_ns, &page.paths);
        let arena = last.arenas.iter().find(|arena| arena.address == pin.arena);
        let arena = words::arena(pin.arena, arena.is_some_and(|arena| arena.is_main));
        text += &match pin.kind {
            PinKind::Top => format!("    {what}; without it the top of arena {arena} could shrink\n"),
            PinKind::Heap => format!("    {what}; without it a heap of arena {arena} could be unmapped\n"),
        };
    }
    match last.pins.len().saturating_sub(MOST) {
        0 => text,
        more => {
            let sum = last.pins[MOST..].iter().map(|pin| pin.pinned_bytes).sum();
            text + &format!(
                "    ... and {} {} (all with --format json)\n",
                plural(more as u64, "more block") + if more == 1 { " pins" } else { " pin" },
                bytes(sum)
            )
        }
    }
}

/// A pin in a sentence: `this 48-byte block pins 190 MB: given to thread 1234 by malloc in parse
/// (parse.c:88), 12 s old`.
pub(in crate::report) fn pin(pin: &Pin, now_ns: u64, paths: &Paths) -> String {
    let what = match (pin.bytes, pin.is_cached) {
        (_, true) => format!("a free chunk ({:#x}) that waits in a cache", pin.block),
        (Some(size), false) => format!("this {size}-byte block ({:#x})", pin.block),
        (None, false) => format!("a block ({:#x}) that the hooks did not see", pin.block),
    };
    let mut text = format!("{what} pins {}", bytes(pin.pinned_bytes));
    let mut origin = Vec::new();
    origin.extend(pin.tid.map(|tid| format!("given to thread {tid}")));
    if let Some(function) = &pin.function {
        origin.push(format!("by {} {}", called(function), at(&pin.stack, Some(&pin.site), paths)));
    }
    if !origin.is_empty() {
        text += &format!(": {}", origin.join(" "));
    }
    if let Some(birth) = pin.birth_ns {
        text += &format!(", {} old", long_time(now_ns.saturating_sub(birth)));
    }
    text
}

pub(super) fn advice_part(last: &LastLook, page: &Page<'_>) -> String {
    let mut text = String::new();
    for advice in last.advice.iter().take(MOST) {
        let what = match (&advice.command, &advice.culprit) {
            (Some(command), _) => command.clone(),
            (None, Some(culprit)) => format!("release what {} leaves", by(culprit, &page.paths)),
            (None, None) => match &advice.allocator {
                Some(name) => format!("another allocator: {name}"),
                None => advice.remedy.to_owned(),
            },
        };
        text += &format!("    try: {what}\n");
        text += &format!("        {}, because {}{}\n", saving(advice), advice.because, package(advice));
    }
    text
}

/// What a remedy brings.
pub(in crate::report) fn saving(advice: &Advice) -> String {
    let saves = bytes(advice.saves_bytes);
    if advice.simulated { format!("saves about {saves}") } else { format!("saves at most {saves}") }
}

/// Where the library comes from that a command preloads.
fn package(advice: &Advice) -> &'static str {
    match advice.allocator.as_deref() {
        Some("jemalloc") => " (Debian's package is libjemalloc2)",
        Some("tcmalloc") => " (Debian's package is libtcmalloc-minimal4)",
        Some("mimalloc") => " (Debian's package is libmimalloc2.0)",
        _ => "",
    }
}

pub(super) fn verdicts_part(last: &LastLook, page: &Page<'_>) -> String {
    let rows = last.verdicts.iter().map(|verdict| {
        let culprit = verdict.culprits.first().map(|culprit| blamed(culprit, &page.paths));
        [
            words::verdict(verdict.kind).to_owned(),
            bytes(verdict.bytes),
            bytes(verdict.resident_bytes),
            words::percents(verdict.percent),
            culprit.unwrap_or_default(),
        ]
    });
    let header = ["why", "bytes", "resident", "share", "mostly"];
    aligned(header, |column| (1..4).contains(&column), rows, "reasons", usize::MAX)
}

fn blamed(culprit: &Culprit, paths: &Paths) -> String {
    let mut text = format!("{} by {}", bytes(culprit.bytes), by(culprit, paths));
    if let Some(rate) = culprit.bytes_per_second {
        text += &format!(", {}/s more", bytes(rate.max(0.0) as u64));
    }
    text
}

fn by(culprit: &Culprit, paths: &Paths) -> String {
    let function = culprit.function.as_deref().map_or("a mapping", called);
    format!("{function} {}", at(&culprit.stack, Some(&culprit.site), paths))
}
