//! ltrace's filter language: from `-e`, `-l`, `-x` to the rules of a plan.

mod basic_regex;
mod chain;
mod matcher;
mod part;
mod pattern;
mod system_calls;

use calltap_channel::trace::plan::{PatternKind, RuleKind};

use self::chain::Link;
pub use self::matcher::{Chooser, Matcher};
pub use self::part::Part;
pub use self::pattern::Pattern;

/// A rule of the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What it is about.
    pub kind: RuleKind,
    /// Which symbols.
    pub symbol: Pattern,
    /// Which objects.
    pub object: Pattern,
}

/// What the user wants to see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Which library calls.
    pub rules: Vec<Rule>,
    /// Which system calls, by name; None: none is chosen by name.
    pub system_calls: Option<Vec<&'static str>>,
    /// The rules that choose something, as they were written.
    pub parts: Vec<Part>,
    /// Nothing was asked for but the default, the program's own calls: who calls need not be said.
    pub is_default: bool,
}

/// What is wrong with a filter.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("cannot understand the filter '{filter}': {reason}\nhint: {hint}")]
pub struct FilterError {
    filter: String,
    reason: String,
    hint: &'static str,
}

impl Filter {
    /// What these values of `-e` (`calls`), `-l` (`library`), `-x` (`entries`) ask for. Without `-e` and `-l`
    /// it is the program's own calls, unless `none` (`-L`).
    ///
    /// # Errors
    /// [`FilterError`] if one of them cannot be understood.
    pub fn new(
        calls: &[String],
        library: &[String],
        entries: &[String],
        none: bool,
    ) -> Result<Self, FilterError> {
        let is_default = calls.is_empty() && library.is_empty();
        let mut filter = Self { is_default: is_default && !none, ..Self::default() };
        let calls = chain::chains(calls)?;
        let entries = chain::chains(entries)?;
        let library = library.iter().map(|pattern| chain::object(pattern)).collect::<Result<Vec<_>, _>>()?;
        for (option, links) in [
            ("-e", calls.iter().flatten().collect::<Vec<_>>()),
            ("-l", library.iter().collect()),
            ("-x", entries.iter().flatten().collect()),
        ] {
            filter
                .parts
                .extend(links.into_iter().filter(|link| link.plus).map(|link| Part::of(option, link)));
        }
        let (calls, chosen) = system_calls::split(calls);
        filter.system_calls = chosen;
        filter.add(calls, RuleKind::Calls, RuleKind::CallsNot);
        filter.add(vec![library], RuleKind::Library, RuleKind::LibraryNot);
        filter.add(entries, RuleKind::Entries, RuleKind::EntriesNot);
        if filter.is_default {
            let object = Pattern { kind: PatternKind::Main, text: String::new() };
            filter.rules.push(Rule { kind: RuleKind::Calls, symbol: Pattern::any(), object });
        }
        Ok(filter)
    }

    /// Adds chains. What any of them chooses is chosen, so those that take nothing out come last.
    fn add(&mut self, mut chains: Vec<Vec<Link>>, kind: RuleKind, not: RuleKind) {
        chains.sort_by_key(|links| links.iter().all(|link| link.plus));
        self.rules.extend(chains.into_iter().flatten().map(|link| Rule {
            kind: if link.plus { kind } else { not },
            symbol: link.symbol,
            object: link.object,
        }));
    }

