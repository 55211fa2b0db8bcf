use super::super::lookup::id;
use super::*;

const TAG: u64 = 0x1234_5678_9abc_def0;
const DATA: u16 = 77;
const STOPPED: u32 = libc::SECCOMP_RET_TRACE | DATA as u32;
const ALLOWED: u32 = libc::SECCOMP_RET_ALLOW;

/// A call as the filter sees it.
#[derive(Clone, Copy)]
struct Seen {
    architecture: u32,
    number: u32,
    arguments: [u64; 6],
}

impl Seen {
    fn new(id: CallId, arguments: [u64; 6]) -> Self {
        let architecture = if id.interface == I386 { AUDIT_I386 } else { AUDIT_X86_64 };
        Self { architecture, number: shown_number(id), arguments }
    }

    fn word(&self, offset: u32) -> u32 {
        match offset {
            NUMBER => self.number,
            ARCHITECTURE => self.architecture,
            _ => {
                let argument = self.arguments[(offset - ARGUMENTS) as usize / 8];
                if offset.is_multiple_of(8) { argument as u32 } else { (argument >> 32) as u32 }
            }
        }
    }
}

/// How many arguments a call has.
fn arguments(id: CallId) -> usize {
    lookup::call(id).expect("a call").arguments.len()
}

/// What came of running the program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Outcome {
    action: u32,
    looked_at_arguments: bool,
    steps: usize,
}

fn run(program: &[Instruction], seen: Seen) -> Outcome {
    let (mut at, mut loaded, mut outcome) = (0, 0, Outcome::default());
    loop {
        outcome.steps += 1;
        let Instruction { code, jt, jf, k } = program[at];
        at += 1;
        let taken = match u32::from(code) & !libc::BPF_K {
            0x20 => {
                loaded = seen.word(k);
                outcome.looked_at_arguments |= k >= ARGUMENTS;
                continue;
            }
            0x05 => {
                at += k as usize;
                continue;
            }
            0x06 => return Outcome { action: k, ..outcome },
            0x15 => loaded == k,
            0x35 => loaded >= k,
            0x45 => loaded & k != 0,
            other => panic!("instruction {other:#x} is not expected"),
        };
        at += usize::from(if taken { jt } else { jf });
    }
}

fn action(program: &[Instruction], id: CallId, arguments: [u64; 6]) -> u32 {
    run(program, Seen::new(id, arguments)).action
}

fn filter(list: &str, always: &[CallId]) -> Vec<Instruction> {
    Selection::of(list).expect(list).filter(TAG, DATA, always)
}

/// Every number that could be asked for, in every interface.
fn numbers() -> impl Iterator<Item = CallId> {
    [X86_64, I386, X32]
        .into_iter()
        .flat_map(|interface| (0..700).map(move |number| CallId { interface, number }))
}

const PLAIN: [u64; 6] = [1, 0xffff_fff0, 3, 4, 5, 6];
const TAGGED_ARGUMENTS: [u64; 6] = [1, 0xffff_fff0, 3, 4, 5, TAG];

#[test]
fn every_number_of_every_interface_gets_what_the_selection_says() {
    for list in ["none", "memory,fd", "file", "network,signal", "desc", "all", "!futex", "clone,clone3,mmap"]
    {
        let selection = Selection::of(list).unwrap();
        let program = filter(list, &[]);
        assert!(program.len() <= 4096, "{list}: {} instructions", program.len());
        for id in numbers() {
            let wanted = if selection.wants(id, &PLAIN) { STOPPED } else { ALLOWED };
            assert_eq!(action(&program, id, PLAIN), wanted, "{list}: {id:?}");
        }
    }
}

#[test]
fn the_tag_lets_calls_of_five_arguments_pass_and_no_others() {
    let program = filter("all", &[]);
    for id in numbers().filter(|id| lookup::name(*id).is_some()) {
        let few = arguments(id) <= 5;
        let wanted = if id.interface == X86_64 && few { ALLOWED } else { STOPPED };
        assert_eq!(action(&program, id, TAGGED_ARGUMENTS), wanted, "{id:?}");
    }
    for name in
        ["mmap", "sendto", "recvfrom", "futex", "epoll_pwait", "pselect6", "splice", "copy_file_range"]
    {
        assert_eq!(arguments(id(0, name).unwrap()), 6, "{name}");
    }
}

#[test]
fn half_a_tag_is_none() {
    let program = filter("close", &[]);
    let close = id(0, "close").unwrap();
    for other in [TAG ^ 1, TAG ^ 1 << 32, TAG >> 32, 0, u64::from(TAG as u32)] {
        assert_eq!(action(&program, close, [3, 0, 0, 0, 0, other]), STOPPED, "{other:#x}");
    }
}

#[test]
fn without_a_tag_nothing_passes_by_one() {
    let program = Selection::of("close").unwrap().filter(0, DATA, &[]);
    assert_eq!(action(&program, id(0, "close").unwrap(), [3, 0, 0, 0, 0, 0]), STOPPED);
}

