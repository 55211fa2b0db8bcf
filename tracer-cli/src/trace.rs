//! `calltap trace`: every call of a library function, as it happens.

mod coverage;
pub mod event;
pub mod filter;
mod handed;
mod nameless;
pub mod needed;
pub mod options;
pub mod plan;
mod prepare;
mod print;
pub(crate) mod record;
mod replay;
mod show;
mod stacks;
mod stream;
mod unmet;
mod watch;

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use calltap_channel::clock::Clock;
use calltap_channel::segment::{
    ALL_SIGNALS, DROP_WHEN_FULL, Layout, NO_FOLLOW, STACKS_AT_ALL, Segment, counted,
};
use calltap_channel::stack;

use self::coverage::Coverage;
use self::filter::Filter;
use self::handed::Handed;
use self::options::Trace;
use self::prepare::Prepared;
use self::record::Recorder;
use self::replay::{Recorded, Replay};
use self::stacks::{Asked, Stacks, Table};
use self::stream::{Functions, Live, Names, Outcome, Stream};
use self::watch::Watch;
use crate::calibration::{Calibration, Scale};
use crate::cli::OnFull;
use crate::library::{Binding, Library};
use crate::output_file;
use crate::preflight;
use crate::reader::processes::Ending;
use crate::segment_file::{self, SegmentFile};
use crate::session::{self, Start};
use crate::signals;

/// What can be done if the kernel refuses the filter, which only children need: one process is stopped at all its system
/// calls.
pub const WITHOUT_FILTER: &str = "without -f, or with -S instead of single names, none is needed";

/// Room for so many distinct stacks.
const STACKS: u64 = 1 << 18;

/// Does what the options say; the exit status is the program's.
///
/// # Errors
/// What keeps the program from being started or the trace from being written.
pub fn run(options: &Trace) -> anyhow::Result<ExitCode> {
    if options.version {
        println!(
            "calltap trace {}\nltrace's options and formats, as of ltrace 0.7.3",
            env!("CARGO_PKG_VERSION")
        );
        return Ok(ExitCode::SUCCESS);
    }
    if options.debug.as_deref().is_some_and(|mask| mask.starts_with('h')) {
        println!("-D is accepted because ltrace has it; calltap has no debugging output of its own");
        return Ok(ExitCode::SUCCESS);
    }
    anyhow::ensure!(
        options.pid.is_empty(),
        "cannot attach to a process (-p) yet\nhint: start the program under calltap: `calltap trace -- COMMAND`"
    );
    anyhow::ensure!(
        options.user.is_none() || nix::unistd::geteuid().is_root(),
        "cannot run the program as another user (-u): only root may\nhint: leave -u out to run it as yourself"
    );
    let filter = Filter::new(&options.calls, &options.library, &options.entries, options.no_library_calls)?;
    match &options.replay {
        Some(path) => play(options, &filter, path),
        None => start(options, &filter),
    }
}

/// Shows a recording.
fn play(options: &Trace, filter: &Filter, path: &Path) -> anyhow::Result<ExitCode> {
    let replay = Replay::open(path)?;
    let prototypes = Rc::new(prepare::prototypes(options)?);
    let program = replay.program.clone();
    let lookup = Recorded::new(replay.plan.clone(), Rc::clone(&prototypes), program.clone());
    let functions = Functions::new(Names::Recorded(HashMap::new()), Box::new(lookup));
    let zero = UNIX_EPOCH + Duration::from_nanos(replay.head.zero_ns);
    let stacks = (options.depth() > 0)
        .then(|| Rc::new(Stacks::new(Table::Recorded(HashMap::new()), options.depth()).into()));
    let frames = stacks.as_ref().map(|stacks| Asked(Rc::clone(stacks)));
    let to = show::output(options)?;
    let followed = replay.head.flags & record::format::FOLLOWED != 0;
    let sink = show::sink(options, filter, Path::new(&program), zero, followed, frames, to);
    let scale = Scale::of_parts(replay.head.scale);
    let mut stream = Stream::new(sink, stacks.clone(), functions, scale, followed);
    let (end, whole) = replay.play(&mut stream, stacks.as_ref());
    show::complaints(options, &prototypes.complaints(), &mut io::stderr())?;
    tell_losses(end.lost, stream.malformed + stream.abandoned, end.unfollowed);
    if let Some(coverage) = written(stream.finish(&end), options)? {
        tell_coverage(options, &coverage);
    }
    whole.map(|()| ExitCode::SUCCESS)
}

