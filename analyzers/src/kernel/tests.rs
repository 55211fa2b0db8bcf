//! Library calls and system calls together, and a model that looks at all of them at once.

use proptest::prelude::*;

use super::*;
use crate::event::{Action, Event, FunctionId};
use crate::latency::Latency;

const IMAGE: Image = Image(1);
const THREAD: Thread = Thread(7);
const MALLOC: u16 = 1;
const FOPEN: u16 = 2;
const OPENAT: u32 = 257;
const BRK: u32 = 12;
const OPEN: u16 = 3;
/// [`OPEN`] is a plain wrapper.
const WRAPPERS: [Option<CallId>; 4] = [None, None, None, Some(CallId { interface: 0, number: OPENAT })];
const ENOENT: u16 = 2;

/// A system call that succeeded, stopped for 10 ns, of which the stack says nothing.
pub(super) fn call(number: u32, start_ns: u64, end_ns: u64) -> SystemCall<'static> {
    SystemCall {
        image: IMAGE,
        thread: THREAD,
        id: CallId { interface: 0, number },
        name: "",
        start_ns,
        end_ns,
        stopped_ns: 10,
        result: 0,
        arguments: [0; 6],
        text: b"",
        site: 0x51,
        stack: 0,
        in_hook: None,
        entry_only: false,
    }
}

fn library(function: u16, start_ns: u64, end_ns: u64) -> Event<'static> {
    Event {
        image: IMAGE,
        thread: THREAD,
        function: FunctionId(function),
        start_ns,
        end_ns,
        timed: true,
        errno: 0,
        site: 0x400,
        stack: 0,
        vfork_child: false,
        text: b"",
        used: None,
        action: Action::None,
    }
}

/// Both tables, fed in the order of the calls' ends.
#[derive(Default)]
struct Both {
    kernel: Kernel,
    latency: Latency,
}

impl Both {
    fn library(&mut self, event: Event<'_>) -> Made {
        let made = self.kernel.library_call(&event);
        self.latency.observe_call(&event, made);
        made
    }

    fn report(&self) -> KernelReport {
        self.kernel.report(&self.latency, &WRAPPERS)
    }
}

fn makers(report: &KernelReport, number: u32) -> Vec<(Option<u16>, u64)> {
    let row = report.calls.iter().find(|row| row.id.number == number).expect("it was made");
    row.by.iter().map(|by| (by.function.map(|function| function.0), by.count)).collect()
}

#[test]
fn a_system_call_belongs_to_the_innermost_library_call_around_it() {
    let mut both = Both::default();
    both.kernel.system_call(&call(BRK, 110, 150));
    assert_eq!(both.library(library(MALLOC, 105, 160)).sums.count, 1);
    both.kernel.system_call(&call(OPENAT, 200, 250));
    let outer = both.library(library(FOPEN, 100, 300));
    assert_eq!((outer.first.map(|id| id.number), outer.sums.count), (Some(BRK), 2));
    let report = both.report();
    assert_eq!(makers(&report, BRK), [(Some(MALLOC), 1)]);
    assert_eq!(makers(&report, OPENAT), [(Some(FOPEN), 1)]);
    assert_eq!((report.stops, report.stopped_ns, report.residue.len()), (2, 20, 0));
}

#[test]
fn stops_are_taken_out_of_the_call_and_of_the_call_around_it() {
    let mut both = Both::default();
    both.kernel.system_call(&call(BRK, 110, 150));
    both.library(library(MALLOC, 105, 160));
    both.library(library(MALLOC, 170, 173));
    both.library(library(FOPEN, 100, 300));
    let report = both.report();
    let [malloc, fopen] = &report.split[..] else { panic!("{:?}", report.split) };
    assert_eq!((malloc.calls, malloc.with_calls, malloc.stopped_ns), (2, 1, 10));
    assert_eq!((malloc.rows[0].count, malloc.rows[0].max_ns), (1, 3));
    assert_eq!((malloc.rows[1].id.map(|id| id.number), malloc.rows[1].max_ns), (Some(BRK), 45));
    assert_eq!((fopen.rows[0].count, fopen.rows[1].max_ns, fopen.rows[1].system_calls), (0, 190, 1));
}