#[test]
fn conditions_are_looked_up_in_the_arguments() {
    let program = filter("fd", &[]);
    let cases = [
        (0, "fcntl", [3, libc::F_DUPFD as u64, 0, 0, 0, 0], STOPPED),
        (0, "fcntl", [3, libc::F_SETFD as u64, 0, 0, 0, 0], STOPPED),
        (0, "fcntl", [3, libc::F_SETFD as u64, 0, 0, 0, TAG], ALLOWED),
        (0, "fcntl", [3, libc::F_GETFD as u64, 0, 0, 0, 0], ALLOWED),
        (0, "ioctl", [3, libc::FIONCLEX, 0, 0, 0, 0], STOPPED),
        (0, "ioctl", [3, libc::TCGETS, 0, 0, 0, 0], ALLOWED),
        (1, "fcntl64", [3, libc::F_DUPFD_CLOEXEC as u64, 0, 0, 0, TAG], STOPPED),
        (1, "socketcall", [1, 0, 0, 0, 0, 0], STOPPED),
        (1, "socketcall", [3, 0, 0, 0, 0, 0], ALLOWED),
        (2, "ioctl", [3, libc::FIOCLEX, 0, 0, 0, 0], STOPPED),
    ];
    for (interface, name, arguments, wanted) in cases {
        let id = id(interface, name).unwrap();
        assert_eq!(action(&program, id, arguments), wanted, "{name} {arguments:x?}");
    }
}

#[test]
fn a_child_that_is_not_to_be_traced_is_always_told() {
    let untraced = [u64::from(CLONE_UNTRACED) | 17, 0, 0, 0, 0, TAG];
    for list in ["none", "memory", "all"] {
        let program = filter(list, &[]);
        for interface in 0..3 {
            assert_eq!(action(&program, id(interface, "clone").unwrap(), untraced), STOPPED, "{list}");
        }
    }
    assert_eq!(action(&filter("memory", &[]), id(0, "clone").unwrap(), [17, 0, 0, 0, 0, 0]), ALLOWED);
}

#[test]
fn what_the_caller_always_wants_is_stopped_tag_or_not() {
    let always = [id(0, "sched_getaffinity").unwrap(), CallId { interface: 0, number: 650 }];
    for list in ["none", "all"] {
        let program = filter(list, &always);
        for id in always {
            assert_eq!(action(&program, id, TAGGED_ARGUMENTS), STOPPED, "{list} {id:?}");
        }
    }
}

#[test]
fn calls_that_are_not_selected_are_decided_by_their_number_alone() {
    for list in ["memory,fd", "network"] {
        let (selection, program) = (Selection::of(list).unwrap(), filter(list, &[]));
        for id in numbers().filter(|id| !selection.contains(*id) && lookup::name(*id) != Some("clone")) {
            let outcome = run(&program, Seen::new(id, PLAIN));
            assert_eq!((outcome.action, outcome.looked_at_arguments), (ALLOWED, false), "{list} {id:?}");
        }
    }
}

#[test]
fn other_architectures_pass() {
    let aarch64 = Seen { architecture: 0xc000_00b7, number: 57, arguments: PLAIN };
    assert_eq!(run(&filter("all", &[]), aarch64).action, ALLOWED);
}

#[test]
fn the_search_is_short() {
    for list in ["memory,fd", "desc", "all"] {
        let program = filter(list, &[]);
        let steps = numbers().map(|id| run(&program, Seen::new(id, PLAIN)).steps).max();
        assert!(steps.unwrap() <= 32, "{list}: {steps:?}");
    }
}

/// The kernel's own opinion: a child installs the program, with an error in place of the stop, and makes
/// calls that fail otherwise than by it.
#[test]
fn the_kernel_takes_the_program_and_decides_as_it_says() {
    const REFUSED: i32 = 222;
    let action = libc::SECCOMP_RET_ERRNO | REFUSED as u32;
    let program = Selection::of("fd").unwrap().program(TAG, action, &[]);
    let filter = libc::sock_fprog { len: program.len() as u16, filter: program.as_ptr().cast_mut() };
    // SAFETY: the child makes system calls only, and ends.
    let child = unsafe { libc::fork() };
    assert!(child >= 0);
    if child == 0 {
        // SAFETY: `filter` points to instructions that are alive; no other pointers are passed.
        unsafe {
            let installed = libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
                && libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, &raw const filter) == 0;
            let errno = |number: libc::c_long, second: u64, last: u64| {
                libc::syscall(number, -1_i64, second, 0, 0, 0, last);
                *libc::__errno_location()
            };
            let right = errno(libc::SYS_close, 0, 0) == REFUSED
                && errno(libc::SYS_close, 0, TAG) == libc::EBADF
                && errno(libc::SYS_fcntl, libc::F_DUPFD as u64, 0) == REFUSED
                && errno(libc::SYS_fcntl, libc::F_GETFD as u64, 0) == libc::EBADF
                && errno(libc::SYS_fsync, 0, 0) == libc::EBADF;
            libc::_exit(i32::from(!installed) * 2 + i32::from(!right));
        }
    }
    let mut status = 0;
    // SAFETY: our own child, and a place for its status.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    assert_eq!(status, 0);
}
