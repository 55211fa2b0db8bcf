//! Streams, sockets' addresses, and what an outer call does not know.

use super::*;
use crate::event::Stream;

fn fopen(start_ns: u64, fd: i32) -> Event<'static> {
    let flags = OpenFlags::default();
    call(MAIN, start_ns, Action::Opened { fd: Fd(fd), kind: "stream", path: b"/etc/hosts", flags })
}

#[test]
fn a_stream_is_named_and_knows_what_the_call_inside_knew() {
    let flags = OpenFlags { word: Some(0o2_000_000), close_on_exec: Some(true) };
    let action = Action::Opened { fd: Fd(3), kind: "file", path: b"/etc/hosts", flags };
    let inner = Event { end_ns: 150, ..call(MAIN, 110, action) };
    let report = findings(&[inner, Event { end_ns: 200, ..fopen(100, 3) }]);
    let open = &report.still_open[0];
    assert_eq!((open.kind, open.stream, open.flags), ("stream", Some(Stream::File), Some(0o2_000_000)));
    assert_eq!((open.close_on_exec, open.started_ns, open.opened_ns), (Some(true), 100, 150));
}

#[test]
fn a_stream_can_be_put_on_a_descriptor_later_and_is_not_copied_with_it() {
    let streamed = call(MAIN, 200, Action::Streamed { fd: Fd(3), stream: Stream::Directory });
    let report = findings(&[open(100, 3), streamed, dup2(300, 3, 4)]);
    let streams: Vec<_> = report.still_open.iter().map(|open| open.stream).collect();
    assert_eq!(streams, [Some(Stream::Directory), None]);
}

#[test]
fn a_socket_bears_its_peers_address_before_its_own() {
    let socket = call(MAIN, 100, Action::Opened { fd: Fd(3), kind: "socket", path: b"", flags: FLAGS });
    let addressed = |start, port, is_peer| {
        let address: &'static [u8] = match port {
            80 => &[2, 0, 0, 80, 127, 0, 0, 1],
            _ => &[2, 0, 0, 81, 127, 0, 0, 1],
        };
        call(MAIN, start, Action::Addressed { fd: Fd(3), address, is_peer })
    };
    let bound = findings(&[socket, addressed(200, 80, false)]);
    assert_eq!(bound.still_open[0].path, b"127.0.0.1:80");
    let connected = findings(&[socket, addressed(200, 80, false), addressed(300, 81, true)]);
    assert_eq!(connected.still_open[0].path, b"127.0.0.1:81");
}

#[test]
fn freopen_is_one_with_the_calls_inside_it() {
    let inside = |start_ns, action| Event { end_ns: start_ns + 5, ..call(MAIN, start_ns, action) };
    let flags = OpenFlags { word: Some(1), close_on_exec: Some(false) };
    let onto = Action::DuplicatedOnto { from: Fd(4), onto: Fd(3), close_on_exec: Some(false) };
    let reopened = Action::Reopened { old: Fd(3), new: Fd(3), kind: "stream", path: b"/b" };
    let report = findings(&[
        fopen(100, 3),
        inside(210, Action::Opened { fd: Fd(4), kind: "file", path: b"/b", flags }),
        inside(220, onto),
        inside(230, Action::Closed { fd: Fd(4) }),
        Event { end_ns: 300, ..call(MAIN, 200, reopened) },
    ]);
    assert_eq!((counts(&report), report.replaced_unseen), ((3, 2, 0, vec![3]), 0));
    assert_eq!((report.still_open[0].kind, report.still_open[0].flags), ("stream", Some(1)));
}
