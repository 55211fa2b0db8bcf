//! The seeds of corpora, written by hand: what each target's inputs look like. `CALLTAP_BLESS=1` writes their files.

use std::fs;
use std::path::Path;

use calltap_channel::record::{ENTRY, TEXT, VOID, header};
use calltap_channel::trace::plan::{PatternKind, RuleKind};
use calltap_channel::{Function, Note};

use crate::prototype::parse::Reader;
use crate::trace::plan::PlanWriter;
use crate::trace::record::format::put_text;

const PROTOTYPES: &str = "\
typedef size = ulong;
typedef colour = enum(RED=0, BLUE=5, DARK);
typedef flags = enum[uint](A=1, B=2, C=0x10);
struct point;
typedef point = struct(int, int, +string[arg2]);
typedef list = struct(list *, array(point, 3)*, colour, array(char, zero(8)));
int first(int, string);
point second(point, double);
void *third(list *, addr, size);
float fourth(colour, hex(int), octal(uint), bool(char), flags);
int variadic(file, format, ...) # formatted
+int read(int, +string[retval], size);
hide(int) secret(array(int, elt2), size, oct(short));
long deep(struct(struct(struct(int *)*)*)*);
import \"types\";
int bitvec(bitvec(ulong), string(array(char, arg1))) ; comment
";

const MAPS: &str = "\
555555554000-555555555000 r--p 00000000 08:01 77 /usr/bin/a program
555555555000-555555556000 r-xp 00001000 08:01 77 /usr/bin/a program
555555559000-55555557a000 rw-p 00000000 00:00 0 [heap]
7ffff7d80000-7ffff7da8000 r--p 00000000 08:01 1234 /usr/lib/libc.so.6 (deleted)
7ffffffde000-7ffffffff000 rw-p 00000000 00:00 0 [stack]
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 [vsyscall]
";
const STATUS: &str = "\
Name:\tname\nState:\tS (sleeping)\nTgid:\t77\nNStgid:\t77\t7\nUid:\t1000\t1000\t1000\t1000\nGid:\t100\t100\t100\t100
VmPeak:\t    6024 kB\nVmHWM:\t    3400 kB\nVmRSS:\t    3400 kB\nRssAnon:\t 1100 kB\nThreads:\t3\nCapEff:\t0000000000000000
voluntary_ctxt_switches:\t150\nnonvoluntary_ctxt_switches:\t545\n";
const SMAPS: &str = "\
55e1-56e1 ---p 00000000 00:00 0\nRss:                3400 kB\nPss:                 300 kB\nPrivate_Dirty:  1100 kB
Anonymous:          1100 kB\nAnonHugePages:         0 kB\nSwap:                  0 kB\n";
const LIMITS: &str = "\
Limit                     Soft Limit           Hard Limit           Units\n\
Max open files            1024                 1048576              files\n\
Max stack size            8388608              unlimited            bytes\n";
const OTHERS: [&str; 6] = [
    "pos:\t0\nflags:\t02100002\nmnt_id:\t24\n",
    "1506 850 700 4 0 120 0\n",
    "MemTotal:       16384256 kB\nMemFree: 1 kB\n",
    "0::/user.slice/session.scope\n9:memory:/../x\n",
    "232 0x4 0x7ffe1 0x1 0xffffffff 0x0 0x8 0x7ffe0 0x7f001\n",
    "7f00 10 LazyCompile:*add file:///a b.js:1\n0x8000 0x8 Lcom/Main;::run\n",
];

const FILTERS: [&str; 12] = [
    "malloc+free-f*@MAIN@libc.so.6\0puts@libz*\0free",
    "!/^str(n)\\{0,1\\}cpy$/@/lib*.so*\0/[a-z]*\\.so/\0strcpy",
    "@libfoo.so.1-[!a-m]*x?\0*\0nx",
    "trace=open,close,%file,!read\0-e\0open",
    "memory,fd,desc,all,!/^m/\0--syscalls=all\0mmap",
    "heap.still_allocated.bytes>=1.5MiB\0--fail-on=x>0\0",
    "latency.malloc.p99_ns!=3ms\0\0",
    "NAME=VALUE=x\0-EA=b\0",
    "100ms\0--ring-size=64K\0",
    "jemalloc:MALLOC_ARENA_MAX=1,2:/lib/x.so\0--repeat=3\0",
    "http://127.0.0.1:80/x\0\0",
    "text:map.txt\0--map=html:page.html\0",
];

const SUPPRESSIONS: [&str; 2] =
    ["# comment\nleak:^exactly$\nleak:*mid*dle*\nleak: a::b<c>\n\0exactly\nmiddle\nx mid dle", "race:x\n"];

