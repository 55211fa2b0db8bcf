//! What notes say of the life of processes.

use calltap_analyzers::event::Thread;
use calltap_analyzers::life::{Delivery, Maker, Sender};
use calltap_channel::Note;
use calltap_channel::note::{CLONED, FORKED, VFORKED};

use super::Reader;
use super::notes::NoteRecord;
use crate::exit_snapshot::ExitSnapshot;
use crate::report::build::life::objects;

impl Reader {
    /// Takes what a note says of who made whom, and so on; what it says of calls is taken elsewhere.
    pub(super) fn live(&mut self, note: &NoteRecord) {
        let (pid, at_ns, life) = (note.number(0), note.at_ns, &mut self.life);
        match note.note {
            Note::Created if note.arguments[2] == CLONED && note.number(3) == pid => {
                life.thread_created(pid, at_ns);
            }
            Note::Created => {
                let how = match note.arguments[2] {
                    FORKED => Maker::Fork,
                    VFORKED => Maker::Vfork,
                    _ => Maker::Clone,
                };
                life.created(pid, Thread(note.number(4)), note.number(1), how, at_ns);
            }
            Note::ThreadEnded => life.thread_ended(pid),
            Note::Ended => life.exited(pid, note.arguments[1] as i32, at_ns),
            Note::Signalled => {
                // SIGKILL is not delivered in this sense: it shows in the wait status.
                let sender = (note.number(3) != 0)
                    .then(|| Sender { pid: note.number(3), uid: (note.arguments[3] >> 32) as u32 });
                let (signal, code) = (note.arguments[2] as i32, note.arguments[4] as i32);
                life.delivered(pid, &Delivery { signal, code, sender }, at_ns);
            }
            Note::Paused => life.paused(pid, note.arguments[1] as i32, at_ns),
            Note::Continued => life.continued(pid, at_ns),
            Note::Loaded => life.object_seen(note.pid, &String::from_utf8_lossy(&note.text), at_ns),
            Note::Met => life.object_seen(pid, &String::from_utf8_lossy(&note.text), at_ns),
            _ => {}
        }
    }

    /// Takes what `/proc` says at the exit stop of process `pid`.
    pub(super) fn last_look(&mut self, pid: u32, snapshot: &ExitSnapshot, at_ns: u64) {
        self.life.commanded(pid, &snapshot.command, at_ns);
        self.life.mapped(pid, objects(&snapshot.maps), at_ns);
    }
}
