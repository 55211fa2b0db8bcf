//! From what the reader brings to the report, and the report to its reader.

mod unseen;

use std::fs::File;
use std::io::{self, Write};
use std::time::{Duration, SystemTime};

use anyhow::Context;
use calltap_analyzers::event::FunctionId;
use calltap_analyzers::image::ImageReport;
use calltap_channel::note::Untapped;
use calltap_channel::stack::StackTable;
use calltap_channel::{Family, Function};
use hdrhistogram::Histogram;

use crate::cli::{Format, Map, Run};
use crate::fail_on::Condition;
use crate::histogram_log::{self, Interval};
use crate::library::Binding;
use crate::output_file;
use crate::reader::processes::{Ending, Process};
use crate::reader::{Lost, Outcome};
use crate::report::build::{Ended, Facts, ProcessFacts, Wishes};
use crate::report::map::{Form, write_map};
use crate::report::model::{self, Report, StackCounts};
use crate::report::{Recorded, View, for_conditions, text, write_json};
use crate::sigpipe;
use crate::stack_files::Folded;
use crate::suppressions::Suppressions;

/// Reads the conditions of `--fail-on`.
///
/// # Errors
/// If one of them is no condition, or names nothing in the report.
pub fn conditions(expressions: &[String]) -> anyhow::Result<Vec<Condition>> {
    expressions
        .iter()
        .map(|expression| {
            expression.parse().with_context(|| format!("--fail-on {expression} cannot be used"))
        })
        .collect()
}

/// What helps where something cannot be written.
pub const ELSEWHERE: &str = "hint: make room there, or name another file with -o";

/// Where report and histograms go; opened before the program starts, so that nothing is lost to a
/// misspelt directory.
#[derive(Debug)]
pub struct Output {
    format: Format,
    report: Option<(String, File)>,
    histograms: Option<(String, File)>,
    folded: Option<(String, File)>,
    flamegraph: Option<(String, File)>,
    map: Option<(String, File, Form)>,
    view: View,
    began: SystemTime,
}

impl Output {
    /// Opens what the options name.
    ///
    /// # Errors
    /// If a file cannot be created.
    pub fn open(options: &Run) -> anyhow::Result<Self> {
        let create = |path: &std::path::PathBuf| {
            let shown = path.display().to_string();
            let file = output_file::create(path).with_context(|| {
                format!(
                    "cannot write to {shown}\nhint: the directory must exist and be writable, with room in it"
                )
            })?;
            anyhow::Ok((shown, file))
        };
        let draw = |map: &Map| create(&map.path).map(|(shown, file)| (shown, file, map.form));
        anyhow::ensure!(
            options.output.is_some() || !sigpipe::was_closed(2),
            "stderr is closed, so there is nowhere to write the report\nhint: name a file with -o"
        );
        Ok(Self {
            format: options.format,
            report: options.output.as_ref().map(create).transpose()?,
            histograms: options.histogram_log.as_ref().map(create).transpose()?,
            folded: options.folded.as_ref().map(create).transpose()?,
            flamegraph: options.flamegraph.as_ref().map(create).transpose()?,
            map: options.map.as_ref().map(draw).transpose()?,
            view: view(options),
            began: SystemTime::now(),
        })
    }

    /// Writes everything.
    ///
    /// # Errors
    /// If something cannot be written: a full disk, a closed stderr.
    pub fn write(&mut self, findings: &Findings) -> anyhow::Result<()> {
        let report = &findings.report;
        let write = |out: &mut dyn Write| match self.format {
            Format::Text => {
                out.write_all(text::render(report, &self.view).as_bytes()).and_then(|()| out.flush())
            }
            Format::Json => write_json(out, report),
        };
        match &mut self.report {
            Some((path, file)) => write(file)
                .with_context(|| format!("the report could not be written to {path}\n{ELSEWHERE}"))?,
            None => write(&mut io::stderr())
                .with_context(|| format!("the report could not be written to stderr\n{ELSEWHERE}"))?,
        }
        if let (Some((path, file)), Some(folded)) = (&self.folded, &findings.folded) {
            folded
                .write(file)
                .with_context(|| format!("the stacks could not be written to {path}\n{ELSEWHERE}"))?;
        }
        if let (Some((path, file)), Some(folded)) = (&self.flamegraph, &findings.folded) {
            folded
                .write_flamegraph(&report.target.command.join(" "), file)
                .with_context(|| format!("the flame graph could not be written to {path}\n{ELSEWHERE}"))?;
        }
        if let Some((path, file, form)) = &self.map {
            write_map(report, &self.view, *form, file)
                .with_context(|| format!("the map could not be written to {path}\n{ELSEWHERE}"))?;
        }
        if let Some((path, file)) = &mut self.histograms {
            let length = Duration::from_nanos(findings.report.duration_ns);
            let interval = Interval { start: self.began, length };
            let named = findings.histograms.iter().map(|(id, histogram)| (name_of(*id), histogram));
            histogram_log::write(file, interval, named)
                .with_context(|| format!("the histograms could not be written to {path}\n{ELSEWHERE}"))?;
        }
        Ok(())
    }
}

