//! What each round gave, so that one sees how far medians can be trusted.

use super::axis::Axis;
use super::plot::{Plot, Shape, Size};
use super::{Chart, Group, Named, drawn};
use crate::compare::result::{Compared, Figure, Headline, Unit};
use crate::compare::run::Untapped;

const ABOUT: &str = "Untapped runs: a dot for each round, the line is the 95% confidence interval of the median, the \
    mark across it the median. Scales do not begin at zero.";

/// How a figure is taken of a run.
type Of = fn(&Untapped) -> u64;

/// Wall time (of the load, if there is one) and peak.
pub(super) fn group(compared: &Compared) -> anyhow::Result<Group> {
    let asked: [(Headline, Of); 2] = [
        (Headline::Fastest, |run| run.outcome.load.as_ref().map_or(run.wall_ns, |load| load.wall_ns)),
        (Headline::Smallest, |run| run.peak_rss_bytes),
    ];
    let mut charts = Vec::new();
    for (headline, of) in asked {
        if let Some(figure) = compared.figures.iter().find(|figure| figure.headline == Some(headline)) {
            charts.extend(chart(compared, figure, of)?);
        }
    }
    Ok(Group { title: "All rounds".to_owned(), about: Some(ABOUT), charts, parts: Vec::new() })
}

/// A row for each variant; None if nobody has the figure.
fn chart(compared: &Compared, figure: &Figure, of: Of) -> anyhow::Result<Option<Chart>> {
    let mut rows: Vec<(Named, Vec<f64>, usize)> = Vec::new();
    for (place, variant) in compared.variants.iter().enumerate() {
        let values = variant.untapped.iter().flatten().map(|run| of(run) as f64).collect::<Vec<_>>();
        let named = drawn(compared).find(|(_, drawn)| std::ptr::eq(*drawn, variant));
        if let Some((named, _)) = named.filter(|_| !values.is_empty()) {
            rows.push((named, values, place));
        }
    }
    if rows.is_empty() {
        return Ok(None);
    }
    let all = || rows.iter().flat_map(|(_, values, _)| values).copied();
    let [least, most] = [all().fold(f64::MAX, f64::min), all().fold(0.0, f64::max)];
    let room = match (most - least) * 0.05 {
        0.0 => (least * 0.05).max(1.0),
        room => room,
    };
    let unit = if figure.headline == Some(Headline::Smallest) { Unit::Bytes } else { Unit::Nanoseconds };
    let x = Axis::even(&figure.title, unit, (least - room).max(0.0), most + room);
    let y = Axis::rows(rows.iter().map(|(named, ..)| named.name.clone()).collect());
    let count = rows.len();
    let series = rows.into_iter().enumerate().map(|(row, (named, values, place))| {
        let middle = count as f64 - row as f64 - 0.5;
        (named, shapes(&values, middle, figure, place))
    });
    let series = series.collect();
    let (id, title) = (format!("rounds-{}", figure.name), figure.title.clone());
    Plot { id, title, size: Size::Rows(count), x, y, series }.draw().map(Some)
}

/// Dots beside each other, and the estimate below them.
fn shapes(values: &[f64], middle: f64, figure: &Figure, place: usize) -> Vec<Shape> {
    // One round after the other, five of them across the row.
    let dots = values.iter().enumerate();
    let dots = dots.map(|(round, value)| (*value, middle + 0.32 - (round % 5) as f64 * 0.08)).collect();
    let mut shapes = vec![Shape::Dots(dots)];
    if let Some(estimate) = figure.estimates.get(place).copied().flatten() {
        let low = middle - 0.25;
        shapes.push(Shape::Bar((estimate.low, low), (estimate.high, low)));
        shapes.push(Shape::Bar((estimate.median, low - 0.13), (estimate.median, low + 0.13)));
    }
    shapes
}
