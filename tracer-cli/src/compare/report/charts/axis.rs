//! Axes: which part of the numbers is seen, and where it is labelled.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

use crate::compare::report::words::value;
use crate::compare::result::Unit;

/// An axis. What lies beyond an end is drawn at that end.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    pub(super) title: String,
    low: f64,
    high: f64,
    /// Values with their labels.
    ticks: Vec<(f64, String)>,
    logarithmic: bool,
}

impl Axis {
    /// An even scale from `low` to `high`, with about five labels.
    pub(super) fn even(title: &str, unit: Unit, low: f64, high: f64) -> Self {
        let high = if high > low { high } else { low + low.abs().max(1.0) };
        let rough = (high - low) / 5.0;
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|part| part * power).find(|step| *step >= rough);
        let step = step.unwrap_or(10.0 * power);
        let [first, last] = [(low / step).ceil() as i64, (high / step).floor() as i64];
        let ticks = (first..=last).map(|tick| tick as f64 * step).map(|at| (at, short(unit, at)));
        Self { title: title.to_owned(), low, high, ticks: ticks.collect(), logarithmic: false }
    }

    /// Parts from none to `high`, in percent.
    pub(super) fn parts(title: &str, high: f64) -> Self {
        let even = Self::even(title, Unit::Ratio, 0.0, if high > 0.0 { high * 1.05 } else { 1.0 });
        let percent = |part: f64| format!("{}%", (part * 1_000.0).round() / 10.0);
        Self { ticks: even.ticks.into_iter().map(|(at, _)| (at, percent(at))).collect(), ..even }
    }

    /// Durations from `low` to `high` nanoseconds (1 at least), each power of ten as long as the other.
    pub(super) fn durations(title: &str, low: u64, high: u64) -> Self {
        let [low, high] = [low.max(1) as f64, high as f64];
        // Room at both ends, and room at all if all calls took equally long.
        let [low, high] = [low / 1.1, high.max(low * 2.0) * 1.1];
        let steps: &[f64] = match (high / low).log10() {
            ..1.2 => &[1.0, 2.0, 5.0],
            ..2.2 => &[1.0, 3.0],
            _ => &[1.0],
        };
        let powers = 0..=high.log10().ceil() as i32;
        let all = powers.flat_map(|power| steps.iter().map(move |step| step * 10_f64.powi(power)));
        let seen = all.filter(|ns| (low..=high).contains(ns));
        let ticks = seen.map(|ns| (ns, short(Unit::Nanoseconds, ns)));
        Self { title: title.to_owned(), low, high, ticks: ticks.collect(), logarithmic: true }
    }

    /// Parts of all calls, down to `least` (more than 0), each tenth as long as the other.
    pub(super) fn tenths(title: &str, least: f64) -> Self {
        let low = (least.log10().floor() as i32).clamp(-9, -1);
        let label = |power: i32| match power {
            0 => "all".to_owned(),
            -1 => "10%".to_owned(),
            -2 => "1%".to_owned(),
            _ => format!("{:.*}%", (-power - 2) as usize, 10_f64.powi(power + 2)),
        };
        let ticks = (low..=0).map(|power| (10_f64.powi(power), label(power)));
        let low = 10_f64.powi(low) / 1.2;
        Self { title: title.to_owned(), low, high: 1.2, ticks: ticks.collect(), logarithmic: true }
    }

    /// A row for each name, from the top.
    pub(super) fn rows(names: Vec<String>) -> Self {
        let high = names.len() as f64;
        let ticks = names.into_iter().enumerate().map(|(row, name)| (high - row as f64 - 0.5, name));
        Self { title: String::new(), low: 0.0, high, ticks: ticks.collect(), logarithmic: false }
    }

    /// Letters of the longest label.
    pub(super) fn letters(&self) -> usize {
        self.ticks.iter().map(|(_, label)| label.chars().count()).max().unwrap_or(0)
    }

    /// Where a value is: 0 at the lower end, 1 at the upper one.
    fn part(&self, value: f64) -> f64 {
        let value = value.clamp(self.low, self.high);
        if self.logarithmic {
            (value / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        }
    }
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (from, to): (i32, i32)) -> i32 {
        from + (self.part(*value) * f64::from(to - from)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        // There are no lines between those with labels.
        let values = self.ticks.iter().map(|(value, _)| *value);
        if hint.weight().allow_light_points() { Vec::new() } else { values.collect() }
    }

    fn range(&self) -> Range<f64> {
        self.low..self.high
    }
}

impl ValueFormatter<f64> for Axis {
    fn format_ext(&self, value: &f64) -> String {
        let labelled = self.ticks.iter().find(|(tick, _)| tick == value);
        labelled.map(|(_, label)| label.clone()).unwrap_or_default()
    }
}

/// Without zeros and units that say nothing: `1 us` for `1.00 us`, `0` for `0 us`.
fn short(unit: Unit, number: f64) -> String {
    if number == 0.0 {
        return "0".to_owned();
    }
    let text = value(unit, number);
    let (number, unit) = text.split_once(' ').unwrap_or((&text, ""));
    let number =
        if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number };
    format!("{number} {unit}").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|(_, label)| label.as_str()).collect()
    }

    #[test]
    fn labels_are_round_numbers() {
        let axis = Axis::even("time", Unit::Nanoseconds, 395e6, 690e6);
        assert_eq!(labels(&axis), ["400 ms", "500 ms", "600 ms"]);
        assert_eq!(labels(&Axis::even("", Unit::Bytes, 0.0, 1.1e6)), ["0", "500 kB", "1 MB"]);
        assert_eq!(labels(&Axis::parts("", 0.21)), ["0%", "5%", "10%", "15%", "20%"]);
        let same = Axis::even("", Unit::Count, 0.0, 0.0);
        assert!(same.high > same.low && !same.ticks.is_empty());
    }

    #[test]
    fn powers_of_ten_are_labelled_and_parts_of_them_where_there_is_room() {
        let axis = Axis::durations("", 8, 2_000_000);
        assert_eq!(labels(&axis), ["10 ns", "100 ns", "1 us", "10 us", "100 us", "1 ms"]);
        assert_eq!(labels(&Axis::durations("", 15, 130)), ["20 ns", "50 ns", "100 ns"]);
        assert_eq!(axis.format_ext(&1_000.0), "1 us");
        assert_eq!(axis.format_ext(&3.5), "");
        let distance = |low, high| axis.map(&high, (0, 10_000)) - axis.map(&low, (0, 10_000));
        assert!((distance(10.0, 100.0) - distance(1e4, 1e5)).abs() <= 1, "all powers are equally long");
        assert_eq!(
            (axis.map(&1.0, (0, 100)), axis.map(&1e9, (0, 100))),
            (0, 100),
            "no point leaves the axes"
        );
        assert_eq!(labels(&Axis::durations("", 0, 1)), ["1 ns", "2 ns"]);
    }

    #[test]
    fn tails_reach_to_the_rarest_call() {
        assert_eq!(labels(&Axis::tenths("", 3e-5)), ["0.001%", "0.01%", "0.1%", "1%", "10%", "all"]);
        assert_eq!(labels(&Axis::tenths("", 1.0)), ["10%", "all"]);
    }

    #[test]
    fn the_first_row_is_on_top() {
        let axis = Axis::rows(vec!["a".to_owned(), "b".to_owned()]);
        assert_eq!((axis.format_ext(&1.5), axis.format_ext(&0.5)), ("a".to_owned(), "b".to_owned()));
        assert!(axis.map(&1.5, (100, 0)) < axis.map(&0.5, (100, 0)));
    }
}
