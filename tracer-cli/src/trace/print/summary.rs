//! One table when all is over: how often each function was called, and how long that took.
//!
//! Times are from a call's beginning to its end, other calls in between included, as ltrace counts. A call that was open
//! when its thread ended counts with the time until then, but not for the percentiles; one whose return is not seen counts
//! without a time. `p50` and `p99` are microseconds: half of the calls took no longer, and all but one in a hundred.

use std::collections::HashMap;
use std::io;
use std::rc::Rc;

use calltap_channel::trace::walk::Values;
use hdrhistogram::Histogram;

use super::arguments::{Limits, Progress};
use super::callers::Callers;
use super::failure;
use super::functions::Functions;
use super::line::{call_at_return, results};
use super::open::{Callee, Open, Thread, Threads};
use super::output::Output;
use super::style::{By, Style};
use super::text::Text;
use super::{End, Sink, To, system_call};
use crate::trace::event::{Copied, Entered, Returned, SystemCall, TraceEvent, What};

/// Calls that are counted together.
#[derive(Debug)]
struct Row {
    name: String,
    calls: u64,
    errors: u64,
    total_ns: u64,
    /// Of calls that ended; two figures.
    durations: Histogram<u64>,
}

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
            rows.push(Row::new(if origin.is_empty() {
                name.to_string()
            } else {
                format!("{name} from {origin}")
            }));
            rows.len() - 1
        })
    }

    fn entered(&mut self, event: &TraceEvent<'_>, entered: &Entered<'_>) {
        self.threads.of(event.pid, event.tid).enters(entered, |_| {});
        let row = self.row(event, entered);
        if entered.entry_only {
            self.rows[row].calls += 1;
            return;
        }
        self.threads.of(event.pid, event.tid).open.push(Open {
            callee: Callee::Function(Rc::clone(entered.function)),
            sp: entered.sp,
            site: row as u64,
            at_ns: event.at_ns,
            values: Values::default(),
            memory: Copied::default(),
            progress: Progress::default(),
            text: Text::default(),
            opened: false,
            stack: 0,
        });
    }

    fn returned(&mut self, event: &TraceEvent<'_>, returned: &Returned<'_>) {
        let named = self.functions.of(returned.function);
        let thread = self.threads.of(event.pid, event.tid);
        let before = std::mem::replace(&mut thread.errno, returned.errno);
        let Some(open) = thread.returns(returned.sp, returned.function.number, |_| {}) else { return };
        let results = results(returned);
        let error = call_at_return(returned, None, &results, self.limits)
            .filter(|_| !returned.left)
            .and_then(|call| failure::error(named.convention, call.result_number(), returned.errno, before));
        let spent = event.at_ns.saturating_sub(open.at_ns);
        self.count(open.site as usize, spent, error.is_some());
    }

    fn ended(&mut self, event: &TraceEvent<'_>, call: &SystemCall<'_>) {
        let _ = self.threads.of(event.pid, event.tid).ends();
        let row = match self.system.get(call.name) {
            Some(row) => *row,
            None => {
                let mut name = Text::default();
                system_call::name(&mut name, call.name, self.style.system_calls);
                self.rows.push(Row::new(String::from_utf8_lossy(name.bytes()).into_owned()));
                self.system.insert(call.name.to_owned(), self.rows.len() - 1);
                self.rows.len() - 1
            }
        };
        if call.entry_only {
            self.rows[row].calls += 1;
        } else {
            self.count(row, call.duration_ns, system_call::error(call.result).is_some());
        }
    }

    fn count(&mut self, row: usize, spent: u64, failed: bool) {
        let slow = self.style.slower_than_ns.is_none_or(|least| spent >= least);
        if !slow || self.style.only_errors && !failed {
            return;
        }
        let row = &mut self.rows[row];
        row.calls += 1;
        row.errors += u64::from(failed);
        row.total_ns += spent;
        row.durations.saturating_record(spent);
    }

    /// Calls of a thread that will never return.
    fn over(&mut self, at_ns: u64, thread: Thread) {
        for open in thread.over() {
            if matches!(open.callee, Callee::Function(_)) && !self.style.only_errors {
                let row = &mut self.rows[open.site as usize];
                row.calls += 1;
                row.total_ns += at_ns.saturating_sub(open.at_ns);
            }
        }
    }

    fn process_over(&mut self, event: &TraceEvent<'_>) {
        for thread in self.threads.remove_process(event.pid, None) {
            self.over(event.at_ns, thread);
        }
    }

    /// Writes the table of calls that were only counted.
    fn counts(&mut self, end: &End) -> io::Result<()> {
        let mut rows: Vec<(u64, Rc<_>)> =
            end.counts.iter().map(|count| (count.calls, self.functions.of(&count.function))).collect();
        rows.retain(|(calls, _)| *calls > 0);
        rows.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.name.cmp(&b.1.name)));
        let total: u64 = rows.iter().map(|(calls, _)| calls).sum();
        self.line("    calls      function")?;
        self.line("--------- --------------------")?;
        for (calls, named) in rows {
            self.line(&format!("{calls:9} {}", named.name))?;
        }
        self.line("--------- --------------------")?;
        self.line(&format!("{total:9} total"))
    }

    fn table(&mut self) -> io::Result<()> {
        const RULE: &str =
            "------ ----------- ----------- --------- --------- --------- --------- --------------------";
        let mut rows = std::mem::take(&mut self.rows);
        rows.retain(|row| row.calls > 0);
        rows.sort_by(|a, b| b.total_ns.cmp(&a.total_ns).then_with(|| a.name.cmp(&b.name)));
        let all: u64 = rows.iter().map(|row| row.total_ns).sum();
        let calls: u64 = rows.iter().map(|row| row.calls).sum();
        let errors: u64 = rows.iter().map(|row| row.errors).sum();
        self.line("% time     seconds  usecs/call       p50       p99    errors     calls      function")?;
        self.line(RULE)?;
        for row in &rows {
            let percent = 100.0 * row.total_ns as f64 / all.max(1) as f64;
            let percentile = |percent| match row.durations.is_empty() {
                true => "-".to_owned(),
                false => micros(row.durations.value_at_percentile(percent)),
            };
            self.line(&format!(
                "{percent:6.2} {} {:>11} {:>9} {:>9} {:9} {:9} {}",
                seconds(row.total_ns),
                micros(row.total_ns / row.calls),
                percentile(50.0),
                percentile(99.0),
                row.errors,
                row.calls,
                row.name
            ))?;
        }
        self.line(RULE)?;
        self.line(&format!("100.00 {} {:31} {errors:9} {calls:9} total", seconds(all), ""))
    }

    fn line(&mut self, text: &str) -> io::Result<()> {
        self.out.begin();
        self.out.text.str(text);
        self.out.end()
    }
}

impl Row {
    fn new(name: String) -> Self {
        // Up to an hour, which is where longer ones are counted.
        let durations = Histogram::new_with_bounds(1, 3_600_000_000_000, 2);
        let durations = durations.expect("bounds are in order, and two figures are allowed");
        Self { name, calls: 0, errors: 0, total_ns: 0, durations }
    }
}

/// Four digits, a point, six digits.
fn seconds(ns: u64) -> String {
    format!("{:4}.{:06}", ns / 1_000_000_000, ns / 1000 % 1_000_000)
}

/// Microseconds with as many digits behind the point as say something.
fn micros(ns: u64) -> String {
    match ns {
        0..100_000 => format!("{}.{:03}", ns / 1000, ns % 1000),
        _ => format!("{}", ns / 1000),
    }
}

impl Sink for Summary {
    fn event(&mut self, event: &TraceEvent<'_>) -> io::Result<()> {
        match &event.what {
            What::Entered(entered) => self.entered(event, entered),
            What::Returned(returned) => self.returned(event, returned),
            What::CallEnded(call) => self.ended(event, call),
            What::CallBegan(call) if call.entry_only => self.ended(event, call),
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
