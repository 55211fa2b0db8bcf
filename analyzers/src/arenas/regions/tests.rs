//! glibc's and other allocators' patterns of system calls, and the calls around them.

use super::*;
use crate::arenas::Decoding;
use crate::arenas::chunk_map::{Arena, ChunkMap, Heap};
use crate::event::{Block, Fd, Giver, Image};
use crate::kernel::CallId;

const MALLOC: FunctionId = FunctionId(0);
const FREE: FunctionId = FunctionId(4);
const MMAP: FunctionId = FunctionId(60);
const MAIN: Thread = Thread(1);
const MIB: u64 = 1 << 20;
/// A multiple of 64 MiB.
const HEAP: u64 = 0x7f00_0000_0000;

const RESERVE: [u64; 2] = [0, 0x4022];
const MEMORY: [u64; 2] = [3, 0x22];

/// A system call under a hook.
fn call(number: u32, at_ns: u64, arguments: [u64; 4], result: u64) -> SystemCall<'static> {
    let [a, b, c, d] = arguments;
    SystemCall {
        image: Image(1),
        thread: MAIN,
        id: CallId { interface: 0, number },
        name: "",
        start_ns: at_ns,
        end_ns: at_ns + 2,
        stopped_ns: 0,
        result: result as i64,
        arguments: [a, b, c, d, u64::MAX, 0],
        text: b"",
        site: 0x7700,
        stack: 0,
        in_hook: Some(true),
        entry_only: false,
    }
}

fn mmap(at_ns: u64, bytes: u64, [protection, flags]: [u64; 2], result: u64) -> SystemCall<'static> {
    call(9, at_ns, [0, bytes, protection, flags], result)
}

fn mprotect(at_ns: u64, address: u64, bytes: u64) -> SystemCall<'static> {
    call(10, at_ns, [address, bytes, 3, 0], 0)
}

fn munmap(at_ns: u64, address: u64, bytes: u64) -> SystemCall<'static> {
    call(11, at_ns, [address, bytes, 0, 0], 0)
}

fn brk(at_ns: u64, end: u64) -> SystemCall<'static> {
    call(12, at_ns, [end, 0, 0, 0], end)
}

fn discard(at_ns: u64, address: u64, bytes: u64) -> SystemCall<'static> {
    call(28, at_ns, [address, bytes, 4, 0], 0)
}

fn library(function: FunctionId, times: (u64, u64), action: Action<'static>) -> Event<'static> {
    Event {
        image: Image(1),
        thread: MAIN,
        function,
        start_ns: times.0,
        end_ns: times.1,
        timed: true,
        errno: 0,
        site: 0x400,
        stack: 9,
        vfork_child: false,
        text: b"",
        used: None,
        action,
    }
}

fn malloc(times: (u64, u64), block: u64) -> Event<'static> {
    library(MALLOC, times, Action::Allocated { block: Block(block), bytes: 100, giver: Giver::C })
}

fn free(times: (u64, u64)) -> Event<'static> {
    library(FREE, times, Action::Freed { block: Block(0x10), giver: Giver::C })
}

fn mapped(times: (u64, u64), address: u64, bytes: u64, fd: Option<Fd>) -> Event<'static> {
    library(MMAP, times, Action::Mapped { address, bytes, fd, reserves: false })
}

fn changes(regions: &Regions) -> Vec<(Change, u64, u64)> {
    regions.births().iter().map(|birth| (birth.change, birth.start, birth.end)).collect()
}

fn purposes(regions: &Regions) -> Vec<(u64, u64, Purpose)> {
    regions.ranges().iter().map(|mapping| (mapping.start, mapping.end, mapping.purpose)).collect()
}

/// As glibc makes the arena of a thread: twice the size, and what is not aligned goes back.
fn make_arena(regions: &mut Regions, heap: u64, at_ns: u64) {
    let (from, bytes) = (heap - MIB, 2 * HEAP_BYTES);
    regions.system_call(&mmap(at_ns + 1, bytes, RESERVE, from));
    regions.system_call(&munmap(at_ns + 4, from, MIB));
    regions.system_call(&munmap(at_ns + 7, heap + HEAP_BYTES, HEAP_BYTES - MIB));
    regions.system_call(&mprotect(at_ns + 10, heap, 0x21000));
    regions.library_call(&malloc((at_ns, at_ns + 20), heap + 0xb70));
}

