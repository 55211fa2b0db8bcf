//! Aligned columns.

use comfy_table::{CellAlignment, Table, presets};

/// So many rows are shown.
const MAX_ROWS: usize = 10;

/// A table whose first `numbers` columns are numbers.
pub(super) fn table<const N: usize>(
    header: [&str; N],
    numbers: usize,
    rows: impl ExactSizeIterator<Item = [String; N]>,
    what: &str,
) -> String {
    aligned(header, |column| column < numbers, rows, what)
}

/// Nothing if there are no rows; the first [`MAX_ROWS`] of them if there are many.
pub(super) fn aligned<const N: usize>(
    header: [&str; N],
    is_number: impl Fn(usize) -> bool,
    rows: impl ExactSizeIterator<Item = [String; N]>,
    what: &str,
) -> String {
    let omitted = rows.len().saturating_sub(MAX_ROWS);
    if rows.len() == 0 {
        return String::new();
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header).add_rows(rows.take(MAX_ROWS));
    for (number, column) in table.column_iter_mut().enumerate() {
        if is_number(number) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut text = String::new();
    for line in table.lines() {
        text += &format!("   {}\n", line.trim_end());
    }
    if omitted > 0 {
        text += &format!("    ... and {omitted} more {what} (all with --format json)\n");
    }
    text
}
