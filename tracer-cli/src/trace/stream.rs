//! What the rings say of traced calls, as events for a printer.
//!
//! Records come one by one, in the order of time: live from the rings ([`live`]) or from a recording
//! ([`super::replay`]).

mod counts;
mod decode;
mod functions;
mod keeper;
mod live;
mod memory;
mod merge;
mod objects;
mod processes;
mod ring;
#[cfg(test)]
pub(super) mod tests;
mod tracer;

use std::io;
use std::rc::Rc;

use calltap_channel::Note;

use self::decode::{EnteredWords, ReturnedWords};
pub use self::decode::{argument, text};
pub use self::functions::{Functions, Lookup, Met, Names};
pub use self::keeper::{Keeper, Outcome, rounds};
pub use self::live::Live;
use self::memory::Waiting;
pub use self::merge::{Merge, Records};
use self::objects::Objects;
use self::processes::Processes;
pub use self::ring::{Owner, Ring, happened};
pub use self::tracer::Act;
use super::coverage::Coverage;
use super::event::{Entered, Function, Returned, TraceEvent, What};
use super::print::{End, Sink};
use super::stacks::Shared;
use crate::calibration::Scale;

/// From records to events.
pub struct Stream {
    sink: Box<dyn Sink>,
    /// The functions of the session.
    pub functions: Functions,
    /// What could be hooked.
    pub coverage: Coverage,
    /// Ticks to nanoseconds.
    pub scale: Scale,
    /// Whether children are followed.
    follow: bool,
    /// Stacks, if they are shown.
    stacks: Option<Shared>,
    objects: Objects,
    processes: Processes,
    waiting: Waiting,
    text: Vec<u8>,
    /// The stamp of the last event.
    last: u64,
    /// Why nothing is shown any more.
    failure: Option<io::Error>,
    /// Records that made no sense.
    pub malformed: u64,
    /// Records that were begun and left.
    pub abandoned: u64,
    /// Records that were dropped, as far as was told.
    pub lost: u64,
}

impl Stream {
    /// Tells `sink`, and `stacks` of the objects on them; follows children if `follow`.
    #[must_use]
    pub fn new(
        sink: Box<dyn Sink>,
        stacks: Option<Shared>,
        functions: Functions,
        scale: Scale,
        follow: bool,
    ) -> Self {
        Self {
            sink,
            functions,
            coverage: Coverage::default(),
            scale,
            follow,
            stacks,
            objects: Objects::default(),
            processes: Processes::default(),
            waiting: Waiting::default(),
            text: Vec::new(),
            last: 0,
            failure: None,
            malformed: 0,
            abandoned: 0,
            lost: 0,
        }
    }

    /// Takes a record. What it asks of whoever reads the rings is given back.
    pub fn take(&mut self, owner: &Owner, words: &[u64]) -> Option<Act> {
        if words.len() < calltap_channel::record::PREFIX_WORDS {
            self.malformed += 1;
            return None;
        }
        self.last = ring::happened(words);
        let note = Note::from_number((words[0] >> 16) as u16);
        if owner.image == 0 {
            return self.tracer_note(owner, note, words);
        }
        match note {
            Some(Note::Entered) => self.entered(owner, words),
            Some(Note::Returned) => self.returned(owner, words),
            Some(Note::Memory) => self.waiting.add(owner, words),
            Some(Note::ProcessBegan) => self.process_began(owner),
            Some(Note::Bound) => self.bound(owner, words),
            Some(Note::Unbound) => self.objects.unbound(owner.image, decode::argument(words, 0)),
            Some(Note::Abandoned) => self.abandoned += 1,
            Some(Note::Loaded) => {
                if let Some(stacks) = &self.stacks {
                    stacks.borrow_mut().loaded(owner, words, self.scale.since_zero(self.last));
                }
            }
            _ => {}
        }
        None
    }

    fn entered(&mut self, owner: &Owner, words: &[u64]) {
        let Some(call) = EnteredWords::of(words) else {
            self.malformed += 1;
            return;
        };
        if !call.in_vfork_child {
            self.runs_again(owner);
        }
        let Some((pid, tid)) = self.processes.enters(owner, &call, self.follow) else { return };
        let memory = self.waiting.of(owner, call.sp);
        let function = self.functions.get(call.function);
        let entry_only = call.entry_only && !self.vfork_will_return(owner, &function, &call);
        let what = What::Entered(Entered {
            function: &function,
            site: call.site,
            caller: self.objects.of(owner.image, call.site),
            sp: call.sp,
            values: call.values,
            memory: &memory,
            stack: call.stack,
            entry_only,
        });
        let event = TraceEvent { pid, tid, at_ns: self.scale.since_zero(self.last), what };
        tell(&mut self.sink, &mut self.failure, &event);
        self.waiting.done(memory);
    }

