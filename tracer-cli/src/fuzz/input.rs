//! What the user writes on the command line, and what one part of calltap writes for another.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use clap::Parser;

use super::bytes::{text, texts};
use crate::cli::{Cli, values};
use crate::compare::measure::Measured;
use crate::compare::run::{Ending, Outcome};
use crate::compare::variants::Setting;
use crate::compare::when::When;
use crate::compare::{stop, tapped};
use crate::environment::Change;
use crate::fail_on::Condition;
use crate::system_calls::Selection;
use crate::trace::filter::{Filter, Matcher};

/// The small languages of options: filters of calls, system calls, conditions, durations.
pub fn filters(data: &[u8]) {
    let [one, other, name] = texts(data);
    let options = [[one.clone()], [other.clone()]];
    for (calls, library, entries) in [
        (&options[0][..], &[][..], &[][..]),
        (&[], &options[0], &[]),
        (&options[0], &options[1], &options[1]),
    ] {
        let Ok(filter) = Filter::new(calls, library, entries, false) else { continue };
        for rule in &filter.rules {
            if let Some(matcher) = Matcher::of(&rule.symbol, &rule.object) {
                let _ = (matcher.fits_symbol(&name), matcher.fits_object(&name, Some(&one)));
            }
            let glob = calltap_channel::trace::glob::fits(rule.symbol.text.as_bytes(), name.as_bytes());
            assert!(glob == calltap_channel::trace::glob::fits(rule.symbol.text.as_bytes(), name.as_bytes()));
        }
    }
    let _ = Selection::of(&one).map(|selection| selection.to_string().parse::<Selection>());
    let _ = one.parse::<Condition>();
    let _ = (values::parse_bytes(&one), values::parse_period(&one), values::parse_map(&one));
    let _ = (values::parse_milliseconds(&one), When::parse(&one), stop::parse(&one));
    if let Ok(change) = Change::parse(OsString::from_vec(one.clone().into_bytes())) {
        assert_eq!(Change::parse(change.to_argument()), Ok(change));
    }
    let _ = Setting::parse(&one);
    for words in [["calltap", "run", one.as_str()], ["calltap", "trace", &one], ["calltap", "compare", &one]]
    {
        let _ = Cli::try_parse_from(words.iter().copied().chain([other.as_str(), "--", "true"]));
    }
}

fn outcome() -> Outcome {
    Outcome {
        ending: Ending::Exited(0),
        stdout_crc32: 0,
        stdout_bytes: 0,
        stderr_tail: String::new(),
        ready_ns: None,
        load: None,
    }
}

/// Reports and figures as a comparison reads them.
pub fn compare(data: &[u8]) {
    let text = text(data);
    let _ = serde_json::from_str::<Measured>(&text);
    if let Ok(report) = serde_json::from_str(&text) {
        let _ = tapped::read(&report, outcome());
    }
}
