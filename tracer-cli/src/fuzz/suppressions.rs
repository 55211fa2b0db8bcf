//! Files of suppressions.

use super::bytes::texts;
use crate::suppressions::Suppressions;

/// A file, and names of functions.
pub fn file(data: &[u8]) {
    let [file, names] = texts(data);
    if let Ok(suppressions) = Suppressions::parse(&file, "file") {
        for name in names.lines() {
            let _ = suppressions.of_name(name);
        }
    }
}