fn start(options: &Trace, filter: &Filter) -> anyhow::Result<ExitCode> {
    let program = preflight::examine(&options.command[0], std::env::var_os("PATH").as_deref())?;
    for warning in &program.warnings {
        eprintln!("calltap: {warning}");
    }
    if program.traces && options.follow {
        program.warn_of_tracing("without -f its children are left to it");
    }
    let examined = program.interpreter.as_deref().unwrap_or(&program.path);
    let prepared = prepare::prepare(options, filter, examined)?;
    let Prepared { words, system_calls, lookup, nameless, complaints } = prepared;
    let recording = options.record.as_deref().map(recording).transpose()?;
    let mut to = show::output(options)?;
    show::complaints(options, &complaints, &mut to)?;

    let clock = Clock::of_this_machine();
    let calibration = Calibration::begin(clock);
    let zero = SystemTime::now();
    let layout = layout(options, words.len() as u64)?;
    let handed = options.user.as_deref().map(Handed::to).transpose()?;
    let file = match &handed {
        Some(handed) => SegmentFile::create_for(layout, handed.directory(), &handed.user)?,
        None => SegmentFile::create(layout)?,
    };
    let segment = file.segment();
    segment.write_plan(&words);
    configure(&segment, options, clock);
    // A filter is inherited by children that nobody would trace, and spares nothing if all calls stop.
    let all_stops = !options.follow || filter.system_calls.is_none();
    if !system_calls.is_empty() && !all_stops {
        segment.header().tag.store(segment_file::new_tag()?, Ordering::Relaxed);
    }

    signals::hold().context("cannot hold signals back")?;
    let start = Start {
        program: &program,
        command: &options.command,
        file: &file,
        follow: options.follow,
        system_calls: &system_calls,
        all_stops,
        lists_descriptors: false,
        user: options.user.as_deref(),
        environment: &[],
    };
    let tracer = start.tracer()?;
    let placed = Library::place(Binding::Slots)?;
    let library = handed.as_ref().map(|handed| handed.library(placed.path())).transpose()?;
    let library = library.as_deref().unwrap_or(placed.path());
    let tracer = tracer.begin(library);
    let watch = watch::begin(tracer, segment);

    let scale = calibration.end();
    if let Some(file) = recording {
        let begun = record::begin(&file, scale, zero, options.follow, &words, &program.path);
        let (outcome, end, written) =
            Recorder::new(&file, segment).run(clock, scale, &watch.stop, &watch.root_ended);
        ended(&segment, &watch, &outcome, &program.path)?;
        tell_losses(end.lost, 0, end.unfollowed);
        begun.and(written).with_context(|| unwritten("recording", options.record.as_deref()))?;
        return status(outcome);
    }
    let names = Names::Live(segment.directory().context("the segment has no directory")?);
    let functions = Functions::new(names, Box::new(lookup));
    let stacks = (options.depth() > 0)
        .then(|| Rc::new(Stacks::new(Table::Live(segment.stacks()), options.depth()).into()));
    let frames = stacks.as_ref().map(|stacks| Asked(Rc::clone(stacks)));
    let sink = show::sink(options, filter, &program.path, zero, options.follow, frames, to);
    let mut stream = Stream::new(sink, stacks, functions, scale, options.follow);
    let (outcome, end) = Live::new(segment, clock).run(&mut stream, &watch.stop, &watch.root_ended);
    ended(&segment, &watch, &outcome, &program.path)?;
    tell_losses(end.lost, stream.malformed + stream.abandoned, end.unfollowed);
    if let Some(coverage) = written(stream.finish(&end), options)? {
        tell_coverage(options, &coverage);
        let unmet = unmet::unmet(filter, &coverage, library, &nameless);
        unmet.iter().filter(|_| !options.quiet).for_each(|line| eprintln!("calltap: {line}"));
    }
    status(outcome)
}

/// The file that is recorded to.
fn recording(path: &Path) -> anyhow::Result<File> {
    output_file::create(path).with_context(|| {
        format!(
            "cannot write the recording to {}\nhint: the directory must exist and be writable, with room in it",
            path.display()
        )
    })
}

