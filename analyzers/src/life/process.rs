//! One process, while it lives and after.

use std::collections::HashMap;

use super::report::{Lived, Pause, Program, SignalGot, SignalSent};

/// So many programs, kinds of signals and stops are kept of a process.
const ENTRIES: usize = 64;
/// So many objects.
const OBJECTS: usize = 512;

/// A signal that a process got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Its number.
    pub signal: i32,
    /// Why (`si_code` of sigaction(2)).
    pub code: i32,
    /// Who, if a process sent it.
    pub sender: Option<Sender>,
}

/// A process that sent a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sender {
    /// Its id.
    pub pid: u32,
    /// Its real user id.
    pub uid: u32,
}

/// Whom a signal was sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A process; 0, -1 and numbers below stand for several (kill(2)).
    Process(i32),
    /// A thread.
    Thread(i32),
    /// The process behind a descriptor.
    Descriptor(i32),
}

/// An object that a process has mapped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Object {
    /// Its file.
    pub path: String,
    /// Its lowest address.
    pub address: u64,
    /// How many bytes of it are mapped.
    pub bytes: u64,
    /// When something was first seen of it, in nanoseconds since the session began, if it was.
    pub first_seen_ns: Option<u64>,
}

/// A process, and what is not told in the end.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) lived: Lived,
    threads_now: u64,
    /// When objects of the present program were first seen.
    seen: HashMap<String, u64>,
}

impl Process {
    pub(super) fn new(pid: u32, born_ns: u64) -> Self {
        Self {
            lived: Lived { pid, born_ns, threads: 1, threads_peak: 1, ..Lived::default() },
            threads_now: 1,
            seen: HashMap::new(),
        }
    }

    pub(super) fn thread_created(&mut self) {
        self.threads_now += 1;
        self.lived.threads += 1;
        self.lived.threads_peak = self.lived.threads_peak.max(self.threads_now);
    }

    pub(super) fn thread_ended(&mut self) {
        self.threads_now = self.threads_now.saturating_sub(1);
    }

    pub(super) fn executed(&mut self, program: Program) {
        self.threads_now = 1;
        self.seen.clear();
        self.lived.objects.clear();
        keep(&mut self.lived.programs, program, &mut self.lived.left_out);
    }

    pub(super) fn delivered(&mut self, delivery: &Delivery, at_ns: u64) {
        let Delivery { signal, code, sender } = *delivery;
        let same =
            |known: &&mut SignalGot| (known.signal, known.code, known.sender) == (signal, code, sender);
        if let Some(known) = self.lived.got.iter_mut().find(same) {
            known.count += 1;
            known.last_ns = at_ns;
            return;
        }
        let new = SignalGot { signal, code, sender, count: 1, first_ns: at_ns, last_ns: at_ns };
        keep(&mut self.lived.got, new, &mut self.lived.left_out);
    }

    pub(super) fn sent(&mut self, signal: i32, target: Target, errno: u16, at_ns: u64) {
        let same =
            |known: &&mut SignalSent| (known.signal, known.target, known.errno) == (signal, target, errno);
        if let Some(known) = self.lived.sent.iter_mut().find(same) {
            known.count += 1;
            known.last_ns = at_ns;
            return;
        }
        let new = SignalSent { signal, target, errno, count: 1, first_ns: at_ns, last_ns: at_ns };
        keep(&mut self.lived.sent, new, &mut self.lived.left_out);
    }

    pub(super) fn paused(&mut self, signal: i32, at_ns: u64) {
        // Every thread may tell of the same stop.
        if self.lived.pauses.last().is_none_or(|pause| pause.until_ns.is_some()) {
            let pause = Pause { signal, from_ns: at_ns, until_ns: None };
            keep(&mut self.lived.pauses, pause, &mut self.lived.left_out);
        }
    }

    pub(super) fn continued(&mut self, at_ns: u64) {
        if let Some(pause) = self.lived.pauses.last_mut() {
            pause.until_ns.get_or_insert(at_ns);
        }
    }

    pub(super) fn object_seen(&mut self, path: &str, at_ns: u64) {
        if self.seen.len() < OBJECTS && !self.seen.contains_key(path) {
            self.seen.insert(path.to_owned(), at_ns);
        }
    }

    pub(super) fn mapped(&mut self, mut objects: Vec<Object>) {
        if objects.is_empty() {
            return;
        }
        self.lived.left_out += objects.len().saturating_sub(OBJECTS) as u64;
        objects.truncate(OBJECTS);
        for object in &mut objects {
            object.first_seen_ns = self.seen.get(&object.path).copied();
        }
        self.lived.objects = objects;
    }
}

/// Adds an entry, or counts it if there are too many.
fn keep<T>(entries: &mut Vec<T>, entry: T, left_out: &mut u64) {
    if entries.len() < ENTRIES {
        entries.push(entry);
    } else {
        *left_out += 1;
    }
}
