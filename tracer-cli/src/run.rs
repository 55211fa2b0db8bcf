//! `calltap run`: starts the program, watches it to its end, reports.

use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::Context;
use calltap_analyzers::image::Config;
use calltap_analyzers::session::Session;
use calltap_channel::Family;
use calltap_channel::clock::Clock;
use calltap_channel::segment::{
    ALL_SIGNALS, CHECK_STACKS, DROP_WHEN_FULL, LATENCY_OFF, LOOK_AT_RUNNING, Layout, NO_FOLLOW, READER_GONE,
    STACKS_AT_ALL, Segment,
};
use calltap_channel::stack;
use crossbeam_channel::{Receiver, bounded, never, select, tick, unbounded};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::calibration::Calibration;
use crate::cli::{OnFull, Run, StacksAt, Switch, SyscallsMode, TapFamily};
use crate::fail_on::Condition;
use crate::library::Library;
use crate::preflight::{self, Program};
use crate::progress::ProgressLine;
use crate::reader::{Options, Outcome, Progress, Reader};
use crate::report::build::wrappers;
use crate::segment_file::{self, SegmentFile};
use crate::signals::{self, Arrived};
use crate::snapshot::answer::Wanted;
use crate::snapshot::request;
use crate::snapshot::service::Service;
use crate::suppressions::Suppressions;
use crate::symbols::Symbols;
use crate::system_calls::Selection;
use crate::{findings, memory_limit, sigpipe};

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
        eprintln!(
            "calltap: {} calls ptrace: if it traces what it starts, the kernel will refuse that, because \
             we trace it already\nhint: with --no-follow its children are left to it",
            program.path.display()
        );
    }
    let suppressions = match &options.suppressions {
        Some(path) => Suppressions::read(path)?,
        None => Suppressions::default(),
    };
    let mut output = findings::Output::open(options)?;

    let clock = Clock::of_this_machine();
    let calibration = Calibration::begin(clock);
    let file = SegmentFile::create(layout(options)?)?;
    let system_calls = system_calls(options)?;
    configure(&file.segment(), options, clock);
    if !system_calls.is_empty() && options.syscalls_mode == SyscallsMode::Seccomp {
        file.segment().header().tag.store(segment_file::new_tag()?, Ordering::Relaxed);
    }
    let library = Library::place()?;

    signals::hold().context("cannot hold signals back")?;
    let tracer = start_tracer(options, &program, &file, &library, &system_calls)?;
    let outcome = watch(options, tracer, file.segment(), clock, calibration);
    file.segment().header().reader.store(READER_GONE, Ordering::Relaxed);
    let outcome = outcome?;

    if let Some(errno) = outcome.exec_errno {
        if outcome.filter_refused {
            return Err(FilterRefused(std::io::Error::from_raw_os_error(errno)).into());
        }
        return Err(NotExecuted { program: program.path, errno }.into());
    }
    let status = outcome.processes.root_ending().and_then(|ending| ending.shell_status());
    if let (Some(path), Some(tally)) = (&options.dump_stacks, &outcome.tally) {
        let pids = outcome.processes.pids();
        let pid_of = |image| pids.get(&image).copied().unwrap_or(0);
        std::fs::write(path, tally.lines(&file.segment().stacks(), pid_of))
            .with_context(|| format!("the stacks could not be written to {}", path.display()))?;
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

/// What tells of signals sent and of children waited for.
const LIFE: &str = "wait4,waitid,kill,tkill,tgkill,rt_sigqueueinfo,rt_tgsigqueueinfo,pidfd_send_signal";

/// The segment's layout: one ring more than threads, for the tracer.
fn layout(options: &Run) -> anyhow::Result<Layout> {
    let layout = Layout::new(options.max_threads + 1, options.ring_size).map_err(|reason| {
        anyhow::anyhow!("rings of {} bytes cannot be made: {reason:?}", options.ring_size)
    })?;
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

/// Starts the tracer: this same binary, in a process of its own.
fn start_tracer(
    options: &Run,
    program: &Program,
    file: &SegmentFile,
    library: &Library,
    system_calls: &Selection,
) -> anyhow::Result<Child> {
    let mut command = Command::new("/proc/self/exe");
    command.arg("__tracer").arg("--segment").arg(file.path());
    command.arg("--library").arg(library.path()).arg("--program").arg(&program.path);
    if options.no_follow {
        command.arg("--no-follow");
    }
    command.arg("--syscalls").arg(system_calls.to_string());
    if options.syscalls_mode == SyscallsMode::AllStops {
        command.arg("--all-stops");
    }
    if options.tap.contains(&TapFamily::Fd) {
        command.arg("--list-descriptors");
    }
    command.arg("--").args(&options.command);
    sigpipe::pass_on(&mut command);
    command.spawn().context(
        "cannot start the tracer process\n\
         hint: a limit on open files or processes (ulimit -n, -u) counts; calltap needs about ten of the first",
    )
}

/// Reads until the tracer is done, handing signals on and showing progress meanwhile.
fn watch(
    options: &Run,
    mut tracer: Child,
    segment: Segment,
    clock: Clock,
    calibration: Calibration,
) -> anyhow::Result<Outcome> {
    let stop = Arc::new(AtomicBool::new(false));
    let (tell_progress, progress) = bounded(1);
    let (tell_signal, arrived) = unbounded();
    let (tell_outcome, outcome) = bounded(1);
    let (tell_seen, seen) = unbounded();
    let (tell_request, requests) = unbounded();
    signals::listen(tell_signal);
    let has = |family: Family| options.tap.iter().any(|tap| tap.family() == family);
    let tallies = options.dump_stacks.is_some();
    let config = Config {
        heap: has(Family::Memory),
        descriptors: has(Family::Fd),
        wrappers: wrappers(),
        capacity: memory_limit::capacity(options.outsized),
        ..Config::default()
    };
    let symbols = Symbols::new(options.debug_dir.clone());
    let reader = {
        let stop = Arc::clone(&stop);
        let throttle = options.throttle_reader;
        let looks_at_running = options.snapshot_stop == Switch::Off;
        thread::spawn(move || {
            let session = Session::new(config);
            let how = Options { throttle, tallies, looks_at_running };
            let reader = Reader::new(segment, clock, calibration.end(), session, symbols, how, tell_seen);
            let outcome = reader.run(&stop, &tell_progress);
            let _ = tell_outcome.send(outcome);
        })
    };
    let tracer_id = Pid::from_raw(tracer.id() as i32);
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
    let mut target = Target { tracer: tracer_id, last: Progress::default() };
    let mut exited: Receiver<_> = exited;
    let mut has_exited = false;
    let mut failure = None;
    loop {
        select! {
            recv(progress) -> told => if let Ok(told) = told {
                line.show(&told);
                target.last = told;
            },
            recv(arrived) -> arrived => if let Ok(arrived) = arrived {
                target.hand_on(arrived, &segment);
            },
            recv(ticks) -> _ => service.tick(),
            recv(requests) -> request => if let Ok(request) = request {
                service.wanted(request);
            },
            recv(seen) -> seen => if let Ok(seen) = seen {
                service.served(seen);
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
                if reader.join().is_err() {
                    anyhow::bail!("the reader failed");
                }
                if let Some(failure) = failure
                    && !outcome.complete
                {
                    tracer_failed(failure.signal(), outcome.exec_errno)?;
                }
                if !has_exited && !outcome.detached {
                    let _ = exited.recv();
                }
                return Ok(outcome);
            },
        }
    }
}

/// The tracer has said on stderr why it gave up, unless it was killed.
fn tracer_failed(signal: Option<i32>, exec_errno: Option<i32>) -> anyhow::Result<()> {
    match (signal, exec_errno) {
        (_, Some(_)) => Ok(()),
        (Some(signal), None) => {
            anyhow::bail!("the tracer process was killed by signal {signal}, and the program with it")
        }
        (None, None) => anyhow::bail!("the tracer process failed"),
    }
}

/// Where signals go.
struct Target {
    tracer: Pid,
    last: Progress,
}

impl Target {
    /// Hands a signal to the program; once that has ended, lets its children go.
    fn hand_on(&self, arrived: Arrived, segment: &Segment) {
        let root = segment.header().root_pid.load(Ordering::Acquire);
        let ends =
            matches!(arrived.signal, Signal::SIGINT | Signal::SIGTERM | Signal::SIGHUP | Signal::SIGQUIT);
        if self.last.root_ended && ends {
            // Only background children are left; they run on without us.
            let _ = kill(self.tracer, Signal::SIGUSR2);
        } else if arrived.sent && root != 0 {
            let _ = kill(Pid::from_raw(root as i32), arrived.signal);
        }
    }
}

/// The kernel refused the filter that stops system calls.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot stop system calls: the kernel refuses the filter: {0}\n\
     hint: a sandbox or an old kernel is in the way; --syscalls none runs without"
)]
struct FilterRefused(std::io::Error);

/// The kernel refused to execute the program, although it looked executable.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot execute {}: {}\n\
     hint: run it without calltap to see whether the system itself refuses it",
    .program.display(), std::io::Error::from_raw_os_error(*.errno)
)]
pub struct NotExecuted {
    program: std::path::PathBuf,
    errno: i32,
}

impl NotExecuted {
    /// 127 if there is nothing to execute, 126 if it cannot be (POSIX sh, "Command Search").
    #[must_use]
    pub fn status(&self) -> u8 {
        if self.errno == nix::libc::ENOENT { 127 } else { 126 }
    }
}
