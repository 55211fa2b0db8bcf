//! Lines as `/proc` has them, and what they are found to be.

use super::*;
use crate::arenas::chunk_map::{Arena, Heap, MmappedChunk};
use crate::event::{Block, FunctionId, Thread};

const LIBC: Mapper = Mapper { stack: 0, site: 0x7f00 };
const PROGRAM: Mapper = Mapper { stack: 7, site: 0x1100 };
const JEMALLOC: Mapper = Mapper { stack: 8, site: 0x2200 };

fn line(start: u64, end: u64, permissions: &[u8; 4], path: &str) -> MapLine {
    let is_file = path.starts_with('/');
    MapLine { start, end, permissions: *permissions, is_file, path: path.into() }
}

fn mapping(start: u64, end: u64, purpose: Purpose, mapper: Mapper) -> Mapping {
    Mapping { start, end, purpose, mapper, thread: Thread(1), function: None, born_ns: 5 }
}

struct Known;

impl Origins for Known {
    fn caller(&self, mapper: Mapper) -> Caller {
        match mapper {
            LIBC => Caller::Runtime,
            JEMALLOC => Caller::Allocator,
            _ => Caller::Program,
        }
    }
}

fn kinds(lines: &[MapLine], ranges: &[Mapping], live: &[LiveBlock]) -> Vec<(u64, u64, AreaKind)> {
    let areas = classify(lines, ranges, None, live, &Known);
    areas.into_iter().map(|area| (area.start, area.end, area.kind)).collect()
}

fn block(address: u64) -> LiveBlock {
    LiveBlock {
        block: Block(address),
        bytes: 16,
        site: 0,
        stack: 0,
        function: FunctionId(0),
        birth_ns: 0,
        thread: Thread(1),
    }
}

#[test]
fn names_say_what_they_can() {
    let named = [
        ("[heap]", b"rw-p", AreaKind::Allocator),
        ("[stack]", b"rw-p", AreaKind::Stack),
        ("[vdso]", b"r-xp", AreaKind::Kernel),
        ("/usr/lib/libc.so.6", b"r-xp", AreaKind::File("/usr/lib/libc.so.6".into())),
        ("/dev/shm/x", b"rw-s", AreaKind::Shared("/dev/shm/x".into())),
        ("/memfd:calltap", b"rw-s", AreaKind::Calltap),
        ("/memfd:libcalltap.so", b"r-xp", AreaKind::Calltap),
        ("/root/.cache/calltap/libcalltap-0123.so", b"rw-p", AreaKind::Calltap),
        ("/opt/libcalltapping.so", b"rw-p", AreaKind::File("/opt/libcalltapping.so".into())),
    ];
    for (path, permissions, kind) in named {
        assert_eq!(kinds(&[line(0x1000, 0x2000, permissions, path)], &[], &[]), [(0x1000, 0x2000, kind)]);
    }
}

#[test]
fn our_own_zeroed_data_is_ours_though_the_kernel_keeps_a_page_of_it_apart() {
    let lines = [
        line(0x1000, 0x2000, b"rw-p", "/root/.cache/calltap/libcalltap-0123.so"),
        line(0x2000, 0x3000, b"rw-p", ""),
        line(0x3000, 0x4000, b"rw-p", ""),
        line(0x4000, 0x9000, b"rw-p", ""),
        line(0xa000, 0xb000, b"rw-p", ""),
    ];
    let ranges = [mapping(0x2000, 0x9000, Purpose::Other, LIBC)];
    let found = kinds(&lines, &ranges, &[]);
    assert_eq!(found, [(0x1000, 0x9000, AreaKind::Calltap), (0xa000, 0xb000, AreaKind::Unknown)]);
}

#[test]
fn zeroed_data_is_its_objects() {
    let file = AreaKind::File("/bin/x".into());
    let lines = [
        line(0x1000, 0x2000, b"r-xp", "/bin/x"),
        line(0x2000, 0x3000, b"rw-p", "/bin/x"),
        line(0x3000, 0x5000, b"rw-p", ""),
        line(0x6000, 0x7000, b"rw-p", ""),
    ];
    let whole = [(0x1000, 0x2000, file.clone()), (0x2000, 0x5000, file.clone())];
    assert_eq!(kinds(&lines[..3], &[], &[]), whole, "as the kernel maps it");
    let by_loader = mapping(0x3000, 0x4000, Purpose::Other, LIBC);
    assert_eq!(kinds(&lines[..3], &[by_loader], &[])[1], (0x2000, 0x4000, file), "as the loader does");
    assert_eq!(kinds(&lines, &[], &[])[2].2, AreaKind::Unknown, "only directly behind it");
    let taken = mapping(0x3000, 0x5000, Purpose::Region, JEMALLOC);
    assert_eq!(kinds(&lines[..3], &[taken], &[])[2].2, AreaKind::Allocator, "unless it is known better");
}

