//! The table.

use std::collections::BTreeMap;
use std::io;

use hdrhistogram::Histogram;

use super::Summary;
use crate::trace::print::End;

/// Calls that are counted together.
#[derive(Debug)]
pub(super) struct Row {
    pub name: String,
    pub calls: u64,
    pub errors: u64,
    pub total_ns: u64,
    /// Of calls that ended; two figures.
    pub durations: Histogram<u64>,
}

impl Summary {
    /// Writes the table of calls that were only counted.
    pub(super) fn counts(&mut self, end: &End) -> io::Result<()> {
        // Two processes that meet a function at one moment give it a number each.
        let mut named: BTreeMap<String, u64> = BTreeMap::new();
        for count in end.counts.iter().filter(|count| count.calls > 0) {
            *named.entry(self.functions.of(&count.function).name.to_string()).or_default() += count.calls;
        }
        let mut rows: Vec<(u64, String)> = named.into_iter().map(|(name, calls)| (calls, name)).collect();
        rows.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        let total: u64 = rows.iter().map(|(calls, _)| calls).sum();
        self.line("    calls      function")?;
        self.line("--------- --------------------")?;
        for (calls, name) in rows {
            self.line(&format!("{calls:9} {name}"))?;
        }
        self.line("--------- --------------------")?;
        self.line(&format!("{total:9} total"))
    }

    /// Writes the table of calls and their times.
    pub(super) fn table(&mut self) -> io::Result<()> {
        const RULE: &str =
            "------ ----------- ----------- --------- --------- --------- --------- --------------------";
        let mut rows = std::mem::take(&mut self.rows);
        rows.retain(|row| row.calls > 0);
        rows.sort_by(|a, b| b.total_ns.cmp(&a.total_ns).then_with(|| a.name.cmp(&b.name)));
        let all: u64 = rows.iter().map(|row| row.total_ns).sum();
        let calls: u64 = rows.iter().map(|row| row.calls).sum();
        let errors: u64 = rows.iter().map(|row| row.errors).sum();
        self.line("% time     seconds  usecs/call       p50       p99    errors     calls      function")?;
        self.line(RULE)?;
        for row in &rows {
            let percent = 100.0 * row.total_ns as f64 / all.max(1) as f64;
            let percentile = |percent| match row.durations.is_empty() {
                true => "-".to_owned(),
                false => micros(row.durations.value_at_percentile(percent)),
            };
            self.line(&format!(
                "{percent:6.2} {} {:>11} {:>9} {:>9} {:9} {:9} {}",
                seconds(row.total_ns),
                micros(row.total_ns / row.calls),
                percentile(50.0),
                percentile(99.0),
                row.errors,
                row.calls,
                row.name
            ))?;
        }
        self.line(RULE)?;
        self.line(&format!("100.00 {} {:31} {errors:9} {calls:9} total", seconds(all), ""))
    }

    fn line(&mut self, text: &str) -> io::Result<()> {
        self.out.begin();
        self.out.text.str(text);
        self.out.end()
    }
}

impl Row {
    /// None yet.
    pub fn new(name: String) -> Self {
        // Up to an hour, which is where longer ones are counted.
        let durations = Histogram::new_with_bounds(1, 3_600_000_000_000, 2);
        let durations = durations.expect("bounds are in order, and two figures are allowed");
        Self { name, calls: 0, errors: 0, total_ns: 0, durations }
    }
}

/// Four digits, a point, six digits.
fn seconds(ns: u64) -> String {
    format!("{:4}.{:06}", ns / 1_000_000_000, ns / 1000 % 1_000_000)
}

/// Microseconds with as many digits behind the point as say something.
fn micros(ns: u64) -> String {
    match ns {
        0..100_000 => format!("{}.{:03}", ns / 1000, ns % 1000),
        _ => format!("{}", ns / 1000),
    }
}