    fn returned(&mut self, owner: &Owner, words: &[u64]) {
        let Some(call) = ReturnedWords::of(words) else {
            self.malformed += 1;
            return;
        };
        let Some((pid, tid)) = self.processes.returns(owner, call.sp, self.follow) else { return };
        if tid == owner.tid {
            self.runs_again(owner);
        }
        let memory = self.waiting.of(owner, call.sp);
        let function = self.functions.get(call.function);
        let returned = Returned {
            function: &function,
            sp: call.sp,
            values: call.values,
            vectors: call.vectors,
            x87: call.x87,
            errno: call.errno,
            memory: &memory,
            left: call.left,
        };
        let at_ns = self.scale.since_zero(self.last);
        let event = TraceEvent { pid, tid, at_ns, what: What::Returned(returned) };
        tell(&mut self.sink, &mut self.failure, &event);
        self.waiting.done(memory);
    }

    /// Whether the return of a `vfork`, which is entered by a jump, will be told by the tracer.
    fn vfork_will_return(&mut self, owner: &Owner, function: &Rc<Function>, call: &EnteredWords) -> bool {
        let is_vfork = self.follow && function.name == "vfork";
        if is_vfork {
            self.processes.vforks(owner, function, call.sp);
        }
        is_vfork
    }

    fn process_began(&mut self, owner: &Owner) {
        let program = self.processes.program(owner.pid);
        self.objects.begun(owner.image, owner.parent, program);
        if let Some(former) = self.processes.began(owner.pid, owner.image) {
            self.objects.ended(former);
        }
        let program = self.processes.program(owner.pid);
        if let Some(stacks) = &self.stacks {
            stacks.borrow_mut().begun(owner, program, self.scale.since_zero(self.last));
        }
    }

    fn bound(&mut self, owner: &Owner, words: &[u64]) {
        let [base, hooked, left, kind, refused] = std::array::from_fn(|index| decode::argument(words, index));
        decode::text(words, calltap_channel::note::ARGUMENTS, &mut self.text);
        let path = String::from_utf8_lossy(&self.text);
        self.objects.bound(owner.image, base, &path);
        let is_program = path.is_empty();
        let path = if is_program { self.processes.program(owner.pid) } else { &path };
        self.coverage.bound(path, hooked, left, kind, refused);
        if is_program {
            self.coverage.program(path);
        }
    }

    /// Tells that something happened in a thread.
    fn tell(&mut self, pid: u32, tid: u32, what: What<'_>) {
        let event = TraceEvent { pid, tid, at_ns: self.scale.since_zero(self.last), what };
        tell(&mut self.sink, &mut self.failure, &event);
    }

    /// Records of a thread were dropped.
    pub fn dropped(&mut self, owner: &Owner, records: u64) {
        self.lost += records;
        self.tell(owner.pid, owner.tid, What::Lost(records));
    }

    /// A thread's ring is free again.
    pub fn forget(&mut self, owner: &Owner) {
        self.waiting.forget(owner.ring);
        self.processes.forget(owner.ring);
    }

    /// Nothing more is there at the moment.
    pub fn rest(&mut self) {
        if self.failure.is_none() {
            self.failure = self.sink.tick().err();
        }
    }

    /// All is over.
    ///
    /// # Errors
    /// The first error of writing what was shown.
    pub fn finish(mut self, end: &End) -> io::Result<Coverage> {
        if self.failure.is_none() {
            self.failure = self.sink.finish(end).err();
        }
        self.failure.map_or(Ok(self.coverage), Err)
    }

    /// When the last event was, in nanoseconds since the session's zero.
    #[must_use]
    pub fn last_ns(&self) -> u64 {
        self.scale.since_zero(self.last)
    }
}

/// Tells a sink, unless it has failed.
#[inline]
fn tell(sink: &mut Box<dyn Sink>, failure: &mut Option<io::Error>, event: &TraceEvent<'_>) {
    if failure.is_none()
        && let Err(error) = sink.event(event)
    {
        *failure = Some(error);
    }
}
