//! glibc's arenas, and its threads' caches.

use super::super::Page;
use super::super::table::aligned;
use super::words;
use crate::report::model::{Arena, LastLook};
use crate::report::units::{bytes, plural, time};

pub(super) fn arenas_part(last: &LastLook, page: &Page<'_>) -> String {
    if let [only] = last.arenas.as_slice()
        && only.is_main
    {
        // The ledger has said it all.
        return String::new();
    }
    let rows = last.arenas.iter().map(|arena| {
        [
            words::arena(arena.address, arena.is_main),
            bytes(arena.system.bytes),
            bytes(arena.system.resident_bytes),
            bytes(arena.live_bytes),
            bytes(arena.tcache.bytes),
            bytes(arena.fast.bytes + arena.bin.bytes),
            bytes(arena.top.bytes),
            bytes(arena.trim_bytes),
            arena.heaps.to_string(),
            users(arena),
            maker(arena),
        ]
    });
    let header = [
        "arena",
        "system",
        "resident",
        "live",
        "tcache",
        "free",
        "top",
        "trim gives",
        "heaps",
        "users",
        "made by",
    ];
    aligned(header, |column| (1..9).contains(&column), rows, "arenas", page.view.top)
}

/// Who uses an arena now, and whose blocks are in it.
fn users(arena: &Arena) -> String {
    let attached = match arena.attached_threads {
        None => String::new(),
        Some(0) => "none: an orphan".to_owned(),
        Some(count) => plural(count, "thread"),
    };
    match arena.threads.first() {
        Some(most) if arena.attached_threads != Some(1) => {
            let sep = if attached.is_empty() { "" } else { ", " };
            format!("{attached}{sep}{} of thread {}", bytes(most.bytes), most.tid)
        }
        _ => attached,
    }
}

fn maker(arena: &Arena) -> String {
    match (arena.made_by_tid, arena.born_ns) {
        (Some(tid), Some(born)) => format!("thread {tid} at {}", time(born)),
        _ => String::new(),
    }
}

pub(super) fn tcaches_part(last: &LastLook) -> String {
    let Some(largest) = last.tcaches.first().filter(|largest| largest.bytes > 0) else {
        return String::new();
    };
    let sum = last.tcaches.iter().map(|cache| cache.bytes).sum();
    let whose = largest.tid.map_or_else(String::new, |tid| format!(" (thread {tid})"));
    format!(
        "    threads' caches: {} in {}, at most {} in {}{whose}\n",
        bytes(sum),
        last.tcaches.len(),
        bytes(largest.bytes),
        plural(largest.chunks, "chunk"),
    )
}
