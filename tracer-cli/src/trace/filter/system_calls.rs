//! Rules about system calls, which ltrace writes as `NAME@SYS` or `SYS_NAME`.

use super::chain::Link;
use super::pattern::Pattern;
use crate::system_calls;

/// Takes the rules about system calls out; gives the other ones, and the names that are chosen if there were any.
pub(super) fn split(chains: Vec<Vec<Link>>) -> (Vec<Vec<Link>>, Option<Vec<&'static str>>) {
    let mut about: Vec<(bool, Pattern)> = Vec::new();
    let mut others = Vec::new();
    for links in chains {
        let mut rest = Vec::new();
        for link in links {
            match named(&link) {
                Some(pattern) => about.push((link.plus, pattern)),
                None => rest.push(link),
            }
        }
        others.push(rest);
    }
    if about.is_empty() {
        return (others, None);
    }
    let rules: Vec<_> = about.iter().filter_map(|(plus, pattern)| Some((*plus, matcher(pattern)?))).collect();
    let chosen = system_calls::names().filter(|name| {
        rules.iter().rev().find(|(_, fits)| fits.is_match(name)).is_some_and(|(plus, _)| *plus)
    });
    (others, Some(chosen.collect()))
}

/// The names of system calls that a rule is about, if it is about any.
pub(super) fn named(link: &Link) -> Option<Pattern> {
    if link.written.object == "SYS" {
        return Some(link.symbol.clone());
    }
    let name = link.written.symbol.strip_prefix("SYS_").filter(|_| link.written.object.is_empty())?;
    Pattern::symbol(name).ok()
}

fn matcher(pattern: &Pattern) -> Option<regex_lite::Regex> {
    regex_lite::Regex::new(&pattern.as_regex()?).ok()
}
