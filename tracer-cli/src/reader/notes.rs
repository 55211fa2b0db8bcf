//! What the reader does on hearing a note.

use calltap_analyzers::event::{Image, Thread};
use calltap_channel::note::{CLONED, DEFINED_WORDS, SYSTEM_CALL_ARGUMENTS};
use calltap_channel::record::Record;
use calltap_channel::segment::NO_FOLLOW;
use calltap_channel::{Function, Note};
use std::sync::atomic::Ordering;

use super::Reader;
use super::decode::heap_family;
use super::source::Source;
use crate::calibration::Scale;
use crate::exit_snapshot::{self, Descriptor};
use crate::symbols::Loaded;

/// A note, taken out of its ring.
#[derive(Debug)]
pub struct NoteRecord {
    pub(super) note: Note,
    pub(super) arguments: [u64; SYSTEM_CALL_ARGUMENTS],
    pub(super) text: Vec<u8>,
    pub(super) at_ns: u64,
    pub(super) end_ns: u64,
    pub(super) site: u64,
    pub(super) stack: u32,
    pub(super) pid: u32,
    image: Image,
    parent: Image,
}

impl NoteRecord {
    /// Copies a record that is a note.
    #[must_use]
    pub fn new(note: Note, record: &Record<'_>, source: &Source, scale: Scale) -> Self {
        let text = record.text();
        Self {
            note,
            arguments: std::array::from_fn(|index| record.argument(index)),
            text: text.map_or_else(Vec::new, |text| text.as_bytes().to_vec()),
            at_ns: scale.since_zero(record.start()),
            end_ns: scale.since_zero(record.end()),
            site: record.site(),
            stack: record.stack(),
            pid: source.pid,
            image: source.image,
            parent: source.parent,
        }
    }

    pub(super) fn number(&self, index: usize) -> u32 {
        self.arguments[index] as u32
    }
}

impl Reader {
    /// Takes a note into account.
    pub(super) fn handle(&mut self, note: NoteRecord) {
        let at_ns = note.at_ns;
        let pid = note.number(0);
        self.live(&note);
        match note.note {
            Note::ProcessBegan => self.process_began(&note),
            Note::Created => {
                let child = note.number(1);
                if note.arguments[2] == CLONED && note.number(3) == pid {
                    self.processes.current(pid, at_ns).threads += 1;
                    let image = self.ledger(pid, at_ns);
                    self.feed.session().thread_began(image, at_ns);
                } else {
                    self.processes.forked(pid, child, at_ns);
                    self.forked(pid, child, note.arguments[2], Thread(note.number(4)), at_ns);
                }
            }
            Note::Arguments => self.arguments.add(&note.text),
            Note::Executed => self.executed(&note),
            Note::ThreadEnded => {
                let thread = Thread(note.number(1));
                self.thread_ended(pid, thread, at_ns);
                let image = self.ledger(pid, at_ns);
                self.feed.session().thread_ended(image, thread, at_ns);
            }
            Note::ExitStop => {
                self.read_memory_at_end();
                let snapshot = exit_snapshot::read(pid, note.number(3));
                self.look_at_exit(pid, note.number(3), &snapshot);
                self.last_look(pid, &snapshot, at_ns);
                let ledger = self.ledger(pid, at_ns);
                if let Some(descriptors) = &snapshot.descriptors {
                    let known = descriptors.iter().map(Descriptor::for_ledger);
                    self.feed.session().reconcile(ledger, at_ns, &known.collect::<Vec<_>>());
                }
                let process = self.processes.current(pid, at_ns);
                if process.image.is_some() || !process.met.is_empty() {
                    self.symbols.ending(ledger, pid, note.number(3), &snapshot.maps);
                }
                if !snapshot.command.is_empty() {
                    process.command.clone_from(&snapshot.command);
                }
                // A process can be looked at twice; a look at one that has given its memory up tells less.
                if process.snapshot.is_none() || !snapshot.maps.is_empty() {
                    process.snapshot = Some(snapshot);
                }
                self.release_stop(note.arguments[1]);
                self.looks.think_of_small();
            }
            Note::Ended => {
                self.no_vfork_child(pid, at_ns);
                let ledger = self.processes.current(pid, at_ns).ledger;
                match (self.processes.ended(pid, note.arguments[1] as i32, at_ns), ledger) {
                    (Some(image), _) => self.close_image(image),
                    (None, Some(ledger)) => self.end_image(ledger),
                    (None, None) => {}
                }
            }
            Note::Signalled => {
                let sender = note.number(3);
                if sender != 0 && sender != pid {
                    self.processes.current(pid, at_ns).killer = Some(sender);
                }
            }
            Note::ExecFailed => {
                self.exec_errno = Some(note.arguments[0] as i32);
                self.filter_refused = note.arguments[1] != 0;
            }
            Note::TracerDone => self.tracer_done = true,
            // Counted where the source is known; see `Feed::take`.
            Note::Abandoned => {}
            Note::Loaded => self.loaded(note),
            Note::SystemCall => self.system_call(&note),
            Note::Holds => self.holds(&note),
            Note::Given => self.given(&note),
            Note::Met => self.met(note),
            Note::SnapshotStop => self.snapshot_stop(&note),
            Note::SnapshotFailed => self.snapshot_failed(note),
            Note::SnapshotsDone => self.snapshots_done(note.arguments[0]),
            Note::Defined => self.defined(&note),
            Note::PassedOver => {
                let path = String::from_utf8_lossy(&note.text).into_owned();
                self.processes.current(note.pid, at_ns).passed_over.push(path);
            }
            // Of the life of processes only; see `live`.
            Note::Paused | Note::Continued => {}
            // Only where calls are traced.
            Note::Entered | Note::Returned | Note::Memory | Note::Bound | Note::Unbound | Note::CallBegan => {
            }
        }
    }