#[test]
fn a_system_call_under_no_hook_is_residue_at_once() {
    let mut both = Both::default();
    both.kernel.system_call(&SystemCall { in_hook: Some(false), stack: 9, ..call(OPENAT, 10, 20) });
    assert!(!both.kernel.waiting());
    let report = both.report();
    assert_eq!(makers(&report, OPENAT), [(None, 1)]);
    let left = Residue {
        id: CallId { interface: 0, number: OPENAT },
        stack: 9,
        site: 0x51,
        count: 1,
        ..report.residue[0]
    };
    assert!(report.residue == [left] && left.sure);
}

#[test]
fn what_no_record_encloses_is_given_up_when_the_thread_ends() {
    let mut both = Both::default();
    both.kernel.system_call(&SystemCall { in_hook: Some(true), ..call(OPENAT, 10, 20) });
    both.kernel.system_call(&call(BRK, 30, 40));
    assert_eq!(both.library(library(FOPEN, 31, 39)).sums.count, 0);
    assert!(both.kernel.waiting());
    both.kernel.thread_ended(THREAD);
    assert!(!both.kernel.waiting());
    let report = both.report();
    assert_eq!((report.unclaimed, report.residue.len(), report.residue[0].sure), (1, 1, false));
    assert_eq!(report.residue[0].id.number, BRK);
}

#[test]
fn only_so_many_system_calls_wait() {
    let mut both = Both::default();
    for n in 0..5000 {
        both.kernel.system_call(&SystemCall { in_hook: Some(true), ..call(BRK, 100 + n * 10, 105 + n * 10) });
    }
    assert_eq!(both.report().decided_early, 5000 - 4096);
    let made = both.library(library(FOPEN, 1, 1_000_000));
    assert_eq!(makers(&both.report(), BRK), [(Some(FOPEN), 4096), (None, 5000 - 4096)]);
    assert!(made.sums.count > 4950, "{made:?}");
}

#[test]
fn an_untimed_call_has_made_what_waits_in_its_thread() {
    let mut both = Both::default();
    both.kernel.system_call(&SystemCall { thread: Thread(8), ..call(BRK, 100, 110) });
    both.kernel.system_call(&call(BRK, 120, 130));
    let untimed = |at| Event { timed: false, ..library(MALLOC, at, at) };
    assert_eq!(both.library(untimed(140)).sums.count, 1);
    assert_eq!(both.library(untimed(150)).sums.count, 0);
    assert_eq!(makers(&both.report(), BRK), [(None, 1), (Some(MALLOC), 1)]);
    assert_eq!(both.report().split[0].with_calls, 1);
}

#[test]
fn a_failed_call_is_told_once_by_whoever_knows_most() {
    let mut both = Both::default();
    let failed = SystemCall { result: -2, text: b"/none", stack: 3, ..call(OPENAT, 110, 120) };
    both.kernel.system_call(&failed);
    both.library(Event { errno: ENOENT, text: b"/none", ..library(FOPEN, 100, 130) });
    both.library(Event { errno: ENOENT, text: b"/none", stack: 4, ..library(FOPEN, 200, 230) });
    let report = both.report();
    let told: Vec<_> =
        report.errors.iter().map(|row| (row.id.map(|id| id.number), row.stack, row.count)).collect();
    assert_eq!(told, [(None, 4, 1), (Some(OPENAT), 3, 1)]);
    assert!(report.errors.iter().all(|row| row.text == b"/none" && row.function == Some(FunctionId(FOPEN))));
    let [path] = &report.paths[..] else { panic!("{:?}", report.paths) };
    assert_eq!((path.count, path.errors, path.total_ns, &path.errnos[..]), (2, 2, 30, &[(ENOENT, 2)][..]));
    assert_eq!(path.calls, [(Via::SystemCall(failed.id), 1), (Via::Function(FunctionId(FOPEN)), 1)]);
}

