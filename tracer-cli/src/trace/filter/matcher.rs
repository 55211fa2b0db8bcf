//! Rules looked at by the CLI itself: which functions are shown because of `-x`.

use calltap_channel::trace::plan::{PatternKind, RuleKind};
use regex_lite::Regex;

use super::{Filter, Pattern};

/// The rules of `-x`.
#[derive(Debug)]
pub struct Entries {
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    plus: bool,
    symbol: Regex,
    /// None: the program itself.
    object: Option<Regex>,
    /// The object is meant by its path.
    by_path: bool,
}

impl Entries {
    /// Those of a filter; None if there are none.
    #[must_use]
    pub fn of(filter: &Filter) -> Option<Self> {
        let rules =
            filter.rules.iter().filter(|rule| matches!(rule.kind, RuleKind::Entries | RuleKind::EntriesNot));
        let rules: Vec<_> = rules
            .filter_map(|rule| {
                Some(Rule {
                    plus: rule.kind == RuleKind::Entries,
                    symbol: regex(&rule.symbol)?,
                    object: match rule.object.kind {
                        PatternKind::Main => None,
                        _ => Some(regex(&rule.object)?),
                    },
                    by_path: rule.object.text.trim_start_matches("^(?:").starts_with(['/', '\\'])
                        && rule.object.text.contains('/'),
                })
            })
            .collect();
        (!rules.is_empty()).then_some(Self { rules })
    }

    /// Whether a function of an object (its path, empty for the program itself) is chosen.
    #[must_use]
    pub fn choose(&self, symbol: &str, provider: &str) -> bool {
        let name = provider.rsplit('/').next().unwrap_or(provider);
        let fits = |rule: &Rule| {
            rule.symbol.is_match(symbol)
                && match &rule.object {
                    None => provider.is_empty(),
                    Some(object) => object.is_match(if rule.by_path { provider } else { name }),
                }
        };
        self.rules.iter().rev().find(|rule| fits(rule)).is_some_and(|rule| rule.plus)
    }
}

fn regex(pattern: &Pattern) -> Option<Regex> {
    Regex::new(&pattern.as_regex()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(filters: &[&str]) -> Entries {
        let filters: Vec<_> = filters.iter().map(|filter| (*filter).to_owned()).collect();
        Entries::of(&Filter::new(&[], &[], &filters, false).unwrap()).unwrap()
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
    fn without_such_rules_there_is_nothing_to_look_at() {
        assert!(Entries::of(&Filter::new(&[], &[], &[], false).unwrap()).is_none());
    }
}
