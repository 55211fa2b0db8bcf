//! The command line.

pub mod deferred;
pub mod values;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use calltap_channel::Family;
use clap::{Parser, Subcommand, ValueEnum};

use crate::environment::Change;
use crate::library::Binding;
use crate::report::map::Form;
use crate::report::stacks::{GroupBy, StackValue};
use crate::system_calls::Selection;
use deferred::Deferred;
use values::{change, parse_directory, parse_map, parse_milliseconds};
pub use values::{parse_bytes, parse_period};

/// See every library call of a native program: who leaks memory, who leaks descriptors, how long
/// each call takes, without changing what the program does.
#[derive(Debug, Parser)]
#[command(
    name = "calltap",
    version,
    after_help = "EXAMPLES:\n  \
        calltap run -- ls -lR /usr/share\n  \
        calltap run --tap memory,fd,io --format json -o report.json -- ./server --port 8080\n  \
        calltap run --fail-on 'heap.still_allocated.bytes>0' --error-exitcode 9 -- ./tests"
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Start a program, follow it and its children to their end, print what was found
    ///
    /// The program's own output is untouched; the report goes to stderr or to a file. The exit
    /// status is the program's: 128+n if signal n killed it, 126 if it cannot be executed, 127 if it
    /// is not found, 125 if calltap itself failed.
    Run(Deferred<Run>),
    /// Show where the memory of a program is that runs under calltap, now
    ///
    /// The program is stopped for some milliseconds, unless its session was started with --snapshot-stop off.
    Snapshot(Deferred<Snapshot>),
    /// Show every call of a library function that a program makes, as ltrace does
    #[command(disable_version_flag = true)]
    Trace(Deferred<crate::trace::options::Trace>),
    /// List the functions of libraries that a program calls: which calls `trace` can show, with what is known of
    /// their arguments
    ///
    /// The program is not run; its loader tells which libraries it needs.
    List(Deferred<crate::list::List>),
    /// Compare allocators and their settings for a program: which is fastest, which smallest, which has the best tail
    ///
    /// Each variant runs several times, in turns, without calltap for time and memory, and under it for the latency of
    /// the allocator's calls. The exit status is 0 if there is something to tell, 125 if calltap itself failed, 126 if
    /// the program cannot be executed, 127 if it is not found.
    Compare(Deferred<crate::compare::options::Compare>),
    /// The process between `compare` and an untapped program.
    #[command(name = "__measure", hide = true)]
    Measure(Deferred<crate::compare::measure::Measure>),
}

/// Options of `run`.
#[derive(Debug, clap::Args)]
#[command(after_help = "EXAMPLES:\n  \
    calltap run -- git log\n  \
    calltap run --tap memory --latency off -- ./batch-job\n  \
    calltap run --format json -o report.json --histogram-log calls.hlog --tap io -- ./server")]
pub struct Run {
    /// Families of functions to tap, separated by commas
    #[arg(long, value_name = "FAMILY,...", value_delimiter = ',', default_value = "memory,fd,process")]
    pub tap: Vec<TapFamily>,

    /// Size of each thread's ring in bytes (K and M allowed), rounded up to a power of two; 16K to 1G
    #[arg(long, value_name = "BYTES", value_parser = parse_bytes, default_value = "1M")]
    pub ring_size: u64,

    /// Threads that can be tapped at one time, in all processes together; later ones are counted as lost
    #[arg(long, value_name = "N", default_value_t = 512, value_parser = clap::value_parser!(u64).range(1..=65_000))]
    pub max_threads: u64,

    /// What a call does that finds its thread's ring full
    #[arg(long, value_name = "POLICY", value_enum, default_value_t = OnFull::Wait)]
    pub on_full: OnFull,

    /// Whether durations are measured; without them a call costs one time stamp less (about 10 ns)
    #[arg(long, value_name = "SWITCH", value_enum, default_value_t = Switch::On)]
    pub latency: Switch,

