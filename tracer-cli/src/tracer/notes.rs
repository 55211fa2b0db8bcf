//! The tracer's own ring: it tells the reader what it sees in the same kind of records as everybody.

use std::os::unix::ffi::OsStrExt;
use std::sync::atomic::{Ordering, fence};
use std::time::Duration;

use calltap_channel::clock::Clock;
use calltap_channel::note::{ARGUMENTS, SNAPSHOT_ARGUMENTS, SYSTEM_CALL_ARGUMENTS, SystemCallWord};
use calltap_channel::record::{self, AT_START, CUT, MAX_TEXT, PREFIX_WORDS, TEXT, VOID};
use calltap_channel::ring::{Control, Words};
use calltap_channel::segment::{ALL_SIGNALS, Header, READER_GONE, RawWords, Segment};
use calltap_channel::{Note, note};

use super::signals;
use super::tracees::Id;
use super::unwind::Met;
use crate::futex;

/// How long to sleep before looking again whether the reader is alive: it may die in the moment
/// before the sleep begins.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Words of a note without text.
const NOTE_WORDS: usize = PREFIX_WORDS + ARGUMENTS;

/// Words of a system call without text.
const CALL_WORDS: usize = PREFIX_WORDS + SYSTEM_CALL_ARGUMENTS;

/// Words of a [`Note::SnapshotStop`].
const SNAPSHOT_WORDS: usize = PREFIX_WORDS + SNAPSHOT_ARGUMENTS;

/// What is written of a process that is stopped to be looked at; see [`Note::SnapshotStop`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct SnapshotNote {
    /// The process.
    pub(crate) group: Id,
    /// What the reader releases.
    pub(crate) sequence: u64,
    /// A thread of it.
    pub(crate) tid: Id,
    /// When the first thread was interrupted, in ticks.
    pub(crate) began: u64,
    /// Threads in a stop.
    pub(crate) held: u64,
    /// Threads left asleep.
    pub(crate) asleep: u64,
    /// Their context switches, added up.
    pub(crate) switches: u64,
    /// Why it was stopped.
    pub(crate) occasion: u64,
}

/// What is written of a system call; see [`Note::SystemCall`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallNote<'a> {
    /// The thread group.
    pub(crate) group: Id,
    /// The thread.
    pub(crate) tid: Id,
    /// Which call, and what is known of it.
    pub(crate) word: SystemCallWord,
    /// When its entry was seen, in ticks.
    pub(crate) start: u64,
    /// From there to when its end was seen, in ticks.
    pub(crate) duration: u64,
    /// How long we held the thread, in ticks.
    pub(crate) stopped: u64,
    /// Its result.
    pub(crate) result: i64,
    /// Its arguments.
    pub(crate) arguments: [u64; 6],
    /// Address behind its instruction.
    pub(crate) site: u64,
    /// Id of its stack.
    pub(crate) stack: u32,
    /// Path, name, address or descriptors; at most [`MAX_TEXT`] bytes.
    pub(crate) text: &'a [u8],
    /// Whether it takes effect when it begins.
    pub(crate) at_start: bool,
}

impl CallNote<'_> {
    /// The words of the note between its header and its text.
    fn body(&self) -> [u64; CALL_WORDS - 1] {
        let errno = if (-4095..0).contains(&self.result) { -self.result as u16 } else { 0 };
        let [a, b, c, d, e, f] = self.arguments;
        [
            self.start,
            record::outcome(self.duration, errno),
            self.site,
            self.group as u64,
            self.tid as u64,
            self.word.0,
            self.result as u64,
            self.stopped,
            a,
            b,
            c,
            d,
            e,
            f,
        ]
    }
}

/// The ring, and who reads it.
#[derive(Debug)]
pub(crate) struct Notes {
    segment: Segment,
    control: &'static Control,
    words: RawWords,
    clock: Clock,
}

