//! Whether hooks and allocator agree on what lives.

use crate::report::model::{Differences, LastLook};
use crate::report::units::{bytes, plural};

/// Nothing if chunks were not read.
pub(super) fn agreement_part(last: &LastLook) -> String {
    let found = &last.differences;
    if last.glibc.is_none() {
        return String::new();
    }
    let differing = differing(found);
    if differing.is_empty() {
        return format!("    hooks and allocator agree: {}\n", plural(found.matched, "living block"));
    }
    let mut text =
        format!("    hooks and allocator agree on {}; {}", plural(found.matched, "living block"), differing);
    if found.under_way > 0 {
        text += &format!(" ({} under way)", plural(found.under_way, "call"));
    }
    text + "\n"
}

fn differing(found: &Differences) -> String {
    let mut parts = Vec::new();
    if found.chunks_not_seen > 0 {
        let size = bytes(found.chunks_not_seen_bytes);
        parts.push(format!("{} ({size}) in use that the hooks did not see", chunks(found.chunks_not_seen)));
    }
    if found.blocks_without_chunk > 0 {
        let size = bytes(found.blocks_without_chunk_bytes);
        let blocks = plural(found.blocks_without_chunk, "block");
        parts.push(format!("{blocks} ({size}) that the allocator does not have"));
    }
    if found.too_small > 0 {
        parts.push(format!("{} smaller than was asked for", chunks(found.too_small)));
    }
    match found.mmapped_missing {
        0 => {}
        missing @ 1.. => parts.push(format!("{} not found", plural(missing.unsigned_abs(), "mapped chunk"))),
        surplus => parts.push(format!(
            "{} more than the allocator counts",
            plural(surplus.unsigned_abs(), "mapped chunk")
        )),
    }
    parts.join(", ")
}

fn chunks(count: u64) -> String {
    plural(count, "chunk")
}
