//! The comparison as JSON: `docs/compare-json.md` describes it.

use std::io;

use crate::compare::result::Compared;
use crate::report::write_outline;

/// Runs, rows of calls and estimates stand on a line each: their durations and readings are long lists of numbers.
const INDENTED: usize = 4;

/// # Errors
/// If it cannot be put into JSON, which would be a bug.
pub(super) fn render(compared: &Compared) -> io::Result<Vec<u8>> {
    let mut json = Vec::new();
    write_outline(&mut json, compared, INDENTED)?;
    Ok(json)
}
