use std::collections::BTreeSet;
use std::process::Command;

use calltap_analyzers::kernel::CallId;
use calltap_channel::note::{I386, X32};

use super::super::table::CALLS;
use super::names::*;
use super::*;

/// strace stops these whatever it is asked for: it must see programs change, and on i386 calls that stand
/// for many others.
const ALWAYS: [&str; 4] = ["execve", "execveat", "ipc", "socketcall"];

/// In ours and not in strace's, on purpose: it takes descriptors.
const OURS: [(&str, &str); 1] = [("desc", "close_range")];

/// The filter that strace installs for a class, as it writes it when it debugs itself: the only place
/// where it says which calls are in a class.
struct Filter(Vec<Vec<String>>);

impl Filter {
    /// `None` if there is no strace that can.
    fn of(class: Class) -> Option<Self> {
        let list = format!("trace=%{}", class.name());
        let output =
            Command::new("strace").args(["-d", "--seccomp-bpf", "-f", "-e", &list, "true"]).output().ok()?;
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let program: Vec<_> = text.lines().filter_map(instruction).collect();
        (!program.is_empty()).then_some(Self(program))
    }

    fn stops(&self, id: CallId) -> bool {
        let architecture: u32 = if id.interface == I386 { 0x4000_0003 } else { 0xc000_003e };
        let call = if id.interface == X32 { id.number | 0x4000_0000 } else { id.number };
        let (mut at, mut a, mut x) = (0, 0_u32, 0_u32);
        loop {
            let words: Vec<&str> = self.0[at].iter().map(String::as_str).collect();
            at += 1;
            match words[..] {
                ["BPF_RET", action] => return action.contains("TRACE"),
                ["BPF_LDWABS", "data->arch"] => a = architecture,
                ["BPF_LDWABS", _] => a = call,
                ["BPF_LDWIMM", value] => a = number(value),
                ["BPF_TAX"] => x = a,
                ["BPF_TXA"] => a = x,
                ["BPF_AND", mask] => a &= number(mask),
                ["BPF_LSH", "X"] => a <<= x,
                ["BPF_RSH", bits] => a >>= number(bits),
                ["BPF_JA", distance] => at += number(distance) as usize,
                [comparison, yes, no, value] => {
                    let value = number(value);
                    let holds = match comparison {
                        "BPF_JEQ" => a == value,
                        "BPF_JGE" => a >= value,
                        "BPF_JSET" => a & value != 0,
                        _ => panic!("strace's filter has {words:?}"),
                    };
                    at += number(if holds { yes } else { no }) as usize;
                }
                _ => panic!("strace's filter has {words:?}"),
            }
        }
    }
}

/// The words of `strace: JUMP(BPF_JEQ, 0, 32, 3221225534)`.
fn instruction(line: &str) -> Option<Vec<String>> {
    let line = line.strip_prefix("strace: ")?;
    let words = line.strip_prefix("STMT(").or_else(|| line.strip_prefix("JUMP("))?;
    Some(words.strip_suffix(')')?.split(", ").map(str::to_owned).collect())
}

fn number(text: &str) -> u32 {
    let hexadecimal = text.strip_prefix("0x").map(|digits| u32::from_str_radix(digits, 16));
    hexadecimal.unwrap_or_else(|| text.parse()).expect("a number in strace's filter")
}

/// What strace does not know it stops always: it seems to be in two classes that have nothing in common.
fn unknown(filters: &[(Class, Filter)], id: CallId) -> bool {
    let apart = [Class::Clock, Class::Pure];
    filters.iter().filter(|(class, _)| apart.contains(class)).all(|(_, filter)| filter.stops(id))
}

#[test]
fn classes_are_those_of_strace() {
    let shared = Class::ALL.into_iter().filter(|class| !matches!(class, Class::Fd | Class::All));
    let filters: Option<Vec<_>> = shared.map(|class| Some((class, Filter::of(class)?))).collect();
    let Some(filters) = filters else {
        eprintln!("skipped: there is no strace that shows its filters");
        return;
    };
    for (class, filter) in &filters {
        let mut differences = BTreeSet::new();
        let known = |call: &&Call| !call.ids().any(|id| unknown(&filters, id));
        for call in CALLS.iter().filter(|call| !ALWAYS.contains(&call.name)).filter(known) {
            for id in call.ids() {
                if class.has(call) != filter.stops(id) {
                    differences.insert((class.name(), call.name));
                }
            }
        }
        differences.retain(|difference| !OURS.contains(difference));
        assert!(differences.is_empty(), "{differences:?}");
    }
}

#[test]
fn every_class_has_a_name_that_leads_back_to_it() {
    for class in Class::ALL {
        assert_eq!(Class::named(class.name()), Some(class));
    }
    assert_eq!(Class::named("memery"), None);
}

#[test]
fn every_listed_call_is_in_the_table() {
    let lists: [&[&str]; 12] = [
        &FD,
        &MEMORY,
        &PROCESS,
        &NETWORK_WITHOUT_SOCKET,
        &FILE_WITHOUT_PATH,
        &SIGNAL,
        &IPC,
        &DESC_IN_MEMORY,
        &NOT_DESC,
        &CREDS,
        &CLOCK,
        &PURE,
    ];
    for name in lists.into_iter().flatten() {
        assert!(CALLS.iter().any(|call| call.name == *name), "{name}");
    }
}

#[test]
fn class_fd_has_what_makes_and_closes_descriptors_and_not_what_uses_them() {
    let has = |name: &str| Class::Fd.has(CALLS.iter().find(|call| call.name == name).expect(name));
    let makers = [
        "open",
        "openat",
        "openat2",
        "creat",
        "open_by_handle_at",
        "socket",
        "socketpair",
        "accept",
        "accept4",
        "dup",
        "dup2",
        "dup3",
        "pipe",
        "pipe2",
        "epoll_create",
        "epoll_create1",
        "eventfd",
        "eventfd2",
        "signalfd",
        "signalfd4",
        "timerfd_create",
        "inotify_init",
        "inotify_init1",
        "fanotify_init",
        "memfd_create",
        "memfd_secret",
        "userfaultfd",
        "perf_event_open",
        "pidfd_open",
        "pidfd_getfd",
        "recvmsg",
        "recvmmsg",
        "io_uring_setup",
        "mq_open",
        "fsopen",
        "fsmount",
        "fspick",
        "open_tree",
        "open_tree_attr",
        "landlock_create_ruleset",
        "close",
        "close_range",
        "fcntl",
        "ioctl",
        "bpf",
    ];
    for name in makers {
        assert!(has(name), "{name}");
    }
    for name in
        ["read", "write", "lseek", "fstat", "poll", "epoll_wait", "sendmsg", "mmap", "getsockopt", "prctl"]
    {
        assert!(!has(name), "{name}");
    }
}
