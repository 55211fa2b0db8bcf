//! `calltap list`: which calls of a program `calltap trace` can show, and what is known of their arguments.

mod imports;
mod rows;
#[cfg(test)]
mod tests;
mod write;

use std::env;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};

use crate::preflight;
use crate::prototype::files::{Environment, Places};
use crate::prototype::library::Prototypes;
use crate::prototype::shipped;
use crate::trace::filter::{Chooser, Filter};
use crate::trace::needed;
use rows::Rows;

/// Options of `list`.
#[derive(Debug, clap::Args)]
#[command(after_help = "EXAMPLES:\n  \
    calltap list /bin/ls\n  \
    calltap list git 'str*@libc.so*'\n  \
    calltap list --all --json ./server | jq -r 'select(.prototype == null).function'")]
pub struct List {
    /// Also what its libraries call of each other
    #[arg(long)]
    pub all: bool,

    /// Read prototypes from these files, and directories of such files, with colons between; may be repeated
    #[arg(short = 'F', long = "config", value_name = "PATHLIST")]
    pub config: Vec<OsString>,

    /// One JSON object a line for each function, with its whole prototype
    #[arg(long)]
    pub json: bool,

    /// Also look for separate debug information in this directory (as /usr/lib/debug is laid out); may be repeated
    #[arg(long, value_name = "DIR")]
    pub debug_dir: Vec<PathBuf>,

    /// The program; it is not run
    #[arg(value_name = "BIN")]
    pub program: OsString,

    /// Only these functions: SYMBOL, @OBJECT or SYMBOL@OBJECT, globs or /regular expressions/; the object is the one that has the function
    #[arg(value_name = "GLOB")]
    pub filter: Option<String>,
}

/// Prints the list.
///
/// # Errors
/// If the program cannot be traced, has nothing to trace, or the list cannot be written.
pub fn run(options: &List) -> anyhow::Result<ExitCode> {
    let program = preflight::examine(&options.program, env::var_os("PATH").as_deref())?;
    let chosen = match &options.filter {
        Some(filter) => Chooser::entries(&Filter::new(&[], &[], std::slice::from_ref(filter), false)?),
        None => None,
    };
    let places = Places::new(&options.config, &Environment::own())?;
    let prototypes =
        Prototypes::new(places, shipped::files()).with_debug_directories(options.debug_dir.clone());
    let path = program.interpreter.unwrap_or(program.path);
    let objects = needed::objects(&path);
    let rows = Rows::of(&objects, options.all, &prototypes)
        .with_context(|| format!("cannot read what {} imports", path.display()))?;
    for complaint in prototypes.complaints() {
        eprintln!("calltap: {complaint}");
    }
    if rows.is_empty() {
        bail!(
            "nothing of {0} can be traced: it imports no function\n\
             hint: --all lists the calls of its libraries; `readelf -rW {0}` shows what it imports",
            path.display()
        );
    }
    let rows =
        rows.chosen(|name, provider| chosen.as_ref().is_none_or(|chosen| chosen.choose(name, provider)));
    if rows.is_empty() {
        bail!(
            "{} imports no function that fits '{}'\nhint: without it all are listed; --all adds the calls of its libraries",
            path.display(),
            options.filter.as_deref().unwrap_or_default()
        );
    }
    let text = if options.json { write::json(&rows) } else { write::table(&path, &rows, options.all) };
    let written = io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush());
    match written {
        // Who reads only the first lines has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        written => written.context("the list could not be written\nhint: make room there")?,
    }
    Ok(ExitCode::SUCCESS)
}
