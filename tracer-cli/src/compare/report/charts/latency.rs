//! How long calls took: histograms and tails of all variants over each other.

use super::axis::Axis;
use super::plot::{Plot, Shape, Size};
use super::{Chart, Group, Named, Part, Style, bins, drawn};
use crate::compare::report::words::power_of_two;
use crate::compare::result::{CallRow, Compared, Variant};
use crate::report::units::plural;

/// So many size classes of a function are drawn: those with most calls.
const MOST_CLASSES: usize = 16;

const ABOUT: &str = "Tapped runs, all together. Durations: which part of the calls took how long, in steps of 12%, up to \
    the p99.9 of the slowest variant. Tails: which part took at least so long, up to the longest call; where a line \
    crosses 1% is its p99.";

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
    let mut groups = functions
        .into_iter()
        .map(|function| group(function, compared))
        .collect::<anyhow::Result<Vec<Group>>>()?;
    groups.retain(|group| !group.charts.is_empty());
    groups.iter_mut().take(1).for_each(|group| group.about = Some(ABOUT));
    Ok(groups)
}

fn group(function: &str, compared: &Compared) -> anyhow::Result<Group> {
    let of = |size, threads| rows(compared, function, size, threads);
    let all = of(None, None);
    let mut charts = Vec::new();
    let mut parts = Vec::new();
    if !all.is_empty() {
        charts.push(histogram(
            format!("latency-{function}"),
            format!("{function}: duration"),
            &all,
            Size::Large,
        )?);
        charts.push(tail(format!("tail-{function}"), format!("{function}: tail"), &all)?);
        let classes = classes(compared, function);
        let by_size = classes.iter().filter(|class| class.0.is_some()).map(|&(size, threads)| {
            let size_bytes = size.unwrap_or(0);
            let title = format!("{function}: to {}", power_of_two(size_bytes));
            histogram(
                format!("latency-{function}-{size_bytes}-bytes"),
                title,
                &of(size, threads),
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
            histogram(format!("latency-{function}-{alive}-threads"), title, &of(size, threads), Size::Small)
        });
        let by_threads = by_threads.collect::<anyhow::Result<Vec<Chart>>>()?;
        parts.push(Part { title: format!("{function} by size"), charts: by_size, open: false });
        parts.push(Part { title: format!("{function} by threads alive"), charts: by_threads, open: false });
        // One class is all calls.
        parts.retain(|part| part.charts.len() > 1);
    }
    Ok(Group { title: format!("Latency of {function}"), about: None, charts, parts })
}

/// Of all variants that called it.
fn rows<'a>(compared: &'a Compared, function: &str, size: Option<u64>, threads: Option<u64>) -> Vec<Row<'a>> {
    let row = |(named, variant): (Named, &'a Variant)| {
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

/// From the shortest call to `longest`.
fn durations(rows: &[Row<'_>], longest: u64) -> Axis {
    let shortest = rows.iter().filter_map(|(_, row)| Some(row.durations.first()?.0)).min();
    Axis::durations("duration of a call", shortest.unwrap_or(1), longest)
}

fn histogram(id: String, title: String, rows: &[Row<'_>], size: Size) -> anyhow::Result<Chart> {
    let longest = rows.iter().map(|(_, row)| row.p999_ns).max().unwrap_or(1);
    let lines = rows.iter().map(|(named, row)| (named.clone(), bins::histogram(&row.durations, longest)));
    let lines: Vec<(Named, Vec<(f64, f64)>)> = lines.collect();
    let highest = lines.iter().flat_map(|(_, line)| line).map(|(_, part)| *part).fold(0.0, f64::max);
    let series = lines.into_iter().map(|(named, line)| {
        let shade = (named.style != Style::Noise).then(|| Shape::Shade(line.clone()));
        (named, shade.into_iter().chain([Shape::Line(line)]).collect())
    });
    let (x, y) = (durations(rows, longest), Axis::parts("part of the calls", highest));
    Plot { id, title, size, x, y, series: series.collect() }.draw()
}

fn tail(id: String, title: String, rows: &[Row<'_>]) -> anyhow::Result<Chart> {
    let lines = rows.iter().map(|(named, row)| (named.clone(), bins::tail(&row.durations)));
    let lines: Vec<(Named, Vec<(f64, f64)>)> = lines.collect();
    let rarest = lines.iter().flat_map(|(_, line)| line).map(|(_, part)| *part).fold(1.0, f64::min);
    let longest = rows.iter().map(|(_, row)| row.max_ns).max().unwrap_or(1);
    let (x, y) = (durations(rows, longest), Axis::tenths("calls that took longer", rarest));
    let series = lines.into_iter().map(|(named, line)| (named, vec![Shape::Line(line)]));
    Plot { id, title, size: Size::Large, x, y, series: series.collect() }.draw()
}
