//! Options of `calltap trace`: ltrace's, and more.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, ValueEnum};

use crate::cli::{OnFull, Switch};

/// Frames of a stack if `--stack` does not say how many.
const STACK_DEPTH: &str = "32";

/// Options of `trace`.
#[derive(Debug, clap::Args)]
#[command(
    args_override_self = true,
    after_help = "FILTERS:\n  \
    A filter is a chain of rules: [+|-][SYMBOL][@OBJECT]. Both patterns are globs for the whole name, or regular \
    expressions in slashes (/x/@/y/, also /x@y/). A function is chosen if the last rule that fits it has a plus. \
    The first rule may lack its sign; if it is a minus, everything is chosen first. A comma is a plus.\n  \
    OBJECT is a soname, or a path if it begins with a slash; MAIN is the program itself, SYS are system calls. \
    A backslash takes a character as it is (libfoo\\-1.so).\n\n\
    EXAMPLES:\n  \
    calltap trace ls -l\n  \
    calltap trace -f -e malloc+free-@libc.so* -o trace.txt -- make -j4\n  \
    calltap trace -S -T -e @MAIN --slower-than 1ms -- ./server\n  \
    calltap trace -c -e '*' -- sort big.txt\n  \
    calltap trace --record run.ctt -e '*' -- ./batch && calltap trace --replay run.ctt --tree"
)]
pub struct Trace {
    /// Write results in this column [default: 5/8 of the terminal's width]
    #[arg(short = 'a', long, value_name = "COLUMN", value_parser = parse_number)]
    pub align: Option<u64>,

    /// The most elements of an array that are shown, and the most levels of a struct that holds itself
    #[arg(short = 'A', value_name = "MAXELTS", default_value = "4", value_parser = parse_number)]
    pub array_limit: u64,

    /// Do not show signals
    #[arg(short = 'b', long)]
    pub no_signals: bool,

    /// Count calls, errors and time of each function; show a table at the end instead of the calls
    #[arg(short = 'c')]
    pub count: bool,

    /// Show C++ and Rust names as they are written in the source
    #[arg(short = 'C', long)]
    pub demangle: bool,

    /// Accepted for compatibility: calltap has no debugging output of its own
    #[arg(short = 'D', long, value_name = "MASK")]
    pub debug: Option<String>,

    /// Which calls are shown, by who makes them and what they call; may be repeated: what any of them chooses
    /// is shown, but what a later one takes out of everything stays out. `NAME@SYS` or `SYS_NAME` chooses system
    /// calls; @MAIN if neither this nor -l is given
    #[arg(short = 'e', value_name = "FILTER", allow_hyphen_values = true)]
    pub calls: Vec<String>,

    /// Follow child processes, too. The program's own threads are followed in any case
    #[arg(short = 'f')]
    pub follow: bool,

    /// Files with prototypes, or directories of such files (SONAME.conf), separated by colons; may be repeated
    #[arg(short = 'F', long = "config", value_name = "PATHS")]
    pub config: Vec<OsString>,

    /// Show the return address of each call
    #[arg(short = 'i')]
    pub instruction_pointer: bool,

    /// Show only calls of functions that objects of this name provide; may be repeated
    #[arg(short = 'l', long, value_name = "PATTERN", allow_hyphen_values = true)]
    pub library: Vec<String>,

    /// Do not show library calls (but those of -x)
    #[arg(short = 'L', conflicts_with = "calls")]
    pub no_library_calls: bool,

    /// Indent calls by so many columns for each level of nesting
    #[arg(short = 'n', long, value_name = "NR", default_value = "0", value_parser = parse_indent)]
    pub indent: u64,

    /// Write the trace to this file instead of stderr
    #[arg(short = 'o', long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Attach to a process: not possible yet
    #[arg(short = 'p', value_name = "PID")]
    pub pid: Vec<String>,

    /// Show with each line the time since the line before it
    #[arg(short = 'r', conflicts_with = "time_of_day")]
    pub relative_time: bool,

    /// The most characters of a string that are shown
    #[arg(short = 's', value_name = "STRSIZE", default_value = "32", value_parser = parse_number)]
    pub string_limit: u64,

    /// Show system calls, too
    #[arg(short = 'S')]
    pub system_calls: bool,

    /// Show the time of day with each line; twice: with microseconds; three times: as seconds since 1970
    #[arg(short = 't', action = ArgAction::Count)]
    pub time_of_day: u8,

