//! How series are told apart.
//!
//! Colours are those of Okabe and Ito (<https://jfly.uni-koeln.de/color/>), which people with any colour vision can tell
//! apart, without their yellow, which nobody sees on white. Variants that are more than there are colours get a pattern.

use plotters::style::RGBColor;

/// Colours on a light and on a dark page: blue, vermillion, green, purple, orange, sky blue, black.
const COLOURS: [(&str, &str); 7] = [
    ("#0072b2", "#2a93d1"),
    ("#d55e00", "#d55e00"),
    ("#009e73", "#009e73"),
    ("#cc79a7", "#cc79a7"),
    ("#e69f00", "#e69f00"),
    ("#56b4e9", "#8fd0f5"),
    ("#222222", "#eeeeee"),
];

/// Patterns of the first, second and third variant of one colour.
const PATTERNS: [&str; 3] = ["none", "14 6", "3 6"];

/// How a series looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::compare::report) enum Style {
    /// A variant by its place; a dashed line is another figure of the same one.
    Variant { place: usize, dashed: bool },
    /// The baseline's second series.
    Noise,
}

impl Style {
    /// Classes that [`rules`] gives a look.
    pub(in crate::compare::report) fn classes(self) -> String {
        match self {
            Self::Noise => "noise".to_owned(),
            Self::Variant { place, dashed } => {
                let pattern = (place / COLOURS.len()) % PATTERNS.len();
                let dashed = if dashed { " dashed" } else { "" };
                format!("c{} p{pattern}{dashed}", place % COLOURS.len())
            }
        }
    }
}

/// What is painted, where the library thinks of a colour: it becomes classes in the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paint {
    /// Axes and texts.
    Ink,
    /// Lines behind the figures.
    Grid,
    /// A line of the series with this number.
    Line(u16),
    /// A filled shape of it.
    Fill(u16),
    /// A filled shape of it through which others are seen.
    Shade(u16),
}

impl Paint {
    pub(super) fn colour(self) -> RGBColor {
        let (kind, series) = match self {
            Self::Ink => (0, 0),
            Self::Grid => (1, 0),
            Self::Line(series) => (2, series),
            Self::Fill(series) => (3, series),
            Self::Shade(series) => (4, series),
        };
        let [high, low] = series.to_be_bytes();
        RGBColor(kind, high, low)
    }

    /// What [`Self::colour`] was, written as `#RRGGBB`.
    pub(super) fn of(colour: &str) -> Option<Self> {
        let number = u32::from_str_radix(colour.strip_prefix('#')?, 16).ok()?;
        let [_, kind, high, low] = number.to_be_bytes();
        let series = u16::from_be_bytes([high, low]);
        match kind {
            0 => Some(Self::Ink),
            1 => Some(Self::Grid),
            2 => Some(Self::Line(series)),
            3 => Some(Self::Fill(series)),
            4 => Some(Self::Shade(series)),
            _ => None,
        }
    }

    /// The series that it is of, and the class for this kind of painting.
    pub(super) fn series(self) -> Option<(u16, &'static str)> {
        match self {
            Self::Ink | Self::Grid => None,
            Self::Line(series) => Some((series, "line")),
            Self::Fill(series) => Some((series, "fill")),
            Self::Shade(series) => Some((series, "shade")),
        }
    }
}

/// The style sheet of all classes: for a light page, and for a dark one.
pub(in crate::compare::report) fn rules() -> String {
    let mut rules = String::new();
    for (number, (light, dark)) in COLOURS.into_iter().enumerate() {
        rules += &format!(
            ".c{number}{{--c:{light}}}\n@media(prefers-color-scheme:dark){{.c{number}{{--c:{dark}}}}}\n"
        );
    }
    for (number, pattern) in PATTERNS.into_iter().enumerate() {
        rules += &format!(".line.p{number}{{stroke-dasharray:{pattern}}}\n");
    }
    rules + ".line.dashed{stroke-dasharray:10 7}\n.noise{--c:#8a8f98}\n.line.noise{stroke-dasharray:2 6}\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_painted_is_known_again() {
        for paint in [Paint::Ink, Paint::Grid, Paint::Line(0), Paint::Fill(7), Paint::Shade(700)] {
            let RGBColor(red, green, blue) = paint.colour();
            assert_eq!(Paint::of(&format!("#{red:02X}{green:02X}{blue:02X}")), Some(paint));
        }
        assert_eq!(Paint::of("none"), None);
        assert_eq!(Paint::of("#FFFFFF"), None);
    }

    #[test]
    fn twenty_one_variants_look_different() {
        let mut looks: Vec<_> =
            (0..21).map(|place| Style::Variant { place, dashed: false }.classes()).collect();
        looks.dedup();
        looks.sort_unstable();
        looks.dedup();
        assert_eq!(looks.len(), 21);
        let rules = rules();
        assert!(
            looks.iter().flat_map(|look| look.split(' ')).all(|class| rules.contains(&format!(".{class}{{")))
        );
    }
}
