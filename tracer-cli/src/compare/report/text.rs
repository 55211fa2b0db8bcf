//! The comparison for people: lines that answer, then tables.

use super::answers::{Answer, answers};
use super::words;
use super::words::noise_of;
use crate::compare::result::{Compared, Figure};
use crate::report::units::{bytes, plural};

mod figures;
mod latency;
mod table;

/// Columns of a line, where that is possible.
const WIDTH: usize = 100;
/// Where the answers begin.
const INDENT: usize = 11;

/// Lines end with `\n`.
pub(super) fn render(compared: &Compared) -> String {
    let mut text = String::new();
    for variant in &compared.variants {
        if let Some(failure) = &variant.failure {
            text += &entry("FAILED", &format!("{}: {failure}", variant.label));
        }
    }
    answers(compared).iter().for_each(|answer| text += &told(answer));
    text += &noise_line(compared);
    text += &entry("measured", &measured(compared));
    for (title, tapped) in [("untapped", false), ("tapped", true)] {
        let table = figures::figures(compared, tapped);
        if !table.is_empty() {
            text += &format!(
                "\n{title} runs: medians, with the difference from {} where it is significant\n",
                baseline(compared)
            );
            text += &table;
        }
    }
    text += &latency::latencies(compared);
    if !compared.notes.is_empty() {
        text += "\nnotes:\n";
        for note in &compared.notes {
            text += &wrapped(&format!("  {note}"), 4);
        }
    }
    text
}

/// What the others are compared with.
fn baseline(compared: &Compared) -> &str {
    compared.variants.first().map_or("the first", |variant| variant.label.as_str())
}

fn told(answer: &Answer) -> String {
    let Answer { question, winner, said, beside, .. } = answer;
    let mut line = match winner {
        Some(winner) => format!("{winner}  {said}"),
        None => said.clone(),
    };
    if let Some(beside) = beside {
        line += &format!("  [{beside}]");
    }
    entry(question, &line)
}

/// How much the baseline differs from itself.
fn noise_line(compared: &Compared) -> String {
    let told = |figure: &Figure| {
        let difference = noise_of(figure, &compared.variants)?;
        Some(format!("{} {}", figure.title, words::noise(&difference, figure.unit)))
    };
    let headlines = compared.figures.iter().filter(|figure| figure.headline.is_some());
    let parts: Vec<String> = headlines.filter_map(told).collect();
    if parts.is_empty() {
        return String::new();
    }
    entry("noise", &format!("{} against itself: {}", baseline(compared), parts.join(", ")))
}

/// How, how often and where.
pub(super) fn measured(compared: &Compared) -> String {
    let Compared { runs, rounds, interrupted, seed, machine, variants, .. } = compared;
    let shown = variants.iter().filter(|variant| !variant.again).count() as u64;
    let shown = plural(shown, "variant");
    let mut parts = vec![if *interrupted {
        format!("INTERRUPTED after {rounds} of {} of {shown}", plural(u64::from(*runs), "round"))
    } else {
        format!("{} of {shown}", plural(u64::from(*rounds), "round"))
    }];
    parts[0] += ", each untapped and tapped";
    parts.push(format!("seed {seed}"));
    let model = machine.cpu_model.as_ref().map(|model| format!(" ({model})")).unwrap_or_default();
    if machine.cpus > 0 {
        parts.push(plural(u64::from(machine.cpus), "CPU") + &model);
    }
    parts.extend(machine.memory_bytes.map(bytes));
    parts.extend(machine.kernel.clone());
    parts.extend(machine.load_average.map(|load| format!("load {load:.1}")));
    parts.join("; ")
}

/// A word, and what is to be said of it.
fn entry(word: &str, said: &str) -> String {
    wrapped(&format!("{word:<INDENT$}{said}"), INDENT)
}

/// Lines of no more than [`WIDTH`], the others indented; two spaces in a row stay.
fn wrapped(text: &str, indent: usize) -> String {
    let mut lines = String::new();
    let mut line = String::new();
    for word in text.split_inclusive(' ') {
        let length = line.chars().count() + word.trim_end().chars().count();
        if length > WIDTH && line.trim_end().chars().count() > indent {
            lines += &format!("{}\n", line.trim_end());
            line = " ".repeat(indent);
        }
        line += word;
    }
    lines + line.trim_end() + "\n"
}

#[cfg(test)]
mod tests;
