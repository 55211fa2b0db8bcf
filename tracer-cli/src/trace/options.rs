//! Options of `calltap trace`: ltrace's, and more.

use std::ffi::OsString;
use std::path::PathBuf;

/// Options of `trace`.
#[derive(Debug, clap::Args)]
pub struct Trace {
    /// The most characters of a string that are shown
    #[arg(short = 's', value_name = "STRSIZE", default_value_t = 32)]
    pub string_limit: u64,

    /// The most elements of an array that are shown
    #[arg(short = 'A', value_name = "MAXELTS", default_value_t = 4)]
    pub array_limit: u64,

    /// Write the trace to a file instead of stderr
    #[arg(short = 'o', long = "output", value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// The program and its arguments
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}
