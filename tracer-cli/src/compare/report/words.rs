//! Figures and differences for people.

use crate::compare::result::{Difference, Figure, Unit, Variant, Verdict};
use crate::report::units::{bytes, time};

/// Three figures and a unit, if it has one.
pub(super) fn value(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Nanoseconds => time(value.round() as u64),
        Unit::Bytes => bytes(value.round() as u64),
        Unit::Count => count(value),
        Unit::Ratio => format!("{value:.2}"),
    }
}

/// Five digits at most, the rest as a power of 1000.
fn count(value: f64) -> String {
    match value {
        100_000.0.. => bytes(value.round() as u64).replace([' ', 'B'], ""),
        _ if value.fract() == 0.0 || value >= 100.0 => format!("{value:.0}"),
        _ => format!("{value:.1}"),
    }
}

/// A size class, exactly: `64 B`, `4 KiB`.
pub(super) fn power_of_two(bytes: u64) -> String {
    let steps = (bytes.max(1).trailing_zeros() / 10).min(4);
    format!("{} {}", bytes >> (10 * steps), ["B", "KiB", "MiB", "GiB", "TiB"][steps as usize])
}

/// A part with its sign: `-18%`, `+2.4%`, `x2.5`.
pub(super) fn signed(part: f64) -> String {
    if part >= 1.0 { format!("x{:.1}", 1.0 + part) } else { format!("{}%", digits(part * 100.0, true)) }
}

/// What a difference adds to a figure in a table: nothing if it is not significant, `?` if nobody can know.
pub(super) fn mark(difference: &Difference, unit: Unit) -> String {
    match difference.verdict {
        Verdict::NoDifference => String::new(),
        Verdict::TooFewRounds => "?".to_owned(),
        Verdict::Lower | Verdict::Higher => match difference.relative {
            Some(part) => signed(part),
            None => absolute(unit, difference.median),
        },
    }
}

/// A difference in words, with where it is: `18% less than glibc (95%: 15% to 21% less)`.
pub(super) fn told(difference: &Difference, unit: Unit, other: &str) -> String {
    let Difference { relative, relative_low, relative_high, .. } = *difference;
    let (Some(part), Some(low), Some(high)) = (relative, relative_low, relative_high) else {
        let [median, low, high] =
            [difference.median, difference.low, difference.high].map(|bound| absolute(unit, bound));
        return format!("{median} beside {other} (95%: {low} to {high})");
    };
    if part >= 1.0 {
        let [part, low, high] = [part, low, high].map(|part| format!("{:.1}", 1.0 + part));
        return format!("{part} times that of {other} (95%: {low} to {high})");
    }
    let percent = |part: f64| digits(part.abs() * 100.0, false);
    let interval = if low < 0.0 && high > 0.0 {
        format!("{} to {}", signed(low), signed(high))
    } else {
        let ends = if part < 0.0 { [high, low] } else { [low, high] };
        let word = if part < 0.0 { "less" } else { "more" };
        format!("{}% to {}% {word}", percent(ends[0]), percent(ends[1]))
    };
    let word = if part < 0.0 { "less" } else { "more" };
    format!("{}% {word} than {other} (95%: {interval})", percent(part))
}

/// `-0.3% (-1.1% to +0.6%)`.
pub(super) fn noise(difference: &Difference, unit: Unit) -> String {
    if [difference.median, difference.low, difference.high] == [0.0; 3] {
        return "none".to_owned();
    }
    let part = (difference.relative, difference.relative_low, difference.relative_high);
    let [median, low, high] = match part {
        (Some(part), Some(low), Some(high)) => [part, low, high].map(signed),
        _ => [difference.median, difference.low, difference.high].map(|bound| absolute(unit, bound)),
    };
    format!("{median} ({low} to {high})")
}

