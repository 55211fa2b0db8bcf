//! Latencies of the allocator's calls, of all runs of a variant together.

use std::collections::BTreeMap;

use crate::compare::durations::Durations;
use crate::compare::result::CallRow;
use crate::compare::run::{CallClass, Tapped};

/// Function, size class, threads; None: all of them.
type Class<'a> = (&'a str, Option<u64>, Option<u64>);

/// One row for each function, for each of its size classes, and for each number of threads.
#[must_use]
pub fn rows<'a>(runs: impl Iterator<Item = &'a Tapped>) -> Vec<CallRow> {
    let mut classes: BTreeMap<Class<'_>, Durations> = BTreeMap::new();
    for class in runs.flat_map(|run| &run.calls) {
        let CallClass { function, up_to_bytes, up_to_threads, durations } = class;
        let mut add = |key| classes.entry(key).or_default().add(durations);
        add((function, None, None));
        add((function, None, Some(*up_to_threads)));
        if up_to_bytes.is_some() {
            add((function, *up_to_bytes, None));
            add((function, *up_to_bytes, Some(*up_to_threads)));
        }
    }
    classes.into_iter().filter_map(|(class, durations)| row(class, &durations)).collect()
}

/// Durations of a run's calls of this function; of all functions without one.
#[must_use]
pub fn of_function(run: &Tapped, function: Option<&str>) -> Durations {
    let mut all = Durations::default();
    let asked = run.calls.iter().filter(|class| function.is_none_or(|function| class.function == function));
    asked.for_each(|class| all.add(&class.durations));
    all
}

fn row((function, up_to_bytes, up_to_threads): Class<'_>, durations: &Durations) -> Option<CallRow> {
    let at = |quantile| durations.quantile(quantile);
    Some(CallRow {
        function: function.to_owned(),
        up_to_bytes,
        up_to_threads,
        count: durations.count(),
        p50_ns: at(0.5)?,
        p90_ns: at(0.9)?,
        p99_ns: at(0.99)?,
        p999_ns: at(0.999)?,
        max_ns: durations.max()?,
        durations: durations.to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::example;

    #[test]
    fn a_function_has_a_row_for_all_its_calls_and_one_for_each_class() {
        let class = |function: &str, up_to_bytes, up_to_threads, durations: &[(u64, u64)]| CallClass {
            function: function.to_owned(),
            up_to_bytes,
            up_to_threads,
            durations: durations.to_vec(),
        };
        let small = class("malloc", Some(16), 1, &[(20, 9)]);
        let large = class("malloc", Some(4096), 2, &[(900, 1)]);
        let unknown = class("free", None, 1, &[(7, 3)]);
        let run = Tapped { calls: vec![small, large, unknown], ..example::tapped() };
        let rows = rows([&run, &run].into_iter());
        let told: Vec<_> = rows
            .iter()
            .map(|row| {
                (row.function.as_str(), row.up_to_bytes, row.up_to_threads, row.count, row.p50_ns, row.max_ns)
            })
            .collect();
        assert_eq!(
            told,
            [
                ("free", None, None, 6, 7, 7),
                ("free", None, Some(1), 6, 7, 7),
                ("malloc", None, None, 20, 20, 900),
                ("malloc", None, Some(1), 18, 20, 20),
                ("malloc", None, Some(2), 2, 900, 900),
                ("malloc", Some(16), None, 18, 20, 20),
                ("malloc", Some(16), Some(1), 18, 20, 20),
                ("malloc", Some(4096), None, 2, 900, 900),
                ("malloc", Some(4096), Some(2), 2, 900, 900),
            ]
        );
        assert_eq!(of_function(&run, None).count(), 13);
        assert_eq!(of_function(&run, Some("malloc")).max(), Some(900));
    }
}
