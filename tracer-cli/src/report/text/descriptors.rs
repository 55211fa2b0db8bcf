//! Descriptors that were left open, with the stacks that opened them.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::process::shortened;
use super::{Page, stack};
use crate::report::model::{Descriptors, StillOpen};
use crate::report::stacks::GroupBy;
use crate::report::units::plural;

pub(super) fn descriptors_part(descriptors: &Descriptors, in_kernel: Option<u64>, page: &Page<'_>) -> String {
    let mut text = match (descriptors.opened, descriptors.failed_closes) {
        (0, 0) => "  descriptors: none opened".to_owned(),
        (opened, failed) => format!(
            "  descriptors: {opened} opened, {} closed, {} still open, at most {} at once, {}",
            descriptors.closed,
            descriptors.still_open.len(),
            descriptors.peak_open,
            plural(failed, "failed close"),
        ),
    };
    if let Some(count) = in_kernel {
        text += &format!("; {count} open in the kernel at exit");
    }
    text.push('\n');
    let group_by = page.group_by();
    let groups = alike(&descriptors.still_open, group_by);
    let (shown, beyond) = groups.split_at(groups.len().min(page.view.top));
    for open in shown {
        text += &group(open, group_by, page);
    }
    if !beyond.is_empty() {
        let descriptors = beyond.iter().map(|open| open.len() as u64).sum();
        text += &page.more(beyond.len() as u64, group_by, &plural(descriptors, "descriptor"));
    }
    text
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

fn group(open: &[&StillOpen], group_by: GroupBy, page: &Page<'_>) -> String {
    let (first, last) = (open[0], open[open.len() - 1]);
    let numbers = match open.len() {
        1 => format!("1 (fd {})", first.fd),
        count => format!("{count} (fd {}..{})", first.fd, last.fd),
    };
    let other_paths = open.iter().filter(|other| other.path != first.path).count() as u64;
    let path = match (first.path.as_str(), other_paths) {
        ("", _) => String::new(),
        (path, 0) => format!(" {}", shortened(path, 80)),
        (path, others) => format!(" {} and {}", shortened(path, 80), plural(others, "other")),
    };
    let what = format!("    {numbers} {}{path} by {}", first.kind, first.opened_by);
    match group_by {
        GroupBy::Stack if first.stack.frames.iter().any(|frame| frame.object.is_some()) => {
            format!("{what}\n{}", stack::lines(&first.stack, 8, page))
        }
        GroupBy::Stack => format!("{what} at {}\n", first.site),
        _ => format!(
            "{what} in {}\n",
            page.group(first.stack.group(group_by).as_deref(), &first.stack, group_by)
        ),
    }
}