    /// By what the durations of calls are divided: also the allocator's by size of the block and number of threads
    /// alive, or all by function only
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = LatencyBy::Function)]
    pub latency_by: LatencyBy,

    /// How functions are tapped
    #[arg(long, value_name = "HOW", value_enum, default_value_t = Binding::Symbols)]
    pub bind: Binding,

    /// Tap only the calls of objects whose soname fits this shell pattern (or whose path, if it begins with a slash), MAIN
    /// for the program itself; may be repeated; needs --bind got
    #[arg(long, value_name = "GLOB")]
    pub objects: Vec<String>,

    /// Tap only the program itself, not its children
    #[arg(long)]
    pub no_follow: bool,

    /// Set a variable in the program's environment, or with NAME alone remove it; may be repeated. calltap's own
    /// environment stays as it is: PATH set so does not change which program is meant, and what LD_PRELOAD names is
    /// loaded into the program only
    #[arg(short = 'E', long, value_name = "NAME[=VALUE]", value_parser = change())]
    pub env: Vec<Change>,

    /// The most frames taken of a call's stack; 0 takes the call site only
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u32).range(0..=1024))]
    pub stack_depth: u32,

    /// Whether call stacks are taken
    #[arg(long, value_name = "HOW", value_enum, default_value_t = StackMode::Unwind)]
    pub stack: StackMode,

    /// At which calls stacks are taken
    #[arg(long, value_name = "CALLS", value_enum, default_value_t = StacksAt::Acquires)]
    pub stacks_at: StacksAt,

    /// System calls to see beside the library calls: classes (memory, fd, process, network, file, signal,
    /// ipc, desc, all), names, or none; commas between
    ///
    /// Classes are strace's, but for fd: what makes, copies, closes or passes descriptors. Calls that a
    /// tapped wrapper makes are known from its record and cost no stop.
    ///
    /// [default: memory,fd; none with --no-follow]
    #[arg(long, value_name = "LIST")]
    pub syscalls: Option<Selection>,

    /// How system calls are stopped
    #[arg(long, value_name = "MODE", value_enum, default_value_t = SyscallsMode::Seccomp)]
    pub syscalls_mode: SyscallsMode,

    /// Show the system calls of each path: count, errors, time
    #[arg(long)]
    pub by_path: bool,

    /// Show the life of all processes: who made whom, ran what, got which signal, ended how
    #[arg(long)]
    pub life: bool,

    /// Room for so many distinct stacks; later ones are counted, their calls are known by call site only
    #[arg(long, value_name = "N", default_value_t = 500_000, value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    pub max_stacks: u64,

    /// Also look for separate debug information in this directory (as /usr/lib/debug is laid out); may be repeated
    #[arg(long, value_name = "DIR", value_parser = parse_directory)]
    pub debug_dir: Vec<PathBuf>,

    /// What makes leaks, users of the heap and descriptors one row; in a text, leaks and descriptors
    /// are shown by stack if this is not given, users of the heap in one line each
    #[arg(long, value_name = "WHAT", value_enum)]
    pub group_by: Option<GroupBy>,

    /// Most groups shown of each kind
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    pub top: u64,

    /// Show stacks whole, with the frames of allocators and of the C library's start-up code
    #[arg(long)]
    pub raw_stacks: bool,

    /// Leave leaks out that match a pattern of this file, in LeakSanitizer's syntax (leak:PATTERN)
    #[arg(long, value_name = "FILE")]
    pub suppressions: Option<PathBuf>,

    /// Write folded stacks (one line each, outermost frame first, and a value) to this file
    #[arg(long, value_name = "FILE")]
    pub folded: Option<PathBuf>,

    /// Draw a flame graph into this file (SVG)
    #[arg(long, value_name = "FILE")]
    pub flamegraph: Option<PathBuf>,

    /// What --folded and --flamegraph show
    #[arg(long, value_name = "VALUE", value_enum, default_value_t = StackValue::Leaked)]
    pub stack_value: StackValue,

    /// Draw where the memory of each process is into this file (.svg, or .html with the figures)
    #[arg(long, value_name = "FILE", value_parser = parse_map)]
    pub map: Option<Map>,

    /// Compare every stack with one taken from scratch (for tests)
    #[arg(long, hide = true)]
    pub check_stacks: bool,

    /// Write every distinct stack of an allocation with its count to this file (for tests)
    #[arg(long, value_name = "FILE", hide = true)]
    pub dump_stacks: Option<PathBuf>,

    /// Tell of allocations of more than so much of the machine's memory, or of the cgroup's limit if that
    /// is lower, with the limits that the program had read before (getrlimit, sysconf); 1 to 100
    #[arg(long, value_name = "PERCENT", default_value_t = 25, value_parser = clap::value_parser!(u64).range(1..=100))]
    pub outsized: u64,

    /// Form of the report; JSON is described in docs/report-json.md
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,

    /// Write the report to this file instead of stderr
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Also write all latencies to this file, in HdrHistogram's V2 log format
    #[arg(long, value_name = "FILE")]
    pub histogram_log: Option<PathBuf>,

    /// Fail if this holds in any process, e.g. 'heap.still_allocated.bytes>0'; may be repeated
    #[arg(long, value_name = "EXPR")]
    pub fail_on: Vec<String>,

    /// Exit status when a --fail-on holds
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..))]
    pub error_exitcode: u8,

    /// Look at the memory of each process so often, such as 500ms, 10s or 2m; at least 10ms
    #[arg(long, value_name = "DURATION", value_parser = parse_period)]
    pub snapshot_every: Option<Duration>,

    /// Read how much memory all processes together have live and resident so often, such as 20ms or 1s; at least
    /// 10ms. Nobody is stopped for it
    #[arg(long, value_name = "DURATION", value_parser = parse_period)]
    pub memory_every: Option<Duration>,

    /// Whether a process is stopped for the milliseconds that a look at its memory takes; if not, what
    /// changes meanwhile can make a look inconsistent, which it says then
    #[arg(long, value_name = "SWITCH", value_enum, default_value_t = Switch::On)]
    pub snapshot_stop: Switch,

    /// Do not show progress, even on a terminal
    #[arg(long)]
    pub quiet: bool,

    /// Pause after each round of the reader (for tests)
    #[arg(long, value_name = "MILLISECONDS", hide = true, value_parser = parse_milliseconds)]
    pub throttle_reader: Option<Duration>,

    /// The program and its arguments
    #[arg(required = true, last = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

