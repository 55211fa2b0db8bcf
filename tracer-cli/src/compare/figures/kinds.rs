//! What can be measured of runs.

use super::{Kind, Runs};
use crate::compare::calls;
use crate::compare::result::{Headline, Unit};
use crate::compare::run::{MemoryPoint, Tapped, Untapped};

/// Functions whose latencies are figures of their own, by symbol and as they are called; all of the allocator's are in
/// the histograms.
const FUNCTIONS: [(&str, &str); 6] = [
    ("malloc", "malloc"),
    ("free", "free"),
    ("realloc", "realloc"),
    ("calloc", "calloc"),
    ("_Znwm", "operator new"),
    ("_ZdlPvm", "operator delete"),
];

/// Which part of the calls did not take longer, and what that is called.
const QUANTILES: [(&str, Option<f64>); 5] =
    [("p50", Some(0.5)), ("p90", Some(0.9)), ("p99", Some(0.99)), ("p99.9", Some(0.999)), ("max", None)];

/// What there is to measure of these runs.
pub(super) fn of(variants: &[Runs<'_>]) -> Vec<Kind> {
    let mut runs = variants.iter().flat_map(|runs| runs.untapped.iter().flatten());
    let mut kinds = times(runs.any(|run| run.outcome.load.is_some()));
    kinds.extend(resources());
    kinds.extend(latencies());
    kinds.extend(memory());
    kinds.extend(memory_calls(variants));
    kinds
}

/// A service's own wall time is as long as its load, its start and its end.
fn times(has_load: bool) -> Vec<Kind> {
    use Unit::Nanoseconds;
    let load = |run: &Untapped| run.outcome.load.as_ref().map(|load| load.wall_ns as f64);
    let wall = |run: &Untapped| Some(run.wall_ns as f64);
    let mut times = if has_load {
        vec![
            Kind::untapped("load_time", "load time", Nanoseconds, load).leads(Headline::Fastest),
            Kind::untapped("wall_time", "wall time", Nanoseconds, wall),
        ]
    } else {
        vec![Kind::untapped("wall_time", "wall time", Nanoseconds, wall).leads(Headline::Fastest)]
    };
    times.extend([
        Kind::untapped("ready_time", "ready after", Nanoseconds, |run| {
            run.outcome.ready_ns.map(|ns| ns as f64)
        }),
        Kind::untapped("cpu_time", "CPU time", Nanoseconds, |run| Some((run.user_ns + run.system_ns) as f64)),
        Kind::untapped("user_time", "user time", Nanoseconds, |run| Some(run.user_ns as f64)),
        Kind::untapped("system_time", "system time", Nanoseconds, |run| Some(run.system_ns as f64)),
    ]);
    times
}

fn resources() -> Vec<Kind> {
    use Unit::{Bytes, Count};
    vec![
        Kind::untapped("peak_rss", "peak RSS", Bytes, |run| Some(run.peak_rss_bytes as f64))
            .leads(Headline::Smallest),
        Kind::untapped("end_rss", "end RSS", Bytes, |run| {
            run.memory.last().map(|point| point.resident_bytes as f64)
        }),
        Kind::untapped("minor_faults", "minor faults", Count, |run| Some(run.minor_faults as f64)),
        Kind::untapped("major_faults", "major faults", Count, |run| Some(run.major_faults as f64)),
        Kind::untapped("voluntary_switches", "voluntary switches", Count, |run| {
            Some(run.voluntary_switches as f64)
        }),
        Kind::untapped("involuntary_switches", "involuntary switches", Count, |run| {
            Some(run.involuntary_switches as f64)
        }),
    ]
}

/// Of all of the allocator's functions together, and of those that everybody knows.
fn latencies() -> Vec<Kind> {
    let functions = std::iter::once(None).chain(FUNCTIONS.into_iter().map(Some));
    let figures =
        functions.flat_map(|function| QUANTILES.map(|(called, quantile)| (function, called, quantile)));
    let kinds = figures.map(|(function, called, quantile)| {
        let (symbol, title) = function.unwrap_or(("allocator", "allocator calls"));
        let function = function.map(|(symbol, _)| symbol);
        let take = move |run: &Tapped| {
            let durations = calls::of_function(run, function);
            let ns = quantile.map_or_else(|| durations.max(), |quantile| durations.quantile(quantile));
            ns.map(|ns| ns as f64)
        };
        let name = format!("{symbol}_{}", called.replace('.', ""));
        let kind = Kind::tapped(name, format!("{title} {called}"), Unit::Nanoseconds, take);
        let kind = Kind { function, ..kind };
        if function.is_none() && called == "p99" { kind.leads(Headline::BestTail) } else { kind }
    });
    kinds.collect()
}

/// What is kept beside what is asked for.
fn memory() -> Vec<Kind> {
    let bytes = |name: &str, title: &str, take: fn(&Tapped) -> Option<u64>| {
        Kind::tapped(name.to_owned(), title.to_owned(), Unit::Bytes, move |run| {
            take(run).map(|bytes| bytes as f64)
        })
    };
    vec![
        Kind::tapped("arenas".to_owned(), "arenas".to_owned(), Unit::Count, |run| {
            run.arenas.map(|arenas| arenas as f64)
        }),
        bytes("retained", "retained", |run| run.retained_bytes),
        bytes("fragmentation", "fragmentation", |run| run.fragmentation_bytes),
        bytes("peak_live", "peak live", |run| (run.peak_live_bytes > 0).then_some(run.peak_live_bytes)),
        Kind::tapped("resident_to_live".to_owned(), "resident / live".to_owned(), Unit::Ratio, |run| {
            resident_to_live(&run.memory)
        }),
    ]
}

/// Anonymous resident bytes beside each live one, in the mean over time; None if nothing lived when it was read.
pub(super) fn resident_to_live(memory: &[MemoryPoint]) -> Option<f64> {
    let known = memory.iter().filter_map(|point| Some((point.anonymous_bytes, point.live_bytes?)));
    let (resident, live) =
        known.fold((0, 0), |(resident, live), (more, alive)| (resident + more, live + alive));
    (live > 0).then(|| resident as f64 / live as f64)
}

/// All memory system calls together, then each that was made.
fn memory_calls(variants: &[Runs<'_>]) -> Vec<Kind> {
    let runs = variants.iter().flat_map(|runs| runs.tapped.iter().flatten());
    let mut names: Vec<String> = runs.flat_map(|run| run.memory_calls.keys().cloned()).collect();
    names.sort_unstable();
    names.dedup();
    let all = |run: &Tapped| Some(run.memory_calls.values().sum::<u64>() as f64);
    let mut kinds = vec![Kind::tapped(
        "memory_system_calls".to_owned(),
        "memory system calls".to_owned(),
        Unit::Count,
        all,
    )];
    kinds.extend(names.into_iter().map(|name| {
        let called = name.clone();
        let count = move |run: &Tapped| Some(run.memory_calls.get(&called).copied().unwrap_or(0) as f64);
        Kind::tapped(format!("{name}_calls"), format!("{name} calls"), Unit::Count, count)
    }));
    kinds
}
