//! What happened with each path and peer.

use std::collections::HashMap;

use super::{PathRow, SystemCall, Via};
use crate::event::Event;

/// Rows at most.
const MOST: usize = 10_000;

/// A path or socket address by number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Text {
    /// The call named none.
    #[default]
    None,
    /// The one with this number.
    Number(u32),
    /// One that has no row.
    Omitted,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Texts {
    /// The hash is the library's own, which a target cannot provoke to collide: it chooses the texts.
    rows: HashMap<Box<[u8]>, Row>,
    omitted: u64,
}

#[derive(Clone, Debug, Default)]
struct Row {
    number: u32,
    count: u64,
    errors: u64,
    total_ns: u64,
    calls: Vec<(Via, u64)>,
    errnos: Vec<(u16, u64)>,
}

impl Texts {
    /// The text of a system call, which is counted.
    pub(super) fn of_system_call(&mut self, call: &SystemCall<'_>) -> Text {
        let spent_ns = if call.entry_only { 0 } else { call.duration_ns() };
        self.count(call.subject(), Via::SystemCall(call.id), call.errno(), spent_ns)
    }

    /// The text of a library call, which is counted.
    pub(super) fn of_library_call(&mut self, event: &Event<'_>) -> Text {
        let spent_ns = event.end_ns.saturating_sub(event.start_ns);
        self.count(event.text, Via::Function(event.function), event.errno, spent_ns)
    }

    fn count(&mut self, text: &[u8], via: Via, errno: u16, spent_ns: u64) -> Text {
        if text.is_empty() {
            return Text::None;
        }
        let Some(row) = self.row(text) else {
            self.omitted += 1;
            return Text::Omitted;
        };
        row.count += 1;
        row.total_ns = row.total_ns.saturating_add(spent_ns);
        raise(&mut row.calls, via, 1);
        if errno != 0 {
            row.errors += 1;
            raise(&mut row.errnos, errno, 1);
        }
        Text::Number(row.number)
    }

    fn row(&mut self, text: &[u8]) -> Option<&mut Row> {
        if !self.rows.contains_key(text) {
            let number = self.rows.len();
            if number >= MOST {
                return None;
            }
            self.rows.insert(text.into(), Row { number: number as u32, ..Row::default() });
        }
        self.rows.get_mut(text)
    }

    /// Adds what `later` has, and tells which number there is which text here.
    pub(super) fn absorb(&mut self, later: Self) -> impl Fn(Text) -> Text + use<> {
        let mut numbers = vec![Text::Omitted; later.rows.len()];
        self.omitted += later.omitted;
        for (text, theirs) in later.rows {
            let Some(mine) = self.row(&text) else {
                self.omitted += theirs.count;
                continue;
            };
            numbers[theirs.number as usize] = Text::Number(mine.number);
            mine.count += theirs.count;
            mine.errors += theirs.errors;
            mine.total_ns = mine.total_ns.saturating_add(theirs.total_ns);
            theirs.calls.into_iter().for_each(|(via, count)| raise(&mut mine.calls, via, count));
            theirs.errnos.into_iter().for_each(|(errno, count)| raise(&mut mine.errnos, errno, count));
        }
        move |text| match text {
            Text::Number(number) => numbers[number as usize],
            other => other,
        }
    }

    /// Every text by its number.
    pub(super) fn by_number(&self) -> Vec<&[u8]> {
        let mut texts: Vec<&[u8]> = vec![&[]; self.rows.len()];
        self.rows.iter().for_each(|(text, row)| texts[row.number as usize] = text);
        texts
    }

    /// Calls with a text that has no row.
    pub(super) const fn omitted(&self) -> u64 {
        self.omitted
    }

    /// All rows, most time first.
    pub(super) fn report(&self) -> Vec<PathRow> {
        let mut rows: Vec<PathRow> = self
            .rows
            .iter()
            .map(|(text, row)| PathRow {
                path: text.to_vec(),
                count: row.count,
                errors: row.errors,
                total_ns: row.total_ns,
                calls: most_first(&row.calls),
                errnos: most_first(&row.errnos),
            })
            .collect();
        rows.sort_by(|one, other| (other.total_ns, &one.path).cmp(&(one.total_ns, &other.path)));
        rows
    }
}

fn raise<K: PartialEq>(counts: &mut Vec<(K, u64)>, key: K, by: u64) {
    match counts.iter_mut().find(|(counted, _)| *counted == key) {
        Some((_, count)) => *count += by,
        None => counts.push((key, by)),
    }
}

fn most_first<K: Copy + Ord>(counts: &[(K, u64)]) -> Vec<(K, u64)> {
    let mut sorted = counts.to_vec();
    sorted.sort_by_key(|(key, count)| (std::cmp::Reverse(*count), *key));
    sorted
}
