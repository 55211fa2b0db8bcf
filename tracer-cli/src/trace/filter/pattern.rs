//! One pattern: a name, a glob, or a regular expression.

use calltap_channel::trace::plan::PatternKind;

use super::basic_regex;
use super::chain::bracket;

/// A pattern of a rule, as the plan has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// How it is to be understood.
    pub kind: PatternKind,
    /// Its text.
    pub text: String,
}

impl Pattern {
    /// Fits everything.
    #[must_use]
    pub fn any() -> Self {
        Self { kind: PatternKind::Any, text: String::new() }
    }

    /// Of symbols.
    pub(super) fn symbol(written: &str) -> Result<Self, String> {
        match written.strip_prefix('/').and_then(|inner| inner.strip_suffix('/')) {
            Some(inner) => Self::regex(inner),
            None => Self::glob(written),
        }
    }

    /// Of objects: by soname, by path if it begins with a slash.
    pub(super) fn object(written: &str) -> Result<Self, String> {
        if written == "MAIN" {
            return Ok(Self { kind: PatternKind::Main, text: String::new() });
        }
        Self::symbol(written)
    }

    fn regex(written: &str) -> Result<Self, String> {
        if written.is_empty() {
            return Ok(Self::any());
        }
        let text = format!("^(?:{})$", basic_regex::translated(written)?);
        Ok(Self { kind: PatternKind::Regex, text })
    }

    fn glob(written: &str) -> Result<Self, String> {
        let inner = written.strip_prefix('^').unwrap_or(written);
        let inner = inner.strip_suffix('$').filter(|text| !text.ends_with('\\')).unwrap_or(inner);
        if inner.is_empty() || inner == "*" {
            return Ok(Self::any());
        }
        if inner.contains(['[', '*', '?']) {
            return if inner.contains(['[', '\\']) {
                Ok(Self { kind: PatternKind::Regex, text: format!("^(?:{})$", as_regex(inner)?) })
            } else {
                Ok(Self { kind: PatternKind::Glob, text: inner.to_owned() })
            };
        }
        let mut text = String::new();
        let mut characters = inner.chars();
        while let Some(character) = characters.next() {
            text.push(if character == '\\' {
                characters.next().ok_or("a backslash is at its end")?
            } else {
                character
            });
        }
        Ok(Self { kind: PatternKind::Exact, text })
    }

    /// As a regular expression for the whole; None for [`PatternKind::Main`].
    #[must_use]
    pub fn as_regex(&self) -> Option<String> {
        match self.kind {
            PatternKind::Any => Some(String::new()),
            PatternKind::Exact => Some(format!("^{}$", literal(&self.text))),
            PatternKind::Glob => as_regex(&self.text).ok().map(|regex| format!("^(?:{regex})$")),
            PatternKind::Regex => Some(self.text.clone()),
            PatternKind::Main => None,
        }
    }
}

/// A glob as a regular expression.
fn as_regex(glob: &str) -> Result<String, String> {
    let mut regex = String::new();
    let mut rest = glob;
    while let Some(character) = rest.chars().next() {
        let mut length = character.len_utf8();
        match character {
            '*' => regex += ".*",
            '?' => regex.push('.'),
            '[' => {
                length = bracket(rest).ok_or("a bracket is not closed")?;
                let inner = &rest[1..length];
                let inner =
                    inner.strip_prefix('!').map_or_else(|| inner.to_owned(), |inner| format!("^{inner}"));
                regex += &basic_regex::bracket(&inner);
            }
            '\\' => {
                let escaped = rest[1..].chars().next().ok_or("a backslash is at its end")?;
                regex += &literal(&escaped.to_string());
                length += escaped.len_utf8();
            }
            _ => regex += &literal(&character.to_string()),
        }
        rest = &rest[length..];
    }
    Ok(regex)
}

/// A text that means itself in a regular expression.
pub(super) fn literal(text: &str) -> String {
    let special = |character| "\\.+*?()|[]{}^$".contains(character);
    text.chars()
        .flat_map(|character| special(character).then_some('\\').into_iter().chain([character]))
        .collect()
}