#[test]
fn an_arena_is_born_grows_shrinks_and_dies() {
    let mut regions = Regions::default();
    make_arena(&mut regions, HEAP, 100);
    let birth = regions.births()[0];
    assert_eq!((birth.thread, birth.function, birth.stack, birth.site), (MAIN, Some(MALLOC), 9, 0x400));
    assert_eq!(purposes(&regions), [(HEAP, HEAP + HEAP_BYTES, Purpose::Heap { first: true })]);
    regions.system_call(&mprotect(201, HEAP + 0x21000, 0x1000));
    regions.library_call(&malloc((200, 210), HEAP + 0x20000));
    regions.system_call(&discard(301, HEAP + 0x10000, 0x12000));
    regions.library_call(&free((300, 310)));
    // malloc_trim is no hook.
    regions.system_call(&SystemCall { in_hook: Some(false), ..discard(401, HEAP + 0x4000, 0x1000) });
    make_arena(&mut regions, HEAP + 4 * HEAP_BYTES, 500);
    regions.system_call(&munmap(601, HEAP + 4 * HEAP_BYTES, HEAP_BYTES));
    regions.library_call(&free((600, 610)));
    let second = HEAP + 4 * HEAP_BYTES;
    let expected = [
        (Change::ArenaBorn, HEAP, HEAP + HEAP_BYTES),
        (Change::Grown, HEAP + 0x21000, HEAP + 0x22000),
        (Change::Trimmed, HEAP + 0x10000, HEAP + 0x22000),
        (Change::Purged, HEAP + 0x4000, HEAP + 0x5000),
        (Change::HeapBorn, second, second + HEAP_BYTES),
        (Change::Died, second, second + HEAP_BYTES),
    ];
    assert_eq!(changes(&regions), expected);
    assert!(!regions.waiting());
    assert_eq!(purposes(&regions).len(), 1);
}

#[test]
fn a_look_at_the_memory_corrects_which_heap_began_an_arena() {
    let mut regions = Regions::default();
    make_arena(&mut regions, HEAP, 100);
    let heap =
        |start| Heap { start, end: start + HEAP_BYTES, reserved_end: start + HEAP_BYTES, ..Heap::default() };
    let elsewhere = HEAP + 8 * HEAP_BYTES;
    let arena =
        Arena { address: elsewhere + 0x30, heaps: vec![heap(HEAP), heap(elsewhere)], ..Arena::default() };
    let map = ChunkMap { arenas: vec![arena], ..ChunkMap::default() };
    let kind = |decoding| settled(regions.births(), &decoding)[0].change;
    assert_eq!(kind(Decoding::Chunks(map)), Change::HeapBorn);
    assert_eq!(kind(Decoding::NotDecoded("of its age".into())), Change::ArenaBorn);
    assert_eq!(kind(Decoding::Regions), Change::RegionMapped);
}

#[test]
fn the_main_arena_moves_the_programs_break() {
    let mut regions = Regions::default();
    let loaders = SystemCall { in_hook: Some(false), ..brk(1, 0x10000) };
    regions.system_call(&loaders);
    for (at_ns, end) in [(101, 0x31000), (201, 0x52000), (301, 0x20000)] {
        regions.system_call(&brk(at_ns, end));
        regions.library_call(&malloc((at_ns - 1, at_ns + 10), 0x10010));
    }
    let expected = [
        (Change::ArenaBorn, 0x10000, 0x31000),
        (Change::Grown, 0x31000, 0x52000),
        (Change::Trimmed, 0x20000, 0x52000),
    ];
    assert_eq!(changes(&regions), expected);
    assert_eq!(purposes(&regions), [(0x10000, 0x20000, Purpose::Break)]);
}

#[test]
fn threads_that_move_the_break_in_turn_may_be_told_of_in_another_order() {
    let mut regions = Regions::default();
    let other = Thread(2);
    regions.system_call(&SystemCall { in_hook: Some(false), ..brk(1, 0x10000) });
    regions.system_call(&brk(101, 0x20000));
    regions.system_call(&SystemCall { thread: other, ..brk(201, 0x30000) });
    regions.library_call(&Event { thread: other, ..malloc((200, 210), 0x20010) });
    regions.library_call(&malloc((100, 300), 0x10010));
    let expected = [(Change::ArenaBorn, 0x10000, 0x20000), (Change::Grown, 0x20000, 0x30000)];
    assert_eq!(changes(&regions), expected);
}

