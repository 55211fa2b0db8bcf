//! What becomes of outsized allocations.

use calltap_analyzers::event::Image;
use calltap_analyzers::outsized::{
    Capacity, CapacitySetBy, LimitBefore, LimitRead, Multiple, OutsizedAllocation, OutsizedReport,
};
use calltap_channel::stack::End;

use super::*;
use crate::report::model;

const GIBIBYTE: u64 = 1 << 30;

fn asked() -> OutsizedReport {
    let read = LimitRead {
        function: id("sysconf"),
        limit: "_SC_OPEN_MAX",
        value: Some(GIBIBYTE),
        hard: None,
        counts: true,
        thread: Thread(7),
        at_ns: 100,
    };
    let multiple = Multiple { value: GIBIBYTE, bytes_each: 48, beyond_bytes: 16 };
    let allocation = OutsizedAllocation {
        bytes: 48 * GIBIBYTE + 16,
        function: id("calloc"),
        site: 0x1010,
        stack: 1,
        thread: Thread(7),
        at_ns: 300,
        end_ns: 400,
        address: None,
        errno: 12,
        limits: vec![LimitBefore { read, before_ns: 200, multiple: Some(multiple) }],
    };
    let capacity = Capacity { bytes: 16 * GIBIBYTE, set_by: CapacitySetBy::Cgroup, percent: 25 };
    OutsizedReport { capacity, count: 3, allocations: vec![allocation] }
}

fn built(ended: Ended) -> model::Outsized {
    let mut source = Fake::default()
        .frame(0x1010, "make_table  /src/server.c:12")
        .frame(0x1020, "main  /src/server.c:40")
        .stack(&[0x1010, 0x1020], End::Outermost);
    let process = ProcessFacts {
        image: Some(Image(1)),
        pid: 7,
        ended,
        ended_ns: Some(1_400),
        findings: Some(ImageReport { outsized: Some(asked()), ..nothing() }),
        ..ProcessFacts::default()
    };
    let facts = Facts { processes: vec![process], ..Facts::default() };
    let (mut report, _) = Report::build(facts, &mut source, &Wishes::default());
    report.processes.remove(0).outsized.unwrap()
}

#[test]
fn an_outsized_allocation_has_its_share_its_stack_and_its_limits() {
    let outsized = built(Ended::Exit(0));
    assert_eq!((outsized.capacity_set_by, outsized.count), ("cgroup", 3));
    assert_eq!((outsized.percent, outsized.above_bytes), (25, 4 * GIBIBYTE));
    let [asked] = &outsized.allocations[..] else { panic!("{outsized:?}") };
    assert_eq!((asked.function.as_str(), asked.percent, asked.tid, asked.at_ns), ("calloc", 300, 7, 300));
    assert_eq!((asked.given, asked.errno, asked.error.as_deref()), (false, 12, Some("ENOMEM")));
    assert_eq!(asked.stack.frames[0].function.as_deref(), Some("make_table"));
    assert_eq!(asked.killed_after_ns, None);
    let [limit] = &asked.limits[..] else { panic!("{asked:?}") };
    assert_eq!((limit.function.as_str(), limit.limit.as_str()), ("sysconf", "_SC_OPEN_MAX"));
    assert_eq!((limit.value, limit.hard, limit.before_ns), (Some(GIBIBYTE), None, 200));
    assert_eq!(limit.multiple.as_ref().map(|multiple| multiple.beyond_bytes), Some(16));
}

#[test]
fn how_long_after_it_a_signal_killed_the_process_is_told() {
    assert_eq!(built(Ended::Signal(9)).allocations[0].killed_after_ns, Some(1_000));
}