    /// Show how long each call took
    #[arg(short = 'T')]
    pub call_time: bool,

    /// Run the program with the ids of this user; for root
    #[arg(short = 'u', value_name = "USERNAME")]
    pub user: Option<String>,

    /// Print the version
    #[arg(short = 'V', long)]
    pub version: bool,

    /// Show so many frames of the stack below each call
    #[arg(short = 'w', long = "where", value_name = "NR", value_parser = parse_depth)]
    pub frames: Option<u64>,

    /// Functions that are shown whoever calls them, by what provides them; may be repeated. Only exported
    /// functions can be seen, if they are called through a slot of an object, or one is named here and called by its
    /// address from dlsym
    #[arg(short = 'x', value_name = "FILTER", allow_hyphen_values = true)]
    pub entries: Vec<String>,

    /// Write one JSON object for each line
    #[arg(long, conflicts_with_all = ["count", "tree"])]
    pub json: bool,

    /// Show calls as a tree, with durations
    #[arg(long, conflicts_with = "count")]
    pub tree: bool,

    /// Show only calls that took at least so long, such as 500us, 10ms or 2s
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub slower_than: Option<Duration>,

    /// Show only calls that failed
    #[arg(long)]
    pub only_errors: bool,

    /// Show the stack of each call, at most so many frames [default: 32]
    #[arg(
        long, value_name = "DEPTH", value_parser = parse_depth,
        num_args = 0..=1, require_equals = true, default_missing_value = STACK_DEPTH
    )]
    pub stack: Option<u64>,

    /// With -c: a table by who calls: the place (caller) or the object
    #[arg(long, value_name = "WHAT", value_enum, requires = "count")]
    pub by: Option<By>,

    /// Whether to use colours
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    pub color: Color,

    /// What a call does that finds its thread's ring full
    #[arg(long, value_name = "POLICY", value_enum, default_value_t = OnFull::Wait)]
    pub on_full: OnFull,

    /// Also see functions that are called by addresses from dlsym
    #[arg(long)]
    pub tap_dlsym: bool,

    /// With -c: whether durations are measured; without them calls are only counted in the program, which
    /// costs next to nothing
    #[arg(long, value_name = "SWITCH", value_enum, default_value_t = Switch::On)]
    pub latency: Switch,

    /// Write what happens to this file instead of showing it, as fast as possible
    #[arg(long, value_name = "FILE", conflicts_with_all = ["replay", "output", "count", "json", "tree"])]
    pub record: Option<PathBuf>,

    /// Show what --record has written, with the options given here; starts no program
    #[arg(long, value_name = "FILE", conflicts_with = "command")]
    pub replay: Option<PathBuf>,

    /// Size of each thread's ring in bytes (K and M allowed), rounded up to a power of two; 16K to 1G
    #[arg(long, value_name = "BYTES", value_parser = crate::cli::parse_bytes, default_value = "1M")]
    pub ring_size: u64,

    /// Threads that can be traced at one time, in all processes together; later ones are counted as lost
    #[arg(long, value_name = "N", default_value_t = 512, value_parser = clap::value_parser!(u64).range(1..=65_000))]
    pub max_threads: u64,

    /// Tell at the end, for each object, how many of its slots were hooked, which not, and why
    #[arg(long)]
    pub coverage: bool,

    /// Do not tell on stderr what could not be hooked, and which filters nothing fits
    #[arg(long)]
    pub quiet: bool,

    /// The program and its arguments
    #[arg(required_unless_present_any = ["version", "replay", "pid"], trailing_var_arg = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

impl Trace {
    /// Frames to take of each stack, 0 for none.
    #[must_use]
    pub fn depth(&self) -> u64 {
        self.frames.or(self.stack).unwrap_or(0)
    }

    /// Whether calls are only counted, in the program itself.
    #[must_use]
    pub fn counts_only(&self) -> bool {
        self.count && self.latency == Switch::Off
    }
}

/// What makes one row of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum By {
    /// The place that calls
    Caller,
    /// The object that calls
    Object,
}

/// When colours are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal
    Auto,
    /// Also in files
    Always,
    /// Not at all
    Never,
}

