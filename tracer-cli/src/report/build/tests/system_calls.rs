//! What becomes of system calls.

use calltap_analyzers::event::Image;
use calltap_analyzers::kernel::{
    CallId, Enclosing, ErrorRow, FunctionSplit, KernelReport, PathRow, Residue, SplitRow, SystemCallRow, Via,
};
use calltap_channel::stack::End;
use nix::libc;

use super::*;
use crate::report::View;
use crate::report::model::{SystemCallTotal, SystemCalls};

const fn call(number: i64) -> CallId {
    CallId { interface: 0, number: number as u32 }
}

const BRK: CallId = call(libc::SYS_brk);
const CLOSE: CallId = call(libc::SYS_close);
const CONNECT: CallId = call(libc::SYS_connect);
const MMAP: CallId = call(libc::SYS_mmap);
const OPENAT: CallId = call(libc::SYS_openat);

fn built(kernel: KernelReport, view: View) -> SystemCalls {
    let mut source = Fake::default()
        .frame(0x1010, "read_settings  /src/a.c:1")
        .frame(0x1020, "main  /src/a.c:20")
        .stack(&[0x1010, 0x1020], End::Outermost);
    let process = ProcessFacts {
        image: Some(Image(1)),
        findings: Some(ImageReport { kernel: Some(kernel), ..nothing() }),
        ..ProcessFacts::default()
    };
    let facts = Facts { processes: vec![process], ..Facts::default() };
    let (mut report, _) = Report::build(facts, &mut source, &Wishes { view, ..Wishes::default() });
    report.processes.remove(0).system_calls.expect("it was looked at")
}

fn row(id: CallId, total_ns: u64) -> SystemCallRow {
    SystemCallRow { id, count: 2, timed: 2, total_ns, ..SystemCallRow::default() }
}

#[test]
fn calls_are_named_and_ordered_by_total_time() {
    let by =
        vec![Enclosing { function: Some(id("malloc")), count: 2 }, Enclosing { function: None, count: 1 }];
    let foreign =
        |interface, number| SystemCallRow { id: CallId { interface, number }, ..SystemCallRow::default() };
    let calls = vec![row(CLOSE, 5), SystemCallRow { by, ..row(BRK, 70) }, foreign(1, 1), foreign(0, 9999)];
    let report = built(KernelReport { calls, ..KernelReport::default() }, View::default());
    let names: Vec<_> = report.calls.iter().map(|row| row.system_call.as_str()).collect();
    assert_eq!(names, ["brk", "close", "exit#i386", "syscall_9999"]);
    let makers = |row: &SystemCallTotal| -> Vec<_> {
        row.made_by.iter().map(|by| (by.function.clone(), by.count)).collect()
    };
    assert_eq!(makers(&report.calls[0]), [(Some("malloc".to_owned()), 2), (None, 1)]);
}

#[test]
fn the_calls_of_all_processes_are_those_of_the_session() {
    let report = build(Facts { system_calls: vec![row(CLOSE, 5)], ..Facts::default() });
    assert_eq!((report.system_calls[0].system_call.as_str(), report.system_calls[0].count), ("close", 2));
}

#[test]
fn a_wrapper_that_was_not_stopped_has_made_its_system_call() {
    let split = |name, total_ns| FunctionSplit {
        function: id(name),
        calls: 9,
        slow: 1,
        slow_above_ns: 1000,
        rows: vec![
            SplitRow { id: None, count: 8, total_ns, ..SplitRow::default() },
            SplitRow { id: Some(BRK), count: 1, ..SplitRow::default() },
            SplitRow { id: Some(MMAP), count: 0, ..SplitRow::default() },
        ],
        ..FunctionSplit::default()
    };
    let kernel =
        KernelReport { split: vec![split("close", 4), split("malloc", 90)], ..KernelReport::default() };
    let [malloc, close] = &built(kernel, View::default()).cost_split[..] else { panic!("two functions") };
    let parts = |split: &model::CostSplit| -> Vec<_> {
        split.parts.iter().map(|part| part.system_call.clone()).collect()
    };
    assert_eq!((malloc.function.as_str(), malloc.slow), ("malloc", Some(1)));
    assert_eq!(parts(malloc), [None, Some("brk".to_owned())]);
    assert_eq!((close.slow, close.slow_above_ns), (None, None), "who can tell why the kernel took long?");
    assert_eq!(parts(close), [Some("close".to_owned()), Some("brk".to_owned())]);
}

