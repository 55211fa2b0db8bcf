//! The system calls that are stopped: from a call's entry to its end, and into the ring.

use std::collections::HashMap;
use std::path::Path;

use calltap_analyzers::kernel::CallId;
use calltap_channel::note::SystemCallWord;
use calltap_channel::record::MAX_TEXT;
use calltap_channel::segment::Segment;

use super::arguments;
use super::captures::{Captures, Moment};
use super::filter::{self, FILTER_DATA};
use super::notes::{CallNote, Notes};
use super::placement::Placement;
use super::ptrace::{CallStop, Stopped};
use super::tracees::Id;
use super::unwind::Unwinder;
use crate::system_calls::{self, Selection};

/// What happens with a thread after a stop at a system call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// It goes on.
    Run,
    /// It goes on to the end of its call.
    ToEnd,
}

/// A call that has begun.
#[derive(Debug)]
struct Open {
    id: CallId,
    word: SystemCallWord,
    start: u64,
    stopped: u64,
    arguments: [u64; 6],
    site: u64,
    stack: u32,
    text: Vec<u8>,
}

impl Open {
    fn moment(&self, tid: Id, stamp: u64) -> Moment {
        Moment { tid, id: self.id, arguments: self.arguments, stamp }
    }

    fn note(&self, group: Id, tid: Id, result: i64, end: u64) -> CallNote<'_> {
        CallNote {
            group,
            tid,
            word: self.word,
            start: self.start,
            duration: end - self.start,
            stopped: self.stopped,
            result,
            arguments: self.arguments,
            site: self.site,
            stack: self.stack,
            text: &self.text,
            at_start: false,
        }
    }
}

/// All threads' calls.
#[derive(Debug)]
pub(crate) struct Calls {
    selection: Selection,
    /// Every call stops at its entry and its end; there is no filter.
    all_stops: bool,
    open: HashMap<Id, Open>,
    /// Buffers of calls that have ended.
    spare: Vec<Vec<u8>>,
    unwinder: Unwinder,
    /// None if threads stay where they are.
    placement: Option<Placement>,
    /// If calls are traced: stacks are not taken then, and what arguments lead to is copied instead.
    captures: Option<Captures>,
}

impl Calls {
    /// Of a session in which `selection` is asked for.
    pub(crate) fn new(
        selection: Selection,
        all_stops: bool,
        placement: Option<Placement>,
        segment: Segment,
        library: &Path,
    ) -> Self {
        Self {
            selection,
            all_stops,
            open: HashMap::new(),
            spare: Vec::new(),
            unwinder: Unwinder::new(segment, library),
            placement,
            captures: Captures::new(segment),
        }
    }

    /// Whether threads stop at every call.
    pub(crate) fn all_stops(&self) -> bool {
        self.all_stops
    }

    /// Whether a thread is within a call whose end is waited for.
    pub(crate) fn is_open(&self, tid: Id) -> bool {
        self.open.contains_key(&tid)
    }

    /// What decides where tracer and tracees run, if anything does.
    pub(crate) fn placement(&mut self) -> Option<&mut Placement> {
        self.placement.as_mut()
    }

    /// The unwinder, for its objects.
    pub(crate) fn unwinder(&mut self) -> &mut Unwinder {
        &mut self.unwinder
    }

    /// A thread has stopped at a call, because of the filter or on its way.
    pub(crate) fn stopped(&mut self, stopped: &Stopped, group: Id, notes: &Notes) -> nix::Result<Next> {
        let now = notes.now();
        if let Some(placement) = &mut self.placement {
            placement.stopped(stopped.tid().as_raw());
        }
        match stopped.call()? {
            Some(CallStop::Entry { architecture, number, arguments, filter }) => {
                if filter.is_some_and(|data| data != u32::from(FILTER_DATA)) {
                    // Somebody else's filter asks its own tracer, of which there is none.
                    return filter::refuse(stopped).map(|()| Next::Run);
                }
                self.begun(
                    stopped,
                    group,
                    system_calls::identify(architecture, number),
                    arguments,
                    now,
                    notes,
                )
            }
            Some(CallStop::Exit { result }) => {
                self.ended(stopped, group, result, now, notes);
                Ok(Next::Run)
            }
            None => Ok(Next::Run),
        }
    }

