//! The comparison as a page: one file that fetches nothing.

use super::answers::{Answer, answers};
use super::charts::{self, Chart, Group, Part};
use super::{text, words};
use crate::compare::result::Compared;

mod escape;
mod table;

use escape::escaped;

const STYLE: &str = include_str!("html/page.css");
const SCRIPT: &str = include_str!("html/measure.js");

/// Nothing but what is in the page may be loaded: a browser sees to it.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

/// # Errors
/// If a chart cannot be drawn.
pub(super) fn render(compared: &Compared) -> anyhow::Result<String> {
    let title = escaped(&format!("calltap compare: {}", compared.command.join(" ")));
    let groups = charts::groups(compared)?;
    let rules = charts::rules();
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{title}</title>\n<style>\n{STYLE}{rules}</style>\n</head>\n<body>\n"
    );
    page += &format!(
        "<header>\n<p class=\"tool\">calltap compare</p>\n<h1><code>{}</code></h1>\n<p class=\"quiet\">{}</p>\n</header>\n",
        escaped(&compared.command.join(" ")),
        escaped(&text::measured(compared))
    );
    page += &failures(compared);
    page += "<section class=\"answers\">\n";
    answers(compared).iter().for_each(|answer| page += &card(answer));
    page += "</section>\n";
    page += &table::table(compared);
    groups.iter().for_each(|group| page += &section(group));
    page += &not_drawn(compared);
    if !compared.notes.is_empty() {
        page += "<section>\n<h2>Notes</h2>\n<ul>\n";
        for note in &compared.notes {
            page += &format!("<li>{}</li>\n", escaped(note));
        }
        page += "</ul>\n</section>\n";
    }
    let tool = format!("{} {}", compared.tool.name, compared.tool.version);
    page += &format!("<footer class=\"quiet\">{}</footer>\n", escaped(&tool));
    page += &format!("<script>\n{SCRIPT}</script>\n</body>\n</html>\n");
    Ok(page)
}

fn failures(compared: &Compared) -> String {
    let failed =
        compared.variants.iter().filter_map(|variant| Some((&variant.label, variant.failure.as_ref()?)));
    let told = |(label, failure): (&String, &String)| {
        format!("<p class=\"failure\"><strong>{} failed</strong>: {}</p>\n", escaped(label), escaped(failure))
    };
    failed.map(told).collect()
}

fn card(answer: &Answer) -> String {
    let winner = answer.winner.as_deref().unwrap_or("no winner");
    let beside = answer.beside.as_ref().map(|beside| format!("<p class=\"quiet\">{}</p>\n", escaped(beside)));
    format!(
        "<div class=\"card\">\n<p class=\"question\">{} <span class=\"quiet\">by {}</span></p>\n\
         <p class=\"winner\">{}</p>\n<p>{}</p>\n{}</div>\n",
        escaped(answer.question),
        escaped(&answer.figure),
        escaped(winner),
        escaped(&answer.said),
        beside.unwrap_or_default()
    )
}

fn section(group: &Group) -> String {
    let mut section = format!("<section>\n<h2>{}</h2>\n", escaped(&group.title));
    if let Some(about) = group.about {
        section += &format!("<p class=\"quiet\">{}</p>\n", escaped(about));
    }
    section += &grid("large", &group.charts);
    for Part { title, charts, open } in &group.parts {
        let open = if *open { " open" } else { "" };
        section += &format!("<details{open}>\n<summary>{}</summary>\n", escaped(title));
        section += &grid("small", charts);
        section += "</details>\n";
    }
    section + "</section>\n"
}

fn grid(class: &str, charts: &[Chart]) -> String {
    let mut grid = format!("<div class=\"grid {class}\">\n");
    charts.iter().for_each(|chart| grid += &figure(chart));
    grid + "</div>\n"
}

/// `data-series` says how many series there are, `data-area` where they may be: the page's script measures both.
fn figure(chart: &Chart) -> String {
    let area = chart.area.map(|edge| edge.to_string()).join(" ");
    let series = chart.series.iter().filter(|_| !chart.labelled);
    let legend: String = series
        .map(|named| {
            let line = format!(
                "<line class=\"line {}\" x1=\"0\" y1=\"5\" x2=\"26\" y2=\"5\"/>",
                named.style.classes()
            );
            let key = format!("<svg class=\"key\" viewBox=\"0 0 26 10\" aria-hidden=\"true\">{line}</svg>");
            format!("<li>{key}{}</li>", escaped(&named.name))
        })
        .collect();
    format!(
        "<figure class=\"chart\" id=\"{}\" data-series=\"{}\" data-area=\"{area}\">\n<figcaption>{}</figcaption>\n{}\n\
         <ul class=\"legend\">{legend}</ul>\n</figure>\n",
        escaped(&chart.id),
        chart.series.len(),
        escaped(&chart.title),
        chart.svg.trim()
    )
}

/// Variants that have no place in the charts.
fn not_drawn(compared: &Compared) -> String {
    let failed = compared.variants.iter().filter(|variant| variant.failure.is_some());
    let labels: Vec<&str> = failed.map(|variant| variant.label.as_str()).collect();
    if labels.is_empty() {
        return String::new();
    }
    format!("<p class=\"quiet\">Not drawn, because it failed: {}</p>\n", escaped(&labels.join(", ")))
}

#[cfg(test)]
mod tests;
