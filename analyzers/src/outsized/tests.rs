use super::*;
use crate::event::{Block, Giver, Image};

const MALLOC: FunctionId = FunctionId(1);
const NEW: FunctionId = FunctionId(2);
const GETRLIMIT: FunctionId = FunctionId(3);
const SYSCONF: FunctionId = FunctionId(4);
const CAPACITY: Capacity = Capacity { bytes: 16 << 30, set_by: CapacitySetBy::Ram, percent: 25 };
const MUCH: u64 = 8 << 30;
const MILLISECOND: u64 = 1_000_000;

fn call(thread: u32, function: FunctionId, at_ns: u64, action: Action<'static>) -> Event<'static> {
    Event {
        image: Image(1),
        thread: Thread(thread),
        function,
        start_ns: at_ns,
        end_ns: at_ns + 20,
        timed: true,
        errno: 0,
        site: 7,
        stack: 9,
        vfork_child: false,
        text: b"",
        used: None,
        action,
    }
}

fn gave(address: u64, bytes: u64) -> Action<'static> {
    Action::Allocated { block: Block(address), bytes, giver: Giver::C }
}

fn read(limit: &'static str, value: u64) -> Action<'static> {
    Action::LimitRead { limit, value: Some(value), hard: Some(value), counts: true }
}

fn observed(events: &[Event<'_>]) -> OutsizedReport {
    let mut outsized = Outsized::new(Some(CAPACITY), None);
    events.iter().for_each(|event| outsized.observe(event));
    outsized.report().unwrap()
}

fn limits(found: &OutsizedAllocation) -> Vec<&'static str> {
    found.limits.iter().map(|before| before.read.limit).collect()
}

#[test]
fn only_what_is_above_the_share_is_outsized() {
    let share = CAPACITY.most_bytes();
    assert_eq!(share, 4 << 30);
    let found = observed(&[call(1, MALLOC, 100, gave(64, share)), call(1, MALLOC, 200, gave(96, share + 1))]);
    assert_eq!((found.count, found.capacity), (1, CAPACITY));
    let [only] = &found.allocations[..] else { panic!("{found:?}") };
    assert_eq!((only.bytes, only.at_ns, only.address, only.stack), (share + 1, 200, Some(96), 9));
}

#[test]
fn what_was_not_given_is_outsized_too() {
    let failed = Event { errno: 12, ..call(1, MALLOC, 100, Action::AllocationFailed { bytes: MUCH }) };
    let map = Event { errno: 12, ..call(1, SYSCONF, 200, Action::MapFailed { bytes: MUCH }) };
    let found = observed(&[failed, map]);
    assert_eq!(found.count, 2);
    assert!(found.allocations.iter().all(|one| one.errno == 12 && one.address.is_none()));
}

#[test]
fn a_reservation_and_a_file_are_no_allocation() {
    let map = |fd, reserves| Action::Mapped { address: 4096, bytes: MUCH, fd, reserves };
    let [plain, reserved, file] = [(None, false), (None, true), (Some(crate::event::Fd(3)), false)]
        .map(|(fd, reserves)| observed(&[call(1, MALLOC, 100, map(fd, reserves))]).count);
    assert_eq!((plain, reserved, file), (1, 0, 0));
}

#[test]
fn without_a_capacity_nothing_is_found() {
    let mut outsized = Outsized::new(None, None);
    outsized.observe(&call(1, GETRLIMIT, 10, read("RLIMIT_NOFILE", 1024)));
    outsized.observe(&call(1, MALLOC, 100, gave(64, u64::MAX)));
    assert_eq!(outsized.report(), None);
}

#[test]
fn a_call_inside_another_is_the_same_allocation() {
    let inner = call(1, MALLOC, 110, gave(64, MUCH));
    let outer = Event { end_ns: 200, ..call(1, NEW, 100, gave(64, MUCH)) };
    let found = observed(&[inner, outer]);
    assert_eq!((found.count, found.allocations.len(), found.allocations[0].function), (1, 1, NEW));
    let next = call(1, NEW, 300, gave(64, MUCH));
    assert_eq!(observed(&[inner, next]).count, 2);
    let elsewhere = Event { thread: Thread(2), ..outer };
    assert_eq!(observed(&[inner, elsewhere]).count, 2);
}

#[test]
fn with_one_stamp_the_same_memory_tells_the_outer_call() {
    let untimed = |function, at_ns, address| Event {
        timed: false,
        end_ns: at_ns,
        ..call(1, function, at_ns, gave(address, MUCH))
    };
    let found = observed(&[untimed(MALLOC, 110, 64), untimed(NEW, 120, 64)]);
    assert_eq!((found.count, found.allocations[0].function), (1, NEW));
    assert_eq!(observed(&[untimed(MALLOC, 110, 64), untimed(NEW, 120, 96)]).count, 2);
    assert_eq!(observed(&[untimed(MALLOC, 110, 64), untimed(MALLOC, 120, 64)]).count, 2);
}

#[test]
fn all_are_counted_and_the_first_are_told_of() {
    let mut events = Vec::new();
    for round in 0..60 {
        events.push(call(1, MALLOC, round * 1000 + 10, gave(64, MUCH)));
        events.push(Event { end_ns: round * 1000 + 90, ..call(1, NEW, round * 1000, gave(64, MUCH)) });
    }
    let found = observed(&events);
    assert_eq!((found.count, found.allocations.len()), (60, TOLD));
    assert!(found.allocations.iter().all(|one| one.function == NEW));
}

#[test]
fn limits_read_shortly_before_are_told_with_it_the_latest_first() {
    let found = observed(&[
        call(1, GETRLIMIT, 0, read("RLIMIT_NPROC", 30)),
        call(1, GETRLIMIT, 5000 * MILLISECOND, read("RLIMIT_NOFILE", 1000)),
        call(1, GETRLIMIT, 5001 * MILLISECOND, read("RLIMIT_NOFILE", 2000)),
        call(1, SYSCONF, 5002 * MILLISECOND, read("_SC_OPEN_MAX", 2000)),
        call(1, MALLOC, 5003 * MILLISECOND, gave(64, MUCH)),
    ]);
    let only = &found.allocations[0];
    assert_eq!(limits(only), ["_SC_OPEN_MAX", "RLIMIT_NOFILE"], "RLIMIT_NPROC was read too long before");
    let nofile = only.limits[1];
    assert_eq!((nofile.read.value, nofile.before_ns), (Some(2000), 2 * MILLISECOND - 20));
    assert_eq!(nofile.multiple, None);
}

#[test]
fn a_limit_that_divides_the_size_is_told_however_long_ago_it_was_read() {
    let bytes_each = 48;
    let value = MUCH / bytes_each;
    let found = observed(&[
        call(1, GETRLIMIT, 0, read("RLIMIT_NOFILE", value)),
        call(1, MALLOC, 5000 * MILLISECOND, gave(64, value * bytes_each)),
    ]);
    let expected = Multiple { value, bytes_each, beyond_bytes: 0 };
    assert_eq!(found.allocations[0].limits[0].multiple, Some(expected));
    let size = Action::LimitRead { limit: "RLIMIT_AS", value: Some(MUCH), hard: None, counts: false };
    let found = observed(&[call(1, GETRLIMIT, 0, size), call(1, MALLOC, 100, gave(64, MUCH))]);
    assert_eq!(found.allocations[0].limits[0].multiple, None, "bytes are not counted things");
}

#[test]
fn what_the_thread_itself_has_read_comes_before_what_others_have() {
    let other = call(2, SYSCONF, 0, read("_SC_OPEN_MAX", 5));
    let own = call(1, GETRLIMIT, 100, read("RLIMIT_NOFILE", 7));
    let big = call(1, MALLOC, 200, gave(64, MUCH));
    assert_eq!(limits(&observed(&[other, own, big]).allocations[0]), ["RLIMIT_NOFILE"]);
    let found = observed(&[other, big]);
    assert_eq!(limits(&found.allocations[0]), ["_SC_OPEN_MAX"]);
    assert_eq!(found.allocations[0].limits[0].read.thread, Thread(2));
}

#[test]
fn a_child_knows_what_its_parent_has_read() {
    let mut parent = Outsized::new(Some(CAPACITY), None);
    parent.observe(&call(1, GETRLIMIT, 0, read("RLIMIT_NOFILE", 7)));
    parent.observe(&call(1, MALLOC, 100, gave(64, MUCH)));
    let mut child = Outsized::new(Some(CAPACITY), Some(&parent));
    child.observe(&call(2, MALLOC, 200, gave(64, MUCH)));
    let found = child.report().unwrap();
    assert_eq!((found.count, limits(&found.allocations[0])), (1, vec!["RLIMIT_NOFILE"]));
}

#[test]
fn a_thread_that_has_ended_is_forgotten() {
    let mut outsized = Outsized::new(Some(CAPACITY), None);
    for thread in 1..1000 {
        outsized.observe(&call(thread, GETRLIMIT, 0, read("RLIMIT_NOFILE", 7)));
        outsized.thread_ended(Thread(thread));
    }
    assert!(outsized.threads.is_empty());
    assert_eq!(outsized.reads.len(), 1, "the last of each limit");
}
