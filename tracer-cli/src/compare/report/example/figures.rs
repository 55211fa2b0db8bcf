//! Figures with plausible intervals: the middle half of what was measured.

use super::{Difference, Estimate, Figure, Headline, Tapped, Unit, Untapped, Variant, Verdict};

type Of = fn(&Variant, usize) -> Option<f64>;

/// Name, title, unit, what it leads in, whether it is of tapped runs, and how it is taken.
type Kind = (&'static str, &'static str, Unit, Option<Headline>, bool, Of);

pub(super) fn figures(variants: &[Variant]) -> Vec<Figure> {
    use Unit::{Bytes, Count, Nanoseconds, Ratio};
    let kinds: [Kind; 14] = [
        ("wall_time", "wall time", Nanoseconds, Some(Headline::Fastest), false, |v, r| {
            Some(untapped(v, r)?.wall_ns as f64)
        }),
        ("cpu_time", "CPU time", Nanoseconds, None, false, |v, r| {
            Some((untapped(v, r)?.user_ns + untapped(v, r)?.system_ns) as f64)
        }),
        ("peak_rss", "peak RSS", Bytes, Some(Headline::Smallest), false, |v, r| {
            Some(untapped(v, r)?.peak_rss_bytes as f64)
        }),
        ("minor_faults", "minor faults", Count, None, false, |v, r| {
            Some(untapped(v, r)?.minor_faults as f64)
        }),
        ("major_faults", "major faults", Count, None, false, |v, r| {
            Some(untapped(v, r)?.major_faults as f64)
        }),
        ("voluntary_switches", "voluntary switches", Count, None, false, |v, r| {
            Some(untapped(v, r)?.voluntary_switches as f64)
        }),
        ("involuntary_switches", "involuntary switches", Count, None, false, |v, r| {
            Some(untapped(v, r)?.involuntary_switches as f64)
        }),
        ("allocator_p99", "allocator calls p99", Nanoseconds, Some(Headline::BestTail), true, |v, r| {
            Some(malloc(v, r)? * 2.1)
        }),
        ("malloc_p99", "malloc p99", Nanoseconds, None, true, malloc),
        ("malloc_p999", "malloc p99.9", Nanoseconds, None, true, |v, r| Some(malloc(v, r)? * 20.0)),
        ("memory_system_calls", "memory system calls", Count, None, true, |v, r| {
            Some(tapped(v, r)?.memory_calls.values().sum::<u64>() as f64)
        }),
        ("arenas", "arenas", Count, None, true, |v, r| Some(tapped(v, r)?.arenas? as f64)),
        ("retained", "retained", Bytes, None, true, |v, r| Some(tapped(v, r)?.retained_bytes? as f64)),
        ("resident_to_live", "resident / live", Ratio, None, true, |v, r| {
            Some(untapped(v, r)?.peak_rss_bytes as f64 / tapped(v, r)?.peak_live_bytes as f64)
        }),
    ];
    let made = kinds.into_iter().map(|(name, title, unit, headline, tapped, of)| {
        let values: Vec<Vec<f64>> = variants
            .iter()
            .map(|variant| (0..variant.untapped.len()).filter_map(|round| of(variant, round)).collect())
            .collect();
        let estimates: Vec<Option<Estimate>> = values.iter().map(|values| estimate(values)).collect();
        let differences: Vec<Option<Difference>> = (0..values.len())
            .map(|index| if index == 0 { None } else { difference(&values[index], &values[0]) })
            .collect();
        let leaders = leaders(variants, &values);
        Figure {
            name: name.to_owned(),
            title: title.to_owned(),
            unit,
            headline,
            tapped,
            estimates,
            differences,
            leaders,
        }
    });
    made.collect()
}

fn untapped(variant: &Variant, round: usize) -> Option<&Untapped> {
    variant.untapped[round].as_ref()
}

fn tapped(variant: &Variant, round: usize) -> Option<&Tapped> {
    variant.tapped[round].as_ref()
}

/// What all runs gave, with as much noise as the peak has.
fn malloc(variant: &Variant, round: usize) -> Option<f64> {
    let row = variant.calls.iter().find(|row| row.function == "malloc" && row.up_to_bytes.is_none())?;
    let run = untapped(variant, round)?;
    Some(row.p90_ns as f64 * 8.0 * (run.peak_rss_bytes as f64 / untapped(variant, 0)?.peak_rss_bytes as f64))
}

fn estimate(values: &[f64]) -> Option<Estimate> {
    let [median, low, high] = quartiles(values.to_vec())?;
    Some(Estimate { median, low, high, rounds: values.len() })
}

fn difference(values: &[f64], others: &[f64]) -> Option<Difference> {
    let [median, low, high] = quartiles(values.iter().zip(others).map(|(a, b)| a - b).collect())?;
    let base = quartiles(others.to_vec())?[0];
    let part = |difference: f64| (base != 0.0).then(|| difference / base);
    let verdict = match (low > 0.0, high < 0.0) {
        (true, _) => Verdict::Higher,
        (_, true) => Verdict::Lower,
        _ => Verdict::NoDifference,
    };
    Some(Difference {
        median,
        low,
        high,
        relative: part(median),
        relative_low: part(low),
        relative_high: part(high),
        verdict,
    })
}

/// The least one, and those that it is not less than.
fn leaders(variants: &[Variant], values: &[Vec<f64>]) -> Vec<usize> {
    let medians = (0..values.len()).filter(|&index| !variants[index].again);
    let mut medians: Vec<(usize, f64)> =
        medians.filter_map(|index| Some((index, quartiles(values[index].clone())?[0]))).collect();
    medians.sort_by(|a, b| a.1.total_cmp(&b.1));
    let Some(&(least, _)) = medians.first() else { return Vec::new() };
    let beside = medians.iter().map(|&(index, _)| index).filter(|&index| {
        let difference = difference(&values[index], &values[least]);
        index == least || difference.is_some_and(|difference| difference.verdict == Verdict::NoDifference)
    });
    beside.collect()
}

fn quartiles(mut values: Vec<f64>) -> Option<[f64; 3]> {
    values.sort_by(f64::total_cmp);
    let at = |part: usize| values.get(values.len() * part / 4).copied();
    Some([at(2)?, at(1)?, at(3)?])
}
