//! Calls with a body and a tail.

use std::collections::BTreeMap;

use super::{CallRow, Character, Numbers};

/// Function, the part of the calls that go to it, and how long it takes beside `malloc`.
const FUNCTIONS: [(&str, f64, f64); 4] =
    [("malloc", 1.0, 1.0), ("free", 0.95, 0.7), ("calloc", 0.05, 1.8), ("realloc", 0.1, 2.5)];
const SIZES: [(u64, f64); 4] = [(16, 1.0), (64, 1.1), (512, 1.3), (65_536, 6.0)];
const THREADS: [(u64, f64); 2] = [(1, 0.8), (16, 1.2)];

/// Function, size, threads; None: all of them.
type Class<'a> = (&'a str, Option<u64>, Option<u64>);

/// Of all classes, and of those that they make together.
pub(super) fn rows(character: Character, numbers: &mut Numbers) -> Vec<CallRow> {
    let mut classes: BTreeMap<Class<'_>, BTreeMap<u64, u64>> = BTreeMap::new();
    for (function, part, factor) in FUNCTIONS {
        for (size, by_size) in SIZES {
            for (threads, by_threads) in THREADS {
                let typical = character.p50_ns as f64 * factor * by_size * by_threads;
                for _ in 0..(4_000.0 * part) as u64 {
                    let ns = duration(typical, character.tail, numbers);
                    for size in [None, Some(size)] {
                        for threads in [None, Some(threads)] {
                            *classes.entry((function, size, threads)).or_default().entry(ns).or_default() +=
                                10;
                        }
                    }
                }
            }
        }
    }
    classes.into_iter().map(|(class, durations)| row(class, durations.into_iter().collect())).collect()
}

/// About `typical`; one in a hundred is in a long tail.
fn duration(typical: f64, tail: f64, numbers: &mut Numbers) -> u64 {
    let body = typical * (numbers.around(0.35)).max(0.4);
    let ns = if numbers.next() > 0.985 { body * 12.0 * numbers.next().max(1e-4).powf(-tail) } else { body };
    ns.clamp(1.0, 1e9) as u64
}

fn row((function, up_to_bytes, up_to_threads): Class<'_>, durations: Vec<(u64, u64)>) -> CallRow {
    let count: u64 = durations.iter().map(|(_, calls)| calls).sum();
    let at = |part: f64| {
        let mut seen = 0;
        let found = durations.iter().find(|(_, calls)| {
            seen += calls;
            seen as f64 >= part * count as f64
        });
        found.map_or(0, |(ns, _)| *ns)
    };
    CallRow {
        function: function.to_owned(),
        up_to_bytes,
        up_to_threads,
        count,
        p50_ns: at(0.5),
        p90_ns: at(0.9),
        p99_ns: at(0.99),
        p999_ns: at(0.999),
        max_ns: at(1.0),
        durations,
    }
}
