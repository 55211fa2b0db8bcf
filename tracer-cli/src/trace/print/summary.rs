//! One table when all is over: how often each function was called, and how long that took.
//!
//! Times are from a call's beginning to its end, other calls in between included, as ltrace counts. A call that was open
//! when its thread ended counts with the time until then, but not for the percentiles; one whose return is not seen counts
//! without a time. `p50` and `p99` are microseconds: half of the calls took no longer, and all but one in a hundred.

mod table;

use std::collections::HashMap;
use std::io;

use self::table::Row;
use super::arguments::{Limits, Progress};
use super::callers::Callers;
use super::functions::Functions;
use super::open::{Open, Thread, Threads};
use super::output::Output;
use super::style::{By, Style};
use super::text::Text;
use super::{End, Sink, To, system_call, view};
use crate::trace::event::{Entered, Returned, SystemCall, TraceEvent, What};

/// What is counted together: a function by its number, and from where.
type Key = (u32, u64);

/// Prints the table.
pub struct Summary {
    out: Output,
    limits: Limits,
    by: By,
    functions: Functions,
    callers: Callers,
    threads: Threads,
    rows: Vec<Row>,
    library: HashMap<Key, usize>,
    system: HashMap<String, usize>,
    /// Objects or call sites met, by what they are called.
    origins: HashMap<String, u64>,
    style: Style,
}

impl Summary {
    /// To a file, a pipe or a terminal.
    pub fn new(to: To, style: Style, by: By) -> Self {
        Self {
            out: Output::new(to, false, false),
            limits: Limits { string: style.string_limit, array: style.array_limit },
            by,
            functions: Functions::new(&style),
            callers: Callers::new(&style.program),
            threads: Threads::default(),
            rows: Vec::new(),
            library: HashMap::new(),
            system: HashMap::new(),
            origins: HashMap::new(),
            style,
        }
    }

    /// The row of a call that begins.
    fn row(&mut self, event: &TraceEvent<'_>, entered: &Entered<'_>) -> usize {
        let thread = self.threads.of(event.pid, event.tid);
        let origin = match self.by {
            By::Function => String::new(),
            By::Object => self.callers.name(entered, thread).to_owned(),
            By::Caller => {
                let offset = entered.site.wrapping_sub(entered.caller.1);
                format!("{}+{offset:#x}", self.callers.name(entered, thread))
            }
        };
        let number = match self.by {
            By::Function => 0,
            By::Object | By::Caller => {
                let next = self.origins.len() as u64;
                *self.origins.entry(origin.clone()).or_insert(next)
            }
        };
        let (rows, functions) = (&mut self.rows, &mut self.functions);
        *self.library.entry((entered.function.number, number)).or_insert_with(|| {
            let name = &functions.of(entered.function).name;
            let name = if origin.is_empty() { name.to_string() } else { format!("{name} from {origin}") };
            // Two processes that meet a function at one moment give it a number each.
            rows.iter().position(|row| row.name == name).unwrap_or_else(|| {
                rows.push(Row::new(name));
                rows.len() - 1
            })
        })
    }

    fn entered(&mut self, event: &TraceEvent<'_>, entered: &Entered<'_>) {
        self.threads.of(event.pid, event.tid).enters(entered, |_| {});
        let row = self.row(event, entered);
        // With filters, which calls count is known when they have returned.
        if !self.style.filters() {
            self.rows[row].calls += 1;
        }
        if entered.entry_only {
            return;
        }
        let open =
            Open { site: row as u64, ..Open::function(event, entered, Progress::default(), Text::default()) };
        self.threads.of(event.pid, event.tid).open.push(open);
    }

    fn returned(&mut self, event: &TraceEvent<'_>, returned: &Returned<'_>) {
        let named = self.functions.of(returned.function);
        let thread = self.threads.of(event.pid, event.tid);
        let before = std::mem::replace(&mut thread.errno, returned.errno);
        let Some(open) = thread.returns(returned.sp, returned.function.number, |_| {}) else { return };
        let results = view::results(returned);
        let call = view::at_return(returned, None, &results, self.limits);
        let error = view::error(call.as_ref(), returned, named.convention, before);
        let spent = event.at_ns.saturating_sub(open.at_ns);
        self.count(open.site as usize, spent, error.is_some());
    }

    fn ended(&mut self, call: &SystemCall<'_>) {
        let row = match self.system.get(call.name) {
            Some(row) => *row,
            None => {
                let mut name = Text::default();
                system_call::name(&mut name, call.name);
                self.rows.push(Row::new(String::from_utf8_lossy(name.bytes()).into_owned()));
                self.system.insert(call.name.to_owned(), self.rows.len() - 1);
                self.rows.len() - 1
            }
        };
        if !self.style.filters() {
            self.rows[row].calls += 1;
        }
        if !call.entry_only {
            self.count(row, call.duration_ns, system_call::error(call.result).is_some());
        }
    }

    /// A call has ended: `calls` counts it already, if there are no filters.
    fn count(&mut self, row: usize, spent: u64, failed: bool) {
        if !self.style.wants(Some(spent), failed) {
            return;
        }
        let row = &mut self.rows[row];
        row.calls += u64::from(self.style.filters());
        row.errors += u64::from(failed);
        row.total_ns += spent;
        row.durations.saturating_record(spent);
    }

    /// Calls of a thread that will never return.
    fn over(&mut self, at_ns: u64, thread: Thread) {
        if self.style.filters() {
            return;
        }
        for open in thread.open {
            self.rows[open.site as usize].total_ns += at_ns.saturating_sub(open.at_ns);
        }
    }

    fn process_over(&mut self, event: &TraceEvent<'_>) {
        for thread in self.threads.remove_process(event.pid) {
            self.over(event.at_ns, thread);
        }
    }
}

impl Sink for Summary {
    fn event(&mut self, event: &TraceEvent<'_>) -> io::Result<()> {
        match &event.what {
            What::Entered(entered) => self.entered(event, entered),
            What::Returned(returned) => self.returned(event, returned),
            What::CallEnded(call) => self.ended(call),
            What::CallBegan(call) if call.entry_only => self.ended(call),
            What::Executed { program, .. } => {
                self.process_over(event);
                self.callers.executed(event.pid, program);
            }
            What::Created { child, thread: false } => self.callers.created(event.pid, *child),
            What::ThreadEnded => {
                if let Some(thread) = self.threads.remove(event.tid) {
                    self.over(event.at_ns, thread);
                }
            }
            What::Exited(_) | What::Killed(_) => self.process_over(event),
            What::CallBegan(_) | What::Signal { .. } | What::Created { .. } | What::Lost(_) => {}
        }
        Ok(())
    }

    fn tick(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn finish(&mut self, end: &End) -> io::Result<()> {
        for thread in self.threads.remove_all() {
            self.over(end.at_ns, thread);
        }
        if end.counts.is_empty() || !self.rows.is_empty() {
            self.table()?
        } else {
            self.counts(end)?
        }
        self.out.flush()
    }
}
