//! What a look on demand has found, as it is told while the session runs: a report that has but that.

use calltap_analyzers::arenas::ArenaReport;
use calltap_analyzers::event::Image;
use calltap_channel::stack::StackTable;
use crossbeam_channel::Receiver;

use super::request::Request;
use crate::cli::Format;
use crate::exit_snapshot::Mapped;
use crate::report::build::{Facts, ProcessFacts, Wishes};
use crate::report::model::{Report, StackCounts};
use crate::report::{Recorded, View, text, write_json};
use crate::symbols::Symbols;

/// What was seen when somebody asked.
#[derive(Debug)]
pub struct Seen {
    /// The session's objects as they were known then.
    pub symbols: Symbols,
    /// When, in nanoseconds since the session began.
    pub at_ns: u64,
    /// The processes that were to be looked at.
    pub processes: Vec<Process>,
}

/// A process that was to be looked at.
#[derive(Debug)]
pub struct Process {
    /// Its image.
    pub image: Image,
    /// Its process id.
    pub pid: u32,
    /// The process that made it; 0 if unknown.
    pub parent: u32,
    /// Its arguments.
    pub command: Vec<String>,
    /// When it began, in nanoseconds since the session began.
    pub began_ns: u64,
    /// Threads ever seen.
    pub threads: u64,
    /// What was mapped, by ascending address.
    pub maps: Vec<Mapped>,
    /// Brings what was found; or why nothing was.
    pub found: Result<Receiver<ArenaReport>, String>,
}

/// What the session's user wants.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The session's command.
    pub command: Vec<String>,
    /// What is shown of stacks.
    pub view: View,
    /// The most frames taken of a stack.
    pub depth: u64,
}

/// The answer; or why there is none.
pub fn text_of(request: &Request, seen: Seen, wanted: &Wanted, table: StackTable) -> Result<String, String> {
    let Seen { mut symbols, at_ns, processes } = seen;
    if processes.is_empty() {
        return Err(match request.pid {
            0 => "no process of the session is tapped".to_owned(),
            pid => format!("process {pid} is not tapped, or has ended"),
        });
    }
    let mut facts = Vec::new();
    let mut reasons = Vec::new();
    for process in processes {
        let found = process.found.and_then(|found| {
            // The sender is dropped unsent if the look could not be taken.
            found.recv().map_err(|_| "it ended meanwhile, or its memory could not be read".to_owned())
        });
        match found {
            Ok(look) => {
                symbols.ending(process.image, process.pid, process.pid, &process.maps);
                facts.push(ProcessFacts {
                    image: Some(process.image),
                    pid: process.pid,
                    parent_pid: (process.parent != 0).then_some(process.parent),
                    command: process.command,
                    started_ns: process.began_ns,
                    threads: process.threads,
                    looks: vec![look],
                    ..ProcessFacts::default()
                });
            }
            Err(reason) => reasons.push(format!("process {} was not looked at: {reason}", process.pid)),
        }
    }
    if facts.is_empty() {
        return Err(reasons.join("\n"));
    }
    let view = View { whole: request.format == Format::Json, ..wanted.view };
    let facts = Facts {
        command: wanted.command.clone(),
        duration_ns: at_ns,
        blind_spots: reasons,
        stacks: StackCounts {
            depth: wanted.depth,
            distinct: table.len(),
            table_full: table.refused(),
            ..StackCounts::default()
        },
        processes: facts,
        ..Facts::default()
    };
    let mut progress = |_, _| {};
    let mut recorded = Recorded::new(table, &mut symbols, &mut progress);
    let (report, _) = Report::build(facts, &mut recorded, &Wishes { view, ..Wishes::default() });
    match request.format {
        Format::Text => Ok(text::render_looks(&report, &view)),
        Format::Json => {
            let mut json = Vec::new();
            write_json(&mut json, &report).map_err(|error| error.to_string())?;
            Ok(String::from_utf8_lossy(&json).into_owned())
        }
    }
}