const REPORTS: [&str; 3] = [
    r#"{"ended":{"ending":{"exited":0},"wall_ns":7,"usage":{"user_ns":1,"system_ns":2,"peak_rss_bytes":3,"minor_faults":4,"major_faults":5,"voluntary_switches":6,"involuntary_switches":7},"memory":[],"last_reading_ns":null,"mapped":["x"],"left_running":[]}}"#,
    r#"{"not_executed":{"errno":2}}"#,
    r#"{"lost_records":0,"system_calls":[{"system_call":"mmap","count":18446744073709551615}],"memory_over_time":[{"at_ns":5,"live_bytes":1,"resident_bytes":2,"anonymous_bytes":3}],"processes":[{"pid":7,"command":["a"],"tapped":true,"executed":true,"started_ns":9,"latency_by_size":[{"function":"malloc","up_to_bytes":16,"up_to_threads":1,"durations":[[5,18446744073709551615],[5,1]]}],"ended_by":"exit","heap":{"allocations":18446744073709551615,"peak_live_bytes":1},"arenas":{"last":{"not_decoded":null,"arenas":[],"verdicts":[{"kind":"retention","bytes":18446744073709551615}],"allocators":[{"name":"glibc","object":"/lib/libc.so.6","serves":true}]}}}]}"#,
];

