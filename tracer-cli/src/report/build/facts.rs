//! What a report is made from.

use calltap_analyzers::arenas::ArenaReport;
use calltap_analyzers::event::Image;
use calltap_analyzers::image::ImageReport;
use calltap_analyzers::kernel::SystemCallRow;
use calltap_analyzers::life::LifeReport;
use calltap_channel::function::Function;

use crate::damage::Damage;
use crate::exit_snapshot::ExitSnapshot;
use crate::reader::MemoryReading;
use crate::report::View;
use crate::report::model;
use crate::report::stacks::StackValue;
use crate::suppressions::Suppressions;

/// What the session knows beside the analyzers' findings.
#[derive(Debug, Default)]
pub struct Facts {
    /// The command as it was given.
    pub command: Vec<String>,
    /// How its process ended.
    pub ended: Ended,
    /// From the beginning of the session to its end.
    pub duration_ns: u64,
    /// Calls taken into account.
    pub events: u64,
    /// Records lost, those of no known thread included.
    pub lost_records: u64,
    /// Records lost, by thread.
    pub lost_by_thread: Vec<model::Lost>,
    /// What the target has written over.
    pub damage: Damage,
    /// What could not be seen, one sentence each.
    pub blind_spots: Vec<String>,
    /// How stacks were taken; those that are lost or guessed have not been counted yet.
    pub stacks: model::StackCounts,
    /// The system calls of all process images together.
    pub system_calls: Vec<SystemCallRow>,
    /// Memory over time, if it was to be read.
    pub memory_over_time: Option<Vec<MemoryReading>>,
    /// Who made whom, ran what, got which signal, ended how.
    pub life: LifeReport,
    /// All process images, in the order of their beginning.
    pub processes: Vec<ProcessFacts>,
}

/// What the user wants of stacks.
#[derive(Debug, Default)]
pub struct Wishes {
    /// What is shown of them in the report.
    pub view: View,
    /// Leaks that are left out.
    pub suppressions: Suppressions,
    /// What is to be folded, if anything.
    pub folded: Option<StackValue>,
}

/// How a process image ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ended {
    /// By exit, with this status.
    Exit(i32),
    /// By this signal.
    Signal(i32),
    /// Another program took its place.
    Exec,
    /// Not before the session did.
    #[default]
    Running,
    /// calltap let it go.
    Detached,
}

/// One program in one process.
#[derive(Debug, Default)]
pub struct ProcessFacts {
    /// Its number in the session, if it made calls that were recorded.
    pub image: Option<Image>,
    /// Its process id.
    pub pid: u32,
    /// The process that made it.
    pub parent_pid: Option<u32>,
    /// Its command line.
    pub command: Vec<String>,
    /// How it ended.
    pub ended: Ended,
    /// Why its calls were not recorded, if they were not.
    pub untapped_reason: Option<String>,
    /// Whether it began by exec, not as a fork's copy.
    pub executed: bool,
    /// When it began, since the session began.
    pub started_ns: u64,
    /// When it ended.
    pub ended_ns: Option<u64>,
    /// Threads seen.
    pub threads: u64,
    /// What `/proc` said at its exit stop.
    pub snapshot: Option<ExitSnapshot>,
    /// What looks at its memory have found, by time.
    pub looks: Vec<ArenaReport>,
    /// What the analyzers found, if it made calls that were recorded.
    pub findings: Option<ImageReport>,
    /// Calls that had begun and not ended when their threads died: thread, function, first argument.
    pub unfinished: Vec<(u32, Function, u64)>,
}
