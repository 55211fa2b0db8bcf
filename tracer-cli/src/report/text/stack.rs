//! A stack, frame by frame.

use std::fmt::Write;

use super::Page;
use super::place::location;
use crate::report::model::{Frame, Stack, StackEnd};
use crate::report::stacks::name::short;
use crate::report::units::plural;

/// Stacks of more lines are shortened in the middle,
const MAX_LINES: usize = 14;
/// to so many of the innermost frames,
const INNERMOST: usize = 10;
/// and so many of the outermost.
const OUTERMOST: usize = 2;
/// Names up to this width stand in a column.
const NAME_WIDTH: usize = 44;

/// One line for each frame, innermost first, indented by `indent`; then why there are no more.
pub(super) fn lines(stack: &Stack, indent: usize, page: &Page<'_>) -> String {
    let mut shown: Vec<(String, String, usize)> = Vec::new();
    for frame in &stack.frames {
        let (name, place) = (name(frame), place(frame, page));
        match shown.last_mut() {
            Some((last, at, times)) if *last == name && *at == place => *times += 1,
            _ => shown.push((name, place, 1)),
        }
    }
    let left_out = match shown.len() {
        0..=MAX_LINES => 0..0,
        _ if page.view.raw => 0..0,
        count => INNERMOST..count - OUTERMOST,
    };
    let lengths = shown.iter().map(|(name, ..)| name.chars().count());
    let width = lengths.filter(|length| *length <= NAME_WIDTH).max().unwrap_or(0);
    let mut text = String::new();
    for (index, (name, place, times)) in shown.iter().enumerate() {
        if index == left_out.start && !left_out.is_empty() {
            let omitted = plural(left_out.len() as u64, "more caller");
            let _ = writeln!(text, "{:indent$}... {omitted} (see --raw-stacks)", "");
        }
        if left_out.contains(&index) {
            continue;
        }
        let again = if *times > 1 { format!("  ({times} times)") } else { String::new() };
        let line = format!("{:indent$}{name:width$}  {place}{again}", "");
        let _ = writeln!(text, "{}", line.trim_end());
    }
    match stack.end {
        Some(StackEnd::Depth) => {
            let _ = writeln!(text, "{:indent$}... deeper than --stack-depth {}", "", page.depth);
        }
        Some(StackEnd::Lost) => {
            let _ = writeln!(text, "{:indent$}... lost: no unwind table", "");
        }
        Some(StackEnd::Outermost) | None => {}
    }
    text
}

/// What was found without an unwind table has a question mark.
fn name(frame: &Frame) -> String {
    let mark = if frame.guessed { "? " } else { "" };
    let name = frame.function.as_deref().map_or("??".to_owned(), short);
    format!("{mark}{name}")
}

fn place(frame: &Frame, page: &Page<'_>) -> String {
    let inlined = if frame.inlined { "  (inlined)" } else { "" };
    format!("{}{inlined}", location(frame, &page.paths))
}
