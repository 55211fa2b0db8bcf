//! Places in the program, in words.

use super::paths::Paths;
use crate::origin::Site;
use crate::report::model::{Frame, Stack};
use crate::report::stacks::name::short;
use crate::report::stacks::{in_object, is_ours, own};

/// A frame in a sentence: `make_node (leaky.c:12)`, `make_node (leaky+0x11a9)`, `leaky+0x11a9`.
pub(in crate::report) fn frame(frame: &Frame, paths: &Paths) -> String {
    let place = location(frame, paths);
    match &frame.function {
        Some(function) => format!("{} ({place})", short(function)),
        None => place,
    }
}

/// Source file and line, or object and offset.
pub(super) fn location(frame: &Frame, paths: &Paths) -> String {
    match (&frame.file, frame.line) {
        (Some(file), Some(line)) => format!("{}:{line}", paths.short(file)),
        (Some(file), None) => paths.short(file).to_owned(),
        (None, _) if is_ours(frame) => "tapped".to_owned(),
        (None, _) => in_object(frame),
    }
}

/// Where a call was made: in which function, and from where in the program's own code if that is
/// not the same. The site itself if nothing more is known.
pub(in crate::report) fn caller(stack: &Stack, site: Option<&Site>, paths: &Paths) -> String {
    let leaf = stack.frames.first().filter(|leaf| leaf.function.is_some() || leaf.object.is_some());
    let Some(leaf) = leaf else {
        return match (site, stack.frames.first()) {
            (Some(site), _) => site.to_string(),
            (None, Some(leaf)) => in_object(leaf),
            (None, None) => "unknown".to_owned(),
        };
    };
    let by = own(stack.frames.iter().map(|frame| &**frame)).filter(|own| !std::ptr::eq(*own, &**leaf));
    match by {
        Some(own) => format!("{}, called from {}", frame(leaf, paths), frame(own, paths)),
        None => frame(leaf, paths),
    }
}

/// The same with its preposition: a call is in a function, or at an address.
pub(in crate::report) fn at(stack: &Stack, site: Option<&Site>, paths: &Paths) -> String {
    let is_named = stack.frames.first().is_some_and(|leaf| leaf.function.is_some());
    format!("{} {}", if is_named { "in" } else { "at" }, caller(stack, site, paths))
}

/// A tapped function as its language spells it.
pub(in crate::report) fn called(function: &str) -> &str {
    let operators = [
        ("_Znw", "operator new"),
        ("_Zna", "operator new[]"),
        ("_Zdl", "operator delete"),
        ("_Zda", "operator delete[]"),
    ];
    let operator = operators.iter().find(|(start, _)| function.starts_with(start));
    operator.map_or(function, |(_, name)| name)
}
