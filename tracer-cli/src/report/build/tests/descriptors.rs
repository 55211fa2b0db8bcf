//! What becomes of findings about descriptors.

use calltap_analyzers::descriptors::{
    Call, Difference, DifferenceKind, DoubleClose, Exhausted, ForeignClose, Growth, KindCounts, LastUse,
    PassedOn, PlaceOpens, Reconciliation, UseAfterClose,
};
use calltap_analyzers::event::{Image, Stream};
use calltap_analyzers::kernel::CallId;
use calltap_channel::stack::End;

use super::*;
use crate::exit_snapshot::Limits;
use crate::report::View;

/// Image 1 is the program; in image 7, another one, `start` is at an address that is `serve` here.
fn program() -> Fake {
    Fake::default()
        .frame(0x1010, "serve  /src/a.c:1")
        .frame(0x1030, "main  /src/a.c:20")
        .frame_of(Image(7), 0x1010, "start  /src/b.c:5")
        .stack(&[0x1010, 0x1030], End::Outermost)
}

fn described(found: DescriptorReport, wishes: &Wishes) -> model::Descriptors {
    let process = ProcessFacts {
        image: Some(Image(1)),
        snapshot: Some(ExitSnapshot {
            limits: Limits {
                open_files: Some(Limit { soft: Some(1024), hard: Some(4096) }),
                ..Limits::default()
            },
            ..ExitSnapshot::default()
        }),
        findings: Some(ImageReport { descriptors: Some(found), ..nothing() }),
        ..ProcessFacts::default()
    };
    let facts = Facts { processes: vec![process], ..Facts::default() };
    let (mut report, _) = Report::build(facts, &mut program(), wishes);
    report.processes.remove(0).descriptors.unwrap()
}

fn call(function: &str, image: u32, at_ns: u64) -> Call {
    Call { image: Image(image), function: id(function), site: 0x1010, stack: 1, thread: Thread(9), at_ns }
}

fn innermost(call: &model::Call) -> (&str, u64) {
    (call.stack.frames[0].function.as_deref().unwrap(), call.at_ns)
}

fn upload(number: i32) -> OpenDescriptor {
    let path = format!("/tmp/upload-{number}").into_bytes();
    OpenDescriptor {
        fd: Fd(number),
        kind: "file",
        path,
        function: id("open"),
        site: 0x1010,
        stack: 1,
        ..OpenDescriptor::default()
    }
}

#[test]
fn what_is_left_is_added_up_by_path_and_by_stack() {
    let place = |function: &str, stack, opened| PlaceOpens {
        site: 0x1010,
        stack,
        function: id(function),
        opened,
        still_open: 0,
    };
    let last = LastUse { at_ns: 70, function: id("read"), thread: Thread(4) };
    let hosts = OpenDescriptor {
        path: b"/etc/hosts".into(),
        stream: Some(Stream::File),
        last_use: Some(last),
        close_on_exec: Some(true),
        ..upload(9)
    };
    let found = || DescriptorReport {
        kinds: [("file", KindCounts { opened: 9, closed: 6 })].into(),
        still_open: vec![upload(3), upload(4), hosts.clone()],
        by_place: vec![place("socket", 1, 50), place("open", 1, 9)],
        ..DescriptorReport::default()
    };
    let all = described(found(), &Wishes::default());
    let paths: Vec<_> = all.by_path.iter().map(|path| (path.path.as_str(), path.still_open)).collect();
    assert_eq!(paths, [("/tmp/upload-*", 2), ("/etc/hosts", 1)]);
    assert_eq!(all.still_open[0].path, "/tmp/upload-3");
    let open = &all.still_open[2];
    assert_eq!((open.unclosed, open.close_on_exec), (Some("FILE*"), Some(true)));
    let last = open.last_use.as_ref().unwrap();
    assert_eq!((last.function.as_str(), last.tid, last.at_ns), ("read", 4, 70));
    let rows = |all: &model::Descriptors| -> Vec<_> {
        all.by_stack.iter().map(|row| (row.function.clone(), row.opened, row.still_open)).collect()
    };
    assert_eq!(rows(&all), [("open".to_owned(), 9, 3), ("socket".to_owned(), 50, 0)]);
    let text = Wishes { view: View { whole: false, ..View::default() }, ..Wishes::default() };
    assert_eq!(rows(&described(found(), &text)), [("open".to_owned(), 9, 3)]);
}

#[test]
fn a_call_of_another_image_is_named_there() {
    let passed =
        PassedOn { fd: Fd(7), kind: "file", path: b"/a".into(), opened: call("open", 7, 3), at_ns: 5 };
    let found = DescriptorReport {
        passed_on: Faults { count: 3, examples: vec![passed] },
        exhausted: Faults { count: 1, examples: vec![Exhausted { errno: 24, call: call("dup", 1, 9) }] },
        ..DescriptorReport::default()
    };
    let found = described(found, &Wishes::default());
    assert_eq!((found.passed_on.len(), found.passed_on_omitted), (1, 2));
    assert_eq!(innermost(&found.passed_on[0].opened), ("start", 3));
    let refused = &found.refused_open_examples[0];
    assert_eq!((refused.errno, innermost(&refused.call)), (24, ("serve", 9)), "its own image is named again");
}

