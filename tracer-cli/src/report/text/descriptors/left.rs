//! What was left open, with the stacks that opened it.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use super::super::process::shortened;
use super::super::{Page, stack};
use crate::report::model::{Descriptors, PathTotal, StillOpen};
use crate::report::stacks::GroupBy;
use crate::report::units::{plural, time};

/// So many different paths of one group are named.
const PATHS: usize = 3;

pub(super) fn left_part(descriptors: &Descriptors, page: &Page<'_>) -> String {
    let still_open = &descriptors.still_open;
    let group_by = page.group_by();
    let groups = alike(still_open, group_by);
    let (shown, beyond) = groups.split_at(groups.len().min(page.view.top));
    let mut text = String::new();
    if groups.len() > 1 {
        text += &kinds(descriptors);
        text += &paths(&groups, descriptors, page);
    }
    for open in shown {
        text += &group(open, opened_there(open[0], descriptors, group_by), group_by, page);
    }
    if !beyond.is_empty() {
        let descriptors = beyond.iter().map(|open| open.len() as u64).sum();
        text += &page.more(beyond.len() as u64, group_by, &plural(descriptors, "descriptor"));
    }
    text
}

/// The imbalance by kind, if there are several.
fn kinds(descriptors: &Descriptors) -> String {
    let open = |kind: &str| descriptors.still_open.iter().filter(|open| open.kind == kind).count();
    if descriptors.by_kind.len() < 2 {
        return String::new();
    }
    let kinds = descriptors.by_kind.iter().map(|total| {
        let left = open(&total.kind);
        (left, format!("{} {left} of {}", total.kind, total.opened))
    });
    let mut kinds: Vec<_> = kinds.filter(|(left, _)| *left > 0).collect();
    kinds.sort_by_key(|(left, _)| Reverse(*left));
    let kinds: Vec<_> = kinds.into_iter().map(|(_, kind)| kind).collect();
    format!("    left open by kind: {}\n", kinds.join(", "))
}

/// Paths that several groups have left open, if any.
fn paths(groups: &[Vec<&StillOpen>], descriptors: &Descriptors, page: &Page<'_>) -> String {
    let mut groups_of: HashMap<&str, HashSet<usize>> = HashMap::new();
    for (index, open) in
        groups.iter().enumerate().flat_map(|(index, group)| group.iter().map(move |o| (index, o)))
    {
        groups_of.entry(&open.path_template).or_default().insert(index);
    }
    let in_several = |path: &&PathTotal| groups_of.get(path.path.as_str()).is_some_and(|of| of.len() > 1);
    let several: Vec<_> = descriptors.by_path.iter().filter(in_several).collect();
    let shown = several.iter().take(page.view.top);
    let shown: Vec<_> =
        shown.map(|path| format!("{} {}", path.still_open, shortened(&path.path, 80))).collect();
    match (shown.len(), several.len() - shown.len()) {
        (0, _) => String::new(),
        (_, 0) => format!("    left open by path: {}\n", shown.join(", ")),
        (_, omitted) => {
            format!("    left open by path: {} and {omitted} more (see --top)\n", shown.join(", "))
        }
    }
}

/// What was opened at one place by one function, the largest groups first.
fn alike(still_open: &[StillOpen], group_by: GroupBy) -> Vec<Vec<&StillOpen>> {
    let mut places = HashMap::new();
    let mut groups: Vec<Vec<&StillOpen>> = Vec::new();
    for open in still_open {
        let next = groups.len();
        let key = match group_by {
            GroupBy::Stack => {
                let site = open.stack.frames.is_empty().then_some(&open.site);
                (Some((&open.stack.frames, site, &open.opened_by, &open.kind)), None)
            }
            _ => (None, open.stack.group(group_by)),
        };
        match groups.get_mut(*places.entry(key).or_insert(next)) {
            Some(group) => group.push(open),
            None => groups.push(vec![open]),
        }
    }
    groups.sort_by_key(|open| (Reverse(open.len()), open[0].fd));
    groups
}

