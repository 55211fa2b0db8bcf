//! The records of a whole session, from the rings to the report.

use std::sync::atomic::{AtomicBool, Ordering};

use calltap_analyzers::image::Config;
use calltap_analyzers::session::Session;
use calltap_channel::Note;
use calltap_channel::clock::Clock;
use calltap_channel::record::PREFIX_WORDS;
use calltap_channel::segment::{Layout, MIN_RING_BYTES, Segment};
use clap::Parser;
use crossbeam_channel::unbounded;

use super::{segment, words};
use crate::calibration::Scale;
use crate::cli::{Cli, Format, Run, Verb};
use crate::findings::{Findings, Output};
use crate::reader::{Options, Reader};
use crate::report::build::{allocator_calls, wrappers};
use crate::suppressions::Suppressions;
use crate::symbols::Symbols;

/// The tracer's, and those of two threads of one image and of one of its child's.
const RINGS: usize = 4;
/// Above all numbers that the kernel gives: nobody real is looked at.
const PID: u64 = 1 << 30;

/// Records, each behind a word whose low bits say in which ring it is.
pub fn records(data: &[u8]) {
    let layout = Layout::new(RINGS as u64, MIN_RING_BYTES).expect("within bounds");
    let layout = layout.with_stacks(64, 64).expect("within bounds");
    let mut pages = segment::memory(layout);
    fill(segment::words_of(&mut pages), layout, words::of(data));
    // SAFETY: the vector has the layout's size, and outlives reader and report.
    let segment = unsafe { Segment::create(pages.as_mut_ptr().cast(), layout) };
    for ring in 0..RINGS as u32 {
        let (tid, image) = (PID as u32 + ring, ring.min(2));
        let parent = u32::from(ring == 3);
        segment.control(ring as usize).claim(PID as u32, tid, image + parent, parent, 0, layout.capacity);
    }
    segment.header().high_water.store(RINGS as u32, Ordering::Release);
    for format in [Format::Text, Format::Json] {
        report(segment, &options(format));
    }
}

/// What a session with these records tells.
fn report(segment: Segment, options: &Run) {
    let config = Config {
        heap: true,
        descriptors: true,
        wrappers: wrappers(),
        by_size: allocator_calls(),
        ..Config::default()
    };
    let how = Options { throttle: None, tallies: false, looks_at_running: false, memory_every: None };
    let (tell_seen, _seen) = unbounded();
    let (tell_progress, _progress) = unbounded();
    let scale = Scale::of_parts([0, 1 << 32]);
    let (session, symbols) = (Session::new(config), Symbols::new(Vec::new()));
    let reader = Reader::new(segment, Clock::of_this_machine(), scale, session, symbols, how, tell_seen);
    let outcome = reader.run(&AtomicBool::new(true), &tell_progress);
    let mut output = Output::open(options).expect("/dev/null is there");
    let findings =
        Findings::new(outcome, options, Suppressions::default(), segment.stacks(), None, &mut |_, _| ());
    output.write(&findings).expect("/dev/null takes everything");
}

fn options(format: Format) -> Run {
    let format = if format == Format::Json { "json" } else { "text" };
    let words = ["calltap", "run", "--life", "-o", "/dev/null", "--format", format, "--", "true"];
    match Cli::try_parse_from(words).expect("these are options").verb {
        Verb::Run(options) => *options.0,
        _ => unreachable!("as it was called"),
    }
}

/// Puts the records into their rings, as far as there is room.
fn fill(memory: &mut [u64], layout: Layout, mut words: Vec<u64>) {
    let mut rest = words.as_mut_slice();
    let ring_words = ((layout.size() - layout.rings()) / 8) as usize / RINGS;
    let mut used = [0; RINGS];
    while let [ring, tail @ ..] = rest {
        let ring = *ring as usize % RINGS;
        let length = tail.first().map_or(0, |header| (*header & 0xff) as usize).clamp(1, 128).min(tail.len());
        let (record, tail) = tail.split_at_mut(length);
        rest = tail;
        with_nobodys_ids(record);
        if used[ring] + length < layout.capacity as usize / 2 {
            let at = layout.rings() as usize / 8 + ring * ring_words + used[ring];
            memory[at..at + length].copy_from_slice(record);
            used[ring] += length;
        }
    }
}

/// A note's numbers of processes and threads become such as no process has.
fn with_nobodys_ids(record: &mut [u64]) {
    let note = record.first().and_then(|header| Note::from_number((header >> 16) as u16));
    let ids: &[usize] = match note {
        None | Some(Note::SnapshotsDone | Note::Defined | Note::PassedOver) => &[],
        Some(Note::ProcessBegan | Note::ThreadEnded | Note::SystemCall | Note::CallBegan) => &[0, 1],
        Some(Note::Created) => &[0, 1, 3, 4],
        Some(Note::ExitStop | Note::Signalled) => &[0, 1, 3],
        Some(Note::SnapshotStop) => &[0, 2],
        Some(_) => &[0],
    };
    for id in ids {
        if let Some(word) = record.get_mut(PREFIX_WORDS + id) {
            *word = *word & !0xffff_ffff | PID | *word & 0xff;
        }
    }
}