    fn begun(
        &mut self,
        stopped: &Stopped,
        group: Id,
        id: CallId,
        arguments: [u64; 6],
        start: u64,
        notes: &Notes,
    ) -> nix::Result<Next> {
        let tid = stopped.tid().as_raw();
        filter::keep_traced(stopped, id, arguments[0])?;
        if let Some(placement) = self.placement.as_mut().filter(|_| filter::is_about_affinity(id)) {
            placement.affinity_asked(tid);
            if filter::sets_affinity(id) {
                // 0 is the caller itself.
                let target = i32::try_from(arguments[0]).ok().filter(|target| *target != 0);
                placement.affinity_set(target.unwrap_or(tid));
            }
        }
        if !self.all_stops && filter::asks_for_strict_mode(id, &arguments) {
            filter::tell_of_strict_mode(group);
        }
        if !self.selection.wants(id, &arguments) {
            return Ok(if self.all_stops { Next::ToEnd } else { Next::Run });
        }
        let registers = stopped.registers()?;
        let mut word = SystemCallWord(u64::from(id.number) | u64::from(id.interface) << 32);
        if self.captures.is_some() {
            let own = self.unwinder.is_own(group, tid, &registers);
            for object in self.unwinder.newly_met() {
                notes.write_met(&object);
            }
            if own {
                return Ok(Next::Run);
            }
            let text = self.spare.pop().unwrap_or_default();
            let site = registers.rip;
            let open = Open { id, word, start, stopped: 0, arguments, site, stack: 0, text };
            return Ok(self.begin_traced(group, tid, open, notes));
        }
        let taken = self.unwinder.take(group, tid, &registers);
        for object in self.unwinder.newly_met() {
            notes.write_met(&object);
        }
        if taken.own {
            return Ok(Next::Run);
        }
        match taken.in_hook {
            Some(true) => word.0 |= SystemCallWord::IN_HOOK,
            Some(false) => {}
            None => word.0 |= SystemCallWord::STACK_UNKNOWN,
        }
        let mut text = self.spare.pop().unwrap_or_else(|| Vec::with_capacity(MAX_TEXT));
        arguments::read_at_entry(tid, id, &arguments, &mut text);
        let open =
            Open { id, word, start, stopped: 0, arguments, site: registers.rip, stack: taken.stack, text };
        Ok(self.go_to_end(group, tid, open, notes))
    }

    /// Notes that a call begins, and what its arguments lead to.
    fn begin_traced(&mut self, group: Id, tid: Id, open: Open, notes: &Notes) -> Next {
        if let Some(captures) = &mut self.captures {
            captures.at_entry(&open.moment(tid, open.start), notes);
        }
        notes.write_began(&open.note(group, tid, 0, open.start));
        self.go_to_end(group, tid, open, notes)
    }

    /// Has a call that has begun go on to its end, if there will be one.
    fn go_to_end(&mut self, group: Id, tid: Id, mut open: Open, notes: &Notes) -> Next {
        if system_calls::does_not_return(open.id) {
            open.word.0 |= SystemCallWord::ENTRY_ONLY;
            let start = open.start;
            self.write(group, tid, open, 0, start, notes);
            return Next::Run;
        }
        open.stopped = notes.now() - open.start;
        self.open.insert(tid, open);
        Next::ToEnd
    }

    fn ended(&mut self, stopped: &Stopped, group: Id, result: i64, end: u64, notes: &Notes) {
        let tid = stopped.tid().as_raw();
        let Some(mut open) = self.open.remove(&tid) else { return };
        match &mut self.captures {
            Some(captures) => captures.at_end(&open.moment(tid, end), result, notes),
            None => arguments::read_at_end(tid, open.id, &open.arguments, result, &mut open.text),
        }
        if let Some(addresses) = arguments::changed_code(open.id, &open.arguments, result) {
            self.unwinder.mapped(group, addresses);
        }
        open.stopped += notes.now() - end;
        self.write(group, tid, open, result, end, notes);
    }

    fn write(&mut self, group: Id, tid: Id, open: Open, result: i64, end: u64, notes: &Notes) {
        // Where calls are traced a call's beginning has been noted already.
        let at_start = self.captures.is_none() && system_calls::releases(open.id);
        notes.write_call(&CallNote { at_start, ..open.note(group, tid, result, end) });
        let mut text = open.text;
        text.clear();
        self.spare.push(text);
    }

    /// `group` has begun a new program; the thread that did so was called `former`.
    pub(crate) fn executed(&mut self, group: Id, former: Id) {
        if former != group
            && let Some(open) = self.open.remove(&former)
        {
            self.open.insert(group, open);
        }
        self.unwinder.executed(group);
        if let Some(placement) = &mut self.placement {
            placement.executed(former, group);
        }
    }

    /// A thread is gone. A call that it never came back from is written as far as it was seen.
    pub(crate) fn thread_ended(&mut self, group: Id, tid: Id, notes: &Notes) {
        if let Some(mut open) = self.open.remove(&tid) {
            open.word.0 |= SystemCallWord::ENTRY_ONLY;
            let start = open.start;
            self.write(group, tid, open, 0, start, notes);
        }
        if let Some(placement) = &mut self.placement {
            placement.release(tid);
        }
    }
}
