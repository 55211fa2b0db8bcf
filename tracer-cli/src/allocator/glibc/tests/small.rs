//! Programs of a few lines that stop themselves, each with something special in its heap.

use std::fs;
use std::process::Command;

use calltap_analyzers::arenas::chunk_map::{Chunk, ChunkKind, Heap};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{Glibc, Stopped};

/// Compiles a program of a few lines that stops itself, and runs it.
fn stopped(body: &str) -> Stopped {
    stopped_with("", body)
}

/// The same with functions before `main`.
fn stopped_with(functions: &str, body: &str) -> Stopped {
    let directory = tempfile::tempdir().expect("a place for it");
    let includes =
        ["malloc", "pthread", "signal", "stdint", "stdlib", "string", "sys/mman", "sys/resource", "unistd"];
    let mut source: String = includes.iter().map(|name| format!("#include <{name}.h>\n")).collect();
    source += &format!("{functions}\nint main(void) {{ {body} raise(SIGSTOP); return 0; }}");
    let file = directory.path().join("program.c");
    fs::write(&file, format!("#define _GNU_SOURCE\n{source}")).expect("a place for it");
    let program = directory.path().join("program");
    let compiled =
        Command::new("gcc").args(["-fno-builtin", "-pthread", "-w", "-o"]).arg(&program).arg(&file).status();
    assert!(compiled.expect("gcc is installed").success());
    Stopped::wait(Command::new(program))
}

#[test]
fn a_program_that_never_allocated_has_an_arena_without_heaps() {
    let map = stopped("").read();
    assert_eq!(map.arenas.len(), 1);
    assert!(map.arenas[0].is_main && map.arenas[0].heaps.is_empty());
    assert_eq!(map.arenas[0].system_bytes, 0);
}

#[test]
fn the_break_may_be_moved_by_others_in_between() {
    let map =
        stopped("malloc(5000); memset(sbrk(40000), 0x41, 40000); for (int i = 0; i < 50; i++) malloc(5000);")
            .read();
    let main = &map.arenas[0];
    assert_eq!(main.heaps.len(), 2, "{main:?}");
    let gap = main.heaps[1].start - main.heaps[0].end;
    assert_eq!(gap, 40000_u64.next_multiple_of(16));
    // What the others took is counted as the arena's.
    let own: u64 = main.heaps.iter().map(|heap| heap.end - heap.start).sum();
    assert_eq!(own + gap, main.system_bytes);
}

#[test]
fn memory_may_be_mapped_where_the_break_cannot_move() {
    // A page above the break keeps it from growing.
    let block = "mmap(sbrk(0), 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);";
    for (blocks, pieces) in [(40, 2), (1500, 5)] {
        let map = stopped(&format!("malloc(5000); {block} for (int i = 0; i < {blocks}; i++) malloc(5000);"))
            .read();
        let main = &map.arenas[0];
        assert!(main.heaps.len() >= pieces.min(3), "{}", main.heaps.len());
        let own: u64 = main.heaps.iter().map(|heap| heap.end - heap.start).sum();
        assert_eq!(own, main.system_bytes);
        let count = main.heaps.iter().flat_map(|heap| &heap.chunks).filter(|chunk| chunk.bytes() == 5008);
        assert_eq!(count.count(), blocks + 1);
    }
}

#[test]
fn mapped_chunks_are_found_by_their_blocks() {
    let program = stopped(
        "for (int i = 0; i < 5; i++) malloc(300000 + i); memalign(4096, 300000); memalign(1 << 20, 300000);
         free(malloc(100)); malloc(100);",
    );
    let maps = program.maps();
    let glibc = Glibc::find(program.0.id(), &maps).expect("it is found");
    let map = glibc.read(&maps).expect("it can be decoded");
    let anonymous = maps.iter().filter(|mapped| mapped.permissions == *b"rw-p" && mapped.inode == 0);
    let pages = || anonymous.clone().flat_map(|mapped| (mapped.start..mapped.end).step_by(4096));
    let aligned = glibc.mmapped(pages());
    assert_eq!(aligned.len(), 2);
    let mut chunks = glibc.mmapped(pages().map(|page| page + 16));
    // Before an aligned block its mapping still has the header that it was aligned from.
    chunks.retain(|chunk| {
        !aligned.iter().any(|aligned| aligned.start <= chunk.start && chunk.start < aligned.end)
    });
    assert_eq!(chunks.len(), 5);
    chunks.extend(aligned);
    assert_eq!(map.parameters.mmapped_chunks, Some(7));
    assert_eq!(map.parameters.mmapped_bytes, Some(chunks.iter().map(|chunk| chunk.end - chunk.start).sum()));
    assert!(chunks.iter().all(|chunk| chunk.usable_bytes() >= 300_000));
}

