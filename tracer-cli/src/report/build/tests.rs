//! What becomes of findings and facts in the report.

use calltap_analyzers::descriptors::{DescriptorReport, OpenDescriptor};
use calltap_analyzers::event::{Block, Fd, Thread};
use calltap_analyzers::heap::{Faults, FreeFault, HeapReport, Lifetimes, StillAllocated};
use calltap_analyzers::image::ImageReport;
use calltap_analyzers::latency::{LatencyReport, LatencyRow};

use super::*;
use crate::exit_snapshot::Descriptor;
use crate::report::stacks::fake::Fake;

fn id(name: &str) -> FunctionId {
    FunctionId(Function::from_name(name).unwrap().number())
}

fn nothing() -> ImageReport {
    ImageReport {
        events: 9,
        began_ns: 0,
        heap: None,
        mappings: None,
        outsized: None,
        descriptors: None,
        latency: None,
        by_size: None,
        kernel: None,
    }
}

fn living(site: u64, stack: u32, blocks: u64, bytes: u64) -> StillAllocated {
    StillAllocated {
        site,
        stack,
        function: id("malloc"),
        blocks,
        bytes,
        first_birth_ns: 100 - u64::from(stack),
        largest: bytes / blocks,
    }
}

fn build(facts: Facts) -> Report {
    Report::build(facts, &mut Fake::default(), &Wishes::default()).0
}

fn with_heap(heap: HeapReport) -> Process {
    let mut source = Fake::default().frame(0x1010, "").frame(0x1500, "").kept_at(0x3010);
    let process = ProcessFacts {
        pid: 5,
        ended: Ended::Exit(3),
        findings: Some(ImageReport { heap: Some(heap), ..nothing() }),
        ..ProcessFacts::default()
    };
    let facts = Facts { processes: vec![process], ..Facts::default() };
    let (mut report, _) = Report::build(facts, &mut source, &Wishes::default());
    report.processes.remove(0)
}

#[test]
fn blocks_of_one_site_are_added_up_and_the_run_times_told_apart() {
    let heap = HeapReport {
        still_allocated: vec![
            living(0x1010, 1, 2, 64),
            living(0x3010, 0, 1, 288),
            living(0x1010, 2, 1, 100),
            living(0x1500, 0, 1, 500),
        ],
        ..HeapReport::default()
    };
    let heap = with_heap(heap).heap.unwrap();
    let left = heap.still_allocated;
    assert_eq!((left.blocks, left.bytes), (4, 664));
    let rows: Vec<_> = left.by_site.iter().map(|s| (s.site.to_string(), s.blocks, s.bytes)).collect();
    assert_eq!(rows, [("leaky+0x500".to_owned(), 1, 500), ("leaky+0x10".to_owned(), 3, 164)]);
    let both = &left.by_site[1];
    assert_eq!((both.largest_bytes, both.oldest_at_ns, both.function.as_str()), (100, 98, "malloc"));
    let kept = heap.runtime_owned;
    assert_eq!((kept.blocks, kept.bytes, kept.by_origin.len()), (1, 288, 1));
}

#[test]
fn double_frees_are_shown_before_unmatched_ones() {
    let fault = |block| FreeFault {
        block: Block(block),
        function: id("free"),
        site: 0x1020,
        stack: 0,
        thread: Thread(9),
        at_ns: 4,
    };
    let heap = HeapReport {
        unmatched_frees: Faults { count: 200, examples: vec![fault(1)] },
        double_frees: Faults { count: 1, examples: vec![fault(2)] },
        ..HeapReport::default()
    };
    let heap = with_heap(heap).heap.unwrap();
    let faults: Vec<_> = heap.faults.iter().map(|f| (f.kind, f.address, f.tid)).collect();
    assert_eq!(faults, [("double", 2, 9), ("unmatched", 1, 9)]);
    assert_eq!((heap.double_frees, heap.unmatched_frees), (1, 200));
}

#[test]
fn lifetimes_are_unknown_until_something_was_released() {
    assert_eq!(with_heap(HeapReport::default()).heap.unwrap().lifetime_ns, None);
    let lifetimes = Lifetimes { p50_ns: 1, p90_ns: 2, p99_ns: 3, max_ns: 4 };
    let heap = HeapReport { frees: 1, lifetimes, ..HeapReport::default() };
    let expected = model::Lifetimes { p50: 1, p90: 2, p99: 3, max: 4 };
    assert_eq!(with_heap(heap).heap.unwrap().lifetime_ns, Some(expected));
}