#[test]
fn an_unmapping_that_is_told_late_takes_nothing_that_is_younger() {
    let mut regions = Regions::default();
    let outside = |call| SystemCall { in_hook: Some(false), ..call };
    regions.system_call(&outside(mmap(1, 4 * MIB, MEMORY, HEAP)));
    // The hole that it leaves is filled before its end is seen.
    regions
        .system_call(&outside(SystemCall { thread: Thread(2), ..mmap(11, MIB, [0, 0x2_0022], HEAP + MIB) }));
    regions.system_call(&outside(SystemCall { end_ns: 20, ..munmap(10, HEAP + MIB, 3 * MIB) }));
    use Purpose::{Other, Stack};
    assert_eq!(purposes(&regions), [(HEAP, HEAP + MIB, Other), (HEAP + MIB, HEAP + 2 * MIB, Stack)]);
}

#[test]
fn a_large_block_has_a_mapping_of_its_own() {
    let mut regions = Regions::default();
    regions.system_call(&mmap(101, 0x41000, MEMORY, 0x50_0000));
    regions.library_call(&malloc((100, 110), 0x50_0010));
    regions.system_call(&call(25, 201, [0x50_0000, 0x41000, 0x81000, 1], 0x90_0000));
    let action = Action::Reallocated { old: Block(0x50_0010), new: Block(0x90_0010), bytes: 0x80000 };
    regions.library_call(&library(MALLOC, (200, 210), action));
    assert_eq!(purposes(&regions), [(0x90_0000, 0x98_1000, Purpose::Chunk)]);
    regions.system_call(&munmap(301, 0x90_0000, 0x81000));
    regions.library_call(&free((300, 310)));
    use Change::{ChunkMapped, ChunkUnmapped};
    let kinds: Vec<Change> = changes(&regions).iter().map(|change| change.0).collect();
    assert_eq!(kinds, [ChunkMapped, ChunkUnmapped, ChunkMapped, ChunkUnmapped]);
    assert_eq!(purposes(&regions), []);
}

#[test]
fn another_allocator_maps_by_the_wrapper_that_is_a_hook_too() {
    let mut regions = Regions::default();
    // Stopped, then told by the hook of mmap, then by that of malloc.
    regions.system_call(&mmap(103, 2 * MIB, MEMORY, HEAP));
    regions.library_call(&mapped((102, 108), HEAP, 2 * MIB, None));
    // What was too much goes back, which only the hook tells.
    let rest = Action::Unmapped { address: HEAP + MIB, bytes: MIB };
    regions.library_call(&library(FunctionId(61), (109, 110), rest));
    regions.library_call(&malloc((100, 120), HEAP + 0x40));
    assert_eq!(changes(&regions), [(Change::RegionMapped, HEAP, HEAP + MIB)]);
    assert_eq!(purposes(&regions), [(HEAP, HEAP + MIB, Purpose::Region)]);
}

#[test]
fn what_the_program_maps_is_its_own() {
    let mut regions = Regions::default();
    regions.system_call(&mmap(103, MIB, MEMORY, HEAP));
    regions.library_call(&mapped((102, 108), HEAP, MIB, None));
    regions.library_call(&malloc((200, 210), 0x10010));
    // A stack and a file, under no hook and under one.
    let stack = SystemCall { in_hook: Some(false), ..mmap(301, MIB, [0, 0x2_0022], HEAP + 2 * MIB) };
    regions.system_call(&stack);
    regions.system_call(&mmap(401, MIB, [1, 2], HEAP + 4 * MIB));
    regions.library_call(&mapped((400, 408), HEAP + 4 * MIB, MIB, Some(Fd(3))));
    regions.library_call(&malloc((399, 500), 0x20010));
    let kinds: Vec<Purpose> = purposes(&regions).into_iter().map(|range| range.2).collect();
    assert_eq!(kinds, [Purpose::Other, Purpose::Stack, Purpose::File]);
    assert_eq!(regions.ranges()[0].mapper, Mapper { stack: 9, site: 0x400 });
    assert_eq!(regions.births(), []);
}

#[test]
fn without_intervals_the_next_call_has_made_what_waits() {
    let untimed = |event| Event { timed: false, ..event };
    let mut regions = Regions::default();
    regions.system_call(&mmap(101, 0x41000, MEMORY, 0x50_0000));
    regions.library_call(&untimed(malloc((110, 110), 0x50_0010)));
    assert_eq!(purposes(&regions)[0].2, Purpose::Chunk);
    regions.system_call(&mmap(201, 0x41000, MEMORY, 0x90_0000));
    regions.library_call(&untimed(library(FunctionId(90), (200, 200), Action::None)));
    regions.library_call(&untimed(malloc((210, 210), 0x10010)));
    assert_eq!(purposes(&regions)[1].2, Purpose::Other);
}

