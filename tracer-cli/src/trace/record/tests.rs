//! A recording plays what was in the rings.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::UNIX_EPOCH;

use calltap_channel::note::Note;
use calltap_channel::record::{VOID, header};
use calltap_channel::segment::{Layout, MIN_RING_BYTES};
use calltap_channel::stack::{End as StackEnd, Frame};

use super::*;
use crate::segment_file::SegmentFile;
use crate::trace::event::{TraceEvent, What};
use crate::trace::print::Sink;
use crate::trace::replay::Replay;
use crate::trace::stacks::{Stacks, Table};
use crate::trace::stream::tests::Nothing;
use crate::trace::stream::{Functions, Names, Stream};

struct Log(Rc<RefCell<Vec<String>>>);

impl Sink for Log {
    fn event(&mut self, event: &TraceEvent<'_>) -> io::Result<()> {
        if let What::Entered(call) = &event.what {
            let told = format!("{} {} {:#x}", event.tid, call.function.name, call.values.gprs[0]);
            self.0.borrow_mut().push(told);
        }
        Ok(())
    }

    fn tick(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn finish(&mut self, _end: &End) -> io::Result<()> {
        Ok(())
    }
}

/// A segment with a tracer's ring and two threads' rings.
fn segment() -> Segment {
    let layout =
        Layout::new(3, MIN_RING_BYTES).unwrap().with_stacks(64, 64).unwrap().with_trace(8, false).unwrap();
    let segment = SegmentFile::create(layout).unwrap().segment();
    for (index, (tid, image)) in [(1, 0), (20, 1), (21, 1)].into_iter().enumerate() {
        let base = segment.words(index).address();
        let pid = if image == 0 { 1 } else { 20 };
        assert!(segment.control(index).claim(pid, tid, image, 0, base, layout.capacity));
    }
    segment.header().high_water.store(3, Ordering::Relaxed);
    segment
}

fn push<const N: usize>(segment: &Segment, ring: usize, note: Note, stack: u32, rest: [u64; N]) {
    let control = segment.control(ring);
    let at = loop {
        match control.reserve(1 + N as u64) {
            Ok(at) => break at,
            // The recorder makes room.
            Err(_) if control.refresh(1 + N as u64) => {}
            Err(_) => std::thread::yield_now(),
        }
    };
    control.push(&segment.words(ring), at, header(1 + N, VOID, note as u16, stack), rest);
}

const CALLS: u64 = 5000;

/// What two threads called, several rings full.
fn recorded(path: &Path) -> Vec<String> {
    let segment = segment();
    let puts = u64::from(segment.directory().unwrap().number(b"puts", b"/lib/libc.so.6", Some(0)).unwrap());
    let stack = segment.stacks().intern(7, StackEnd::Outermost, [Frame(0x40), Frame(0x50)].into_iter());
    let file = File::create(path).unwrap();
    let scale = Scale::of_parts([0, 1 << 32]);
    begin(&file, scale, UNIX_EPOCH, true, &[0; 8], Path::new("/bin/a")).unwrap();
    let writer = std::thread::spawn(move || {
        for call in 0..CALLS {
            let ring = 1 + (call % 2) as usize;
            push(
                &segment,
                ring,
                Note::Entered,
                stack,
                [Clock::Monotonic.now(), puts | 1 << 32, 0x40, 0x7f00, call],
            );
        }
        push(&segment, 0, Note::TracerDone, 0, [Clock::Monotonic.now(), 0, 0, 0, 0, 0, 0, 0]);
    });
    let (stop, ended) = (AtomicBool::new(false), AtomicBool::new(false));
    let (outcome, end, written) = Recorder::new(&file, segment).run(Clock::Monotonic, scale, &stop, &ended);
    writer.join().unwrap();
    written.unwrap();
    assert!(outcome.complete && end.lost == 0);
    (0..CALLS).map(|call| format!("{} puts {call:#x}", 20 + call % 2)).collect()
}

/// What a recording shows, how many stacks it has, and whether it is whole.
fn played(path: &Path) -> (Vec<String>, usize, anyhow::Result<()>) {
    let log = Rc::default();
    let functions = Functions::new(Names::Recorded(HashMap::new()), Box::new(Nothing));
    let sink = Box::new(Log(Rc::clone(&log)));
    let replay = match Replay::open(path) {
        Ok(replay) => replay,
        Err(error) => return (Vec::new(), 0, Err(error)),
    };
    assert_eq!((replay.program.as_str(), replay.plan.len()), ("/bin/a", 8));
    let stacks = Rc::new(RefCell::new(Stacks::new(Table::Recorded(HashMap::new()), 8)));
    let scale = Scale::of_parts(replay.head.scale);
    let mut stream = Stream::new(sink, None, functions, scale, true);
    let (_, whole) = replay.play(&mut stream, Some(&stacks));
    drop(stream);
    let known = match &stacks.borrow().table {
        Table::Recorded(stacks) => stacks.len(),
        Table::Live(_) => 0,
    };
    (log.take(), known, whole)
}

#[test]
fn a_recording_plays_what_was_in_the_rings_by_time() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("recording");
    let expected = recorded(&path);
    let (shown, stacks, whole) = played(&path);
    whole.unwrap();
    assert!(shown == expected, "{} of {} calls, or another order", shown.len(), expected.len());
    assert_eq!(stacks, 1);
}

#[test]
fn a_torn_recording_plays_as_far_as_it_goes() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("recording");
    let expected = recorded(&path);
    let whole = std::fs::read(&path).unwrap();
    for keep in [0, 9, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&path, &whole[..keep]).unwrap();
        let (shown, _, result) = played(&path);
        let message = result.unwrap_err().to_string();
        assert!(message.contains("\nhint: "), "{message}");
        // A round of reading that is cut in the middle has calls of one thread, and none of the other's.
        for thread in ["20 ", "21 "] {
            let of_it = |calls: &[String]| -> Vec<String> {
                calls.iter().filter(|call| call.starts_with(thread)).cloned().collect()
            };
            assert!(of_it(&expected).starts_with(&of_it(&shown)), "{keep} of {}", whole.len());
        }
        assert_eq!(shown.is_empty(), keep < 100, "{keep}");
    }
    std::fs::write(&path, [b'x'; 200]).unwrap();
    assert!(played(&path).2.unwrap_err().to_string().contains("is no recording"));
}