impl Notes {
    /// Claims a free ring for this process. `None` if there is none.
    pub(crate) fn claim(segment: Segment) -> Option<Self> {
        let header = segment.header();
        let pid = std::process::id();
        let capacity = segment.layout().capacity;
        let index = (0..segment.layout().ring_count as usize).find(|&index| {
            let base = segment.words(index).address();
            segment.control(index).claim(pid, pid, 0, 0, base, capacity)
        })?;
        header.high_water.fetch_max(index as u32 + 1, Ordering::Relaxed);
        Some(Self {
            segment,
            control: segment.control(index),
            words: segment.words(index),
            clock: Clock::from_number(segment.inner().clock.load(Ordering::Relaxed) as u32),
        })
    }

    /// The header of the segment's inner part.
    pub(crate) fn header(&self) -> &'static Header {
        self.segment.inner()
    }

    /// Whether nobody reads any more.
    pub(crate) fn reader_gone(&self) -> bool {
        self.segment.inner().reader.load(Ordering::Relaxed) == READER_GONE
    }

    /// Whether frequent signals are to be noted.
    pub(crate) fn all_signals(&self) -> bool {
        self.segment.inner().flags.load(Ordering::Relaxed) & ALL_SIGNALS != 0
    }

    /// Writes a note; its further arguments are zero.
    pub(crate) fn write(&self, note: Note, arguments: &[u64]) {
        let Some(at) = self.make_room(NOTE_WORDS) else {
            return;
        };
        let word0 = record::header(NOTE_WORDS, VOID, note as u16, 0);
        self.control.push(&self.words, at, word0, self.body(arguments));
    }

    /// Writes that a process is stopped.
    pub(crate) fn write_snapshot(&self, stop: &SnapshotNote) {
        let Some(at) = self.make_room(SNAPSHOT_WORDS) else { return };
        let word0 = record::header(SNAPSHOT_WORDS, VOID, Note::SnapshotStop as u16, 0);
        let SnapshotNote { group, sequence, tid, began, held, asleep, switches, occasion } = *stop;
        let mut body = [0; SNAPSHOT_WORDS - 1];
        body[0] = self.clock.now();
        body[PREFIX_WORDS - 1..].copy_from_slice(&[
            group as u64,
            sequence,
            tid as u64,
            began,
            held,
            asleep,
            switches,
            occasion,
        ]);
        self.control.push(&self.words, at, word0, body);
    }

    /// Writes a note with a text, cut at [`MAX_TEXT`] bytes.
    pub(crate) fn write_with_text(&self, note: Note, arguments: &[u64], text: &[u8]) {
        let cut = if text.len() > MAX_TEXT { CUT } else { 0 };
        let text = &text[..text.len().min(MAX_TEXT)];
        let words = NOTE_WORDS + text_words(text);
        let Some(at) = self.make_room(words) else {
            return;
        };
        let word0 = record::header(words, VOID | TEXT | cut, note as u16, 0);
        self.push_with_text(at, word0, self.body(arguments), text);
    }

    /// The present time, in ticks.
    pub(crate) fn now(&self) -> u64 {
        self.clock.now()
    }

    /// Writes a system call.
    pub(crate) fn write_call(&self, call: &CallNote<'_>) {
        let has_text = !call.text.is_empty();
        let words = CALL_WORDS + if has_text { text_words(call.text) } else { 0 };
        let Some(at) = self.make_room(words) else { return };
        let flag = |flag, is_set| if is_set { flag } else { 0 };
        let flags = VOID | flag(TEXT, has_text) | flag(AT_START, call.at_start);
        let word0 = record::header(words, flags, Note::SystemCall as u16, call.stack);
        if has_text {
            self.push_with_text(at, word0, call.body(), call.text);
        } else {
            self.control.push(&self.words, at, word0, call.body());
        }
    }

    /// Writes that a system call begins; see [`Note::CallBegan`].
    pub(crate) fn write_began(&self, call: &CallNote<'_>) {
        let Some(at) = self.make_room(CALL_WORDS) else { return };
        let word0 = record::header(CALL_WORDS, VOID, Note::CallBegan as u16, 0);
        self.control.push(&self.words, at, word0, call.body());
    }

    /// Writes bytes that were at an address at `stamp`, in as many notes as they need; `site` says which note they belong to. See
    /// [`Note::Memory`].
    pub(crate) fn write_memory(&self, stamp: u64, site: u64, address: u64, bytes: &[u8]) {
        for (index, text) in bytes.chunks(MAX_TEXT).enumerate() {
            let words = PREFIX_WORDS + 1 + text_words(text);
            let Some(at) = self.make_room(words) else { return };
            let word0 = record::header(words, VOID | TEXT, Note::Memory as u16, 0);
            let address = address.wrapping_add((index * MAX_TEXT) as u64);
            self.push_with_text(at, word0, [stamp, 0, site, address], text);
        }
    }

    /// Writes an object that a stack has led to.
    pub(crate) fn write_met(&self, object: &Met) {
        let arguments = [object.group as u64, object.start, object.end, object.bias];
        self.write_with_text(Note::Met, &arguments, object.path.as_os_str().as_bytes());
    }

    /// Wakes the reader for what should not wait for its next round.
    pub(crate) fn ring_bell(&self) {
        let bell = &self.segment.header().bell;
        // Release: the notes before it are seen by a reader that was woken by it.
        bell.fetch_add(1, Ordering::Release);
        futex::wake_all(bell);
    }

    /// Waits until the reader has released the stop number `sequence`, or will never do so.
    pub(crate) fn await_release(&self, sequence: u64) {
        let header = self.segment.inner();
        loop {
            // Acquire, before the looks below: a change after them makes the futex return at once.
            let bell = header.released_bell.load(Ordering::Acquire);
            if header.released.load(Ordering::Acquire) >= sequence
                || self.reader_gone()
                || signals::detach_requested()
            {
                return;
            }
            futex::wait(&header.released_bell, bell, LOOK_AGAIN);
        }
    }

    /// The words of a note between its header and its text.
    fn body(&self, arguments: &[u64]) -> [u64; NOTE_WORDS - 1] {
        debug_assert!(arguments.len() <= ARGUMENTS);
        let mut body = [0; NOTE_WORDS - 1];
        body[0] = self.clock.now();
        body[PREFIX_WORDS - 1..][..arguments.len()].copy_from_slice(arguments);
        body
    }

    /// Writes a record that ends with a text into its reserved place.
    fn push_with_text<const N: usize>(&self, at: u64, word0: u64, body: [u64; N], text: &[u8]) {
        let behind = self.control.place(at) + 1 + N;
        self.words.store(behind, text.len() as u64, Ordering::Relaxed);
        for (index, chunk) in text.chunks(8).enumerate() {
            let mut bytes = [0; 8];
            bytes[..chunk.len()].copy_from_slice(chunk);
            self.words.store(behind + 1 + index, u64::from_le_bytes(bytes), Ordering::Relaxed);
        }
        // Commits, so it comes last.
        self.control.push(&self.words, at, word0, body);
    }

    /// Reserves space, waiting for the reader if the ring is full. `None` if the reader is gone.
    fn make_room(&self, words: usize) -> Option<u64> {
        let words = words as u64;
        loop {
            if self.reader_gone() {
                self.control.dropped.fetch_add(1, Ordering::Relaxed);
                return None;
            }
            if let Ok(at) = self.control.reserve(words) {
                return Some(at);
            }
            if self.control.refresh(words) {
                continue;
            }
            // SeqCst store and fence: announce first, look again then; pairs with the fence in
            // `Consumer::release`, so either we see the new tail or the reader sees us waiting.
            self.control.waiting.store(1, Ordering::SeqCst);
            fence(Ordering::SeqCst);
            if !self.control.refresh(words) {
                self.ring_bell();
                futex::wait(futex::low_half(&self.control.waiting), 1, LOOK_AGAIN);
            }
            self.control.waiting.store(0, Ordering::Relaxed);
        }
    }
}

