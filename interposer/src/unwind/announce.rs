//! Tells the reader which objects have been met.

use calltap_channel::{Note, note, record};

use crate::call;

/// The longest path that is passed on.
pub(super) const MAX_PATH: usize = record::MAX_TEXT;

/// Writes a [`Note::Loaded`] into this thread's ring.
pub(super) fn loaded(facts: [u64; 4], path: &[u8]) {
    let [start, end, bias, lap] = facts;
    call::note(Note::Loaded, [start, end, bias, lap, 0], path);
}

const _: () = assert!(note::ARGUMENTS == 5);
