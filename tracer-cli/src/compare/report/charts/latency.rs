//! How long calls took: histograms and tails of all variants over each other.

use super::axis::Axis;
use super::plot::{Plot, Shape, Size};
use super::{Chart, Group, Named, bins, drawn};
use crate::compare::report::words::power_of_two;
use crate::compare::result::{CallRow, Compared};
use crate::report::units::plural;

/// So many size classes of a function are drawn: those with most calls.
const MOST_CLASSES: usize = 16;

const ABOUT: &str = "Tapped runs, all together. Left: which part of the calls took how long, in steps of 12% of the \
    duration. Right: which part took at least so long; where a line crosses 1% is its p99.";

/// A variant, and its calls of one class.
type Row<'a> = (Named, &'a CallRow);

/// A group for each function, those that everybody knows first.
pub(super) fn groups(compared: &Compared) -> anyhow::Result<Vec<Group>> {
    let known = ["malloc", "free", "calloc", "realloc"];
    let called = compared.variants.iter().flat_map(|variant| &variant.calls).map(|row| row.function.as_str());
    let mut functions: Vec<&str> = called.collect();
    functions.sort_by_key(|function| {
        (known.iter().position(|name| name == function).unwrap_or(known.len()), *function)
    });
    functions.dedup();
    functions.into_iter().map(|function| group(function, compared)).collect()
}

fn group(function: &str, compared: &Compared) -> anyhow::Result<Group> {
    let of = |size, threads| rows(compared, function, size, threads);
    let all = of(None, None);
    let mut charts = Vec::new();
    let mut parts = Vec::new();
    if !all.is_empty() {
        let x = || durations(&all);
        charts.push(histogram(
            format!("latency-{function}"),
            format!("{function}: duration"),
            &all,
            x(),
            Size::Large,
        )?);
        charts.push(tail(format!("tail-{function}"), format!("{function}: tail"), &all, x())?);
        let classes = classes(compared, function);
        let by_size = classes.iter().filter(|class| class.0.is_some()).map(|&(size, threads)| {
            let size_bytes = size.unwrap_or(0);
            let title = format!("{function}: to {}", power_of_two(size_bytes));
            histogram(
                format!("latency-{function}-{size_bytes}-bytes"),
                title,
                &of(size, threads),
                x(),
                Size::Small,
            )
        });
        let by_size = by_size.collect::<anyhow::Result<Vec<Chart>>>()?;
        let by_threads = classes.iter().filter(|class| class.0.is_none()).map(|&(size, threads)| {
            let alive = threads.unwrap_or(0);
            let title = match alive {
                1 => format!("{function}: 1 thread alive"),
                _ => format!("{function}: to {} alive", plural(alive, "thread")),
            };
            histogram(
                format!("latency-{function}-{alive}-threads"),
                title,
                &of(size, threads),
                x(),
                Size::Small,
            )
        });
        let by_threads = by_threads.collect::<anyhow::Result<Vec<Chart>>>()?;
        parts.push((format!("{function} by size"), by_size));
        parts.push((format!("{function} by threads alive"), by_threads));
        // One class is all calls.
        parts.retain(|(_, charts)| charts.len() > 1);
    }
    Ok(Group { title: format!("Latency of {function}"), about: ABOUT, charts, parts })
}

/// Of all variants that called it.
fn rows<'a>(compared: &'a Compared, function: &str, size: Option<u64>, threads: Option<u64>) -> Vec<Row<'a>> {
    let row = |(named, variant): (Named, &'a crate::compare::result::Variant)| {
        let mut rows =
            variant.calls.iter().filter(|row| row.function == function && !row.durations.is_empty());
        Some((named, rows.find(|row| (row.up_to_bytes, row.up_to_threads) == (size, threads))?))
    };
    drawn(compared).filter_map(row).collect()
}

/// The sizes with most calls in ascending order, then the numbers of threads.
fn classes(compared: &Compared, function: &str) -> Vec<(Option<u64>, Option<u64>)> {
    let calls = drawn(compared).flat_map(|(_, variant)| &variant.calls);
    let mut classes: Vec<(Option<u64>, Option<u64>, u64)> = calls
        .filter(|row| row.function == function && row.up_to_bytes.is_some() != row.up_to_threads.is_some())
        .map(|row| (row.up_to_bytes, row.up_to_threads, row.count))
        .collect();
    classes.sort_unstable();
    classes.dedup_by(|next, kept| {
        let same = (next.0, next.1) == (kept.0, kept.1);
        if same {
            kept.2 += next.2;
        }
        same
    });
    let mut counts: Vec<u64> =
        classes.iter().filter(|class| class.0.is_some()).map(|class| class.2).collect();
    counts.sort_unstable_by(|a, b| b.cmp(a));
    let least = counts.get(MOST_CLASSES - 1).copied().unwrap_or(0);
    let frequent = classes.into_iter().filter(|class| class.0.is_none() || class.2 >= least);
    frequent.map(|(size, threads, _)| (size, threads)).collect()
}

/// From the shortest call to the longest.
fn durations(rows: &[Row<'_>]) -> Axis {
    let all = || rows.iter().flat_map(|(_, row)| &row.durations).map(|(ns, _)| *ns);
    // What is below a nanosecond, and the right edge of the last step.
    Axis::durations(
        "duration of a call",
        all().min().unwrap_or(1),
        all().max().unwrap_or(1).saturating_mul(9) / 8,
    )
}

fn histogram(id: String, title: String, rows: &[Row<'_>], x: Axis, size: Size) -> anyhow::Result<Chart> {
    let lines = rows.iter().map(|(named, row)| (named.clone(), bins::histogram(&row.durations)));
    let lines: Vec<(Named, Vec<(f64, f64)>)> = lines.collect();
    let highest = lines.iter().flat_map(|(_, line)| line).map(|(_, part)| *part).fold(0.0, f64::max);
    let series =
        lines.into_iter().map(|(named, line)| (named, vec![Shape::Shade(line.clone()), Shape::Line(line)]));
    Plot { id, title, size, x, y: Axis::parts("part of the calls", highest), series: series.collect() }.draw()
}

fn tail(id: String, title: String, rows: &[Row<'_>], x: Axis) -> anyhow::Result<Chart> {
    let lines = rows.iter().map(|(named, row)| (named.clone(), bins::tail(&row.durations)));
    let lines: Vec<(Named, Vec<(f64, f64)>)> = lines.collect();
    let rarest = lines.iter().flat_map(|(_, line)| line).map(|(_, part)| *part).fold(1.0, f64::min);
    let y = Axis::tenths("calls that took longer", rarest);
    let series = lines.into_iter().map(|(named, line)| (named, vec![Shape::Line(line)]));
    Plot { id, title, size: Size::Large, x, y, series: series.collect() }.draw()
}
