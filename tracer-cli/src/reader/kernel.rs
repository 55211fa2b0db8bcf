//! The kernel's side as the tracer's notes tell it: system calls, descriptors, objects met on stacks.

use calltap_analyzers::descriptors::Occasion;
use calltap_analyzers::event::{Fd, Image, Thread};
use calltap_analyzers::kernel::{CallId, SystemCall};
use calltap_channel::note::{HELD_AT_ONCE, SystemCallWord, VFORKED};

use super::Reader;
use super::notes::NoteRecord;
use crate::symbols::Loaded;
use crate::system_calls;

/// Images that the interposer has not told of (yet) have numbers from here on; its own are small.
const PROVISIONAL: u32 = 1 << 31;

/// The descriptors of a process as far as they have been told; see [`calltap_channel::Note::Holds`].
#[derive(Debug, Default)]
pub struct Held {
    pid: u32,
    fds: Vec<Fd>,
}

impl Reader {
    /// The image that keeps the ledgers of process `pid`.
    pub(super) fn ledger(&mut self, pid: u32, at_ns: u64) -> Image {
        if let Some(ledger) = self.processes.current(pid, at_ns).ledger {
            return ledger;
        }
        let image = self.provisional();
        self.feed.session().begin_provisional(image, None, at_ns);
        self.processes.current(pid, at_ns).ledger = Some(image);
        image
    }

    fn provisional(&mut self) -> Image {
        self.provisional += 1;
        Image(PROVISIONAL + self.provisional)
    }

    /// Process `maker` has made process `child`: it has the same descriptors.
    pub(super) fn forked(&mut self, maker: u32, child: u32, kind: u64, thread: Thread, at_ns: u64) {
        let parent = self.ledger(maker, at_ns);
        let image = self.provisional();
        self.feed.session().begin_provisional(image, Some(parent), at_ns);
        self.symbols.forked(image, parent, at_ns);
        let process = self.processes.current(child, at_ns);
        process.ledger = Some(image);
        if kind == VFORKED && thread.0 != 0 {
            process.vforked_by = Some(thread);
            self.feed.session().vfork_child(thread, Some((image, Thread(child))));
        }
    }

    /// Process `pid` goes on with another program, and with the descriptors that its exec left it.
    pub(super) fn passed_on(&mut self, pid: u32, old: Option<Image>, program: &str, at_ns: u64) {
        self.no_vfork_child(pid, at_ns);
        let new = self.provisional();
        let session = self.feed.session();
        session.begin_provisional(new, None, at_ns);
        if let Some(old) = old {
            session.executed(old, new);
        }
        self.symbols.executed(new, program.into());
        self.processes.current(pid, at_ns).ledger = Some(new);
    }

    /// A `vfork` child has its own memory now, or is gone.
    pub(super) fn no_vfork_child(&mut self, pid: u32, at_ns: u64) {
        if let Some(thread) = self.processes.current(pid, at_ns).vforked_by.take() {
            self.feed.session().vfork_child(thread, None);
        }
    }

    /// The interposer has told of process `pid` as `image`: what was known of it so far is that one's.
    pub(super) fn adopt(&mut self, pid: u32, image: Image, at_ns: u64) {
        let process = self.processes.current(pid, at_ns);
        let former = process.ledger.replace(image);
        let met = process.met.clone();
        if let Some(former) = former.filter(|former| former.0 >= PROVISIONAL) {
            self.feed.session().adopt(image, former);
            met.into_iter().for_each(|object| self.symbols.loaded(&Loaded { image, ..object }));
        }
    }

    /// A system call that was stopped.
    pub(super) fn system_call(&mut self, note: &NoteRecord) {
        let [pid, tid, word, result, stopped, arguments @ ..] = note.arguments;
        let word = SystemCallWord(word);
        let id = CallId { interface: word.interface(), number: word.number() };
        let image = self.ledger(pid as u32, note.at_ns);
        let call = SystemCall {
            image,
            thread: Thread(tid as u32),
            id,
            name: system_calls::name(id).unwrap_or_default(),
            start_ns: note.at_ns,
            end_ns: note.end_ns,
            stopped_ns: self.scale.length(stopped),
            result: result as i64,
            arguments,
            text: &note.text,
            site: note.site,
            stack: note.stack,
            in_hook: (!word.has(SystemCallWord::STACK_UNKNOWN)).then(|| word.has(SystemCallWord::IN_HOOK)),
            entry_only: word.has(SystemCallWord::ENTRY_ONLY),
        };
        self.life.system_call(pid as u32, &call);
        self.feed.session().system_call(&call);
    }

    /// The descriptors of a process that has just been forked, or has just executed.
    pub(super) fn holds(&mut self, note: &NoteRecord) {
        let [pid, first, count, more, ..] = note.arguments;
        let pid = pid as u32;
        if self.held.pid != pid {
            self.held = Held { pid, fds: Vec::new() };
        }
        let bits = (0..(count as usize).min(HELD_AT_ONCE).min(8 * note.text.len()))
            .filter(|bit| note.text[bit / 8] & 1 << (bit % 8) != 0);
        self.held.fds.extend(bits.map(|bit| Fd((first as usize + bit) as i32)));
        if more == 0 {
            let held = std::mem::take(&mut self.held);
            let image = self.ledger(pid, note.at_ns);
            let executed = self.processes.current(pid, note.at_ns).executed;
            let occasion = if executed { Occasion::Executed } else { Occasion::Forked };
            self.feed.session().holds(image, note.at_ns, &held.fds, occasion);
        }
    }

    /// A descriptor that the target was started with.
    pub(super) fn given(&mut self, note: &NoteRecord) {
        let [pid, fd, ..] = note.arguments;
        let image = self.ledger(pid as u32, note.at_ns);
        self.feed.session().given(image, Fd(fd as i32), &note.text);
    }

    /// An object that the stack of a system call has led to.
    pub(super) fn met(&mut self, note: NoteRecord) {
        let [pid, start, end, bias, ..] = note.arguments;
        let pid = pid as u32;
        let image = self.ledger(pid, note.at_ns);
        let object = Loaded { image, pid, start, end, bias, lap: 0, at_ns: note.at_ns, path: note.text };
        self.symbols.loaded(&object);
        self.processes.current(pid, note.at_ns).met.push(object);
    }
}