impl Run {
    /// Frames to take of each stack, 0 for none.
    #[must_use]
    pub fn depth(&self) -> u64 {
        if self.stack == StackMode::None { 0 } else { u64::from(self.stack_depth) }
    }
}

/// Where a map goes.
#[derive(Clone, Debug)]
pub struct Map {
    /// The file.
    pub path: PathBuf,
    /// What is written to it.
    pub form: Form,
}

/// Options of `snapshot`.
#[derive(Debug, clap::Args)]
#[command(after_help = "EXAMPLES:\n  \
    calltap snapshot $(pidof server)\n  \
    calltap snapshot --format json -o now.json 4711")]
pub struct Snapshot {
    /// Form of the answer; JSON is described in docs/report-json.md
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,

    /// Write the answer to this file instead of stdout
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// A `calltap run`, to look at all of its processes, or one of these
    #[arg(value_parser = clap::value_parser!(u32).range(1..=4_194_304))]
    pub pid: u32,
}

/// A family, on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TapFamily {
    /// Heap blocks and mappings
    Memory,
    /// Everything that makes or unmakes a descriptor
    Fd,
    /// read, write, send, recv, connect, poll, epoll_wait, fsync and their like
    Io,
    /// Mutexes, condition variables, semaphores
    Lock,
    /// fork, exec, exit, thread names
    Process,
}

impl TapFamily {
    /// The family itself.
    #[must_use]
    pub fn family(self) -> Family {
        match self {
            Self::Memory => Family::Memory,
            Self::Fd => Family::Fd,
            Self::Io => Family::Io,
            Self::Lock => Family::Lock,
            Self::Process => Family::Process,
        }
    }
}

/// What a full ring does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OnFull {
    /// The call waits until the reader has made room: nothing is lost
    Wait,
    /// The record is dropped and counted: the program never waits
    Drop,
}

/// By what durations are divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LatencyBy {
    /// By function
    Function,
    /// Those of malloc, free, realloc, operator new and their like also by size and threads
    Size,
}

/// How stacks are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StackMode {
    /// Complete, by unwind tables, also of code without frame pointers
    Unwind,
    /// Not at all: only call sites are known
    None,
}

/// At which calls stacks are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StacksAt {
    /// At those that give the program something to give back: memory, descriptors, processes
    Acquires,
    /// At every call that is recorded
    All,
}

/// How system calls are stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SyscallsMode {
    /// By a filter that lets all others pass at native speed; the program cannot gain rights by exec
    Seccomp,
    /// At every system call, chosen or not: slow, but without a filter in the program
    AllStops,
}

/// On or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// Yes
    On,
    /// No
    Off,
}

/// Forms of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
