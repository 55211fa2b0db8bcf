//! Tables that are too wide for a line, cut into several.

use comfy_table::{CellAlignment, Table, presets};

use super::WIDTH;

/// Between two columns, and before the first.
const GAP: usize = 2;

/// One column: its title, of which each word gets a line, and a cell for each row.
pub(super) struct Column {
    pub(super) title: String,
    pub(super) cells: Vec<String>,
    /// What stands behind the cells, by row.
    pub(super) marks: Vec<String>,
}

impl Column {
    fn width(&self) -> usize {
        let marks = widest(self.marks.iter().map(String::as_str));
        let cells = widest(words(&self.title).into_iter().chain(self.cells.iter().map(String::as_str)));
        cells + if marks == 0 { 0 } else { marks + 1 }
    }

    fn has_marks(&self) -> bool {
        self.marks.iter().any(|mark| !mark.is_empty())
    }
}

/// What gets a line of its own; a stroke goes with the word before it.
fn words(title: &str) -> Vec<&str> {
    let mut words: Vec<&str> = Vec::new();
    let mut begin = 0;
    for (at, _) in title.match_indices(' ').filter(|(at, _)| !title[at + 1..].starts_with('/')) {
        words.push(&title[begin..at]);
        begin = at + 1;
    }
    words.push(&title[begin..]);
    words
}

fn widest<'a>(texts: impl Iterator<Item = &'a str>) -> usize {
    texts.map(|text| text.chars().count()).max().unwrap_or(0)
}

/// As many columns beside each other as there is room for, the others below; each time with the rows' labels.
pub(super) fn table(label: &str, rows: &[String], columns: &[Column]) -> String {
    let room = WIDTH.saturating_sub(GAP + widest(rows.iter().map(String::as_str).chain([label])));
    let mut rest = columns;
    let mut text = String::new();
    while !rest.is_empty() {
        let mut used = 0;
        let fitting = rest.iter().take_while(|column| {
            used += GAP + column.width();
            used <= room
        });
        let (shown, others) = rest.split_at(fitting.count().max(1));
        if !text.is_empty() {
            text.push('\n');
        }
        text += &part(label, rows, shown);
        rest = others;
    }
    text
}

fn part(label: &str, rows: &[String], columns: &[Column]) -> String {
    let lines = columns.iter().map(|column| words(&column.title).len()).max().unwrap_or(1);
    // Titles stand on the line above the rows, however many words they have.
    let title = |words: &[&str]| "\n".repeat(lines - words.len()) + &words.join("\n");
    let mut header = vec![title(&[label])];
    for column in columns {
        header.push(title(&words(&column.title)));
        header.extend(column.has_marks().then(String::new));
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header);
    for (number, row) in rows.iter().enumerate() {
        let mut cells = vec![row.clone()];
        for column in columns {
            cells.push(column.cells[number].clone());
            cells.extend(column.has_marks().then(|| column.marks[number].clone()));
        }
        table.add_row(cells);
    }
    // A mark is one space from its figure, a figure two from what is before it.
    let paddings = columns.iter().flat_map(|column| {
        if column.has_marks() { vec![(GAP as u16, 1), (0, 0)] } else { vec![(GAP as u16, 0)] }
    });
    for (column, padding) in table.column_iter_mut().zip([(0, 0)].into_iter().chain(paddings)) {
        column.set_padding(padding);
        column.set_cell_alignment(if padding.0 + padding.1 > 0 {
            CellAlignment::Right
        } else {
            CellAlignment::Left
        });
    }
    table.lines().map(|line| format!("  {}\n", line.trim_end())).collect()
}
