//! `--fail-on 'heap.still_allocated.bytes>0'`: conditions on the report, for use in CI.

use std::str::FromStr;

use serde_json::Value;
use thiserror::Error;

use calltap_channel::function::Function;

use crate::report::model::Report;

/// `PATH OP NUMBER`.
///
/// A path names a field of the JSON report, or of each of its processes; one process that meets
/// the condition is enough. In a list it goes on in every element, or, where elements are known by a
/// name, in those of that name (`latency.malloc.p99_ns`). A list counts as its length,
/// `true` as 1, and `null` differs from every number.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    path: Vec<String>,
    operator: Operator,
    number: f64,
    text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Less,
    LessOrEqual,
    Equal,
    NotEqual,
    GreaterOrEqual,
    Greater,
}

/// Why a condition cannot be used.
#[derive(Debug, Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum Unusable {
    #[error(
        "`{0}` is not a condition\nhint: write PATH OP NUMBER with OP one of > >= < <= == !=, \
         such as heap.still_allocated.bytes>0"
    )]
    NoCondition(String),
    #[error(
        "`{0}` is not a number\nhint: write digits, and a unit if you like: \
         k, M, G (powers of 1000), KiB, MiB, GiB, ns, us, ms, s"
    )]
    NoNumber(String),
    #[error("the report has no field `{path}`\nhint: did you mean {}?", near.join(" or "))]
    UnknownPath { path: String, near: Vec<String> },
    #[error(
        "`{0}` is a group of fields or a text, which no number can be compared with\nhint: see docs/report-json.md for the fields"
    )]
    NotComparable(String),
}

const OPERATORS: [(&str, Operator); 6] = [
    // Those of two characters first: `>` begins `>=` too.
    (">=", Operator::GreaterOrEqual),
    ("<=", Operator::LessOrEqual),
    ("==", Operator::Equal),
    ("!=", Operator::NotEqual),
    (">", Operator::Greater),
    ("<", Operator::Less),
];

const UNITS: [(&str, f64); 16] = [
    ("KiB", 1024.0),
    ("MiB", 1_048_576.0),
    ("GiB", 1_073_741_824.0),
    ("kB", 1e3),
    ("MB", 1e6),
    ("GB", 1e9),
    ("ns", 1.0),
    ("us", 1e3),
    ("ms", 1e6),
    ("s", 1e9),
    ("k", 1e3),
    ("K", 1e3),
    ("M", 1e6),
    ("G", 1e9),
    ("B", 1.0),
    ("", 1.0),
];

impl FromStr for Condition {
    type Err = Unusable;

    /// Reads a condition and checks that the report has such a field.
    fn from_str(text: &str) -> Result<Self, Unusable> {
        let condition = Self::parse(text)?;
        let example = serde_json::to_value(Report::example()).expect("a report is plain data");
        condition.check(&example)?;
        Ok(condition)
    }
}

impl Condition {
    fn parse(text: &str) -> Result<Self, Unusable> {
        let none = || Unusable::NoCondition(text.to_owned());
        let at = text.find(['<', '>', '=', '!']).ok_or_else(none)?;
        let (path, rest) = text.split_at(at);
        let (number, operator) = OPERATORS
            .iter()
            .find_map(|&(sign, operator)| Some((rest.strip_prefix(sign)?, operator)))
            .ok_or_else(none)?;
        let path: Vec<String> = path.trim().split('.').map(str::to_owned).collect();
        if path.iter().any(String::is_empty) {
            return Err(none());
        }
        Ok(Self { path, operator, number: number_with_unit(number.trim())?, text: text.to_owned() })
    }

