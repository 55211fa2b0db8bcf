//! Limits that a program reads: amounts that it may make room for.

use calltap_analyzers::event::Action;
use calltap_channel::Function;
use calltap_channel::record::Record;
use nix::libc;

/// What a call of the memory family did that takes and gives nothing.
pub(super) fn action<'a>(record: &Record<'_>, function: Function) -> Action<'a> {
    if record.errno() != 0 {
        return Action::None;
    }
    match function {
        Function::getrlimit | Function::getrlimit64 => {
            resource(record.argument(0), [record.argument(1), record.argument(2)])
        }
        // Of this process (0), and asked for, not only set.
        Function::prlimit | Function::prlimit64 if record.argument(0) == 0 && record.argument(2) != 0 => {
            resource(record.argument(1), [record.argument(3), record.argument(4)])
        }
        Function::sysconf => match AMOUNTS.iter().find(|(name, _)| *name == record.argument(0) as i32) {
            Some((_, limit)) => amount(limit, record.returned()),
            None => Action::None,
        },
        Function::getdtablesize => amount("", record.returned()),
        _ => Action::None,
    }
}

fn resource<'a>(resource: u64, [soft, hard]: [u64; 2]) -> Action<'a> {
    let limited = |value| (value != libc::RLIM_INFINITY).then_some(value);
    match RESOURCES.iter().find(|(number, ..)| u64::from(*number) == resource) {
        Some(&(_, limit, counts)) => {
            Action::LimitRead { limit, value: limited(soft), hard: limited(hard), counts }
        }
        None => Action::None,
    }
}

/// What returns -1 where there is no limit.
fn amount<'a>(limit: &'static str, returned: u64) -> Action<'a> {
    let value = u64::try_from(returned as i64).ok();
    Action::LimitRead { limit, value, hard: None, counts: true }
}

/// Names of resources (getrlimit(2)), without priorities, and whether their limits count things.
const RESOURCES: [(libc::__rlimit_resource_t, &str, bool); 14] = [
    (libc::RLIMIT_CPU, "RLIMIT_CPU", false),
    (libc::RLIMIT_FSIZE, "RLIMIT_FSIZE", false),
    (libc::RLIMIT_DATA, "RLIMIT_DATA", false),
    (libc::RLIMIT_STACK, "RLIMIT_STACK", false),
    (libc::RLIMIT_CORE, "RLIMIT_CORE", false),
    (libc::RLIMIT_RSS, "RLIMIT_RSS", false),
    (libc::RLIMIT_NPROC, "RLIMIT_NPROC", true),
    (libc::RLIMIT_NOFILE, "RLIMIT_NOFILE", true),
    (libc::RLIMIT_MEMLOCK, "RLIMIT_MEMLOCK", false),
    (libc::RLIMIT_AS, "RLIMIT_AS", false),
    (libc::RLIMIT_LOCKS, "RLIMIT_LOCKS", true),
    (libc::RLIMIT_SIGPENDING, "RLIMIT_SIGPENDING", true),
    (libc::RLIMIT_MSGQUEUE, "RLIMIT_MSGQUEUE", false),
    (libc::RLIMIT_RTTIME, "RLIMIT_RTTIME", false),
];

/// Names of what programs make tables for, or take a share of (sysconf(3)). Others tell what the system
/// can do, and sizes in bytes.
const AMOUNTS: [(i32, &str); 8] = [
    (libc::_SC_OPEN_MAX, "_SC_OPEN_MAX"),
    (libc::_SC_CHILD_MAX, "_SC_CHILD_MAX"),
    (libc::_SC_NGROUPS_MAX, "_SC_NGROUPS_MAX"),
    (libc::_SC_IOV_MAX, "_SC_IOV_MAX"),
    (libc::_SC_NPROCESSORS_CONF, "_SC_NPROCESSORS_CONF"),
    (libc::_SC_NPROCESSORS_ONLN, "_SC_NPROCESSORS_ONLN"),
    (libc::_SC_PHYS_PAGES, "_SC_PHYS_PAGES"),
    (libc::_SC_AVPHYS_PAGES, "_SC_AVPHYS_PAGES"),
];
