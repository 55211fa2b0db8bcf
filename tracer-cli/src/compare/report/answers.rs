//! What a reader wants to know first: who is fastest, smallest, and has the best tail.

use super::words::{told, value};
use crate::compare::result::{Compared, Figure, Headline, Variant, Verdict};
use crate::report::units::plural;

/// The answer to one of the questions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// `fastest`
    pub(super) question: &'static str,
    /// By which figure: `wall time`.
    pub(super) figure: String,
    /// The variant; None if there is no such one.
    pub(super) winner: Option<String>,
    /// How much better it is, or why there is none.
    pub(super) said: String,
    /// Who may be as good.
    pub(super) beside: Option<String>,
}

/// One for each question that was measured.
pub(super) fn answers(compared: &Compared) -> Vec<Answer> {
    let asked =
        [(Headline::Fastest, "fastest"), (Headline::Smallest, "smallest"), (Headline::BestTail, "best tail")];
    let figure = |headline| compared.figures.iter().find(|figure| figure.headline == Some(headline));
    let answered = asked
        .into_iter()
        .filter_map(|(headline, question)| Some(answer(question, figure(headline)?, compared)));
    answered.collect()
}

fn answer(question: &'static str, figure: &Figure, compared: &Compared) -> Answer {
    let variants = &compared.variants;
    let measured = |index: usize| figure.estimates.get(index).copied().flatten();
    let entered = |index: usize| is_shown(&variants[index]) && measured(index).is_some();
    let runners: Vec<usize> = (0..variants.len()).filter(|&index| entered(index)).collect();
    let leaders: Vec<usize> = figure.leaders.iter().copied().filter(|&index| entered(index)).collect();
    let label = |index: usize| variants[index].label.as_str();
    let nobody =
        |said: String| Answer { question, figure: figure.title.clone(), winner: None, said, beside: None };
    let (Some(&winner), Some(best)) = (leaders.first(), leaders.first().and_then(|&index| measured(index)))
    else {
        return nobody(format!("not known: measured in no variant ({})", figure.title));
    };
    if runners.len() > 1 && leaders.len() == runners.len() {
        return nobody(undecided(figure, &runners, compared.rounds));
    }
    let mut said = value(figure.unit, best.median);
    let difference = |index: usize| figure.differences.get(index).copied().flatten();
    if runners.len() == 1 {
        said += ", the only variant";
    } else if winner == 0 {
        let behind = runners.iter().copied().filter(|index| !leaders.contains(index));
        let next = behind.filter_map(|index| Some((index, measured(index)?.median, difference(index)?)));
        if let Some((index, _, difference)) = next.min_by(|a, b| a.1.total_cmp(&b.1)) {
            said += &format!("; next {}: {}", label(index), told(&difference, figure.unit, label(0)));
        }
    } else if let Some(difference) = difference(winner).filter(|found| found.verdict == Verdict::Lower) {
        said += &format!(", {}", told(&difference, figure.unit, label(0)));
    }
    let others: Vec<&str> = leaders[1..].iter().map(|&index| label(index)).collect();
    let beside = (!others.is_empty()).then(|| format!("{} cannot be told from it", others.join(", ")));
    Answer { question, figure: figure.title.clone(), winner: Some(label(winner).to_owned()), said, beside }
}

/// Whether a variant's figures are told: not if it failed, and the baseline's second series is for the noise alone.
pub(super) fn is_shown(variant: &Variant) -> bool {
    !variant.again && variant.failure.is_none()
}

/// Why nobody leads.
fn undecided(figure: &Figure, runners: &[usize], rounds: u32) -> String {
    let too_few = |&index: &usize| {
        let difference = figure.differences.get(index).copied().flatten();
        difference.is_some_and(|difference| difference.verdict == Verdict::TooFewRounds)
    };
    let medians = runners.iter().filter_map(|&index| Some(figure.estimates[index]?.median));
    let [least, most] =
        medians.fold([f64::MAX, f64::MIN], |[least, most], median| [least.min(median), most.max(median)]);
    let [least, most] = [least, most].map(|median| value(figure.unit, median));
    let medians = if least == most { least } else { format!("medians {least} to {most}") };
    if runners.iter().any(too_few) {
        let rounds = plural(u64::from(rounds), "round");
        return format!("cannot be told after {rounds} ({}: {medians}); see --runs", figure.title);
    }
    format!("no significant difference ({}: {medians})", figure.title)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::result::Unit;

    #[test]
    fn the_first_lines_answer() {
        let compared = Compared::example();
        let answers = answers(&compared);
        let questions: Vec<_> = answers.iter().map(|answer| answer.question).collect();
        assert_eq!(questions, ["fastest", "smallest", "best tail"]);
        assert_eq!(answers[0].winner.as_deref(), Some("jemalloc"));
        assert!(answers[0].said.contains("less than glibc (95%: "), "{answers:?}");
        assert_eq!(answers[1].winner.as_deref(), Some("glibc MALLOC_ARENA_MAX=1"));
    }

    #[test]
    fn a_baseline_that_wins_is_told_with_the_next_one() {
        let mut compared = Compared::example();
        let figure = &mut compared.figures[0];
        for difference in figure.differences.iter_mut().flatten() {
            (difference.relative, difference.verdict) = (Some(0.5), Verdict::Higher);
            (difference.relative_low, difference.relative_high) = (Some(0.4), Some(0.625));
        }
        figure.leaders = vec![0];
        let answer = &answers(&compared)[0];
        assert_eq!(answer.winner.as_deref(), Some("glibc"));
        assert!(
            answer.said.ends_with("; next jemalloc: 50% more than glibc (95%: 40% to 62% more)"),
            "{answer:?}"
        );
    }

    #[test]
    fn nobody_wins_what_cannot_be_told() {
        let mut compared = Compared::example();
        let all: Vec<usize> = (0..compared.variants.len()).collect();
        compared.figures[0].leaders = all.clone();
        let answer = &answers(&compared)[0];
        assert_eq!(answer.winner, None);
        assert!(answer.said.starts_with("no significant difference (wall time: medians "), "{answer:?}");

        for difference in compared.figures[0].differences.iter_mut().flatten() {
            difference.verdict = Verdict::TooFewRounds;
        }
        compared.rounds = 1;
        let answer = &answers(&compared)[0];
        assert!(answer.said.starts_with("cannot be told after 1 round (wall time: "), "{answer:?}");

        compared.figures[0].leaders.clear();
        assert_eq!(answers(&compared)[0].said, "not known: measured in no variant (wall time)");
    }

    #[test]
    fn those_that_cannot_be_told_from_the_winner_are_named() {
        let mut compared = Compared::example();
        compared.figures[0].leaders = vec![2, 3];
        assert_eq!(answers(&compared)[0].beside.as_deref(), Some("mimalloc cannot be told from it"));
        compared.figures[0].unit = Unit::Ratio;
        assert_eq!(answers(&compared)[0].winner.as_deref(), Some("jemalloc"));
    }
}