#[test]
fn failed_calls_and_those_of_other_interfaces_change_nothing() {
    let mut regions = Regions::default();
    regions.system_call(&mmap(101, MIB, MEMORY, -12_i64 as u64));
    let foreign = CallId { interface: 1, number: 12 };
    regions.system_call(&SystemCall { id: foreign, ..brk(201, 0x10000) });
    regions.system_call(&SystemCall { entry_only: true, ..munmap(301, 0, MIB) });
    assert!(!regions.waiting());
    assert_eq!(purposes(&regions), []);
}

#[test]
fn a_forked_child_has_its_parents_regions_and_who_made_them() {
    let mut parent = Regions::default();
    make_arena(&mut parent, HEAP, 100);
    parent.system_call(&mmap(201, 0x41000, MEMORY, 0x50_0000));
    parent.library_call(&malloc((200, 210), 0x50_0010));
    parent.system_call(&mprotect(301, HEAP + 0x21000, 0x1000));
    parent.library_call(&malloc((300, 310), HEAP + 0x20000));
    let mut child = parent.inherit();
    let kinds = |regions: &Regions| changes(regions).iter().map(|change| change.0).collect::<Vec<_>>();
    use Change::{ArenaBorn, ChunkMapped, ChunkUnmapped};
    assert_eq!(kinds(&child), [ArenaBorn, ChunkMapped], "what still is; growth is the parent's past");
    assert_eq!(child.births()[0], parent.births()[0]);
    child.system_call(&munmap(401, 0x50_0000, 0x41000));
    child.library_call(&free((400, 410)));
    assert_eq!(kinds(&child), [ArenaBorn, ChunkUnmapped]);
    assert_eq!(purposes(&parent).len(), 2);
}

#[test]
fn of_many_changes_the_newest_are_kept_and_the_births_of_what_is_there() {
    let mut regions = Regions::default();
    make_arena(&mut regions, HEAP, 100);
    for n in 0..10_050 {
        let at_ns = 1000 + 10 * n;
        regions.system_call(&mprotect(at_ns + 1, HEAP + 0x21000 + 0x1000 * (n % 4000), 0x1000));
        regions.library_call(&malloc((at_ns, at_ns + 5), HEAP + 0x20000));
    }
    let births = regions.births();
    assert_eq!((births.len(), regions.forgotten()), (10_001, 51));
    assert_eq!((births[0].change, births[0].at_ns), (Change::ArenaBorn, 103));
    assert!(births.is_sorted_by_key(|birth| birth.at_ns));
}

#[test]
fn what_no_call_claims_is_nobodys_when_the_thread_ends() {
    let mut regions = Regions::default();
    regions.system_call(&mmap(101, MIB, MEMORY, HEAP));
    assert!(regions.waiting());
    regions.thread_ended(MAIN);
    assert!(!regions.waiting());
    assert_eq!(purposes(&regions), [(HEAP, HEAP + MIB, Purpose::Other)]);
}

#[test]
fn what_is_mapped_over_something_takes_its_place() {
    let mut regions = Regions::default();
    let outside = |call| SystemCall { in_hook: Some(false), ..call };
    regions.system_call(&outside(mmap(1, 4 * MIB, [0, 0x2_0022], HEAP)));
    regions.system_call(&outside(mmap(10, MIB, [1, 2], HEAP + MIB)));
    use Purpose::{File, Stack};
    let expected = [
        (HEAP, HEAP + MIB, Stack),
        (HEAP + MIB, HEAP + 2 * MIB, File),
        (HEAP + 2 * MIB, HEAP + 4 * MIB, Stack),
    ];
    assert_eq!(purposes(&regions), expected);
    regions.system_call(&outside(munmap(20, HEAP + MIB / 2, 3 * MIB)));
    let left = [(HEAP, HEAP + MIB / 2, Stack), (HEAP + 3 * MIB + MIB / 2, HEAP + 4 * MIB, Stack)];
    assert_eq!(purposes(&regions), left);
}

#[test]
fn neighbours_of_one_mapper_are_one_range() {
    let mut regions = Regions::default();
    for n in 0..1000 {
        regions.library_call(&mapped((10 * n, 10 * n + 5), HEAP + n * 0x1000, 0x1000, None));
    }
    assert_eq!(purposes(&regions), [(HEAP, HEAP + 1000 * 0x1000, Purpose::Other)]);
}
