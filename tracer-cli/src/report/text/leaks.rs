//! What is still allocated, with the stacks it came from.

use super::Page;
use super::place::called;
use super::stack;
use super::table::table;
use crate::report::model::{Heap, StackTotal, StillAllocated};
use crate::report::stacks::GroupBy;
use crate::report::units::{bytes, bytes_exactly, plural};

pub(super) fn leaks_part(heap: &Heap, page: &Page<'_>) -> String {
    let left = &heap.still_allocated;
    let mut text =
        format!("  still allocated: {}, {}\n", plural(left.blocks, "block"), bytes_exactly(left.bytes));
    match page.group_by() {
        _ if left.by_stack.is_empty() => text += &by_site(heap, page),
        GroupBy::Stack => text += &by_stack(heap, page),
        group_by => text += &by_group(heap, group_by, page),
    }
    if !heap.suppressed.is_empty() {
        text += &format!(
            "  suppressed: {}, {} by {}\n",
            plural(heap.suppressed.iter().map(|s| s.blocks).sum(), "block"),
            bytes(heap.suppressed.iter().map(|s| s.bytes).sum()),
            plural(heap.suppressed.len() as u64, "pattern"),
        );
    }
    let kept = &heap.runtime_owned;
    if kept.blocks > 0 {
        let origins: Vec<_> =
            kept.by_origin.iter().map(|o| format!("{} {}", o.origin, bytes(o.bytes))).collect();
        text += &format!(
            "  kept by run-times: {}, {} ({})\n",
            plural(kept.blocks, "block"),
            bytes(kept.bytes),
            origins.join(", "),
        );
    }
    let open = &heap.not_judged;
    if open.blocks > 0 {
        text += &format!(
            "  not judged: {}, {}, that the program may have released by calls of its own functions\n",
            plural(open.blocks, "block"),
            bytes(open.bytes),
        );
    }
    text
}

fn by_stack(heap: &Heap, page: &Page<'_>) -> String {
    let left = &heap.still_allocated;
    let shown = &left.by_stack[..left.by_stack.len().min(page.view.top)];
    let mut text = String::new();
    for leak in shown {
        text += &format!(
            "    {} in {} by {}{}\n",
            bytes(leak.bytes),
            plural(leak.blocks, "block"),
            called(&leak.function),
            guess(leak),
        );
        text += &stack::lines(&leak.stack, 8, page);
    }
    text + &rest(left, shown.len(), GroupBy::Stack, page)
}

fn by_group(heap: &Heap, group_by: GroupBy, page: &Page<'_>) -> String {
    let left = &heap.still_allocated;
    let shown = &left.by_stack[..left.by_stack.len().min(page.view.top)];
    let rows = shown.iter().map(|leak| {
        let group = page.group(leak.group.as_deref(), &leak.stack, group_by);
        [bytes(leak.bytes), leak.blocks.to_string(), bytes(leak.largest_bytes), group + guess(leak)]
    });
    let header = ["bytes", "blocks", "largest", page.noun(group_by)];
    table(header, 3, rows, "", shown.len()) + &rest(left, shown.len(), group_by, page)
}

/// What is not shown, in one line.
fn rest(left: &StillAllocated, shown: usize, group_by: GroupBy, page: &Page<'_>) -> String {
    let omitted = &left.by_stack_omitted;
    let (mut groups, mut blocks, mut size) = (omitted.groups, omitted.blocks, omitted.bytes);
    for leak in &left.by_stack[shown..] {
        (groups, blocks, size) = (groups + 1, blocks + leak.blocks, size + leak.bytes);
    }
    if groups == 0 {
        return String::new();
    }
    page.more(groups, group_by, &format!("{} in {}", bytes(size), plural(blocks, "block")))
}

/// Where no stacks were looked at.
fn by_site(heap: &Heap, page: &Page<'_>) -> String {
    let rows = heap.still_allocated.by_site.iter().map(|s| {
        let guess = if s.guess && s.site.object.is_some() { GUESS } else { "" };
        [bytes(s.bytes), s.blocks.to_string(), called(&s.function).to_owned(), format!("{}{guess}", s.site)]
    });
    table(["bytes", "blocks", "function", "call site"], 2, rows, "call sites", page.view.top)
}

const GUESS: &str = "  (or the C library's?)";

fn guess(leak: &StackTotal) -> &'static str {
    let known = leak.stack.frames.first().is_some_and(|leaf| leaf.object.is_some());
    if leak.guess && known { GUESS } else { "" }
}