/// A number as C has it: decimal, `0x` hexadecimal, `0` octal.
fn parse_number(text: &str) -> Result<u64, String> {
    let (digits, base) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None if text.len() > 1 && text.starts_with('0') => (&text[1..], 8),
        None => (text, 10),
    };
    u64::from_str_radix(digits, base)
        .ok()
        .filter(|number| *number <= i32::MAX as u64)
        .ok_or_else(|| format!("'{text}' is no number from 0 to {}", i32::MAX))
}

fn parse_indent(text: &str) -> Result<u64, String> {
    let columns = parse_number(text)?;
    if columns <= 20 { Ok(columns) } else { Err("it must be at most 20".to_owned()) }
}

fn parse_depth(text: &str) -> Result<u64, String> {
    let depth = parse_number(text)?;
    if (1..=1024).contains(&depth) { Ok(depth) } else { Err("it must be between 1 and 1024".to_owned()) }
}

/// `500ns`, `20us`, `1.5ms`, `2s`.
fn parse_duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|letter: char| letter.is_alphabetic());
    let unit = match &text[digits.len()..] {
        "ns" => 1e-9,
        "us" | "µs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        _ => f64::NAN,
    };
    let seconds = digits.parse::<f64>().unwrap_or(f64::NAN) * unit;
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| format!("'{text}' is no duration; write 500us, 10ms or 2s"))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Verb};

    fn parsed(line: &str) -> Result<Trace, String> {
        let words = ["calltap", "trace"].into_iter().chain(line.split_whitespace());
        match Cli::try_parse_from(words).map_err(|error| error.to_string())?.verb {
            Verb::Trace(options) => Ok(*options.0),
            _ => Err("another verb".to_owned()),
        }
    }

    #[test]
    fn options_end_where_the_command_begins() {
        let options = parsed("-e foo prog -x -e bar --json").unwrap();
        assert_eq!(options.calls, ["foo"]);
        assert_eq!(options.command, ["prog", "-x", "-e", "bar", "--json"]);
        assert!(options.entries.is_empty() && !options.json);
        assert_eq!(parsed("-L -- prog -- -c").unwrap().command, ["prog", "--", "-c"]);
    }

    #[test]
    fn letters_and_names_are_those_of_ltrace() {
        let options = parsed(
            "-a 40 -A 7 -b -C -D77 -e malloc+free-puts@lib* -e* -f -F a:b -F c -i -l libx.so -llib* -n 2 \
             -o out -s0x10 -S -ttt -T -u nobody -w 3 -x main -x -f prog",
        )
        .unwrap();
        assert_eq!((options.align, options.array_limit, options.string_limit), (Some(40), 7, 16));
        assert_eq!(options.calls, ["malloc+free-puts@lib*", "*"]);
        assert_eq!((options.config.len(), options.library.len(), options.time_of_day), (2, 2, 3));
        assert_eq!(options.entries, ["main", "-f"]);
        assert_eq!((options.depth(), options.command.len()), (3, 1));
        let long = parsed(
            "--align 1 --no-signals --demangle --config x --library y --indent 3 --output z --where 2 p",
        );
        assert_eq!(long.unwrap().indent, 3);
    }

    #[test]
    fn what_ltrace_lets_one_repeat_can_be_repeated() {
        let options = parsed("-c -c -S -S -o a -o b -T -T -i -i prog").unwrap();
        assert_eq!(options.output.unwrap(), PathBuf::from("b"));
        assert_eq!(parsed("-t -t prog").unwrap().time_of_day, 2);
    }

    #[test]
    fn contradictions_and_mistakes_are_refused() {
        for wrong in [
            "-L -e foo p",
            "-r -t p",
            "-n 21 p",
            "-w 0 p",
            "-Q p",
            "",
            "--slower-than 3 p",
            "-a -1 p",
            "--by caller p",
        ] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_stack_has_a_depth_of_its_own() {
        assert_eq!(parsed("--stack prog").unwrap().depth(), 32);
        assert_eq!(parsed("--stack=5 prog").unwrap().depth(), 5);
        assert_eq!(parsed("prog").unwrap().depth(), 0);
    }

    #[test]
    fn durations_have_units() {
        assert_eq!(parse_duration("1.5ms"), Ok(Duration::from_micros(1500)));
        assert_eq!(parse_duration("20us"), Ok(Duration::from_micros(20)));
        assert!(
            parse_duration("5").is_err() && parse_duration("-1s").is_err() && parse_duration("ms").is_err()
        );
    }
}
