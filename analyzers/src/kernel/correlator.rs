//! Which library call made which system call.

use std::borrow::Cow;
use std::collections::VecDeque;

use super::effect::makes_descriptor;
use super::stops::{Made, Stops, Sums};
use super::tables::{Tables, Told};
use super::texts::Text;
use super::{CallId, CallTotals, KernelReport, SystemCall};
use crate::event::{Event, Thread};
use crate::hash::SpreadMap;
use crate::latency::Latency;

/// So many system calls of a thread wait for a library call; one more, and the oldest is decided.
const WAITING: usize = 4096;

/// Puts the system calls of one process image to its library calls.
///
/// Library calls come in the order of their ends, the inner of two first, and each after the system
/// calls it made. So the first whose interval encloses a system call is the innermost. One without
/// an interval (durations are not measured) is taken to have made all that waits in its thread.
///
/// Memory grows with the threads that run and the different things that were found, both bounded
/// for each, not with the number of calls.
#[derive(Clone, Debug, Default)]
pub struct Kernel {
    threads: SpreadMap<u32, ThreadCalls>,
    /// System calls that wait, of all threads.
    waiting: usize,
    /// When the youngest system call began: a library call that began later made none.
    newest_ns: u64,
    stops: Sums,
    tables: Tables,
}

#[derive(Clone, Debug, Default)]
struct ThreadCalls {
    stops: Stops,
    /// In the order of time.
    waiting: VecDeque<Told>,
}

impl Kernel {
    /// Takes a system call into account. It is told before the library call around it, and after
    /// its thread's earlier ones.
    pub fn system_call(&mut self, call: &SystemCall<'_>) {
        self.newest_ns = self.newest_ns.max(call.start_ns);
        self.stops += Sums::of(call);
        let told = Told {
            id: call.id,
            start_ns: call.start_ns,
            duration_ns: (!call.entry_only).then(|| call.duration_ns()),
            errno: call.errno(),
            text: self.tables.texts.of_system_call(call),
            site: call.site,
            stack: call.stack,
            in_hook: call.in_hook,
            stopped_ns: call.stopped_ns,
            makes_descriptor: makes_descriptor(call),
            closes: call.closes(),
        };
        let thread = self.threads.entry(call.thread.0).or_default();
        thread.stops.push(call);
        if told.in_hook == Some(false) {
            self.tables.without_library_call(&told);
            return;
        }
        if thread.waiting.len() >= WAITING
            && let Some(oldest) = thread.waiting.pop_front()
        {
            self.waiting -= 1;
            self.tables.decided_early += 1;
            self.tables.without_library_call(&oldest);
        }
        thread.waiting.push_back(told);
        self.waiting += 1;
    }

    /// Takes a library call into account: what it made in the kernel.
    #[inline]
    pub fn library_call(&mut self, event: &Event<'_>) -> Made {
        let after_all = event.start_ns > self.newest_ns && (event.timed || self.waiting == 0);
        if after_all && event.errno == 0 && event.text.is_empty() {
            return Made::NOTHING;
        }
        self.unusual_call(event)
    }

    /// `thread` is gone: no library call will enclose what of it still waits.
    pub fn thread_ended(&mut self, thread: Thread) {
        if let Some(calls) = self.threads.remove(&thread.0) {
            self.waiting -= calls.waiting.len();
            calls.waiting.iter().for_each(|told| self.tables.given_up(told));
        }
    }

    /// Takes over what was found of this image while it had no number of its own: all of that is
    /// older than what was told since.
    pub fn adopt(&mut self, provisional: Self) {
        let later = std::mem::replace(self, provisional);
        let text_here = self.tables.absorb(later.tables);
        for (number, theirs) in later.threads {
            let mine = self.threads.entry(number).or_default();
            mine.stops.append(&theirs.stops);
            let waiting = theirs.waiting.into_iter();
            mine.waiting.extend(waiting.map(|told| Told { text: text_here(told.text), ..told }));
        }
        self.waiting += later.waiting;
        self.newest_ns = self.newest_ns.max(later.newest_ns);
        self.stops += later.stops;
    }

    /// Whether system calls wait for the library call around them.
    #[inline]
    #[must_use]
    pub const fn waiting(&self) -> bool {
        self.waiting > 0
    }

    /// What was found so far, as if all threads had ended. `latency` has seen the same calls, and
    /// `wrappers` has for each function, by its number, the system call that it is if it made none
    /// that was stopped.
    #[must_use]
    pub fn report(&self, latency: &Latency, wrappers: &[Option<CallId>]) -> KernelReport {
        let mut tables = Cow::Borrowed(&self.tables);
        self.undecided().for_each(|told| tables.to_mut().given_up(told));
        let mut calls = tables.calls.clone();
        calls.add_wrappers(latency, wrappers);
        KernelReport {
            stops: self.stops.count,
            stopped_ns: self.stops.stopped_ns,
            calls: calls.rows(),
            split: latency.split(),
            ..tables.report()
        }
    }

    /// The calls of [`Self::report`], to be added up with those of other images.
    #[must_use]
    pub fn totals(&self, latency: &Latency, wrappers: &[Option<CallId>]) -> CallTotals {
        let mut calls = self.tables.calls.clone();
        self.undecided().for_each(|told| calls.count(told, None));
        calls.add_wrappers(latency, wrappers);
        calls
    }

    fn undecided(&self) -> impl Iterator<Item = &Told> {
        self.threads.values().flat_map(|thread| &thread.waiting)
    }

    /// A call that may have made a system call, failed, or names a path.
    #[cold]
    #[inline(never)]
    fn unusual_call(&mut self, event: &Event<'_>) -> Made {
        let made = self.made_in(event);
        let text = if made.sums.named == 0 { self.tables.texts.of_library_call(event) } else { Text::None };
        if event.errno != 0 && made.sums.failed == 0 {
            self.tables.library_call_failed(event, text);
        }
        made
    }

    fn made_in(&mut self, event: &Event<'_>) -> Made {
        let Self { threads, tables, waiting, .. } = self;
        let Some(thread) = threads.get_mut(&event.thread.0) else { return Made::NOTHING };
        let (from, to) = if event.timed {
            let began_before = |limit: u64| move |told: &Told| told.start_ns < limit;
            let from = thread.waiting.partition_point(began_before(event.start_ns));
            (from, thread.waiting.partition_point(began_before(event.end_ns.saturating_add(1))))
        } else {
            (0, thread.waiting.len())
        };
        let mut untimed = Made::NOTHING;
        for told in thread.waiting.drain(from..to.max(from)) {
            *waiting -= 1;
            tables.claimed(&told, event);
            untimed.first = untimed.first.or(Some(told.id));
            untimed.sums += told.sums();
        }
        if event.timed { thread.stops.inside(event.start_ns, event.end_ns) } else { untimed }
    }
}
