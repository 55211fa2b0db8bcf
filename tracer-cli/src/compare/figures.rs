//! The figures that variants are compared by, and the comparison of each.

mod kinds;
#[cfg(test)]
mod tests;

use calltap_analyzers::compare::{self, Comparison, Settings};

use crate::compare::calls;
use crate::compare::result::{Difference, Estimate, Figure, Headline, Unit, Verdict};
use crate::compare::run::{Tapped, Untapped};

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
    /// The function that it is about, if there is one.
    function: Option<&'static str>,
}

/// A function is not the same one under two allocators if one of them calls it so many times as often as the other:
/// glibc's operator new calls malloc, that of others does not.
const CALLED_AS_OFTEN: u64 = 2;

/// All figures, compared. The first variant is the baseline, the last is the baseline again.
#[must_use]
pub fn compared(variants: &[Runs<'_>]) -> Vec<Figure> {
    let measured: Vec<(Kind, Vec<Vec<Option<f64>>>)> = kinds::of(variants)
        .into_iter()
        .map(|kind| {
            let of = |runs: &Runs<'_>| {
                if kind.means_the_same(runs, &variants[0]) { kind.of(runs) } else { Vec::new() }
            };
            let figures = variants.iter().map(of).collect();
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

    /// Whether the function it is about is called about as often as by the baseline.
    fn means_the_same(&self, runs: &Runs<'_>, baseline: &Runs<'_>) -> bool {
        let Some(function) = self.function else { return true };
        let [ours, theirs] = [runs, baseline].map(|runs| {
            let runs: Vec<&Tapped> = runs.tapped.iter().flatten().collect();
            let calls: u64 = runs.iter().map(|run| calls::of_function(run, Some(function)).count()).sum();
            calls.checked_div(runs.len() as u64).unwrap_or(0)
        });
        ours <= theirs.saturating_mul(CALLED_AS_OFTEN) && theirs <= ours.saturating_mul(CALLED_AS_OFTEN)
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
        Self { name: name.to_owned(), title: title.to_owned(), unit, headline: None, taken, function: None }
    }

    fn tapped(
        name: String,
        title: String,
        unit: Unit,
        take: impl Fn(&Tapped) -> Option<f64> + 'static,
    ) -> Self {
        Self { name, title, unit, headline: None, taken: Taken::Tapped(Box::new(take)), function: None }
    }

    fn leads(self, headline: Headline) -> Self {
        Self { headline: Some(headline), ..self }
    }
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
