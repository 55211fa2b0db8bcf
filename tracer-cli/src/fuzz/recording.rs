//! A recording of `calltap trace --record`, played in one of the trace's forms.

use clap::Parser;

use super::bytes::{Bytes, file};
use crate::cli::{Cli, Verb};
use crate::trace;

/// Options that choose a form.
const FORMS: [&[&str]; 8] = [
    &[],
    &["-c"],
    &["-f", "-S", "-T", "-r"],
    &["--json", "--stack"],
    &["-i", "-n", "2", "-e", "malloc+free@MAIN-@libc.so*"],
    &["--tree"],
    &["-c", "--by", "caller", "--stack"],
    &["-x", "*", "-s", "1000", "-A", "100", "-tt"],
];

/// The number of a form, then the recording.
pub fn replayed(data: &[u8]) {
    let mut data = Bytes(data);
    let form = FORMS[data.number(1) as usize % FORMS.len()];
    let (_file, path) = file(data.0);
    let path = path.display().to_string();
    let words = ["calltap", "trace", "--quiet", "-o", "/dev/null", "--replay", &path];
    let options = Cli::try_parse_from(words.iter().chain(form));
    match options.expect("these are options").verb {
        Verb::Trace(options) => {
            let _ = trace::run(&options);
        }
        _ => unreachable!("as it was called"),
    }
}