/// Words of a text in a record: its length, and its bytes.
fn text_words(text: &[u8]) -> usize {
    1 + text.len().div_ceil(8)
}

/// `kind` of [`Note::Created`] for what a ptrace event calls it.
pub(crate) fn kind_of(event: i32) -> u64 {
    match event {
        libc::PTRACE_EVENT_FORK => note::FORKED,
        libc::PTRACE_EVENT_VFORK => note::VFORKED,
        _ => note::CLONED,
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use calltap_channel::record::{MAX_WORDS, Record};
    use calltap_channel::ring::{Consumer, Peeked};
    use calltap_channel::segment::{Layout, MIN_RING_BYTES};
    use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous};

    use super::*;

    fn segment() -> Segment {
        let layout = Layout::new(2, MIN_RING_BYTES).unwrap();
        let length = NonZeroUsize::new(layout.size() as usize).unwrap();
        let access = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: a new mapping at an address of the kernel's choice.
        let base = unsafe { mmap_anonymous(None, length, access, MapFlags::MAP_SHARED) }.unwrap();
        // SAFETY: as many bytes are mapped as the layout has, and stay so.
        unsafe { Segment::create(base.as_ptr().cast(), layout) }
    }

    /// Takes `count` records as the reader does and hands each to `each`.
    fn read(segment: Segment, count: usize, mut each: impl FnMut(Record<'_>)) {
        let (control, words) = (segment.control(0), segment.words(0));
        let mut consumer = Consumer::new(0, segment.layout().capacity);
        let mut copy = [0; MAX_WORDS];
        let mut taken = 0;
        while taken < count {
            let Peeked::Record(length) = consumer.peek(&words, &mut copy) else {
                std::thread::yield_now();
                continue;
            };
            each(Record::parse(&copy[..length]).unwrap());
            consumer.pass(&words, length);
            taken += 1;
            if consumer.release(control) {
                control.waiting.store(0, Ordering::SeqCst);
                futex::wake_all(futex::low_half(&control.waiting));
            }
        }
    }

    #[test]
    fn a_note_is_read_as_it_was_written() {
        let segment = segment();
        let notes = Notes::claim(segment).unwrap();
        let long = vec![b'x'; MAX_TEXT + 1];
        notes.write(Note::Signalled, &[1, 2, 3, 4, 5]);
        notes.write_with_text(Note::Executed, &[7], b"/bin/true");
        notes.write_with_text(Note::Executed, &[7], &long);
        notes.write_with_text(Note::Executed, &[7], b"");
        let mut seen = Vec::new();
        read(segment, 4, |record| {
            let text = record.text().map(|text| text.as_bytes().to_vec());
            let cut = record.flags() & CUT != 0;
            let note = Note::from_number(record.number()).unwrap();
            seen.push((note, record.arguments().to_vec(), text, cut));
        });
        let executed = |text: &[u8], cut| (Note::Executed, vec![7, 0, 0, 0, 0], Some(text.to_vec()), cut);
        assert_eq!(seen[0], (Note::Signalled, vec![1, 2, 3, 4, 5], None, false));
        assert_eq!(seen[1], executed(b"/bin/true", false));
        assert_eq!(seen[2], executed(&long[..MAX_TEXT], true));
        assert_eq!(seen[3], executed(b"", false));
    }

    #[test]
    fn a_full_ring_waits_for_the_reader_and_loses_nothing() {
        const COUNT: u64 = 20_000;
        let segment = segment();
        let writer = std::thread::spawn(move || {
            let notes = Notes::claim(segment).unwrap();
            (0..COUNT).for_each(|number| notes.write(Note::ThreadEnded, &[number]));
        });
        let mut next = 0;
        read(segment, COUNT as usize, |record| {
            assert_eq!(record.argument(0), next);
            next += 1;
        });
        writer.join().unwrap();
        assert_eq!(segment.control(0).dropped.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn without_a_reader_nobody_waits() {
        let segment = segment();
        let notes = Notes::claim(segment).unwrap();
        segment.header().reader.store(READER_GONE, Ordering::Relaxed);
        notes.write(Note::TracerDone, &[]);
        notes.await_release(1);
        assert_eq!(segment.control(0).dropped.load(Ordering::Relaxed), 1);
    }
}
