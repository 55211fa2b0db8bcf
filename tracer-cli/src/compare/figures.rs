//! The figures that variants are compared by, and the comparison of each.

use calltap_analyzers::compare::{self, Comparison, Settings};

use crate::compare::calls;
use crate::compare::result::{Difference, Estimate, Figure, Headline, Unit, Verdict};
use crate::compare::run::{MemoryPoint, Tapped, Untapped};

/// The runs of one variant, by round; None where there is none that counts.
#[derive(Clone, Copy, Debug)]
pub struct Runs<'a> {
    /// Without calltap.
    pub untapped: &'a [Option<Untapped>],
    /// With it.
    pub tapped: &'a [Option<Tapped>],
}

/// How a figure is taken of a run.
enum Taken {
    Untapped(fn(&Untapped) -> Option<f64>),
    Tapped(OfTapped),
}

/// It may be about a function, a part of the calls or a system call that only its maker knows.
type OfTapped = Box<dyn Fn(&Tapped) -> Option<f64>>;

/// A figure before it has been measured.
struct Kind {
    name: String,
    title: String,
    unit: Unit,
    headline: Option<Headline>,
    taken: Taken,
}

/// Functions whose latencies are figures of their own; all of the allocator's are in the histograms.
const FUNCTIONS: [&str; 4] = ["malloc", "free", "realloc", "calloc"];

/// Which part of the calls did not take longer, and what that is called.
const QUANTILES: [(&str, Option<f64>); 5] =
    [("p50", Some(0.5)), ("p90", Some(0.9)), ("p99", Some(0.99)), ("p99.9", Some(0.999)), ("max", None)];

/// All figures, compared. The first variant is the baseline, the last is the baseline again.
#[must_use]
pub fn compared(variants: &[Runs<'_>]) -> Vec<Figure> {
    let measured: Vec<(Kind, Vec<Vec<Option<f64>>>)> = kinds(variants)
        .into_iter()
        .map(|kind| {
            let figures = variants.iter().map(|runs| kind.of(runs)).collect();
            (kind, figures)
        })
        .filter(|(_, figures): &(_, Vec<Vec<_>>)| figures.iter().flatten().any(Option::is_some))
        .collect();
    let again = variants.len() - 1;
    let of_each = compare::comparisons(again);
    let headlines = measured.iter().filter(|(kind, _)| kind.headline.is_some()).count();
    // What the first lines tell has half of the chance of error for itself, whatever else is in the table.
    let families = [measured.len() - headlines, headlines].map(|figures| 2 * figures as u32 * of_each);
    let compared = measured.into_iter().map(|(kind, figures)| {
        let comparisons = families[usize::from(kind.headline.is_some())];
        let settings = Settings { baseline: 0, again, comparisons };
        kind.figure(compare::compare(&figures, &settings))
    });
    compared.collect()
}

impl Kind {
    /// By round.
    fn of(&self, runs: &Runs<'_>) -> Vec<Option<f64>> {
        match &self.taken {
            Taken::Untapped(take) => runs.untapped.iter().map(|run| run.as_ref().and_then(take)).collect(),
            Taken::Tapped(take) => runs.tapped.iter().map(|run| run.as_ref().and_then(take)).collect(),
        }
    }

    fn figure(self, comparison: Comparison) -> Figure {
        Figure {
            tapped: matches!(self.taken, Taken::Tapped(_)),
            name: self.name,
            title: self.title,
            unit: self.unit,
            headline: self.headline,
            estimates: comparison
                .estimates
                .into_iter()
                .map(|estimate| estimate.map(Estimate::from))
                .collect(),
            differences: comparison
                .differences
                .into_iter()
                .map(|other| other.map(Difference::from))
                .collect(),
            leaders: comparison.leaders,
        }
    }

    fn untapped(name: &str, title: &str, unit: Unit, take: fn(&Untapped) -> Option<f64>) -> Self {
        let taken = Taken::Untapped(take);
        Self { name: name.to_owned(), title: title.to_owned(), unit, headline: None, taken }
    }

    fn tapped(
        name: String,
        title: String,
        unit: Unit,
        take: impl Fn(&Tapped) -> Option<f64> + 'static,
    ) -> Self {
        Self { name, title, unit, headline: None, taken: Taken::Tapped(Box::new(take)) }
    }

    fn leads(self, headline: Headline) -> Self {
        Self { headline: Some(headline), ..self }
    }
}

/// What there is to measure of these runs.
fn kinds(variants: &[Runs<'_>]) -> Vec<Kind> {
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
        let (of, title) = (function.unwrap_or("allocator"), function.unwrap_or("allocator calls"));
        let take = move |run: &Tapped| {
            let durations = calls::of_function(run, function);
            let ns = quantile.map_or_else(|| durations.max(), |quantile| durations.quantile(quantile));
            ns.map(|ns| ns as f64)
        };
        let name = format!("{of}_{}", called.replace('.', ""));
        let kind = Kind::tapped(name, format!("{title} {called}"), Unit::Nanoseconds, take);
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
fn resident_to_live(memory: &[MemoryPoint]) -> Option<f64> {
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

impl From<compare::Estimate> for Estimate {
    fn from(estimate: compare::Estimate) -> Self {
        let compare::Estimate { median, interval, rounds } = estimate;
        Self { median, low: interval.low, high: interval.high, rounds }
    }
}

impl From<compare::Difference> for Difference {
    fn from(difference: compare::Difference) -> Self {
        let compare::Difference { median, interval, relative, relative_interval, verdict } = difference;
        Self {
            median,
            low: interval.low,
            high: interval.high,
            relative,
            relative_low: relative_interval.map(|interval| interval.low),
            relative_high: relative_interval.map(|interval| interval.high),
            verdict: match verdict {
                compare::Verdict::Lower => Verdict::Lower,
                compare::Verdict::Higher => Verdict::Higher,
                compare::Verdict::NoDifference => Verdict::NoDifference,
                compare::Verdict::TooFewRounds => Verdict::TooFewRounds,
            },
        }
    }
}