/// How much the baseline differs from itself; None if it was not measured twice.
pub(super) fn noise_of(figure: &Figure, variants: &[Variant]) -> Option<Difference> {
    let again = variants.iter().position(|variant| variant.again)?;
    if [0, again].iter().any(|&index| variants[index].failure.is_some()) {
        return None;
    }
    *figure.differences.get(again)?
}

fn absolute(unit: Unit, difference: f64) -> String {
    let sign = if difference < 0.0 { "-" } else { "+" };
    format!("{sign}{}", value(unit, difference.abs()))
}

/// A decimal below ten.
fn digits(percent: f64, signed: bool) -> String {
    let decimals = usize::from(percent.abs() < 9.95);
    let text = if signed { format!("{percent:+.decimals$}") } else { format!("{percent:.decimals$}") };
    // Neither better nor worse.
    if text == "-0.0" { "0.0".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn difference(relative: Option<[f64; 3]>, verdict: Verdict) -> Difference {
        Difference {
            median: -2_000.0,
            low: -3_000.0,
            high: 1_000.0,
            relative: relative.map(|part| part[0]),
            relative_low: relative.map(|part| part[1]),
            relative_high: relative.map(|part| part[2]),
            verdict,
        }
    }

    #[test]
    fn figures_have_their_unit() {
        for (unit, number, text) in [
            (Unit::Nanoseconds, 412_400_000.0, "412 ms"),
            (Unit::Bytes, 52_000_000.0, "52.0 MB"),
            (Unit::Count, 12.5, "12.5"),
            (Unit::Count, 99_999.0, "99999"),
            (Unit::Count, 1_234_567.0, "1.23M"),
            (Unit::Count, 123_456.0, "123k"),
            (Unit::Ratio, 1.278, "1.28"),
        ] {
            assert_eq!(value(unit, number), text);
        }
    }

    #[test]
    fn size_classes_are_exact() {
        let sizes = [(16, "16 B"), (1 << 12, "4 KiB"), (3 << 20, "3 MiB"), (1500, "1500 B"), (0, "0 B")];
        sizes.into_iter().for_each(|(bytes, text)| assert_eq!(power_of_two(bytes), text));
    }

    #[test]
    fn differences_say_less_or_more_and_where_they_are() {
        let less = difference(Some([-0.18, -0.21, -0.15]), Verdict::Lower);
        assert_eq!(told(&less, Unit::Bytes, "glibc"), "18% less than glibc (95%: 15% to 21% less)");
        assert_eq!(mark(&less, Unit::Bytes), "-18%");
        let more = difference(Some([0.024, 0.011, 0.04]), Verdict::Higher);
        assert_eq!(told(&more, Unit::Bytes, "glibc"), "2.4% more than glibc (95%: 1.1% to 4.0% more)");
        let twice = difference(Some([1.5, 1.25, 1.75]), Verdict::Higher);
        assert_eq!(told(&twice, Unit::Bytes, "glibc"), "2.5 times that of glibc (95%: 2.2 to 2.8)");
        assert_eq!(mark(&twice, Unit::Bytes), "x2.5");
        let unclear = difference(Some([-0.003, -0.011, 0.006]), Verdict::NoDifference);
        assert_eq!(noise(&unclear, Unit::Bytes), "-0.3% (-1.1% to +0.6%)");
        assert_eq!(mark(&unclear, Unit::Bytes), "");
        assert_eq!(told(&unclear, Unit::Bytes, "g"), "0.3% less than g (95%: -1.1% to +0.6%)");
        assert_eq!(mark(&difference(None, Verdict::TooFewRounds), Unit::Bytes), "?");
    }

    #[test]
    fn a_difference_from_nothing_has_no_percentage() {
        let none = difference(None, Verdict::Lower);
        assert_eq!(mark(&none, Unit::Count), "-2000");
        assert_eq!(noise(&none, Unit::Nanoseconds), "-2.00 us (-3.00 us to +1.00 us)");
        let same = Difference { median: 0.0, low: 0.0, high: 0.0, ..none };
        assert_eq!(noise(&same, Unit::Count), "none");
    }
}
