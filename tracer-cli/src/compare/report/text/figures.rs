//! The chief figures, one row a variant.

use super::table::{Column, table};
use crate::compare::report::answers::is_shown;
use crate::compare::report::words::{mark, value};
use crate::compare::result::{Compared, Figure};

/// Figures of a text, in the order of their columns; the others are in the JSON and on the page.
const CHIEF: [&str; 23] = [
    "load_time",
    "wall_time",
    "ready_time",
    "cpu_time",
    "peak_rss",
    "end_rss",
    "minor_faults",
    "major_faults",
    "voluntary_switches",
    "involuntary_switches",
    "allocator_p99",
    "malloc_p50",
    "malloc_p99",
    "malloc_p999",
    "malloc_max",
    "_Znwm_p50",
    "_Znwm_p99",
    "free_p99",
    "memory_system_calls",
    "arenas",
    "retained",
    "fragmentation",
    "resident_to_live",
];

/// Of tapped or of untapped runs; nothing if there are none.
pub(super) fn figures(compared: &Compared, tapped: bool) -> String {
    let shown: Vec<usize> =
        (0..compared.variants.len()).filter(|&index| is_shown(&compared.variants[index])).collect();
    let rows: Vec<String> = shown.iter().map(|&index| compared.variants[index].label.clone()).collect();
    let named = |name: &str| compared.figures.iter().find(|figure| figure.name == name);
    let chief = CHIEF.iter().filter_map(|name| named(name)).filter(|figure| figure.tapped == tapped);
    let columns: Vec<Column> =
        chief.filter(|figure| says_something(figure, &shown)).map(|f| column(f, &shown)).collect();
    if rows.is_empty() { String::new() } else { table("variant", &rows, &columns) }
}

/// Of a figure that is 0 in all variants nobody learns anything.
fn says_something(figure: &Figure, shown: &[usize]) -> bool {
    let estimate = |&index: &usize| figure.estimates.get(index).copied().flatten();
    shown.iter().filter_map(estimate).any(|estimate| estimate.median != 0.0)
}

/// Figures, each with its difference behind it where that is significant.
fn column(figure: &Figure, shown: &[usize]) -> Column {
    let marks: Vec<String> = shown
        .iter()
        .map(|&index| figure.differences.get(index).copied().flatten())
        .map(|difference| difference.map(|difference| mark(&difference, figure.unit)).unwrap_or_default())
        .collect();
    let cells = shown.iter().map(|&index| {
        let estimate = figure.estimates.get(index).copied().flatten();
        estimate.map_or_else(|| "-".to_owned(), |estimate| value(figure.unit, estimate.median))
    });
    Column { title: figure.title.clone(), cells: cells.collect(), marks }
}