#[test]
fn more_paths_than_rows_are_counted() {
    let mut both = Both::default();
    for n in 0..10_003_u64 {
        let path = n.to_string();
        both.library(Event { errno: ENOENT, text: path.as_bytes(), ..library(FOPEN, n * 10, n * 10 + 5) });
    }
    let report = both.report();
    assert_eq!((report.paths.len(), report.paths_omitted), (10_000, 3));
    assert_eq!((report.errors.len(), report.errors_omitted), (10_000, 3));
}

#[test]
fn what_was_found_before_the_image_had_its_number_is_older() {
    let mut early = Both::default();
    early.kernel.system_call(&SystemCall { result: -2, text: b"/lib", ..call(OPENAT, 10, 20) });
    early.kernel.system_call(&SystemCall { text: b"/etc", in_hook: Some(false), ..call(OPENAT, 30, 40) });
    let mut both = Both::default();
    both.kernel.system_call(&SystemCall { result: -2, text: b"/etc", ..call(OPENAT, 50, 60) });
    both.kernel.adopt(early.kernel);
    let made = both.library(library(FOPEN, 5, 100));
    assert_eq!((made.sums.count, made.sums.failed, made.sums.stopped_ns), (3, 2, 30));
    let report = both.report();
    assert_eq!(makers(&report, OPENAT), [(Some(FOPEN), 2), (None, 1)]);
    let errors: Vec<_> = report.errors.iter().map(|row| (row.text.as_slice(), row.count)).collect();
    assert_eq!(errors, [(&b"/lib"[..], 1), (b"/etc", 1)]);
    let paths: Vec<_> = report.paths.iter().map(|row| (row.path.as_slice(), row.count)).collect();
    assert_eq!(paths, [(&b"/etc"[..], 2), (b"/lib", 1)]);
}

#[test]
fn a_wrapper_that_was_not_stopped_is_a_system_call() {
    let mut both = Both::default();
    both.library(library(OPEN, 10, 15));
    both.library(Event { errno: ENOENT, ..library(OPEN, 20, 27) });
    both.kernel.system_call(&call(OPENAT, 40, 90));
    both.library(library(OPEN, 35, 95));
    let row = &both.report().calls[0];
    assert_eq!((row.id.number, row.count, row.stopped, row.errors), (OPENAT, 3, 1, 1));
    assert_eq!((row.total_ns, row.min_ns, row.p50_ns, row.max_ns), (5 + 7 + 40, 5, 7, 40));
    assert_eq!(row.by, [Enclosing { function: Some(FunctionId(OPEN)), count: 3 }]);
    let mut twice = both.kernel.totals(&both.latency, &WRAPPERS);
    twice.add(&twice.clone());
    assert_eq!((twice.rows()[0].count, twice.rows()[0].total_ns), (6, 104));
}

#[test]
fn what_a_call_gave_is_no_path() {
    let mut both = Both::default();
    both.kernel.system_call(&SystemCall {
        name: "pipe2",
        text: b"\x03\0\0\0\x04\0\0\0",
        ..call(293, 10, 20)
    });
    assert_eq!(both.report().paths, []);
}

#[test]
fn a_slow_call_without_a_system_call_is_counted_apart() {
    let mut both = Both::default();
    for n in 0..999 {
        both.library(library(MALLOC, n * 5000, n * 5000 + 21));
    }
    both.library(library(MALLOC, 6_000_000, 6_003_000));
    let split = &both.report().split[0];
    assert_eq!((split.slow, split.slow_above_ns, split.rows[0].p50_ns), (1, 1000, 21));
}

/// What a thread did: library calls with what is in them, in the order of time.
#[derive(Clone, Debug)]
enum Did {
    System { stopped_ns: u64, failed: bool, known: bool },
    Library { function: u16, inside: Vec<Did> },
}