    /// A process image has told of itself.
    fn process_began(&mut self, note: &NoteRecord) {
        let (pid, parent_pid) = (note.number(0), note.number(1));
        let parent = (note.parent.0 != 0).then_some(note.parent);
        self.feed.session().begin(note.image, parent, note.at_ns);
        if let Some(parent) = parent {
            self.symbols.forked(note.image, parent, note.at_ns);
            let follows = self.segment.header().flags.load(Ordering::Relaxed) & NO_FOLLOW == 0;
            if follows {
                self.processes.numbered_elsewhere(pid, parent, note.at_ns);
            }
        }
        self.adopt(pid, note.image, note.at_ns);
        let process = self.processes.current(pid, note.at_ns);
        if let Some(former) = process.image.replace(note.image) {
            // Its exec was not seen (not traced): the former program has ended.
            self.close_image(former);
        }
        let process = self.processes.current(pid, note.at_ns);
        process.real_malloc = note.arguments[3];
        if process.parent == 0 {
            process.parent = parent_pid;
        }
        // Under that number somebody else is found.
        if process.command.is_empty() && !process.numbered_elsewhere {
            process.command = exit_snapshot::command(pid);
        }
        if !process.program.is_empty() {
            self.symbols.executed(note.image, process.program.clone().into());
        }
    }

    /// A program defines functions itself, and calls these unseen.
    fn defined(&mut self, note: &NoteRecord) {
        let (numbers, malloc) = note.arguments.split_at(DEFINED_WORDS);
        let has = |function: &&Function| {
            let number = usize::from(function.number());
            numbers[number / 64] >> (number % 64) & 1 != 0
        };
        let defined: Vec<Function> = Function::ALL.iter().filter(has).copied().collect();
        for giver in defined.iter().filter_map(|function| heap_family(*function)) {
            self.feed.session().partly_seen(note.image, giver);
        }
        let process = self.processes.current(note.pid, note.at_ns);
        process.defined = defined;
        if malloc[0] != 0 {
            process.real_malloc = malloc[0];
        }
    }

    /// A process image has met an object on one of its stacks.
    fn loaded(&mut self, note: NoteRecord) {
        let [start, end, bias, lap, ..] = note.arguments;
        self.symbols.loaded(&Loaded {
            image: note.image,
            pid: note.pid,
            start,
            end,
            bias,
            lap,
            at_ns: note.at_ns,
            path: note.text,
        });
    }

    /// A thread is gone: its ring can be claimed again.
    fn thread_ended(&mut self, pid: u32, thread: Thread, at_ns: u64) {
        for index in 0..self.sources.len() {
            let Some(source) = &self.sources[index] else { continue };
            if source.pid != pid || source.thread != thread {
                continue;
            }
            if let Some((function, argument)) = source.unfinished() {
                let process = self.processes.current(pid, at_ns);
                process.unfinished.push((thread.0, function, argument));
            }
            self.close(index);
        }
    }

    /// An image is gone, with all its threads.
    pub(super) fn close_image(&mut self, image: Image) {
        for index in 0..self.sources.len() {
            if self.sources[index].as_ref().is_some_and(|source| source.image == image) {
                self.close(index);
            }
        }
        self.end_image(image);
    }

    /// Lets the tracer go on with a process that it holds, in its exit stop or for a look.
    pub(super) fn release_stop(&self, sequence: u64) {
        let header = self.segment.inner();
        header.released.store(sequence, Ordering::Release);
        header.released_bell.fetch_add(1, Ordering::Release);
        crate::futex::wake_all(&header.released_bell);
    }
}
