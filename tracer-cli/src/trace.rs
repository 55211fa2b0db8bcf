//! `calltap trace`: every call of a library function, as it happens.

pub mod event;
pub mod options;

use std::process::ExitCode;

/// Does what the options say; the exit status is the program's.
///
/// # Errors
/// What keeps the program from being started.
pub fn run(options: &options::Trace) -> anyhow::Result<ExitCode> {
    let _ = options;
    anyhow::bail!("not there yet")
}
