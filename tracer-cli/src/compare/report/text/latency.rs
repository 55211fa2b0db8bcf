//! How long malloc and free took by size and by number of threads.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::table::{Column, table};
use crate::compare::report::answers::is_shown;
use crate::compare::report::words::power_of_two;
use crate::compare::result::{CallRow, Compared, Variant};
use crate::report::units::{plural, time};

/// So many size classes of a function are told: those with most calls.
const MOST_CLASSES: usize = 6;

/// Size class and number of threads, one of which is there.
type Class = (Option<u64>, Option<u64>);

/// Nothing if nobody called them.
pub(super) fn latencies(compared: &Compared) -> String {
    let shown: Vec<&Variant> = compared.variants.iter().filter(|variant| is_shown(variant)).collect();
    ["malloc", "free"].into_iter().map(|function| of(function, &shown)).collect()
}

fn of(function: &str, shown: &[&Variant]) -> String {
    let classes = classes(function, shown);
    if classes.is_empty() {
        return String::new();
    }
    let rows: Vec<String> = classes.iter().map(|&class| named(class)).collect();
    let columns: Vec<Column> = shown.iter().map(|variant| column(variant, function, &classes)).collect();
    format!("\n{function}: p50 and p99 by size and by threads alive\n{}", table("calls", &rows, &columns))
}

/// The sizes with most calls in ascending order, then the numbers of threads if there is more than one.
fn classes(function: &str, shown: &[&Variant]) -> Vec<Class> {
    let (mut sizes, mut threads) = (BTreeMap::<u64, u64>::new(), BTreeMap::<u64, u64>::new());
    for row in shown.iter().flat_map(|variant| &variant.calls).filter(|row| row.function == function) {
        match (row.up_to_bytes, row.up_to_threads) {
            (Some(size), None) => *sizes.entry(size).or_default() += row.count,
            (None, Some(alive)) => *threads.entry(alive).or_default() += row.count,
            _ => {}
        }
    }
    let mut most: Vec<(u64, u64)> = sizes.into_iter().collect();
    most.sort_by_key(|&(size, calls)| (Reverse(calls), size));
    most.truncate(MOST_CLASSES);
    most.sort_unstable();
    let mut classes: Vec<Class> = most.into_iter().map(|(size, _)| (Some(size), None)).collect();
    if threads.len() > 1 {
        classes.extend(threads.into_keys().map(|alive| (None, Some(alive))));
    }
    classes
}

fn named(class: Class) -> String {
    match class {
        (Some(size), _) => format!("to {}", power_of_two(size)),
        (None, Some(1)) => "1 thread".to_owned(),
        (None, alive) => format!("to {}", plural(alive.unwrap_or(0), "thread")),
    }
}

fn column(variant: &Variant, function: &str, classes: &[Class]) -> Column {
    let row = |class: &Class| -> Option<&CallRow> {
        let mut rows = variant.calls.iter().filter(|row| row.function == function);
        rows.find(|row| (row.up_to_bytes, row.up_to_threads) == *class)
    };
    let cell = |class: &Class| match row(class) {
        Some(row) => format!("{} {:>7}", time(row.p50_ns), time(row.p99_ns)),
        None => "-".to_owned(),
    };
    Column { title: variant.label.clone(), cells: classes.iter().map(cell).collect(), marks: Vec::new() }
}
