//! Which program a process has just begun, and with which arguments.

use std::os::unix::ffi::OsStrExt;

use calltap_channel::Note;
use calltap_channel::record::MAX_TEXT;

use super::notes::Notes;
use super::tracees::Id;

/// Its path, empty if it cannot be read.
pub(crate) fn path(pid: Id) -> Vec<u8> {
    std::fs::read_link(format!("/proc/{pid}/exe"))
        .map(|path| path.into_os_string().as_bytes().to_vec())
        .unwrap_or_default()
}

/// Notes its arguments; see [`Note::Arguments`]. To be called in the exec's stop: a program that executes another one at
/// once has others by the time that anybody looks.
pub(crate) fn note_arguments(notes: &Notes, pid: Id) {
    let arguments = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    for piece in arguments.chunks(MAX_TEXT) {
        notes.write_with_text(Note::Arguments, &[pid as u64], piece);
    }
}
