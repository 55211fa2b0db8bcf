//! All figures: a row each, a column for each variant.

use super::escaped;
use super::words::{mark, noise, noise_of, told, value};
use crate::compare::report::answers::is_shown;
use crate::compare::result::{Compared, Figure, Verdict};

/// Untapped runs first.
pub(super) fn table(compared: &Compared) -> String {
    let shown: Vec<usize> =
        (0..compared.variants.len()).filter(|&index| is_shown(&compared.variants[index])).collect();
    if shown.is_empty() || compared.figures.is_empty() {
        return String::new();
    }
    let label =
        |index: &usize| format!("<th scope=\"col\">{}</th>", escaped(&compared.variants[*index].label));
    let labels: String = shown.iter().map(label).collect();
    let mut table = format!(
        "<section>\n<h2>Figures</h2>\n<p class=\"quiet\">Medians of the rounds with their 95% confidence intervals. A \
         difference from {} is given where it is significant; less is better in every row. Bold: the least, and \
         what cannot be told from it. Noise: {0} against itself.</p>\n<div class=\"wide\">\n<table>\n\
         <thead><tr><th></th>{labels}<th scope=\"col\" class=\"quiet\">noise</th></tr></thead>\n",
        escaped(&compared.variants[0].label)
    );
    for (title, tapped) in [("untapped runs", false), ("tapped runs", true)] {
        let figures: Vec<&Figure> =
            compared.figures.iter().filter(|figure| figure.tapped == tapped).collect();
        if !figures.is_empty() {
            let columns = shown.len() + 2;
            table += &format!("<tbody>\n<tr class=\"part\"><th colspan=\"{columns}\">{title}</th></tr>\n");
            figures.into_iter().for_each(|figure| table += &row(figure, compared, &shown));
            table += "</tbody>\n";
        }
    }
    table + "</table>\n</div>\n</section>\n"
}

fn row(figure: &Figure, compared: &Compared, shown: &[usize]) -> String {
    // All of them have the least where none can be told from the others: that is nothing to stress.
    let leading = figure.leaders.iter().filter(|index| shown.contains(index)).count();
    let cells: String = shown
        .iter()
        .map(|&index| {
            let leads = leading < shown.len() && figure.leaders.contains(&index);
            cell(figure, index, leads, &compared.variants[0].label)
        })
        .collect();
    let noise = noise_of(figure, &compared.variants).map(|difference| noise(&difference, figure.unit));
    let noise = escaped(&noise.unwrap_or_default());
    format!(
        "<tr><th scope=\"row\">{}</th>{cells}<td class=\"quiet\">{noise}</td></tr>\n",
        escaped(&figure.title)
    )
}

fn cell(figure: &Figure, index: usize, leads: bool, baseline: &str) -> String {
    let Some(estimate) = figure.estimates.get(index).copied().flatten() else {
        return "<td class=\"quiet\">-</td>".to_owned();
    };
    let [median, low, high] =
        [estimate.median, estimate.low, estimate.high].map(|number| value(figure.unit, number));
    let class = if leads { " class=\"best\"" } else { "" };
    let difference = figure.differences.get(index).copied().flatten();
    let difference = difference.map(|difference| {
        let class = match difference.verdict {
            Verdict::Lower => "lower",
            Verdict::Higher => "higher",
            Verdict::NoDifference | Verdict::TooFewRounds => "quiet",
        };
        let title = escaped(&told(&difference, figure.unit, baseline));
        format!(
            " <span class=\"{class}\" title=\"{title}\">{}</span>",
            escaped(&mark(&difference, figure.unit))
        )
    });
    format!(
        "<td{class}><span class=\"median\">{median}</span>{}<br><span class=\"interval\">{low} to {high}</span></td>",
        difference.unwrap_or_default()
    )
}
