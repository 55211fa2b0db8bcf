//! Synthetic records, as the interposer and the tracer write them, and the events that come of them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::rc::Rc;

use calltap_channel::Note;
use calltap_channel::note::{CLONED, FORKED, Untapped, VFORKED};
use calltap_channel::record::{TEXT, VOID, header};
use calltap_channel::trace::{ENTRY_ONLY, IN_VFORK_CHILD, LEFT};

use super::*;
use crate::prototype::types::Prototype;

/// Writes events down in a few words.
struct Log(Rc<RefCell<Vec<String>>>);

impl Sink for Log {
    fn event(&mut self, event: &TraceEvent<'_>) -> io::Result<()> {
        let what = match &event.what {
            What::Entered(call) => format!(
                "{}({:#x}) by {}{}{}",
                call.function.name,
                call.values.gprs[0],
                call.caller.0,
                if call.entry_only { " only" } else { "" },
                match call.memory.at(call.values.gprs[0], 9) {
                    [] => String::new(),
                    bytes => format!(" {}", String::from_utf8_lossy(bytes)),
                },
            ),
            What::Returned(call) => {
                let left = if call.left { " left" } else { "" };
                format!("{} = {} errno {}{left}", call.function.name, call.values.rax, call.errno)
            }
            What::CallBegan(call) => format!("{}@SYS", call.name),
            What::CallEnded(call) => format!("{}@SYS = {} <{}>", call.name, call.result, call.duration_ns),
            What::Signal { signal, sender, code } => format!("signal {signal} {sender} {code}"),
            What::Executed { program, untapped } => format!("exec {program} {untapped:?}"),
            What::Created { child, thread } => format!("made {child} {thread}"),
            What::ThreadEnded => "thread ended".to_owned(),
            What::Exited(status) => format!("exited {status}"),
            What::Killed(signal) => format!("killed {signal}"),
            What::Lost(records) => format!("lost {records}"),
        };
        self.0.borrow_mut().push(format!("{}/{} {} {what}", event.pid, event.tid, event.at_ns));
        Ok(())
    }

    fn tick(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn finish(&mut self, _end: &End) -> io::Result<()> {
        Ok(())
    }
}

/// No prototypes.
pub(in crate::trace) struct Nothing;

impl Lookup for Nothing {
    fn function(&mut self, _met: &Met) -> Option<Rc<Prototype>> {
        None
    }

    fn system_call(&mut self, _name: &str) -> Option<Rc<Prototype>> {
        None
    }
}

/// A stream, and what it has told.
struct Bench {
    stream: Stream,
    log: Rc<RefCell<Vec<String>>>,
}

const TRACER: Owner = Owner { ring: 0, pid: 1, tid: 1, image: 0, parent: 0 };
const MAIN: Owner = Owner { ring: 1, pid: 10, tid: 10, image: 1, parent: 0 };

impl Bench {
    fn new(follow: bool) -> Self {
        let met =
            |name: &str| Met { name: name.to_owned(), provider: "/lib/libc.so.6".to_owned(), row: None };
        let names = HashMap::from([(5, met("puts")), (6, met("vfork")), (7, met("_exit"))]);
        let log = Rc::default();
        let functions = Functions::new(Names::Recorded(names), Box::new(Nothing));
        let sink = Box::new(Log(Rc::clone(&log)));
        let scale = Scale::of_parts([0, 1 << 32]);
        Self { stream: Stream::new(sink, None, functions, scale, follow), log }
    }

    fn note(&mut self, owner: Owner, note: Note, at: u64, rest: &[u64], text: Option<&[u8]>) -> Option<Act> {
        let mut words = vec![0, at];
        words.extend_from_slice(rest);
        let mut flags = VOID;
        if let Some(text) = text {
            flags |= TEXT;
            crate::trace::record::format::put_text(text, &mut words);
        }
        words[0] = header(words.len(), flags, note as u16, 0);
        self.stream.take(&owner, &words)
    }

    fn enters(&mut self, owner: Owner, at: u64, function: u64, flags: u64, sp: u64, argument: u64) {
        self.note(owner, Note::Entered, at, &[function | 1 << 32 | flags, 0x5010, sp, argument], None);
    }

    fn returns(&mut self, owner: Owner, at: u64, function: u64, sp: u64, rax: u64) {
        self.note(owner, Note::Returned, at, &[function | 2 << 32, rax, sp], None);
    }