fn did() -> impl Strategy<Value = Vec<Did>> {
    let system = (0..30_u64, any::<bool>(), any::<bool>())
        .prop_map(|(stopped_ns, failed, known)| Did::System { stopped_ns, failed, known });
    let one = system.prop_recursive(4, 40, 5, |inner| {
        (0..3_u16, prop::collection::vec(inner, 0..5))
            .prop_map(|(function, inside)| Did::Library { function, inside })
    });
    prop::collection::vec(one, 0..12)
}

/// What the model knows of a thread: who made how many system calls, and each library call's share.
#[derive(Debug, Default, PartialEq)]
struct Truth {
    makers: Vec<(Option<u16>, u64)>,
    /// Function, system calls inside at any depth, latency without stops.
    calls: Vec<(u16, u64, u64)>,
}

impl Truth {
    fn made(&mut self, by: Option<u16>) {
        match self.makers.iter_mut().find(|(maker, _)| *maker == by) {
            Some((_, count)) => *count += 1,
            None => self.makers.push((by, 1)),
        }
    }
}

/// Tells one thread's doings to the correlator; the model sees them as a tree.
fn run(
    both: &mut Both,
    found: &mut Vec<(u16, u64, u64)>,
    truth: &mut Truth,
    now: &mut u64,
    thread: Thread,
    around: Option<u16>,
    did: &[Did],
) -> (u64, u64) {
    let mut sum = (0, 0);
    for one in did {
        *now += 10;
        let start_ns = *now;
        match one {
            Did::System { stopped_ns, failed, known } => {
                *now += 40;
                both.kernel.system_call(&SystemCall {
                    thread,
                    stopped_ns: *stopped_ns,
                    result: if *failed { -2 } else { 0 },
                    in_hook: known.then_some(around.is_some()),
                    ..call(OPENAT, start_ns, *now)
                });
                truth.made(around);
                sum = (sum.0 + 1, sum.1 + stopped_ns);
            }
            Did::Library { function, inside } => {
                let (count, stopped_ns) = run(both, found, truth, now, thread, Some(*function), inside);
                *now += 10;
                let made = both.library(Event { thread, ..library(*function, start_ns, *now) });
                found.push((*function, made.sums.count, *now - start_ns - made.sums.stopped_ns));
                truth.calls.push((*function, count, *now - start_ns - stopped_ns));
                sum = (sum.0 + count, sum.1 + stopped_ns);
            }
        }
    }
    sum
}

proptest! {
    #[test]
    fn every_system_call_is_put_to_the_call_that_the_whole_tree_names(
        first in did(), second in did(), splits in any::<bool>(),
    ) {
        let (mut both, mut truth, mut found) = (Both::default(), Truth::default(), Vec::new());
        let mut now = 0;
        run(&mut both, &mut found, &mut truth, &mut now, Thread(1), None, &first);
        if splits {
            let later = std::mem::take(&mut both.kernel);
            both.kernel.adopt(later);
        }
        // Another thread, at the same time.
        let mut now = 5;
        run(&mut both, &mut found, &mut truth, &mut now, Thread(2), None, &second);
        both.kernel.thread_ended(Thread(1));
        prop_assert_eq!(&found, &truth.calls);
        let report = both.report();
        let mut makers = report.calls.first().map(|row| makers(&report, row.id.number)).unwrap_or_default();
        makers.sort_unstable();
        truth.makers.sort_unstable();
        prop_assert_eq!(makers, truth.makers);
        let split: u64 = report.split.iter().map(|split| split.with_calls).sum();
        prop_assert_eq!(split, found.iter().filter(|(_, count, _)| *count > 0).count() as u64);
        let left: u64 = report.residue.iter().map(|left| left.count).sum();
        let under_none = report.calls.iter().flat_map(|row| &row.by).filter(|by| by.function.is_none());
        prop_assert_eq!(left, under_none.map(|by| by.count).sum::<u64>());
        prop_assert_eq!((report.unclaimed, report.decided_early), (0, 0));
    }
}