    fn check(&self, example: &Value) -> Result<(), Unusable> {
        let mut found = Vec::new();
        // Any tapped function may come up in `latency`; the example shows one.
        let mut path = self.path.clone();
        if let Some(function) = path.iter_mut().find(|name| Function::from_name(name).is_some()) {
            *function = Report::EXAMPLE_FUNCTION.to_owned();
        }
        lookup(example, &path, &mut found);
        match found.first() {
            None => {
                let path = self.path.join(".");
                let near = nearest(&path, example);
                Err(Unusable::UnknownPath { path, near })
            }
            Some(value) if number_of(value).is_none() => Err(Unusable::NotComparable(self.path.join("."))),
            Some(_) => Ok(()),
        }
    }

    /// Whether the report, as JSON, meets the condition.
    #[must_use]
    pub fn holds(&self, report: &Value) -> bool {
        let mut found = Vec::new();
        lookup(report, &self.path, &mut found);
        found.into_iter().any(|value| match number_of(value) {
            Some(number) => self.operator.compare(number, self.number),
            None => value.is_null() && self.operator == Operator::NotEqual,
        })
    }

    /// As the user wrote it.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl Operator {
    fn compare(self, left: f64, right: f64) -> bool {
        match self {
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Equal => left == right,
            Self::NotEqual => left != right,
            Self::GreaterOrEqual => left >= right,
            Self::Greater => left > right,
        }
    }
}

fn number_with_unit(text: &str) -> Result<f64, Unusable> {
    let no_number = || Unusable::NoNumber(text.to_owned());
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = &text[digits.len()..];
    let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(no_number)?;
    let number: f64 = digits.trim_end().parse().map_err(|_| no_number())?;
    Ok(number * factor)
}

fn number_of(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::Bool(bool) => Some(f64::from(u8::from(*bool))),
        Value::Array(elements) => Some(elements.len() as f64),
        Value::Null | Value::String(_) | Value::Object(_) => None,
    }
}

/// Fields that are names of a list's elements.
const NAMES: [&str; 4] = ["function", "kind", "part", "remedy"];

/// All values at `path`: at top level if it leads somewhere there, else in every process.
fn lookup<'a>(report: &'a Value, path: &[String], found: &mut Vec<&'a Value>) {
    descend(report, path, found);
    if found.is_empty() {
        descend(&report["processes"], path, found);
    }
}

fn descend<'a>(value: &'a Value, path: &[String], found: &mut Vec<&'a Value>) {
    let Some((name, rest)) = path.split_first() else {
        found.push(value);
        return;
    };
    match value {
        Value::Object(fields) => {
            if let Some(field) = fields.get(name) {
                descend(field, rest, found);
            }
        }
        Value::Array(elements) => {
            for element in elements {
                match NAMES.iter().any(|field| element.get(field).is_some_and(|known| known == name)) {
                    true => descend(element, rest, found),
                    false => descend(element, path, found),
                }
            }
        }
        _ => {}
    }
}

/// The three paths of the report that are most like this one.
fn nearest(path: &str, example: &Value) -> Vec<String> {
    let mut paths = Vec::new();
    collect_paths(example, String::new(), &mut paths);
    paths.sort_by_cached_key(|known| {
        let last = |path: &str| path.rsplit('.').next().map(str::to_owned);
        (last(known) != last(path), distance(known, path))
    });
    paths.dedup();
    paths.truncate(3);
    paths
}

fn collect_paths(value: &Value, path: String, paths: &mut Vec<String>) {
    let below = |name: &str| match path.as_str() {
        "" | "processes" => name.to_owned(),
        _ => format!("{path}.{name}"),
    };
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, field)| collect_paths(field, below(name), paths));
        }
        Value::Array(elements) => {
            paths.push(path.clone());
            for element in elements {
                let named =
                    element.get("function").and_then(Value::as_str).filter(|_| path.ends_with("latency"));
                collect_paths(element, named.map_or_else(|| path.clone(), below), paths);
            }
        }
        Value::Number(_) | Value::Bool(_) => paths.push(path),
        Value::Null | Value::String(_) => {}
    }
}

/// How many characters must be inserted, deleted or replaced (Levenshtein's distance).
fn distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in to.bytes().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests;