/// How many were opened where this one was.
fn opened_there(open: &StillOpen, descriptors: &Descriptors, group_by: GroupBy) -> Option<u64> {
    let mut rows = descriptors.by_stack.iter();
    let row = match group_by {
        GroupBy::Stack => {
            rows.find(|row| row.stack.frames == open.stack.frames && row.function == open.opened_by)
        }
        _ => {
            let group = open.stack.group(group_by);
            rows.find(|row| row.group == group)
        }
    };
    row.map(|row| row.opened)
}

fn group(open: &[&StillOpen], opened: Option<u64>, group_by: GroupBy, page: &Page<'_>) -> String {
    let (first, last) = (open[0], open[open.len() - 1]);
    let count = match opened.filter(|opened| *opened > open.len() as u64) {
        Some(opened) => format!("{} of {opened}", open.len()),
        None => open.len().to_string(),
    };
    let numbers = match open.len() {
        1 => format!("{count} (fd {})", first.fd),
        _ => format!("{count} (fd {}..{})", first.fd, last.fd),
    };
    let whats = distinct(open.iter().map(|open| what(open)));
    let functions = distinct(open.iter().map(|open| open.opened_by.clone()));
    let what = format!("    {numbers} {whats}{} by {functions}", paths_of(open));
    let rest = missing(open) + &last_use(open);
    match group_by {
        GroupBy::Stack if first.stack.frames.iter().any(|frame| frame.object.is_some()) => {
            format!("{what}{rest}\n{}", stack::lines(&first.stack, 8, page))
        }
        GroupBy::Stack => format!("{what} at {}{rest}\n", first.site),
        _ => {
            let place = page.group(first.stack.group(group_by).as_deref(), &first.stack, group_by);
            format!("{what} in {place}{rest}\n")
        }
    }
}

/// What it is in words: its kind, or what stands on it.
pub(in crate::report) fn what(open: &StillOpen) -> String {
    open.unclosed.map_or_else(|| open.kind.clone(), |structure| format!("unclosed {structure}"))
}

/// Each one once, in the order of their coming.
fn distinct(words: impl Iterator<Item = String>) -> String {
    let mut all: Vec<String> = Vec::new();
    for word in words {
        if !all.contains(&word) {
            all.push(word);
        }
    }
    all.join(", ")
}

/// The functions that would have closed what stands on descriptors.
fn missing(open: &[&StillOpen]) -> String {
    let close = |open: &&StillOpen| match open.unclosed? {
        "DIR*" => Some("closedir"),
        _ if open.opened_by == "popen" => Some("pclose"),
        _ => Some("fclose"),
    };
    let missing = distinct(open.iter().filter_map(close).map(str::to_owned));
    if missing.is_empty() { String::new() } else { format!("; missing: {missing}") }
}

/// The paths of a group, those that are alike as one.
fn paths_of(open: &[&StillOpen]) -> String {
    let mut paths: Vec<(&str, u64)> = Vec::new();
    for open in open.iter().filter(|open| !open.path.is_empty()) {
        let path = if open.path_template.is_empty() { &open.path } else { &open.path_template };
        match paths.iter_mut().find(|(known, _)| known == path) {
            Some((_, count)) => *count += 1,
            None => paths.push((path, 1)),
        }
    }
    paths.sort_by_key(|(_, count)| Reverse(*count));
    let all_alike = paths.len() == 1;
    let named = paths.iter().take(PATHS).map(|(path, count)| match count {
        _ if all_alike => shortened(path, 80),
        1 => shortened(path, 80),
        _ => format!("{} ({count})", shortened(path, 80)),
    });
    let named: Vec<_> = named.collect();
    match (named.len(), paths.len() - named.len()) {
        (0, _) => String::new(),
        (_, 0) => format!(" {}", named.join(", ")),
        (_, others) => format!(" {} and {}", named.join(", "), plural(others as u64, "other")),
    }
}

/// When one of them was used last, where calls that use descriptors were seen.
fn last_use(open: &[&StillOpen]) -> String {
    let last = open.iter().filter_map(|open| open.last_use.as_ref()).max_by_key(|last| last.at_ns);
    last.map(|last| format!("; last used at {} by {}", time(last.at_ns), last.function)).unwrap_or_default()
}