#[test]
fn neighbours_that_the_kernel_shows_as_one_are_told_apart() {
    let ranges = [
        mapping(0x1000, 0x2000, Purpose::Stack, LIBC),
        mapping(0x2000, 0x3000, Purpose::Chunk, PROGRAM),
        mapping(0x3000, 0x4000, Purpose::Other, PROGRAM),
        mapping(0x4000, 0x5000, Purpose::Other, JEMALLOC),
        mapping(0x5000, 0x6000, Purpose::Other, LIBC),
    ];
    let found = kinds(&[line(0x1000, 0x7000, b"rw-p", "")], &ranges, &[]);
    let kinds: Vec<AreaKind> = found.iter().map(|(.., kind)| kind.clone()).collect();
    let direct = AreaKind::Direct(PROGRAM);
    use AreaKind::{Allocator, Runtime, Stack, Unknown};
    assert_eq!(kinds, [Stack, Allocator, direct, Allocator, Runtime, Unknown]);
    assert_eq!(found.first().map(|found| found.0), Some(0x1000));
    assert_eq!(found.last().map(|found| found.1), Some(0x7000));
}

#[test]
fn where_blocks_live_an_allocator_is() {
    let lines = [line(0x1000, 0x2000, b"rw-p", ""), line(0x3000, 0x4000, b"rw-p", "")];
    let live = [block(0xfff), block(0x1010), block(0x2000)];
    let found = kinds(&lines, &[], &live);
    assert_eq!((&found[0].2, &found[1].2), (&AreaKind::Allocator, &AreaKind::Unknown));
    let direct = [mapping(0x1000, 0x2000, Purpose::Other, PROGRAM)];
    assert_eq!(kinds(&lines, &direct, &live)[0].2, AreaKind::Allocator, "also if the program mapped it");
}

#[test]
fn chunks_are_the_allocators_wherever_they_lie() {
    let heap =
        Heap { start: 0x4000, end: 0x5000, writable_end: 0x5000, reserved_end: 0x8000, ..Heap::default() };
    let arena = Arena { heaps: vec![heap], ..Arena::default() };
    let mmapped = vec![MmappedChunk { start: 0x1000, end: 0x2000, block: 0x1010 }];
    let map = ChunkMap { arenas: vec![arena], mmapped, ..ChunkMap::default() };
    let lines = [
        line(0x1000, 0x3000, b"rw-p", ""),
        line(0x4000, 0x5000, b"rw-p", ""),
        line(0x5000, 0x8000, b"---p", ""),
    ];
    let areas = classify(&lines, &[], Some(&map), &[], &Known);
    let found: Vec<_> = areas.iter().map(|area| (area.start, area.kind.clone(), area.writable)).collect();
    use AreaKind::{Allocator, Unknown};
    let wanted = [
        (0x1000, Allocator, true),
        (0x2000, Unknown, true),
        (0x4000, Allocator, true),
        (0x5000, Allocator, false),
    ];
    assert_eq!(found, wanted);
}

#[test]
fn code_made_at_run_time_and_guards_of_stacks_are_known_by_their_permissions() {
    let lines = [
        line(0x1000, 0x2000, b"rwxp", ""),
        line(0x3000, 0x4000, b"---p", ""),
        line(0x4000, 0x8000, b"rw-p", ""),
    ];
    let stack =
        [mapping(0x1000, 0x2000, Purpose::Other, PROGRAM), mapping(0x4000, 0x8000, Purpose::Stack, LIBC)];
    let found: Vec<_> = kinds(&lines, &stack, &[]).into_iter().map(|(.., kind)| kind).collect();
    assert_eq!(found, [AreaKind::Code, AreaKind::Stack, AreaKind::Stack]);
}

#[test]
fn what_an_allocator_maps_before_it_is_asked_is_a_region_too() {
    let ranges = [
        mapping(0x1000, 0x2000, Purpose::Other, PROGRAM),
        mapping(0x3000, 0x4000, Purpose::Other, JEMALLOC),
        mapping(0x5000, 0x6000, Purpose::Region, JEMALLOC),
    ];
    let found: Vec<_> = prepared(&ranges, &Known).iter().map(|birth| (birth.start, birth.function)).collect();
    assert_eq!(found, [(0x3000, None)]);
}