    fn told(&self) -> Vec<String> {
        self.log.borrow_mut().drain(..).collect()
    }
}

#[test]
fn a_call_has_its_caller_and_the_memory_that_was_copied_for_it() {
    let mut bench = Bench::new(true);
    bench.note(MAIN, Note::ProcessBegan, 1, &[0, 0, 10, 1, 0, 0, 0], None);
    bench.note(MAIN, Note::Bound, 2, &[0, 0, 0x5000, 3, 0, 0, 0], Some(b"/nowhere/liba.so"));
    bench.note(MAIN, Note::Memory, 3, &[0, 0x7f00, 0x900], Some(b"hel"));
    // Another call, of a handler, comes between.
    bench.enters(MAIN, 4, 5, 0, 0x7000, 0x1);
    bench.note(MAIN, Note::Memory, 3, &[0, 0x7f00, 0x903], Some(b"lo"));
    bench.enters(MAIN, 5, 5, 0, 0x7f00, 0x900);
    bench.returns(MAIN, 6, 5, 0x7f00, 6);
    assert_eq!(
        bench.told(),
        [
            "10/10 4 puts(0x1) by /nowhere/liba.so",
            "10/10 5 puts(0x900) by /nowhere/liba.so hello",
            "10/10 6 puts = 6 errno 2",
        ]
    );
    assert!(bench.stream.coverage.to_string().contains("/nowhere/liba.so"));
}

#[test]
fn a_call_that_is_left_has_no_result_and_a_jump_no_return() {
    let mut bench = Bench::new(true);
    bench.enters(MAIN, 1, 7, ENTRY_ONLY, 0x7f00, 3);
    bench.note(MAIN, Note::Returned, 2, &[5 | LEFT, 0, 0x7f00], None);
    assert_eq!(bench.told(), ["10/10 1 _exit(0x3) by ? only", "10/10 2 puts = 0 errno 0 left"]);
}

#[test]
fn calls_of_a_vfork_child_are_its_own_and_vfork_returns_twice() {
    let mut bench = Bench::new(true);
    bench.enters(MAIN, 1, 6, ENTRY_ONLY, 0x7f00, 0);
    bench.note(TRACER, Note::Created, 2, &[0, 0, 10, 11, VFORKED, 11, 10], None);
    bench.enters(MAIN, 3, 5, IN_VFORK_CHILD, 0x7e00, 0);
    bench.returns(MAIN, 4, 5, 0x7e00, 1);
    bench.enters(MAIN, 5, 7, IN_VFORK_CHILD | ENTRY_ONLY, 0x7e00, 0);
    bench.note(TRACER, Note::Ended, 6, &[0, 0, 11, 0, 0, 0, 0], None);
    bench.enters(MAIN, 7, 5, 0, 0x7e00, 0);
    assert_eq!(
        bench.told(),
        [
            "10/10 1 vfork(0x0) by ?",
            "10/10 2 made 11 false",
            "11/11 2 vfork = 0 errno 0",
            "11/11 3 puts(0x0) by ?",
            "11/11 4 puts = 1 errno 2",
            "11/11 5 _exit(0x0) by ? only",
            "10/10 6 vfork = 11 errno 0",
            "11/11 6 exited 0",
            "10/10 7 puts(0x0) by ?",
        ]
    );
}

#[test]
fn a_call_after_vfork_comes_after_its_return_also_if_the_tracer_is_late() {
    let mut bench = Bench::new(true);
    bench.enters(MAIN, 1, 6, ENTRY_ONLY, 0x7f00, 0);
    bench.note(TRACER, Note::Created, 2, &[0, 0, 10, 11, VFORKED, 11, 10], None);
    bench.enters(MAIN, 3, 5, 0, 0x7e00, 0);
    bench.note(TRACER, Note::Executed, 4, &[0, 0, 11, Untapped::Tapped as u64, 0, 0, 0], Some(b"/bin/b"));
    assert_eq!(
        bench.told(),
        [
            "10/10 1 vfork(0x0) by ?",
            "10/10 2 made 11 false",
            "11/11 2 vfork = 0 errno 0",
            "10/10 3 vfork = 11 errno 0",
            "10/10 3 puts(0x0) by ?",
            "11/11 4 exec /bin/b None",
        ]
    );
}

#[test]
fn calls_of_a_vfork_child_that_is_not_followed_are_not_shown() {
    let mut bench = Bench::new(false);
    bench.enters(MAIN, 1, 6, ENTRY_ONLY, 0x7f00, 0);
    bench.enters(MAIN, 3, 5, IN_VFORK_CHILD, 0x7e00, 0);
    bench.returns(MAIN, 4, 5, 0x7e00, 1);
    bench.enters(MAIN, 7, 5, 0, 0x7e00, 0);
    assert_eq!(bench.told(), ["10/10 1 vfork(0x0) by ? only", "10/10 7 puts(0x0) by ?"]);
}

#[test]
fn what_the_tracer_tells_is_shown_and_answered() {
    let mut bench = Bench::new(true);
    let tapped = Untapped::Tapped as u64;
    let first = bench.note(TRACER, Note::Executed, 1, &[0, 0, 10, tapped, 0, 0, 0], Some(b"/bin/a"));
    assert_eq!(first, Some(Act::Executed(10, 1)));
    bench.note(TRACER, Note::Created, 2, &[0, 0, 10, 12, CLONED, 10, 10], None);
    bench.note(TRACER, Note::Created, 3, &[0, 0, 10, 13, FORKED, 13, 12], None);
    bench.note(TRACER, Note::Executed, 4, &[0, 0, 13, Untapped::Static as u64, 0, 0, 0], Some(b"/bin/b"));
    bench.note(TRACER, Note::Signalled, 5, &[0, 0, 10, 12, 10, 7 | 99 << 32, 0], None);
    assert_eq!(
        bench.note(TRACER, Note::ThreadEnded, 6, &[0, 0, 10, 12, 0, 0, 0], None),
        Some(Act::ThreadEnded(10, 12))
    );
    assert_eq!(bench.note(TRACER, Note::ExitStop, 7, &[0, 0, 10, 4, 0, 10, 0], None), Some(Act::Release(4)));
    assert_eq!(bench.note(TRACER, Note::Ended, 8, &[0, 0, 10, 9, 0, 0, 0], None), Some(Act::Ended(10, 9)));
    assert_eq!(bench.note(TRACER, Note::TracerDone, 9, &[0, 0, 0, 0, 0, 0, 0], None), Some(Act::Done));
    assert_eq!(
        bench.told(),
        [
            "10/10 2 made 12 true",
            "10/12 3 made 13 false",
            "13/13 4 exec /bin/b Some(\"it is statically linked\")",
            "10/12 5 signal 10 7 0",
            "10/12 6 thread ended",
            "10/10 8 killed 9",
        ]
    );
}

#[test]
fn a_system_call_is_told_when_it_begins_and_when_it_ends() {
    let mut bench = Bench::new(true);
    let getpid = libc::SYS_getpid as u64;
    let words = |result| [0x40, 10, 10, getpid, result, 0, 0, 0, 0, 0, 0, 0];
    bench.note(TRACER, Note::CallBegan, 100, &[&[0][..], &words(0)].concat(), None);
    bench.note(TRACER, Note::SystemCall, 100, &[&[50][..], &words(10)].concat(), None);
    assert_eq!(bench.told(), ["10/10 100 getpid@SYS", "10/10 150 getpid@SYS = 10 <50>"]);
}

#[test]
fn notes_of_the_tracer_count_from_it_alone() {
    let mut bench = Bench::new(true);
    assert_eq!(bench.note(MAIN, Note::TracerDone, 1, &[0, 0, 0, 0, 0, 0, 0], None), None);
    assert_eq!(bench.stream.take(&MAIN, &[header(3, VOID, Note::Entered as u16, 0), 1, 2]), None);
    assert_eq!(bench.stream.malformed, 1);
    assert_eq!(bench.told(), [""; 0]);
}

#[test]
fn after_a_failure_nothing_more_is_written_and_the_failure_is_told() {
    struct Full(u32);
    impl Sink for Full {
        fn event(&mut self, _event: &TraceEvent<'_>) -> io::Result<()> {
            self.0 += 1;
            assert!(self.0 == 1, "asked again");
            Err(io::ErrorKind::StorageFull.into())
        }
        fn tick(&mut self) -> io::Result<()> {
            panic!("asked again")
        }
        fn finish(&mut self, _end: &End) -> io::Result<()> {
            panic!("asked again")
        }
    }
    let mut bench = Bench::new(true);
    bench.stream.sink = Box::new(Full(0));
    bench.returns(MAIN, 1, 5, 0x7f00, 1);
    bench.returns(MAIN, 2, 5, 0x7f00, 1);
    bench.stream.rest();
    assert_eq!(bench.stream.finish(&End::default()).unwrap_err().kind(), io::ErrorKind::StorageFull);
}