#[test]
fn what_was_not_tapped_is_null_and_not_zero() {
    let process =
        ProcessFacts { untapped_reason: Some("statically linked".to_owned()), ..ProcessFacts::default() };
    let report = build(Facts { processes: vec![process], ..Facts::default() });
    let process = &report.processes[0];
    assert_eq!((process.tapped, &process.heap, &process.memory_at_exit), (false, &None, &None));
    assert_eq!(process.ended_by, EndedBy::Running);
}

#[test]
fn ends_are_told_by_status_or_by_signal() {
    let target = |ended| build(Facts { ended, ..Facts::default() }).target;
    assert_eq!(target(Ended::Exit(3)).exit_code, Some(3));
    let killed = target(Ended::Signal(9));
    assert_eq!((killed.exit_code, killed.signal), (None, Some(9)));
    assert_eq!(killed.signal_name.as_deref(), Some("SIGKILL"));
    assert_eq!(target(Ended::Signal(36)).signal_name.as_deref(), Some("SIGRTMIN+2"));
}

#[test]
fn latency_rows_are_named_and_ordered_by_total_time() {
    let row = |name, total_ns| LatencyRow {
        function: id(name),
        count: 1,
        timed: 1,
        errors: 0,
        total_ns,
        min_ns: 1,
        p50_ns: 2,
        p90_ns: 3,
        p99_ns: 4,
        p999_ns: 5,
        max_ns: 6,
    };
    let rows =
        latency::rows(&LatencyReport { rows: vec![row("malloc", 10), row("open", 70), row("free", 10)] });
    let names: Vec<_> = rows.iter().map(|r| r.function.as_str()).collect();
    assert_eq!(names, ["open", "free", "malloc"]);
    assert_eq!((rows[0].p50_ns, rows[0].p999_ns, rows[0].max_ns), (2, 5, 6));
}

fn left_open(in_kernel: Option<&[(i32, &str)]>) -> model::Descriptors {
    let open = |fd, kind, path: &str| OpenDescriptor {
        fd: Fd(fd),
        kind,
        path: path.into(),
        function: id("open"),
        site: 0,
        stack: 0,
        thread: Thread(1),
        opened_ns: 8,
        ..OpenDescriptor::default()
    };
    let redirected = OpenDescriptor { is_redirection: true, ..open(0, "file", "/dev/null") };
    let report = DescriptorReport {
        opened: 5,
        closed: 1,
        replaced_unseen: 1,
        still_open: vec![redirected, open(3, "file", "a"), open(4, "socket", "")],
        ..DescriptorReport::default()
    };
    let descriptors = in_kernel.map(|all| {
        let one = |&(fd, target): &(i32, &str)| Descriptor { fd, target: target.to_owned(), flags: None };
        all.iter().map(one).collect()
    });
    let process = ProcessFacts {
        snapshot: Some(ExitSnapshot { descriptors, ..ExitSnapshot::default() }),
        findings: Some(ImageReport { descriptors: Some(report), ..nothing() }),
        ..ProcessFacts::default()
    };
    let mut report = build(Facts { processes: vec![process], ..Facts::default() });
    report.processes.remove(0).descriptors.unwrap()
}

#[test]
fn the_kernel_has_the_last_word_on_what_is_open() {
    let names = |open: &model::Descriptors| -> Vec<_> {
        open.still_open.iter().map(|o| (o.fd, o.path.clone())).collect()
    };
    let agreed = left_open(Some(&[(0, "/dev/null"), (3, "/tmp/a"), (4, "socket:[77]")]));
    assert_eq!(names(&agreed), [(3, "a".to_owned()), (4, "socket:[77]".to_owned())]);
    assert_eq!(agreed.closed_unseen, 1);

    let gone = left_open(Some(&[(0, "/dev/null"), (4, "socket:[77]")]));
    assert_eq!(names(&gone), [(4, "socket:[77]".to_owned())]);
    assert_eq!(gone.closed_unseen, 2, "closed behind the library's back");

    for unknown in [left_open(None), left_open(Some(&[]))] {
        assert_eq!(names(&unknown), [(3, "a".to_owned()), (4, String::new())]);
    }
    for any in [agreed, gone] {
        assert_eq!(any.standard_streams, 1, "a redirection is no leak");
        let open = any.standard_streams + any.still_open.len() as u64;
        assert_eq!(any.opened, any.closed + any.closed_unseen + open);
    }
}

mod descriptors;
mod outsized;
mod stacks;
mod system_calls;
