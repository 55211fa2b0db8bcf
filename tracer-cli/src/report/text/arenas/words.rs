//! Reasons and parts in words.

use calltap_analyzers::arenas::report::{Part, VerdictKind};

pub(in crate::report) fn verdict(kind: VerdictKind) -> &'static str {
    match kind {
        VerdictKind::Leak => "leak",
        VerdictKind::InUse => "in use",
        VerdictKind::Retention => "retention",
        VerdictKind::Fragmentation => "fragmentation",
        VerdictKind::NeverTouched => "never touched",
        VerdictKind::Overhead => "overhead",
        VerdictKind::NotTheAllocators => "not the allocator's",
    }
}

pub(super) fn part(part: Part) -> &'static str {
    match part {
        Part::Live => "living blocks",
        Part::Rounding => "rounding",
        Part::Headers => "headers",
        Part::NotSeen => "in use, unseen by the hooks",
        Part::Tcache => "threads' caches",
        Part::Fast => "fast bins",
        Part::Bin => "bins",
        Part::Top => "tops",
        Part::Orphan => "orphan arenas",
        Part::Retained => "retained",
        Part::Reserved => "reserved",
        Part::Stacks => "stacks",
        Part::Direct => "mapped by the program",
        Part::Code => "code made at run time",
        Part::Files => "files and objects' data",
        Part::Shared => "shared memory",
        Part::Runtime => "the C library's own",
        Part::Calltap => "calltap's own",
        Part::Kernel => "the kernel's",
        Part::Unknown => "not explained",
    }
}

/// A share of bytes, in whole percents; None for nothing.
pub(in crate::report) fn percent(part: u64, whole: u64) -> Option<String> {
    (part > 0 && whole > 0).then(|| percents(part as f64 * 100.0 / whole as f64))
}

/// Percents of which something may be left out: `71%`, `<1%`, `0%`.
pub(super) fn percents(percents: f64) -> String {
    if percents > 0.0 && percents < 1.0 { "<1%".to_owned() } else { format!("{percents:.0}%") }
}

/// An arena of this address in a sentence.
pub(super) fn arena(address: u64, is_main: bool) -> String {
    if is_main { "main".to_owned() } else { format!("{address:#x}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_whole_percents() {
        assert_eq!(percent(1, 3).as_deref(), Some("33%"));
        assert_eq!(percent(1, 1000).as_deref(), Some("<1%"));
        assert_eq!((percent(0, 5), percent(0, 0)), (None, None));
        assert_eq!((percents(0.0), percents(71.4)), ("0%".to_owned(), "71%".to_owned()));
    }
}
