//! Aligned columns.

use comfy_table::{CellAlignment, Table, presets};

/// A table whose first `numbers` columns are numbers.
pub(super) fn table<const N: usize>(
    header: [&str; N],
    numbers: usize,
    rows: impl ExactSizeIterator<Item = [String; N]>,
    what: &str,
    top: usize,
) -> String {
    aligned(header, |column| column < numbers, rows, what, top)
}

/// Nothing if there are no rows; no more than `top` of them.
pub(super) fn aligned<const N: usize>(
    header: [&str; N],
    is_number: impl Fn(usize) -> bool,
    rows: impl ExactSizeIterator<Item = [String; N]>,
    what: &str,
    top: usize,
) -> String {
    let omitted = rows.len().saturating_sub(top);
    if rows.len() == 0 {
        return String::new();
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header).add_rows(rows.take(top));
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