    /// Whether a rule is of one of these kinds.
    #[must_use]
    pub fn has(&self, kinds: &[RuleKind]) -> bool {
        self.rules.iter().any(|rule| kinds.contains(&rule.kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(calls: &[&str]) -> Filter {
        let calls: Vec<_> = calls.iter().map(|text| (*text).to_owned()).collect();
        Filter::new(&calls, &[], &[], false).unwrap()
    }

    /// Rules as `+symbol@object`, patterns with a letter for their kind.
    fn shown(filter: &Filter) -> Vec<String> {
        let pattern = |pattern: &Pattern| match pattern.kind {
            PatternKind::Any => "*".to_owned(),
            PatternKind::Exact => pattern.text.clone(),
            PatternKind::Glob => format!("g:{}", pattern.text),
            PatternKind::Regex => format!("r:{}", pattern.text),
            PatternKind::Main => "MAIN".to_owned(),
        };
        let sign = |kind| match kind {
            RuleKind::Calls => "+",
            RuleKind::CallsNot => "-",
            RuleKind::Entries => "x+",
            RuleKind::EntriesNot => "x-",
            RuleKind::Library => "l+",
            RuleKind::LibraryNot => "l-",
        };
        filter
            .rules
            .iter()
            .map(|rule| format!("{}{}@{}", sign(rule.kind), pattern(&rule.symbol), pattern(&rule.object)))
            .collect()
    }

    #[test]
    fn rules_are_a_chain() {
        assert_eq!(shown(&filter(&["malloc+free-puts@lib*"])), ["+malloc@*", "+free@*", "-puts@g:lib*"]);
        assert_eq!(shown(&filter(&["malloc+free-@libc.so*"])), ["+malloc@*", "+free@*", "-*@g:libc.so*"]);
        assert_eq!(shown(&filter(&["malloc,free"])), ["+malloc@*", "+free@*"]);
        assert_eq!(shown(&filter(&["*"])), ["+*@*"]);
        assert_eq!(shown(&filter(&["@MAIN"])), ["+*@MAIN"]);
        assert_eq!(shown(&filter(&["^MAIN@^MAIN$"])), ["+MAIN@MAIN"]);
    }

    #[test]
    fn a_first_minus_takes_out_of_everything() {
        assert_eq!(shown(&filter(&["-free"])), ["+*@*", "-free@*"]);
        assert_eq!(shown(&filter(&["!atoi"])), ["+*@*", "-atoi@*"]);
    }

    #[test]
    fn chains_that_take_nothing_out_come_last() {
        assert_eq!(shown(&filter(&["free", "-free-puts"])), ["+*@*", "-free@*", "-puts@*", "+free@*"]);
    }

    #[test]
    fn slashes_make_regular_expressions_or_paths() {
        assert_eq!(shown(&filter(&["/fo\\+@li[bc]-x/"])), ["+r:^(?:fo+)$@r:^(?:li[bc]-x)$"]);
        assert_eq!(shown(&filter(&["/a-b/@/c+d/+e"])), ["+r:^(?:a-b)$@r:^(?:c\\+d)$", "+e@*"]);
        assert_eq!(
            shown(&filter(&["puts@/usr/lib/x86_64-linux-gnu/libc.so.6-free"])),
            ["+puts@/usr/lib/x86_64-linux-gnu/libc.so.6", "-free@*"]
        );
    }

    #[test]
    fn signs_within_names_are_part_of_them() {
        assert_eq!(shown(&filter(&["@libstdc++.so*+free"])), ["+*@g:libstdc++.so*", "+free@*"]);
        assert_eq!(shown(&filter(&["[a-c]x@libfoo\\-1.so"])), ["+r:^(?:[a-c]x)$@libfoo-1.so"]);
    }

    #[test]
    fn the_default_is_what_the_program_calls() {
        let default = filter(&[]);
        assert_eq!(shown(&default), ["+*@MAIN"]);
        assert!(default.is_default);
        let of = |l: &[&str], x: &[&str], none| {
            let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
            shown(&Filter::new(&[], &owned(l), &owned(x), none).unwrap())
        };
        assert_eq!(of(&["libx-1.so"], &[], false), ["l+*@libx-1.so"]);
        assert_eq!(of(&[], &["main"], false), ["x+main@*", "+*@MAIN"]);
        assert_eq!(of(&[], &["fun"], true), ["x+fun@*"]);
        assert_eq!(of(&[], &[], true), [""; 0]);
    }

    #[test]
    fn system_calls_are_chosen_by_name() {
        let chosen = filter(&["malloc+open@SYS+SYS_close+/p\\(read\\|write\\)64/@SYS"]);
        assert_eq!(shown(&chosen), ["+malloc@*"]);
        let mut names = chosen.system_calls.unwrap();
        names.sort_unstable();
        assert_eq!(names, ["close", "open", "pread64", "pwrite64"]);
        assert_eq!(filter(&["malloc"]).system_calls, None);
        let all_but = filter(&["-write@SYS"]);
        assert!(all_but.rules.is_empty() && !all_but.is_default);
        let names = all_but.system_calls.unwrap();
        assert!(names.contains(&"read") && !names.contains(&"write"));
    }

    #[test]
    fn mistakes_are_explained() {
        for (wrong, reason) in
            [("/a", "slash"), ("[ab", "bracket"), ("/\\(a/", "parenthesis"), ("a\\", "backslash")]
        {
            let error = Filter::new(&[wrong.to_owned()], &[], &[], false).unwrap_err().to_string();
            assert!(error.contains(reason) && error.contains("\nhint: "), "{error}");
        }
    }
}