/// Nobody reads any more. Waits for the tracer.
///
/// # Errors
/// If it failed, or the program could not be executed.
fn ended(segment: &Segment, watch: &Watch, outcome: &Outcome, program: &Path) -> anyhow::Result<()> {
    let header = segment.header();
    segment.no_reader();
    let failure = watch.end(outcome);
    if let Some(errno) = outcome.exec_errno {
        return Err(session::not_executed(program, errno, outcome.filter_refused, WITHOUT_FILTER));
    }
    let gave_up = counted(&header.gave_up).unwrap_or(0);
    if outcome.damage.is_any() {
        eprintln!(
            "calltap: {}: the trace is neither complete nor right\n\
             hint: a wild pointer can do that; valgrind or -fsanitize=address finds it",
            outcome.damage
        );
    }
    if gave_up > 0 {
        eprintln!("calltap: {gave_up} processes went on untraced because calltap did not read");
    }
    let unseen = counted(&header.unseen_at_first).unwrap_or(0);
    if unseen > 0 {
        eprintln!(
            "calltap: {unseen} forked processes made threads before their first traced call: what these did until then is \
             not shown"
        );
    }
    failure
}

/// The first process's exit status.
fn status(outcome: Outcome) -> anyhow::Result<ExitCode> {
    let status = outcome.status.and_then(|status| Ending::from_wait_status(status).shell_status());
    Ok(ExitCode::from(status.context("the tracer ended before the program did; the trace is incomplete")?))
}

/// What was written, unless whoever was to read it has gone away: that is no failure.
fn written<T>(result: io::Result<T>, options: &Trace) -> anyhow::Result<Option<T>> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(None),
        result => result.map(Some).with_context(|| unwritten("trace", options.output.as_deref())),
    }
}

/// What is said where the program has come to its end, and not all that it did could be written.
fn unwritten(what: &str, path: Option<&Path>) -> String {
    let place = path.unwrap_or(Path::new("stderr")).display();
    format!(
        "cannot write the {what} to {place}\n\
         hint: make room there, or name another file; the program itself has run to its end"
    )
}

fn layout(options: &Trace, plan_words: u64) -> anyhow::Result<Layout> {
    let mut layout = session::layout(options.max_threads, options.ring_size)?;
    if options.depth() > 0 {
        layout = layout
            .with_stacks(2 * STACKS, stack::walk_bytes(options.depth()))
            .map_err(|reason| anyhow::anyhow!("{STACKS} stacks cannot be kept: {reason:?}"))?;
    }
    layout
        .with_trace(plan_words, options.counts_only())
        .map_err(|reason| anyhow::anyhow!("a plan of {plan_words} words cannot be made: {reason:?}"))
}

fn configure(segment: &Segment, options: &Trace, clock: Clock) {
    let header = segment.header();
    header.clock.store(clock as u64, Ordering::Relaxed);
    header.traces.store(1, Ordering::Relaxed);
    let mut flags = 0;
    for (flag, set) in [
        (DROP_WHEN_FULL, options.on_full == OnFull::Drop),
        (NO_FOLLOW, !options.follow),
        (ALL_SIGNALS, !options.no_signals),
        (STACKS_AT_ALL, options.depth() > 0),
    ] {
        flags |= if set { flag } else { 0 };
    }
    header.stack_depth.store(options.depth(), Ordering::Relaxed);
    header.flags.store(flags, Ordering::Relaxed);
}

/// Tells on stderr what was lost: records that found no room, that were never finished, returns not followed.
fn tell_losses(lost: u64, broken: u64, unfollowed: u64) {
    if lost + broken > 0 {
        eprintln!(
            "calltap: {lost} records were lost because there was no room for them, {broken} were never finished\n\
             hint: a larger --ring-size or --on-full wait loses none; --max-threads says how many rings there are"
        );
    }
    if unfollowed > 0 {
        eprintln!(
            "calltap: {unfollowed} calls were not followed to their return: too many were open in their threads"
        );
    }
}

/// Tells on stderr what could not be hooked.
fn tell_coverage(options: &Trace, coverage: &Coverage) {
    if options.coverage {
        eprint!("{coverage}");
    } else if let Some(shortfall) = coverage.shortfall().filter(|_| !options.quiet) {
        eprintln!("calltap: {shortfall}");
    }
}

/// An object file, as fuzzing feeds it.
#[cfg(any(test, fuzzing))]
pub(crate) fn fuzz(path: &Path) {
    let named = std::collections::HashSet::from(["function"]);
    let _ = nameless::Nameless::read(path, &named).map(|nameless| nameless.names().count());
    let _ = (needed::dynamic(path), needed::soname(path), needed::functions(path));
}
