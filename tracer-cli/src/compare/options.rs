//! Options of `compare`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use crate::cli::{Format, parse_period};
use crate::compare::variants::Setting;
use crate::compare::when::When;

/// Options of `compare`.
#[derive(Debug, clap::Args)]
#[command(after_help = "EXAMPLES:\n  \
    calltap compare -- ./batch-job input.dat\n  \
    calltap compare --allocator glibc --env MALLOC_ARENA_MAX=,1,2 --runs 20 -- ./server-test\n  \
    calltap compare --until 'http://127.0.0.1:8080/' --load 'ab -n 10000 http://127.0.0.1:8080/' --html page.html -- ./server")]
pub struct Compare {
    /// An allocator to compare: glibc, jemalloc, tcmalloc, mimalloc, or the path of a shared library that defines
    /// malloc; may be repeated, commas between; the first one is what the others are compared with
    ///
    /// [default: glibc and those of the others that are installed; glibc alone with --env]
    #[arg(long, value_name = "NAME|PATH", value_delimiter = ',')]
    pub allocator: Vec<String>,

    /// Compare values of an environment variable; may be repeated, then all combinations are compared. An empty value leaves
    /// the variable unset (MALLOC_ARENA_MAX=,1), a comma within a value is written \,
    #[arg(long, value_name = "NAME=VALUE[,VALUE...]", value_parser = Setting::parse)]
    pub env: Vec<Setting>,

    /// How often each variant runs, tapped and untapped
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub runs: u32,

    /// Runs of each variant before, which do not count
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(0..=1000))]
    pub warm_up: u32,

    /// What the order of runs and the resampling begin with; the same number gives the same order
    /// [default: another one each time, which is printed]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,

    /// A shell command before each run
    #[arg(long, value_name = "COMMAND")]
    pub setup: Option<String>,

    /// A shell command after each run, whatever became of it
    #[arg(long, value_name = "COMMAND")]
    pub teardown: Option<String>,

    /// When a service is ready: http://..., answered with a status below 400; a duration, such as 2s; else a regular
    /// expression that a line of its output matches. It is stopped then, or after the --load
    #[arg(long, value_name = "URL|REGEX|DURATION", value_parser = When::parse)]
    pub until: Option<When>,

    /// A shell command that works the service once it is ready; its duration is compared instead of the service's
    #[arg(long, value_name = "COMMAND", requires = "until")]
    pub load: Option<String>,

    /// The signal that stops a service
    #[arg(long, value_name = "SIGNAL", default_value = "TERM", requires = "until", value_parser = crate::compare::stop::parse)]
    pub stop: nix::sys::signal::Signal,

    /// Longest time that a run may take; it is killed then, which is told as its result
    #[arg(long, value_name = "DURATION", value_parser = parse_period)]
    pub time_limit: Option<Duration>,

    /// What the program reads as its standard input; nothing by default
    #[arg(long, value_name = "FILE")]
    pub input: Option<PathBuf>,

    /// Form of the result; JSON is described in docs/compare-json.md
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,

    /// Write the result to this file instead of stdout
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Also write a page with charts to this file: one file that needs nothing else
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,

    /// Do not show progress, even on a terminal
    #[arg(long)]
    pub quiet: bool,

    /// The program and its arguments; its output is read and thrown away, but for a sum that tells runs apart
    #[arg(required = true, last = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}