#[test]
fn a_block_of_zeros_is_no_cache_where_the_program_has_one() {
    let map = stopped("for (int i = 0; i < 3; i++) calloc(1, 640);").read();
    let addresses: Vec<_> = map.tcaches.iter().map(|tcache| tcache.address).collect();
    assert_eq!(addresses.len(), 4);
    let corrected = Glibc::beside(map.clone(), |address| addresses[2..].contains(&address));
    assert_eq!(corrected.tcaches, map.tcaches[..2]);
    let changed = |(before, after): (&Chunk, &Chunk)| {
        (before != after).then(|| (after.block(), before.kind(), after.kind()))
    };
    let chunks = map.arenas[0].heaps[0].chunks.iter().zip(&corrected.arenas[0].heaps[0].chunks);
    let expected = addresses[2..].iter().map(|&block| (block, ChunkKind::TcacheStruct, ChunkKind::InUse));
    assert_eq!(chunks.filter_map(changed).collect::<Vec<_>>(), Vec::from_iter(expected));
}

#[test]
fn a_thread_arenas_heaps_are_found_all() {
    // A heap is 64 MiB.
    let program = stopped_with(
        "static void *all[1500];
         static void *work(void *x) { for (int i = 0; i < 1500; i++) all[i] = malloc(100000);
                                      for (int i = 0; i < 1500; i += 2) free(all[i]); return x; }",
        "pthread_t thread; pthread_create(&thread, 0, work, 0); pthread_join(thread, 0);",
    );
    let map = program.read();
    let arena = &map.arenas[1];
    assert_eq!(arena.heaps.len(), 3);
    assert_eq!(arena.attached_threads, Some(0));
    assert!(arena.heaps.iter().all(|heap| heap.reserved_end - heap.start == 64 << 20));
    let fences = |heap: &Heap| heap.chunks.iter().filter(|c| c.kind() == ChunkKind::Fencepost).count();
    let tops =
        arena.heaps.iter().filter(|heap| heap.chunks.iter().any(|c| c.kind() == ChunkKind::Top)).count();
    assert_eq!((tops, arena.heaps.iter().map(fences).sum::<usize>()), (1, 4));
    assert_eq!(map.tcaches.len(), 1);
}

#[test]
fn what_is_no_glibc_is_not_found() {
    assert!(Glibc::find(std::process::id(), &[]).unwrap_err().contains("no libc.so.6"));
    let program = stopped("");
    let mut maps = program.maps();
    // Without its data.
    maps.retain(|mapped| !mapped.permissions.starts_with(b"rw"));
    let error = Glibc::find(program.0.id(), &maps).unwrap_err();
    assert_eq!(error, "0 places in libc's data look like the main arena");
}

#[test]
fn what_the_process_overwrote_is_not_decoded() {
    // A size; links in a fast bin, in a circle and to nowhere; a link in an ordinary bin.
    let cases = [
        ("p[4][-1] = 0x12349", "cannot have size 0x12349"),
        ("p[4][-1] = 0", "does not follow"),
        ("p[7][0] = (long)&p[7][0] >> 12 ^ (long)(p[8] - 2)", "a fast bin leads to"),
        ("p[8][0] = (long)&p[8][0] >> 12 ^ 0x123450", "a fast bin leads to 0x123450"),
        ("p[9][0] = (long)(p[9] - 2)", "a bin's list has no end"),
        ("p[9][0] = 0x123450", "a bin leads to 0x123450"),
    ];
    for (change, expected) in cases {
        let program = stopped(&format!(
            "long *p[10]; for (int i = 0; i < 10; i++) p[i] = malloc(i < 9 ? 24 : 5000);
             malloc(24); for (int i = 0; i < 10; i++) free(p[i]); {change};"
        ));
        let maps = program.maps();
        let error = Glibc::find(program.0.id(), &maps).and_then(|glibc| glibc.read(&maps)).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn what_runs_is_read_rightly_or_not_at_all() {
    let program = stopped_with(
        "static void *churn(void *x) { for (unsigned i = 0;; i++) free(malloc(i % 3000)); return x; }",
        "for (int i = 0; i < 500; i++) malloc(5000);
         pthread_t thread; pthread_create(&thread, 0, churn, 0); raise(SIGSTOP); for (;;) free(malloc(700));",
    );
    let glibc = Glibc::find(program.0.id(), &program.maps()).expect("it is found");
    kill(Pid::from_raw(program.0.id() as i32), Signal::SIGCONT).expect("it is our child");
    for _ in 0..20 {
        match glibc.read_running(|| program.maps()) {
            Err(why) => assert!(why.starts_with("it changed while it was read (8 attempts)"), "{why}"),
            Ok(map) => {
                let chunks = map.arenas[0].heaps[0].chunks.iter();
                let kept = chunks.filter(|chunk| (chunk.bytes(), chunk.kind()) == (5008, ChunkKind::InUse));
                assert_eq!(kept.count(), 500);
            }
        }
    }
}
