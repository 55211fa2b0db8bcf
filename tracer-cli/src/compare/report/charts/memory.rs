//! Memory over time.

use super::axis::Axis;
use super::plot::{Plot, Shape, Size};
use super::{Chart, Group, Named, Part, Style, drawn};
use crate::compare::result::{Compared, Unit};
use crate::compare::run::MemoryPoint;

/// A line is drawn through no more points than about this.
const POINTS: usize = 600;

const ABOUT: &str = "All processes of a run together: of each variant the run whose peak is the median one. First \
    resident memory in untapped runs, then for each variant what was requested and not released (live, dashed) below \
    what was resident and anonymous, in a tapped run, which takes longer: what lies between them is what the allocator \
    keeps beside it.";

/// Of untapped runs in one chart, of tapped ones in one for each variant.
pub(super) fn group(compared: &Compared) -> anyhow::Result<Group> {
    let mut charts = Vec::new();
    let resident: Vec<(Named, Line)> = drawn(compared)
        .map(|(named, variant)| (named, line(&variant.memory_untapped, |point| Some(point.resident_bytes))))
        .filter(|(_, line)| line.len() > 1)
        .collect();
    if !resident.is_empty() {
        let ends = ends(resident.iter().map(|(_, line)| line));
        let id = "memory-untapped".to_owned();
        charts.push(chart(id, "resident, untapped".to_owned(), Size::Wide, resident, ends)?);
    }
    let tapped: Vec<Tapped> = drawn(compared)
        .enumerate()
        .filter(|(_, (_, variant))| !variant.again)
        .map(|(number, (named, variant))| {
            (number, named.name.clone(), live_and_resident(named, &variant.memory_tapped))
        })
        .filter(|(_, _, lines)| !lines.is_empty())
        .collect();
    let ends = ends(tapped.iter().flat_map(|(_, _, lines)| lines).map(|(_, line)| line));
    let parts = tapped.into_iter().map(|(number, label, lines)| {
        chart(format!("memory-tapped-{number}"), label, Size::Small, lines, ends)
    });
    let parts = parts.collect::<anyhow::Result<Vec<Chart>>>()?;
    let title = "Live and resident memory of each variant, tapped".to_owned();
    let parts = if parts.is_empty() { Vec::new() } else { vec![Part { title, charts: parts, open: true }] };
    Ok(Group { title: "Memory over time".to_owned(), about: Some(ABOUT), charts, parts })
}

/// A variant's place and label, and its lines.
type Tapped = (usize, String, Vec<(Named, Line)>);

/// Nanoseconds and bytes.
type Line = Vec<(f64, f64)>;

fn live_and_resident(named: Named, memory: &[MemoryPoint]) -> Vec<(Named, Line)> {
    let style = |is_dashed| match named.style {
        Style::Variant { place, .. } => Style::Variant { place, dashed: is_dashed },
        Style::Noise => Style::Noise,
    };
    let lines = [
        (
            Named { name: "resident, anonymous".to_owned(), style: style(false) },
            line(memory, |point| Some(point.anonymous_bytes)),
        ),
        (Named { name: "live".to_owned(), style: style(true) }, line(memory, |point| point.live_bytes)),
    ];
    lines.into_iter().filter(|(_, line)| line.len() > 1).collect()
}

/// The last reading and the most bytes.
fn ends<'a>(lines: impl Iterator<Item = &'a Line>) -> (f64, f64) {
    lines.flatten().fold((0.0, 0.0), |(last, most), &(at, bytes)| (f64::max(last, at), f64::max(most, bytes)))
}

fn chart(
    id: String,
    title: String,
    size: Size,
    lines: Vec<(Named, Line)>,
    (last, most): (f64, f64),
) -> anyhow::Result<Chart> {
    let x = Axis::even("since the program began", Unit::Nanoseconds, 0.0, last);
    let y = Axis::even("memory", Unit::Bytes, 0.0, most * 1.05);
    let series = lines.into_iter().map(|(named, line)| (named, vec![Shape::Line(line)]));
    Plot { id, title, size, x, y, series: series.collect() }.draw()
}

/// Where there are too many readings, the least and the most of those that would be in one place.
fn line(memory: &[MemoryPoint], of: impl Fn(&MemoryPoint) -> Option<u64>) -> Line {
    let known = memory.iter().filter_map(|point| Some((point.at_ns as f64, of(point)? as f64)));
    let points: Line = known.collect();
    let together = points.len().div_ceil(POINTS / 2);
    if together <= 2 {
        return points;
    }
    let ends = points.chunks(together).flat_map(|points| {
        let by_bytes = |a: &&(f64, f64), b: &&(f64, f64)| a.1.total_cmp(&b.1);
        let mut ends: Vec<(f64, f64)> = points
            .iter()
            .min_by(by_bytes)
            .into_iter()
            .chain(points.iter().max_by(by_bytes))
            .copied()
            .collect();
        ends.sort_by(|a, b| a.0.total_cmp(&b.0));
        ends.dedup();
        ends
    });
    ends.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_series_keep_their_peaks() {
        let memory: Vec<MemoryPoint> = (0..100_000_u64)
            .map(|at_ns| MemoryPoint {
                at_ns,
                live_bytes: None,
                resident_bytes: if at_ns == 77_777 { 1_000_000 } else { 1_000 + at_ns % 10 },
                anonymous_bytes: 0,
            })
            .collect();
        let line = line(&memory, |point| Some(point.resident_bytes));
        assert!(line.len() <= POINTS, "{}", line.len());
        assert!(line.contains(&(77_777.0, 1_000_000.0)));
        assert!(line.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert_eq!(super::line(&memory[..5], |point| point.live_bytes), []);
        assert_eq!(super::line(&memory[..5], |point| Some(point.resident_bytes)).len(), 5);
    }
}