#[test]
fn a_fault_tells_who_closed_and_who_opened() {
    let double = DoubleClose {
        fd: Fd(3),
        path: b"/a".into(),
        opened: None,
        first: call("close", 1, 1),
        second: call("fclose", 1, 2),
        ..DoubleClose::default()
    };
    let foreign = ForeignClose {
        fd: Fd(4),
        opened: call("open", 1, 4),
        former: call("close", 1, 3),
        closed: call("close", 1, 5),
        missed: Some(call("dup", 1, 6)),
        ..ForeignClose::default()
    };
    let used = UseAfterClose {
        fd: Fd(5),
        opened: Some(call("open", 1, 7)),
        closed: call("close", 1, 8),
        used: call("dup", 1, 9),
        ..UseAfterClose::default()
    };
    let found = DescriptorReport {
        double_closes: Faults { count: 1, examples: vec![double] },
        foreign_closes: Faults { count: 2, examples: vec![foreign] },
        uses_after_close: Faults { count: 4, examples: vec![used] },
        ..DescriptorReport::default()
    };
    let found = described(found, &Wishes::default());
    assert_eq!((found.double_closes, found.foreign_closes, found.uses_after_close), (1, 2, 4));
    assert_eq!(found.wrong_uses(), 7);
    let at = |call: &Option<model::Call>| call.as_ref().map(|call| call.at_ns);
    let told: Vec<_> = found
        .faults
        .iter()
        .map(|f| (f.kind, f.fd, f.call.at_ns, at(&f.closed), at(&f.opened), at(&f.missed)))
        .collect();
    assert_eq!(
        told,
        [
            ("double_close", 3, 2, Some(1), None, None),
            ("foreign_close", 4, 5, Some(3), Some(4), Some(6)),
            ("use_after_close", 5, 9, Some(8), Some(7), None),
        ]
    );
    assert_eq!((found.faults[0].path.as_str(), found.faults[0].call.function.as_str()), ("/a", "fclose"));
}

#[test]
fn growth_is_told_by_the_minute_and_ends_at_the_limit() {
    let growth = Growth {
        site: 0x1010,
        stack: 1,
        function: id("open"),
        open: 24,
        opened: 30,
        per_second: 2.0,
        confidence: 0.9995,
        ..Growth::default()
    };
    let found = DescriptorReport {
        still_open: (0..24).map(upload).collect(),
        growing: vec![growth],
        ..DescriptorReport::default()
    };
    let found = described(found, &Wishes::default());
    let growing = &found.growing[0];
    assert_eq!((growing.per_minute, growing.still_open, growing.opened), (120.0, 24, 30));
    let forecast =
        model::Forecast { in_use: 24, per_minute: 120.0, limit: 1024, exhausted_in_ns: 500_000_000_000 };
    assert_eq!(found.forecast, Some(forecast), "1000 more, 2 in a second");
    assert_eq!(described(DescriptorReport::default(), &Wishes::default()).forecast, None);
}

#[test]
fn ledger_and_kernel_are_compared_number_by_number() {
    let difference = |fd, kind, in_ledger: (&'static str, &[u8]), in_kernel: &[u8]| Difference {
        fd: Fd(fd),
        kind,
        in_ledger: (in_ledger.0, in_ledger.1.into()),
        in_kernel: in_kernel.into(),
        opened: (fd == 4).then(|| call("open", 1, 6)),
    };
    let compared = Reconciliation {
        identical: 10,
        differences: vec![
            difference(4, DifferenceKind::OnlyInLedger, ("file", b"/tmp/a"), b""),
            difference(5, DifferenceKind::OnlyInLedger, ("pipe", b""), b""),
            difference(6, DifferenceKind::OnlyInKernel, ("", b""), b"socket:[77]"),
            difference(7, DifferenceKind::OtherTarget, ("pipe", b""), b"/dev/null"),
        ],
        ..Reconciliation::default()
    };
    let found = DescriptorReport { reconciliation: Some(compared), ..DescriptorReport::default() };
    let at_exit = described(found, &Wishes::default()).at_exit.unwrap();
    assert_eq!((at_exit.in_ledger, at_exit.in_kernel, at_exit.agreed), (13, 12, 10));
    let told: Vec<_> = at_exit
        .differences
        .iter()
        .map(|d| (d.fd, d.kind, d.in_ledger.as_deref(), d.in_kernel.as_deref()))
        .collect();
    assert_eq!(
        told,
        [
            (4, "only_in_ledger", Some("file /tmp/a"), None),
            (5, "only_in_ledger", Some("pipe"), None),
            (6, "only_in_kernel", None, Some("socket:[77]")),
            (7, "other_target", Some("pipe"), Some("/dev/null")),
        ]
    );
    assert_eq!(innermost(at_exit.differences[0].opened.as_ref().unwrap()), ("serve", 6));
}

#[test]
fn what_no_library_call_made_is_named_as_manuals_name_it() {
    let by = |number| {
        let function = FunctionId::of_system_call(CallId { interface: 0, number });
        let found = DescriptorReport {
            still_open: vec![OpenDescriptor { function, ..upload(3) }],
            ..DescriptorReport::default()
        };
        described(found, &Wishes::default()).still_open.remove(0).opened_by
    };
    assert_eq!(by(257), "openat(2)");
    assert_eq!(by(4000), "system call 4000");
}