/// Little-endian bytes.
fn bytes(words: &[u64]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// A plan with rules and the prototypes above, and a call that looks into it.
fn plan() -> Vec<u8> {
    let reader = Reader {
        path: Path::new("seed.conf"),
        shipped: false,
        around: &|_| None,
        import: &|_| Err(String::new()),
        complain: &|_| (),
    };
    let file = reader.read(PROTOTYPES);
    let mut writer = PlanWriter::new(0, 64, 8);
    let pattern = |kind, text| calltap_channel::trace::plan::Pattern { kind, text };
    writer.rule(RuleKind::Calls, pattern(PatternKind::Glob, b"f*"), pattern(PatternKind::Main, b""));
    writer.rule(RuleKind::EntriesNot, pattern(PatternKind::Exact, b"free"), pattern(PatternKind::Any, b""));
    for prototype in file.all() {
        writer.row(&prototype.name, "libc.so", Some(&prototype));
    }
    let call = [0x3010, 0x4020, 3, 0x1000, 5, 6];
    [&b"third\0\0\0"[..], &bytes(&call), &bytes(&writer.finish())].concat()
}

/// A record of the ring `ring`, with a text if there is one.
fn record(ring: u64, number: u16, flags: u8, rest: &[u64], text: Option<&[u8]>) -> Vec<u64> {
    let mut words = vec![0];
    words.extend_from_slice(rest);
    let flags = if let Some(text) = text {
        put_text(text, &mut words);
        flags | TEXT
    } else {
        flags
    };
    words[0] = header(words.len(), flags, number, 0);
    words.insert(0, ring);
    words
}

/// A process that allocates, opens, maps, forks and ends, seen by hooks and tracer.
fn session() -> Vec<u8> {
    let note = |ring, at: u64, note: Note, arguments: &[u64], text: Option<&[u8]>| {
        let mut arguments = arguments.to_vec();
        arguments.resize(note.argument_words(), 0);
        record(ring, note as u16, VOID, &[&[at, 2, 0][..], &arguments].concat(), text)
    };
    let call = |ring, at: u64, function: Function, rest: &[u64], text: Option<&[u8]>| {
        record(ring, function.number(), 0, &[&[at, 50, 0x5555_0000_1010][..], rest].concat(), text)
    };
    [
        note(0, 9, Note::Arguments, &[0], Some(b"program\0--opt")),
        note(0, 9, Note::Arguments, &[0], Some(b"ion\0")),
        note(0, 10, Note::Executed, &[0, 0], Some(b"/bin/program")),
        note(0, 11, Note::Given, &[0, 1], Some(b"/dev/pts/0")),
        note(1, 20, Note::ProcessBegan, &[0, 1, 0, 0x7000], None),
        note(1, 21, Note::Loaded, &[0x5555_0000_0000, 0x5555_0001_0000, 0x5555_0000_0000, 1], Some(b"")),
        call(1, 30, Function::malloc, &[0x1000, 100], None),
        call(1, 90, Function::calloc, &[0x2000, 10, 8], None),
        call(1, 150, Function::realloc, &[0x3000, 0x1000, 1 << 40], None),
        call(2, 160, Function::mmap, &[0x7000_0000, 0, 0x10000, 3, 0x22, u64::MAX, 0], None),
        call(1, 210, Function::open, &[3, 0x4000, 0o2000000, 0], Some(b"/etc/hosts")),
        call(1, 270, Function::close, &[0, 3], None),
        call(1, 330, Function::close, &[0, 3], None),
        record(1, Function::free.number(), VOID, &[400, 5, 0x5555_0000_1020, 0x2000], None),
        record(1, Function::execve.number(), ENTRY, &[410, 0, 0, 0, 0, 0], Some(b"/bin/true")),
        note(0, 420, Note::SystemCall, &[0, 1, 9, 0x7100_0000, 40, 0, 4096, 3, 0x22], Some(b"name")),
        note(0, 430, Note::Created, &[0, 3, 1, 3, 0], None),
        note(0, 440, Note::Created, &[0, 2, 3, 0, 0], None),
        note(0, 445, Note::Holds, &[3, 0, 64, 0], Some(&[7, 0, 0, 0, 0, 0, 0, 0])),
        note(0, 450, Note::Signalled, &[0, 0, 11, 5 | 1000 << 32, 1], None),
        note(0, 455, Note::SnapshotStop, &[0, 1, 0, 440, 1, 0, 3, 2], None),
        note(0, 456, Note::SnapshotFailed, &[3], Some(b"it was asleep")),
        note(0, 457, Note::Paused, &[0, 19], None),
        note(0, 458, Note::Continued, &[0], None),
        note(0, 459, Note::Met, &[0, 0x7000, 0x9000, 0x7000], Some(b"/lib/libx.so")),
        note(1, 460, Note::Defined, &[1, 0, 0, 0, 0x8000], None),
        note(0, 470, Note::ThreadEnded, &[0, 2], None),
        note(0, 480, Note::ExitStop, &[0, 1, 0, 0], None),
        note(0, 490, Note::Ended, &[0, 11], None),
        note(0, 495, Note::Ended, &[3, 0x300], None),
        note(0, 500, Note::TracerDone, &[], None),
    ]
    .iter()
    .flat_map(|words| bytes(words))
    .collect()
}

/// What the kernel puts on the stack of a new program.
fn startup() -> Vec<u8> {
    let rsp: u64 = 0x7fff_ffff_e000;
    let words = 13 * 8;
    let at = |offset: u64| rsp + words + offset;
    let stack = [1, at(0), 0, at(8), at(16), 0, 23, 0, 6, 4096, 0, 0, 0];
    let strings = b"program\0A=value\0LD_PRELOAD=/lib/x.so\0";
    [&rsp.to_le_bytes()[..], &bytes(&stack), strings].concat()
}

/// A segment whose rings begin with a record.
fn segment() -> Vec<u8> {
    let record = header(6, 0, Function::malloc.number(), 1);
    bytes(&[record, 100, 7, 0x5555, 0x1000, 32, header(5, TEXT, 0x4002, 0), 1, 2, 3, 4])
}

/// Edits of a heap: whether all is found anew, then region, word, how, value.
fn heap() -> Vec<Vec<u8>> {
    let edit = |region: u8, word: u16, how: u8, value: u64| {
        [&[region][..], &word.to_le_bytes(), &[how], &value.to_le_bytes(), &[0]].concat()
    };
    vec![
        vec![0],
        vec![7],
        [vec![0], edit(1, 3, 0, 0x31)].concat(),
        [vec![0], edit(0, 300, 2, 16)].concat(),
        [vec![7], edit(0, 260, 1, 0x0102), edit(1, 0, 3, 1)].concat(),
    ]
}

/// Edits of an object: which, then table, entry, byte, how, value.
fn edits() -> Vec<Vec<u8>> {
    let edit = |table: u8, index: u8, within: u8, how: u8, value: u64| {
        [&[table, index, within, how][..], &value.to_le_bytes()].concat()
    };
    let one = |object: u8, edit: Vec<u8>| [vec![object], edit].concat();
    vec![
        vec![0],
        vec![1],
        vec![2],
        one(0, edit(2, 3, 24, 0x31, 9)),
        one(1, edit(1, 2, 32, 0x31, 11)),
        one(0, edit(7, 1, 8, 0x30, 0x4141)),
        one(2, edit(0, 0, 40, 0x32, 8)),
        one(1, edit(0, 0, 0, 0x0f, 0x1234)),
    ]
}

fn seeds() -> Vec<(&'static str, Vec<Vec<u8>>)> {
    let texts = |texts: &[&str]| texts.iter().map(|text| text.as_bytes().to_vec()).collect::<Vec<_>>();
    let pair = |one: &str, other: &str| format!("{one}\0{other}").into_bytes();
    let mut proc = texts(&OTHERS);
    proc.extend([pair(STATUS, SMAPS), pair(LIMITS, "1048576\n"), MAPS.into()]);
    vec![
        ("compare", texts(&REPORTS)),
        ("elf-edits", edits()),
        ("filters", texts(&FILTERS)),
        ("heap", heap()),
        ("plan", vec![plan()]),
        ("proc", proc),
        ("prototypes", PROTOTYPES.lines().map(|line| line.into()).chain([PROTOTYPES.into()]).collect()),
        ("segment", vec![segment()]),
        ("session", vec![session()]),
        ("startup", vec![startup()]),
        ("suppressions", texts(&SUPPRESSIONS)),
    ]
}

#[test]
fn seeds_are_in_their_files() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz");
    for (name, seeds) in seeds() {
        for (number, seed) in seeds.into_iter().enumerate() {
            let path = corpora.join(name).join(format!("seed-{number:02}"));
            if std::env::var_os("CALLTAP_BLESS").is_some() {
                fs::create_dir_all(path.parent().expect("it has one")).expect("a writable directory");
                fs::write(&path, &seed).expect("a writable file");
            }
            let hint = "CALLTAP_BLESS=1 cargo test fuzz::seeds writes it";
            assert!(fs::read(&path).is_ok_and(|found| found == seed), "{} differs: {hint}", path.display());
        }
    }
}
