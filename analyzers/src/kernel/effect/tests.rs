use super::*;
use crate::event::{Image, Thread};
use crate::kernel::CallId;

fn call(name: &'static str, result: i64, arguments: &[u64], text: &'static [u8]) -> SystemCall<'static> {
    let mut all = [0; 6];
    all[..arguments.len()].copy_from_slice(arguments);
    SystemCall {
        image: Image(1),
        thread: Thread(2),
        id: CallId { interface: 0, number: 257 },
        name,
        start_ns: 100,
        end_ns: 200,
        stopped_ns: 10,
        result,
        arguments: all,
        text,
        site: 0x400,
        stack: 7,
        in_hook: None,
        entry_only: false,
    }
}

fn told(call: &SystemCall<'static>) -> Vec<Event<'static>> {
    let mut events = Vec::new();
    effects(call, &mut |event| events.push(event));
    events
}

fn action(name: &'static str, result: i64, arguments: &[u64]) -> Action<'static> {
    match told(&call(name, result, arguments, b""))[..] {
        [] => Action::None,
        [event] => event.action,
        ref many => panic!("{many:?}"),
    }
}

fn opened(name: &'static str, arguments: &[u64]) -> (&'static str, Option<bool>) {
    match action(name, 5, arguments) {
        Action::Opened { fd: Fd(5), kind, flags, .. } => (kind, flags.close_on_exec),
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn every_call_that_makes_a_descriptor_says_of_what_and_whether_an_exec_closes_it() {
    const CLOEXEC: u64 = 0o2_000_000;
    for (name, arguments, kind, close_on_exec) in [
        ("open", &[0, CLOEXEC][..], "file", Some(true)),
        ("openat", &[0, 0, 0], "file", Some(false)),
        ("openat2", &[0, 0, 0, 24], "file", None),
        ("creat", &[0, 0o644], "file", Some(false)),
        ("open_by_handle_at", &[3, 0, CLOEXEC], "file", Some(true)),
        ("socket", &[1, 1 | CLOEXEC], "socket", Some(true)),
        ("accept", &[3], "socket", Some(false)),
        ("accept4", &[3, 0, 0, CLOEXEC], "socket", Some(true)),
        ("epoll_create", &[1], "epoll", Some(false)),
        ("epoll_create1", &[CLOEXEC], "epoll", Some(true)),
        ("eventfd", &[0], "eventfd", Some(false)),
        ("eventfd2", &[0, CLOEXEC], "eventfd", Some(true)),
        ("timerfd_create", &[0, CLOEXEC], "timerfd", Some(true)),
        ("signalfd", &[u64::MAX], "signalfd", Some(false)),
        ("signalfd4", &[u32::MAX as u64, 0, 8, CLOEXEC], "signalfd", Some(true)),
        ("inotify_init", &[], "inotify", Some(false)),
        ("inotify_init1", &[CLOEXEC], "inotify", Some(true)),
        ("fanotify_init", &[1], "fanotify", Some(true)),
        ("memfd_create", &[0, 1], "memfd", Some(true)),
        ("memfd_secret", &[0], "memfd", Some(false)),
        ("pidfd_open", &[1], "pidfd", Some(true)),
        ("pidfd_getfd", &[3, 1], "received", Some(true)),
        ("userfaultfd", &[CLOEXEC], "userfaultfd", Some(true)),
        ("perf_event_open", &[0, 0, 0, 0, 8], "perf-event", Some(true)),
        ("bpf", &[0], "bpf", Some(true)),
        ("io_uring_setup", &[8], "io_uring", Some(true)),
        ("fsopen", &[0, 1], "mount", Some(true)),
        ("fsmount", &[3, 0], "mount", Some(false)),
        ("fspick", &[3, 0, 1], "mount", Some(true)),
        ("open_tree", &[3, 0, CLOEXEC], "mount", Some(true)),
        ("mq_open", &[0, 2], "message-queue", Some(true)),
        ("landlock_create_ruleset", &[1, 8, 0], "landlock", Some(true)),
        ("seccomp", &[1, 8], "seccomp", Some(true)),
        ("socketcall", &[1], "socket", None),
    ] {
        assert_eq!(opened(name, arguments), (kind, close_on_exec), "{name}");
        assert!(makes_descriptor(&call(name, 5, arguments, b"")), "{name}");
        assert!(!makes_descriptor(&call(name, -2, arguments, b"")), "{name}");
    }
}

#[test]
fn calls_that_only_look_so_make_none() {
    for (name, arguments) in [
        ("signalfd4", &[5, 0, 8, 0][..]),
        ("landlock_create_ruleset", &[0, 0, 1]),
        ("seccomp", &[1, 0]),
        ("bpf", &[1]),
        ("fcntl", &[3, 1]),
        ("ioctl", &[3, 0x5401]),
        ("dup2", &[5, 5]),
        ("clone", &[0x11]),
        ("stat", &[]),
    ] {
        assert_eq!(action(name, 5, arguments), Action::None, "{name}");
    }
}

#[test]
fn numbers_that_the_kernel_wrote_to_memory_come_as_text() {
    for (name, arguments, kind) in [
        ("pipe", &[][..], "pipe"),
        ("pipe2", &[0, 0], "pipe"),
        ("socketpair", &[1, 1], "socket"),
        ("recvmsg", &[3], "received"),
        ("clone", &[0x1000], "pidfd"),
        ("clone3", &[], "pidfd"),
    ] {
        let events = told(&call(name, 0, arguments, b"\x04\0\0\0\x2c\x01\0\0"));
        let made: Vec<_> = events
            .iter()
            .map(|event| match event.action {
                Action::Opened { fd, kind, .. } => (fd.0, kind),
                other => panic!("{name}: {other:?}"),
            })
            .collect();
        assert_eq!(made, [(4, kind), (300, kind)], "{name}");
    }
}

#[test]
fn copies_and_their_close_on_exec() {
    let copied =
        |close_on_exec| Action::Duplicated { from: Fd(3), to: Fd(5), close_on_exec: Some(close_on_exec) };
    assert_eq!(action("dup", 5, &[3]), copied(false));
    assert_eq!(action("fcntl", 5, &[3, 0, 0]), copied(false));
    assert_eq!(action("fcntl64", 5, &[3, 1030, 0]), copied(true));
    let onto = |close_on_exec| Action::DuplicatedOnto {
        from: Fd(3),
        onto: Fd(5),
        close_on_exec: Some(close_on_exec),
    };
    assert_eq!(action("dup2", 5, &[3, 5]), onto(false));
    assert_eq!(action("dup3", 5, &[3, 5, 0o2_000_000]), onto(true));
}

#[test]
fn close_on_exec_can_be_changed_in_four_ways() {
    let changed = |last, on| Action::CloseOnExec { first: Fd(3), last: Fd(last), on };
    assert_eq!(action("fcntl", 0, &[3, 2, 1]), changed(3, true));
    assert_eq!(action("fcntl", 0, &[3, 2, 0]), changed(3, false));
    assert_eq!(action("ioctl", 0, &[3, 0x5451]), changed(3, true));
    assert_eq!(action("ioctl", 0, &[3, 0x5450]), changed(3, false));
    assert_eq!(action("close_range", 0, &[3, 9, 4]), changed(9, true));
}

#[test]
fn a_failed_close_closes_unless_nothing_was_open() {
    assert_eq!(action("close", 0, &[3]), Action::Closed { fd: Fd(3) });
    assert_eq!(action("close", -4, &[3]), Action::Closed { fd: Fd(3) });
    assert_eq!(action("close", -9, &[3]), Action::CloseFailed { fd: Fd(3) });
    assert_eq!(action("close", -9, &[u64::MAX]), Action::CloseFailed { fd: Fd(-1) });
    let all = Action::ClosedRange { first: Fd(3), last: Fd(i32::MAX) };
    assert_eq!(action("close_range", 0, &[3, u32::MAX as u64, 2]), all);
    assert_eq!(action("close_range", -22, &[3, 1]), Action::None);
}

#[test]
fn uses_and_refusals_are_told_though_they_change_nothing() {
    let read = told(&call("read", 10, &[3], b""));
    assert_eq!((read.len(), read[0].used, read[0].errno), (1, Some(Fd(3)), 0));
    assert_eq!(read[0].function.system_call(), Some(CallId { interface: 0, number: 257 }));
    let refused = told(&call("openat", -24, &[0], b"/a"));
    assert_eq!((refused.len(), refused[0].errno, refused[0].action), (1, 24, Action::None));
    assert_eq!(told(&call("openat", 5, &[0], b"/a"))[0].stack, 7);
    assert_eq!(told(&call("getpid", 5, &[], b"")), []);
}

#[test]
fn an_accepted_socket_uses_the_one_that_listens_and_has_a_peer() {
    let events = told(&call("accept4", 5, &[3], &[2, 0, 0, 80, 127, 0, 0, 1]));
    assert_eq!((events.len(), events[0].used, events[1].used), (2, Some(Fd(3)), None));
    assert!(matches!(events[1].action, Action::Addressed { fd: Fd(5), is_peer: true, .. }));
}