fn name_of(function: FunctionId) -> &'static str {
    Function::from_number(function.0).map_or("unknown", Function::name)
}

/// What a session found.
#[derive(Debug)]
pub struct Findings {
    report: Report,
    folded: Option<Folded>,
    histograms: Vec<(FunctionId, Histogram<u64>)>,
}

impl Findings {
    /// Puts the findings together.
    #[must_use]
    pub fn new(
        outcome: Outcome,
        options: &Run,
        suppressions: Suppressions,
        table: StackTable,
        checked: Option<(u64, u64)>,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Self {
        let ended = outcome.processes.root_ending().map_or(Ended::Running, ended);
        let lost = outcome.lost;
        let lost_by_thread = lost
            .by_thread()
            .iter()
            .map(|lost| model::Lost {
                pid: lost.pid,
                tid: lost.tid,
                name: lost.name.clone(),
                records: lost.records(),
                dropped: lost.dropped,
                torn: lost.torn,
                malformed: lost.malformed,
            })
            .collect();
        let detached = outcome.detached;
        let all = outcome.processes.into_all();
        let failed: Vec<String> = all.iter().flat_map(|process| &process.looks_failed).cloned().collect();
        let unseen = unseen::calls(&all);
        let mut images = outcome.images;
        let processes: Vec<ProcessFacts> = all
            .into_iter()
            .map(|process| {
                let found = images.iter().position(|(image, _)| Some(*image) == process.ledger);
                let report = found.map(|at| images.swap_remove(at).1);
                facts(process, report, detached)
            })
            .collect();
        let mut blind_spots = blind_spots(options, &processes, &lost);
        blind_spots.extend(looks_failed(&failed));
        blind_spots.extend(unseen);
        let mut symbols = outcome.symbols;
        let facts = Facts {
            command: options.command.iter().map(|word| word.to_string_lossy().into_owned()).collect(),
            ended,
            duration_ns: outcome.duration_ns,
            events: outcome.events,
            lost_records: lost.total(),
            lost_by_thread,
            damage: lost.damage,
            blind_spots,
            stacks: counts(options, table, checked),
            system_calls: outcome.system_calls,
            memory_over_time: outcome.memory_over_time,
            life: outcome.life,
            processes,
        };
        let folded = options.folded.is_some() || options.flamegraph.is_some();
        let wishes =
            Wishes { view: view(options), suppressions, folded: folded.then_some(options.stack_value) };
        let mut recorded = Recorded::new(table, &mut symbols, progress);
        let (report, folded) = Report::build(facts, &mut recorded, &wishes);
        Self { report, folded, histograms: outcome.histograms }
    }

    /// Whether one of the conditions holds.
    ///
    /// # Errors
    /// If the report cannot be put into JSON, which would be a bug.
    pub fn any_holds(&self, conditions: &[Condition]) -> anyhow::Result<bool> {
        if conditions.is_empty() {
            return Ok(false);
        }
        let report = for_conditions(&self.report)?;
        let holding: Vec<_> = conditions.iter().filter(|condition| condition.holds(&report)).collect();
        for condition in &holding {
            // The status says it too, if stderr is closed.
            let _ = writeln!(io::stderr(), "calltap: --fail-on {} holds", condition.text());
        }
        Ok(!holding.is_empty())
    }
}

fn facts(process: Process, findings: Option<ImageReport>, detached: bool) -> ProcessFacts {
    let untapped_reason = untapped(&process);
    ProcessFacts {
        image: process.ledger,
        pid: process.pid,
        parent_pid: (process.parent != 0).then_some(process.parent),
        command: process.shown_command(),
        ended: match ended(process.ending) {
            Ended::Running if detached => Ended::Detached,
            ended => ended,
        },
        untapped_reason,
        executed: process.executed,
        started_ns: process.began_ns,
        ended_ns: process.ended_ns,
        threads: process.threads,
        snapshot: process.snapshot,
        looks: process.looks,
        findings,
        unfinished: process.unfinished,
    }
}

/// What is shown of stacks.
pub fn view(options: &Run) -> View {
    View {
        group_by: options.group_by,
        top: options.top as usize,
        raw: options.raw_stacks,
        by_path: options.by_path,
        life: options.life,
        whole: options.format == Format::Json,
    }
}

/// The report counts those of what it tells.
fn counts(options: &Run, table: StackTable, checked: Option<(u64, u64)>) -> StackCounts {
    StackCounts {
        depth: options.depth(),
        group_by: options.group_by.unwrap_or_default(),
        distinct: table.len(),
        table_full: table.refused(),
        checked: checked.map(|(checked, _)| checked),
        differing: checked.map(|(_, differing)| differing),
        ..StackCounts::default()
    }
}

fn ended(ending: Ending) -> Ended {
    match ending {
        Ending::Running => Ended::Running,
        Ending::Exited(status) => Ended::Exit(status),
        Ending::Killed(signal) => Ended::Signal(signal),
        Ending::Replaced => Ended::Exec,
    }
}

fn untapped(process: &Process) -> Option<String> {
    let reason = match process.untapped {
        // A child that execs nothing shares its parent's taps; it may have made no recorded call.
        Untapped::Tapped if process.image.is_some() || !process.executed => return None,
        Untapped::Tapped => "the interposer could not attach (a limit, a sandbox or a killed start-up)",
        Untapped::Static => "it is statically linked",
        Untapped::ForeignLoader => "its loader is not glibc's for x86-64",
        Untapped::Secure => "it runs with raised privileges",
        Untapped::OtherUser => "it runs as another user or group, who can open none of this session's files",
        Untapped::LibraryOutOfReach => "the interposer's file is out of its reach (chroot or namespace)",
        Untapped::StackOutOfReach => "its start-up stack could not be changed",
        Untapped::NotFollowed => "children are not followed (--no-follow)",
        Untapped::Listed => "it only lists libraries (ldd)",
    };
    Some(reason.to_owned())
}

const NO_SYSTEM_CALLS: &str =
    "system calls made inside the C library or by syscall(2), only calls of its functions (see --syscalls)";

/// Which looks at processes' memory could not be taken.
fn looks_failed(reasons: &[String]) -> Option<String> {
    let first = reasons.first()?;
    Some(format!("looks at memory that could not be taken: {}, the first because {first}", reasons.len()))
}

/// What the report cannot know, one sentence each.
fn blind_spots(options: &Run, processes: &[ProcessFacts], lost: &Lost) -> Vec<String> {
    let mut spots = Vec::new();
    let off: Vec<_> = Family::ALL
        .into_iter()
        .filter(|family| options.tap.iter().all(|tap| tap.family() != *family))
        .map(Family::name)
        .collect();
    if !off.is_empty() {
        spots.push(format!("families not tapped: {} (see --tap)", off.join(", ")));
    }
    if options.bind == Binding::Slots {
        // No hook asks who calls it, so only the slots of those whose calls are tapped may hold its address.
        let others = if options.objects.is_empty() {
            "dlsym gives"
        } else {
            "dlsym gives, and other objects' slots hold"
        };
        spots.push(format!(
            "calls by addresses from dlsym: addresses of tapped functions in tapped objects' slots are not those that \
             {others} (--bind got)"
        ));
    }
    let mut reasons: Vec<(&str, usize)> = Vec::new();
    for reason in processes.iter().filter_map(|process| process.untapped_reason.as_deref()) {
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, count)) => *count += 1,
            None => reasons.push((reason, 1)),
        }
    }
    for (reason, count) in reasons {
        spots.push(format!("processes not tapped: {count}, because {reason}"));
    }
    if lost.images_without_tables > 0 {
        spots.push(format!(
            "processes whose C library cannot be asked for unwind tables (glibc before 2.35): {}; their stacks \
             are by frame pointer",
            lost.images_without_tables
        ));
    }
    if lost.threads_without_ring > 0 {
        spots.push(format!(
            "threads that found no free ring: {}; their calls are counted as lost (see --max-threads)",
            lost.threads_without_ring
        ));
    }
    if lost.gave_up > 0 {
        spots.push(format!(
            "processes that stopped recording because calltap did not react for a minute: {}; what they \
             did then is not counted anywhere",
            lost.gave_up
        ));
    }
    if lost.unseen_at_first > 0 {
        spots.push(format!(
            "forked processes that made threads before their first tapped call: {}; what these threads did until then is \
             not counted anywhere",
            lost.unseen_at_first
        ));
    }
    let unseen_ends =
        processes.iter().filter(|p| matches!(p.ended, Ended::Running | Ended::Detached)).count();
    if unseen_ends > 0 {
        spots.push(format!("processes whose end was not seen: {unseen_ends}"));
    }
    spots.push(match (&options.syscalls, options.no_follow) {
        (Some(chosen), _) if chosen.is_empty() => NO_SYSTEM_CALLS.to_owned(),
        (Some(chosen), _) => format!("system calls other than {chosen} (see --syscalls)"),
        (None, true) => NO_SYSTEM_CALLS.to_owned(),
        (None, false) => "system calls other than memory,fd (see --syscalls)".to_owned(),
    });
    spots
}
