//! A process goes on with another program.

use calltap_channel::note::Untapped;

use super::Reader;
use super::notes::NoteRecord;
use crate::exit_snapshot;

impl Reader {
    /// Process `note.number(0)` has executed what the note says, with the arguments told before it.
    pub(super) fn executed(&mut self, note: &NoteRecord) {
        let (pid, at_ns) = (note.number(0), note.at_ns);
        let untapped = Untapped::from_number(note.arguments[1]);
        let program = String::from_utf8_lossy(&note.text).into_owned();
        let command = self.arguments.take();
        self.life.executed(pid, program.clone(), command.clone(), at_ns);
        let old = self.processes.current(pid, at_ns).ledger;
        let replaced = self.processes.executed(pid, program.clone(), untapped, at_ns);
        self.passed_on(pid, old, &program, at_ns);
        match (replaced, old) {
            (Some(image), _) => self.close_image(image),
            // A fork's copy of its parent's program, or one that is not tapped.
            (None, Some(old)) => self.end_image(old),
            (None, None) => {}
        }
        self.processes.current(pid, at_ns).command = command;
    }
}

/// No program is given more, in bytes (`MAX_ARG_STRLEN` and `_STK_LIM` of the kernel: three quarters of 8 MiB).
const MOST: usize = 6 << 20;

/// What [`calltap_channel::Note::Arguments`] have told since the last exec.
#[derive(Debug, Default)]
pub(super) struct Arguments(Vec<u8>);

impl Arguments {
    /// Another piece of them.
    pub(super) fn add(&mut self, piece: &[u8]) {
        // More than there can be is what a target has written over.
        if self.0.len() + piece.len() <= MOST {
            self.0.extend_from_slice(piece);
        }
    }

    /// All of them: the exec that they are for has come.
    pub(super) fn take(&mut self) -> Vec<String> {
        let arguments = exit_snapshot::arguments(&self.0);
        self.0.clear();
        arguments
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_put_together_once() {
        let mut arguments = Arguments::default();
        for piece in [b"pro".as_slice(), b"gram\0", b"\0two wo", b"rds\0"] {
            arguments.add(piece);
        }
        assert_eq!(arguments.take(), ["program", "", "two words"]);
        assert_eq!(arguments.take(), [""; 0]);
    }

    #[test]
    fn there_is_an_end_to_them() {
        let mut arguments = Arguments::default();
        for _ in 0..MOST / 512 + 10 {
            arguments.add(&[b'a'; 512]);
        }
        assert_eq!(arguments.take()[0].len(), MOST);
    }
}
