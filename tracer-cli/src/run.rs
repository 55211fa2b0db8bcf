//! `calltap run`: starts the program, watches it to its end, reports.

use std::io::Write;
use std::process::{ExitCode, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::Context;
use calltap_analyzers::image::Config;
use calltap_analyzers::session::Session;
use calltap_channel::Family;
use calltap_channel::clock::Clock;
use calltap_channel::segment::{
    ALL_SIGNALS, CHECK_STACKS, DROP_WHEN_FULL, LATENCY_OFF, LOOK_AT_RUNNING, Layout, NO_FOLLOW,
    STACKS_AT_ALL, Segment,
};
use calltap_channel::stack;
use crossbeam_channel::{Receiver, bounded, never, select, tick, unbounded};

use crate::calibration::Calibration;
use crate::cli::{LatencyBy, OnFull, Run, StacksAt, Switch, SyscallsMode, TapFamily};
use crate::fail_on::Condition;
use crate::library::Library;
use crate::preflight;
use crate::progress::ProgressLine;
use crate::reader::{Options, Outcome, Progress, Reader};
use crate::report::build::{allocator_calls, wrappers};
use crate::segment_file::{self, SegmentFile};
use crate::session::{self, Start, Target};
use crate::signals;
use crate::snapshot::answer::Wanted;
use crate::snapshot::request;
use crate::snapshot::service::Service;
use crate::suppressions::Suppressions;
use crate::symbols::Symbols;
use crate::system_calls::Selection;
use crate::tracer::process::Process;
use crate::{bind, findings, memory_limit};

/// Does what the options say; the exit status is the program's.
///
/// # Errors
/// What keeps the program from being started or the report from being written.
pub fn run(options: &Run) -> anyhow::Result<ExitCode> {
    let conditions: Vec<Condition> = findings::conditions(&options.fail_on)?;
    let program = preflight::examine(&options.command[0], std::env::var_os("PATH").as_deref())?;
    for warning in &program.warnings {
        eprintln!("calltap: {warning}");
    }
    if program.traces && !options.no_follow {
        program.warn_of_tracing("with --no-follow its children are left to it");
    }
    let suppressions = match &options.suppressions {
        Some(path) => Suppressions::read(path)?,
        None => Suppressions::default(),
    };
    let mut output = findings::Output::open(options)?;

    let clock = Clock::of_this_machine();
    let calibration = Calibration::begin(clock);
    let plan = bind::plan(options)?;
    let file = SegmentFile::create(layout(options, plan.len() as u64)?)?;
    file.segment().write_plan(&plan);
    let system_calls = system_calls(options)?;
    configure(&file.segment(), options, clock);
    if !system_calls.is_empty() && options.syscalls_mode == SyscallsMode::Seccomp {
        file.segment().header().tag.store(segment_file::new_tag()?, Ordering::Relaxed);
    }

    signals::hold().context("cannot hold signals back")?;
    let start = Start {
        program: &program,
        command: &options.command,
        file: &file,
        follow: !options.no_follow,
        system_calls: &system_calls,
        all_stops: options.syscalls_mode == SyscallsMode::AllStops,
        lists_descriptors: options.tap.contains(&TapFamily::Fd),
        user: None,
        environment: &options.env,
    };
    let tracer = start.tracer()?;
    let library = Library::place(options.bind)?;
    let tracer = tracer.begin(library.path());
    let watched = watch(options, tracer, file.segment(), clock, calibration);
    file.segment().no_reader();
    // The tracer's end is waited for at ours: the report is put together meanwhile.
    let (outcome, _tracer) = watched?;

    if let Some(errno) = outcome.exec_errno {
        return Err(session::not_executed(&program.path, errno, outcome.filter_refused, WITHOUT_FILTER));
    }
    let status = outcome.processes.root_ending().and_then(|ending| ending.shell_status());
    if let (Some(path), Some(tally)) = (&options.dump_stacks, &outcome.tally) {
        let pids = outcome.processes.pids();
        let pid_of = |image| pids.get(&image).copied().unwrap_or(0);
        crate::output_file::create(path)
            .and_then(|mut to| to.write_all(tally.lines(&file.segment().stacks(), pid_of).as_bytes()))
            .with_context(|| {
                let place = path.display();
                format!("the stacks could not be written to {place}\n{}", findings::ELSEWHERE)
            })?;
    }
    let checked = options.check_stacks.then(|| {
        let segment = file.segment();
        let header = segment.header();
        (header.stacks_checked.load(Ordering::Relaxed), header.stacks_differing.load(Ordering::Relaxed))
    });
    let line = ProgressLine::new(options.quiet);
    let mut progress = |done, all| line.show_symbols(done, all);
    let table = file.segment().stacks();
    let findings = findings::Findings::new(outcome, options, suppressions, table, checked, &mut progress);
    line.clear();
    output.write(&findings)?;
    if findings.any_holds(&conditions)? {
        return Ok(ExitCode::from(options.error_exitcode));
    }
    let status = status.context("the tracer ended before the program did; the report is incomplete")?;
    Ok(ExitCode::from(status))
}

/// The system calls that are to be stopped.
fn system_calls(options: &Run) -> anyhow::Result<Selection> {
    let filtered = options.syscalls_mode == SyscallsMode::Seccomp;
    let mut chosen = match &options.syscalls {
        Some(chosen) => chosen.clone(),
        // Children that are not followed must not have a filter that needs a tracer.
        None if options.no_follow => return Ok(Selection::default()),
        None => Selection::of("memory,fd")?,
    };
    if options.life {
        chosen.add(Selection::of(LIFE)?);
    }
    anyhow::ensure!(
        chosen.is_empty() || !options.no_follow || !filtered,
        "--syscalls cannot be used with --no-follow: the filter that stops system calls is inherited by \
         all children, and needs their tracer\n\
         hint: add --syscalls-mode all-stops, which has no filter, or leave --no-follow out"
    );
    Ok(chosen)
}

/// What can be done if the kernel refuses the filter.
pub const WITHOUT_FILTER: &str = "--syscalls none runs without, --syscalls-mode all-stops needs none";

/// What tells of signals sent and of children waited for.
const LIFE: &str = "wait4,waitid,kill,tkill,tgkill,rt_sigqueueinfo,rt_tgsigqueueinfo,pidfd_send_signal";

/// The segment's layout, with a plan of so many words.
fn layout(options: &Run, plan_words: u64) -> anyhow::Result<Layout> {
    let layout = session::layout(options.max_threads, options.ring_size)?;
    let layout = layout
        .with_plan(plan_words)
        .map_err(|reason| anyhow::anyhow!("{plan_words} words of rules cannot be kept: {reason:?}"))?;
    let depth = options.depth();
    if depth == 0 {
        return Ok(layout);
    }
    // Half of the slots in use, a stack is found in one or two looks.
    let slots = (options.max_stacks * 2).next_power_of_two();
    layout
        .with_stacks(slots, stack::walk_bytes(depth))
        .map_err(|reason| anyhow::anyhow!("{} stacks cannot be kept: {reason:?}", options.max_stacks))
}

fn configure(segment: &Segment, options: &Run, clock: Clock) {
    let header = segment.header();
    let taps = options.tap.iter().fold(0, |taps, tap| taps | tap.family().bit());
    header.taps.store(u64::from(taps), Ordering::Relaxed);
    header.clock.store(clock as u64, Ordering::Relaxed);
    let mut flags = 0;
    if options.on_full == OnFull::Drop {
        flags |= DROP_WHEN_FULL;
    }
    if options.latency == Switch::Off {
        flags |= LATENCY_OFF;
    }
    if options.no_follow {
        flags |= NO_FOLLOW;
    }
    if options.stacks_at == StacksAt::All {
        flags |= STACKS_AT_ALL;
    }
    if options.check_stacks {
        flags |= CHECK_STACKS;
    }
    if options.life {
        flags |= ALL_SIGNALS;
    }
    if options.snapshot_stop == Switch::Off {
        flags |= LOOK_AT_RUNNING;
    }
    header.stack_depth.store(options.depth(), Ordering::Relaxed);
    header.flags.store(flags, Ordering::Relaxed);
}

/// The end of a tracer that has nothing more to do: waited for when this value goes.
struct Ending(Receiver<std::io::Result<ExitStatus>>);

impl Drop for Ending {
    fn drop(&mut self) {
        let _ = self.0.recv();
    }
}

/// Reads until the tracer is done, handing signals on and showing progress meanwhile.
fn watch(
    options: &Run,
    tracer: Process,
    segment: Segment,
    clock: Clock,
    calibration: Calibration,
) -> anyhow::Result<(Outcome, Option<Ending>)> {
    let stop = Arc::new(AtomicBool::new(false));
    let (tell_progress, mut progress) = bounded(1);
    let (tell_signal, mut arrived) = unbounded();
    let (tell_outcome, outcome) = bounded(1);
    let (tell_seen, mut seen) = unbounded();
    let (tell_request, mut requests) = unbounded();
    signals::listen(tell_signal);
    let has = |family: Family| options.tap.iter().any(|tap| tap.family() == family);
    let tallies = options.dump_stacks.is_some();
    let config = Config {
        heap: has(Family::Memory),
        descriptors: has(Family::Fd),
        wrappers: wrappers(),
        capacity: memory_limit::capacity(options.outsized),
        by_size: if options.latency_by == LatencyBy::Size { allocator_calls() } else { &[] },
        ..Config::default()
    };
    let symbols = Symbols::new(options.debug_dir.clone());
    {
        let stop = Arc::clone(&stop);
        let throttle = options.throttle_reader;
        let looks_at_running = options.snapshot_stop == Switch::Off;
        let memory_every = options.memory_every;
        thread::spawn(move || {
            let session = Session::new(config);
            let how = Options { throttle, tallies, looks_at_running, memory_every };
            let reader = Reader::new(segment, clock, calibration.end(), session, symbols, how, tell_seen);
            let outcome = reader.run(&stop, &tell_progress);
            let _ = tell_outcome.send(outcome);
        });
    }
    let tracer_id = tracer.pid();
    let (tell_exit, exited) = bounded(1);
    // No scoped thread: where it stays with the rest of the program, the tracer outlives us.
    thread::spawn(move || {
        let status = tracer.wait();
        let _ = tell_exit.send(status);
    });
    // Without descriptors for it nobody can ask; the program comes first.
    let _ = request::listen(segment, tell_request);
    let wanted = Wanted {
        command: options.command.iter().map(|word| word.to_string_lossy().into_owned()).collect(),
        view: findings::view(options),
        depth: options.depth(),
    };
    let mut service = Service::new(segment, tracer_id, options.snapshot_stop == Switch::On, wanted);
    let ticks = options.snapshot_every.map_or_else(never, tick);
    let line = ProgressLine::new(options.quiet);
    let target = Target::of(tracer_id);
    let mut last = Progress::default();
    let mut exited: Receiver<_> = exited;
    let mut has_exited = false;
    let mut failure = None;
    loop {
        select! {
            // Who has nothing more to say is not asked again: that would be answered at once, again and again, while
            // the reader puts its outcome together.
            recv(progress) -> told => match told {
                Ok(told) => {
                    line.show(&told);
                    last = told;
                    service.go_on();
                }
                Err(_) => progress = never(),
            },
            recv(arrived) -> signal => match signal {
                Ok(signal) => target.hand_on(signal, &segment, last.root_ended),
                Err(_) => arrived = never(),
            },
            recv(ticks) -> _ => service.tick(),
            recv(requests) -> request => match request {
                Ok(request) => service.wanted(request),
                Err(_) => requests = never(),
            },
            recv(seen) -> told => match told {
                Ok((done, seen)) => service.served(done, seen),
                Err(_) => seen = never(),
            },
            recv(exited) -> status => {
                // Whatever it wrote before is read first.
                stop.store(true, Ordering::Relaxed);
                failure = status.ok().and_then(Result::ok).filter(|status| !status.success());
                has_exited = true;
                service.tracer_ended();
                exited = never();
            },
            recv(outcome) -> outcome => {
                line.clear();
                let outcome = outcome.context("the reader failed")?;
                if let Some(failure) = failure
                    && !outcome.complete
                {
                    session::tracer_failed(failure, outcome.exec_errno)?;
                }
                let still_ends = !has_exited && !outcome.detached;
                return Ok((outcome, still_ends.then(|| Ending(exited))));
            },
        }
    }
}
