//! Why memory is held: in the first lines the shares of the reasons, the block that pins most and what
//! to do; then where each byte is.

use calltap_analyzers::arenas::Occasion;
use calltap_analyzers::arenas::report::VerdictKind;

use super::Page;
use crate::report::model::{Arenas, LastLook, Verdict};
use crate::report::units::{bytes, long_time, plural, time};

mod agreement;
mod blame;
mod ledger;
mod looks;
mod regions;
mod rows;
pub(in crate::report) mod words;

pub(in crate::report) use blame::{pin, saving};

/// An allocator that has taken less than this from the kernel gets one line, whatever it does with it.
const SMALL: u64 = 4 << 20;
/// One that has taken so much is told of at length, whatever it does with it.
const LARGE: u64 = 16 << 20;

/// Nothing if nobody has looked.
pub(super) fn arenas_part(arenas: Option<&Arenas>, page: &Page<'_>) -> String {
    let Some(Arenas { looks, last }) = arenas else {
        return String::new();
    };
    let mut text = format!("  memory: {}\n", headline(last));
    text += &doubts(last);
    let was_asked = looks.len() > 1 || last.occasion != Occasion::Exit;
    if !was_asked && !is_worth_details(last) {
        return text;
    }
    text += &blame::pins_part(last, page);
    text += &blame::advice_part(last, page);
    text += &blame::verdicts_part(last, page);
    text += &ledger::ledger_part(last);
    text += &rows::arenas_part(last, page);
    text += &rows::tcaches_part(last);
    text += &regions::regions_part(last);
    text += &agreement::agreement_part(last);
    text + &looks::looks_part(looks)
}

fn is_worth_details(last: &LastLook) -> bool {
    let system = last.ledger.system.bytes;
    let has_findings = !last.pins.is_empty() || !last.advice.is_empty();
    system >= LARGE || (system >= SMALL && has_findings)
}

/// What is resident, and why, by shares of it; what was never touched is not.
pub(in crate::report) fn headline(last: &LastLook) -> String {
    let when = match last.occasion {
        Occasion::Exit => "at exit".to_owned(),
        Occasion::Periodic | Occasion::OnDemand => format!("at {}", time(last.at_ns)),
    };
    let mut text = format!("{} resident {when}", bytes(last.ledger.anonymous_bytes));
    let resident: u64 = last.verdicts.iter().map(|verdict| verdict.resident_bytes).sum();
    let mut by_share: Vec<_> = last.verdicts.iter().collect();
    by_share.sort_by_key(|verdict| std::cmp::Reverse(verdict.resident_bytes));
    let shares = by_share.into_iter().filter_map(|verdict| share(verdict, resident, last));
    let shares: Vec<_> = shares.collect();
    if !shares.is_empty() {
        text += &format!(": {}", shares.join(", "));
    }
    let untouched = last.verdict(VerdictKind::NeverTouched).map_or(0, |verdict| verdict.bytes);
    if untouched > 0 {
        text += &format!("; {} never touched", bytes(untouched));
    }
    text
}

fn share(verdict: &Verdict, resident: u64, last: &LastLook) -> Option<String> {
    let percent = words::percent(verdict.resident_bytes, resident)?;
    let name = words::verdict(verdict.kind);
    let effect = match (&last.trim, verdict.kind) {
        (Some(trim), VerdictKind::Retention) => {
            format!(" (malloc_trim would return {})", bytes(trim.returned_bytes))
        }
        _ => String::new(),
    };
    Some(format!("{percent} {name}{effect}"))
}

/// What makes figures less than sure.
fn doubts(last: &LastLook) -> String {
    let mut text = String::new();
    if !last.consistent {
        text += "    not of one moment: the process ran while it was read\n";
    }
    if let Some(why) = &last.not_decoded {
        text += &format!("    not decoded, because {why}\n");
    }
    let locked = last.arenas.iter().filter(|arena| arena.locked).count() as u64;
    if locked > 0 {
        text += &format!("    {} read in the middle of an operation\n", plural(locked, "arena"));
    }
    if let Some(stopped) = last.stopped_ns {
        text += &format!("    the process was stopped for {}\n", long_time(stopped));
    }
    text
}