#[test]
fn paths_and_peers_are_told_with_the_names_of_calls_and_errors() {
    let path = PathRow {
        path: b"/etc/x".to_vec(),
        count: 3,
        errors: 2,
        total_ns: 40,
        calls: vec![
            (Via::Function(id("open")), 1),
            (Via::SystemCall(OPENAT), 1),
            (Via::Function(id("fopen")), 1),
        ],
        errnos: vec![(2, 1), (512, 1), (999, 1)],
    };
    let peer = PathRow {
        path: vec![2, 0, 0x1f, 0x90, 10, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0],
        calls: vec![(Via::SystemCall(CONNECT), 1)],
        ..PathRow::default()
    };
    let kernel = KernelReport { paths: vec![path, peer], ..KernelReport::default() };
    let report = built(kernel, View::default());
    let named = |all: &[model::Named]| -> Vec<_> {
        all.iter().map(|named| (named.name.clone(), named.count)).collect()
    };
    assert_eq!(named(&report.by_path[0].system_calls), [("openat".to_owned(), 2), ("fopen".to_owned(), 1)]);
    let errors: Vec<_> = report.by_path[0].error_names.iter().map(|named| named.name.as_str()).collect();
    assert_eq!(errors, ["ENOENT", "ERESTARTSYS", "error 999"]);
    assert_eq!(report.by_path[1].path, "10.0.0.7:8080");
}

#[test]
fn what_failed_and_what_nobody_made_have_their_stacks() {
    let error = |id, function, text: &[u8], count| ErrorRow {
        errno: 2,
        id,
        function,
        text: text.to_vec(),
        site: 0x1010,
        stack: 1,
        count,
    };
    let errors = vec![
        error(Some(OPENAT), None, b"/none", 3),
        error(None, Some(id("open")), b"", 2),
        error(None, Some(id("fopen")), b"", 1),
    ];
    let left = |count| Residue { id: OPENAT, stack: 1, site: 0x1010, count, descriptors: 1, sure: count > 4 };
    let kernel = KernelReport {
        errors,
        errors_omitted: 10,
        residue: vec![left(5), left(4)],
        residue_omitted: 100,
        ..KernelReport::default()
    };
    let report = built(kernel.clone(), View::default());
    let failed: Vec<_> = report
        .errors
        .iter()
        .map(|row| (row.error.as_str(), row.system_call.as_deref(), row.path.as_deref(), row.count))
        .collect();
    assert_eq!(
        failed,
        [
            ("ENOENT", Some("openat"), Some("/none"), 3),
            ("ENOENT", Some("openat"), None, 2),
            ("ENOENT", None, None, 1)
        ]
    );
    assert_eq!(report.errors[0].stack.frames[0].function.as_deref(), Some("read_settings"));
    assert_eq!((report.residue[0].sure, report.residue[1].sure), (true, false));
    assert_eq!((report.residue_calls, report.residue_descriptors, report.residue_omitted), (109, 2, 100));

    let short = built(kernel, View { whole: false, top: 1, ..View::default() });
    assert_eq!((short.errors.len(), short.errors_omitted), (1, 10 + 2 + 1));
    assert_eq!((short.residue.len(), short.residue_omitted, short.residue_calls), (1, 104, 109));
}

#[test]
fn wrappers_are_told_by_function_number() {
    let of = |name| wrappers()[usize::from(id(name).0)];
    assert_eq!((of("close"), of("openat64"), of("malloc")), (Some(CLOSE), Some(OPENAT), None));
}
