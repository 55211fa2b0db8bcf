//! Rules looked at by the CLI itself: because of which of them a call is shown.

use calltap_channel::trace::plan::{PatternKind, RuleKind};
use regex_lite::Regex;

use super::{Filter, Pattern};

/// The rules of one option.
#[derive(Debug)]
pub struct Chooser {
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    plus: bool,
    matcher: Matcher,
}

/// One rule's patterns.
#[derive(Debug)]
pub struct Matcher {
    symbol: Regex,
    /// None: the program itself.
    object: Option<Regex>,
    /// The object is meant by its path.
    by_path: bool,
}

impl Matcher {
    /// None of patterns that no regular expression can be made of.
    #[must_use]
    pub fn of(symbol: &Pattern, object: &Pattern) -> Option<Self> {
        Some(Self {
            symbol: regex(symbol)?,
            object: match object.kind {
                PatternKind::Main => None,
                _ => Some(regex(object)?),
            },
            by_path: object.text.trim_start_matches("^(?:").starts_with(['/', '\\'])
                && object.text.contains('/'),
        })
    }

    /// Whether a function's name fits.
    #[must_use]
    pub fn fits_symbol(&self, symbol: &str) -> bool {
        self.symbol.is_match(symbol)
    }

    /// Whether an object fits by its path, or by the last part of that; also by another name, its soname. An empty path
    /// is the program itself.
    #[must_use]
    pub fn fits_object(&self, path: &str, soname: Option<&str>) -> bool {
        let Some(pattern) = &self.object else { return path.is_empty() };
        if self.by_path {
            return pattern.is_match(path);
        }
        pattern.is_match(path.rsplit('/').next().unwrap_or(path))
            || soname.is_some_and(|soname| pattern.is_match(soname))
    }
}

impl Chooser {
    /// Those of `-x`: the object is the one that provides the function.
    #[must_use]
    pub fn entries(filter: &Filter) -> Option<Self> {
        Self::of(filter, RuleKind::Entries, RuleKind::EntriesNot)
    }

    /// Those of `-e`: the object is the one that calls.
    #[must_use]
    pub fn calls(filter: &Filter) -> Option<Self> {
        Self::of(filter, RuleKind::Calls, RuleKind::CallsNot)
    }

    /// Those of `-l`: as of `-x`.
    #[must_use]
    pub fn library(filter: &Filter) -> Option<Self> {
        Self::of(filter, RuleKind::Library, RuleKind::LibraryNot)
    }

    /// None if there are none.
    fn of(filter: &Filter, kind: RuleKind, not: RuleKind) -> Option<Self> {
        let rules = filter.rules.iter().filter(|rule| rule.kind == kind || rule.kind == not);
        let rules: Vec<_> = rules
            .filter_map(|rule| {
                Some(Rule { plus: rule.kind == kind, matcher: Matcher::of(&rule.symbol, &rule.object)? })
            })
            .collect();
        (!rules.is_empty()).then_some(Self { rules })
    }

    /// Whether a function is chosen for an object (its path, empty for the program itself).
    #[must_use]
    pub fn choose(&self, symbol: &str, object: &str) -> bool {
        let fits = |rule: &Rule| rule.matcher.fits_symbol(symbol) && rule.matcher.fits_object(object, None);
        self.rules.iter().rev().find(|rule| fits(rule)).is_some_and(|rule| rule.plus)
    }
}

fn regex(pattern: &Pattern) -> Option<Regex> {
    Regex::new(&pattern.as_regex()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(filters: &[&str]) -> Chooser {
        let filters: Vec<_> = filters.iter().map(|filter| (*filter).to_owned()).collect();
        Chooser::entries(&Filter::new(&[], &[], &filters, false).unwrap()).unwrap()
    }

    #[test]
    fn functions_are_chosen_by_who_provides_them() {
        let entries = entries(&["str*-strlen@libc.so*", "main@MAIN", "puts@/usr/lib/*"]);
        assert!(entries.choose("strcmp", "/usr/lib/libc.so.6"));
        assert!(!entries.choose("strlen", "/usr/lib/libc.so.6"));
        assert!(entries.choose("main", "") && !entries.choose("main", "/usr/lib/libc.so.6"));
        assert!(entries.choose("puts", "/usr/lib/libc.so.6") && !entries.choose("puts", "/lib/libc.so.6"));
    }

    #[test]
    fn calls_are_chosen_by_who_makes_them() {
        let filter = Filter::new(&["puts@MAIN".to_owned()], &[], &[], false).unwrap();
        let calls = Chooser::calls(&filter).unwrap();
        assert!(calls.choose("puts", "") && !calls.choose("puts", "/usr/lib/libc.so.6"));
        assert!(Chooser::library(&filter).is_none());
    }

    #[test]
    fn without_such_rules_there_is_nothing_to_look_at() {
        assert!(Chooser::entries(&Filter::new(&[], &[], &[], false).unwrap()).is_none());
    }
}
