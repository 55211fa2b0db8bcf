//! Programs read from outside, held against what glibc says of itself.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use calltap_analyzers::arenas::chunk_map::{Arena, ChunkKind, ChunkMap};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::*;
use crate::exit_snapshot::maps;

mod small;

/// A program that has stopped itself; it ends with the test.
struct Stopped(Child);

impl Stopped {
    /// `tests/targets/arena_random.c`, built in `directory`.
    fn random(directory: &Path, threads: &str, variables: &[(&str, &str)]) -> Self {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/targets/arena_random.c");
        let program = directory.join("arena_random");
        let compiler = ["-O2", "-fno-builtin", "-pthread", "-o"];
        let compiled = Command::new("gcc").args(compiler).arg(&program).arg(source).status();
        assert!(compiled.expect("gcc is installed").success());
        let mut command = Command::new(program);
        command.args([threads, "20000"]).arg(directory.join("report")).arg("stop");
        command.envs(variables.iter().copied()).stdout(Stdio::null());
        Self::wait(command)
    }

    fn wait(mut command: Command) -> Self {
        let child = command.spawn().expect("it was just built");
        let ended = waitpid(Pid::from_raw(child.id() as i32), Some(WaitPidFlag::WUNTRACED));
        assert!(matches!(ended, Ok(WaitStatus::Stopped(..))), "{ended:?}");
        Self(child)
    }

    fn maps(&self) -> Vec<Mapped> {
        maps::parse(&fs::read(format!("/proc/{}/maps", self.0.id())).expect("it is our child"))
    }

    fn read(&self) -> ChunkMap {
        let maps = self.maps();
        Glibc::find(self.0.id(), &maps).and_then(|glibc| glibc.read(&maps)).expect("it can be decoded")
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The bytes of all chunks of these kinds.
fn bytes_of(arena: &Arena, kinds: &[ChunkKind]) -> u64 {
    let chunks = arena.heaps.iter().flat_map(|heap| &heap.chunks);
    chunks.filter(|chunk| kinds.contains(&chunk.kind())).map(|chunk| chunk.bytes()).sum()
}

/// Each arena's system bytes and bytes in use, as `malloc_stats` counts them: all that is not free in
/// its own lists, so headers, fenceposts and the threads' caches too.
fn decoded(map: &ChunkMap) -> Vec<(u64, u64)> {
    use ChunkKind::{Bin, Fast, Top};
    let row = |arena: &Arena| (arena.system_bytes, arena.system_bytes - bytes_of(arena, &[Bin, Fast, Top]));
    let mut rows: Vec<_> = map.arenas.iter().map(row).collect();
    rows.sort_unstable();
    rows
}

/// The same out of the program's report.
fn stated(directory: &Path) -> Vec<(u64, u64)> {
    let report = fs::read_to_string(directory.join("report")).expect("it was written");
    let arenas = report.split("Total").next().expect("a first part");
    let number =
        |line: &str| line.split_once('=').map(|(_, number)| number.trim().parse().expect("a number"));
    let numbers: Vec<u64> = arenas.lines().filter_map(number).collect();
    let mut rows: Vec<_> = numbers.as_chunks().0.iter().map(|&[system, used]| (system, used)).collect();
    rows.sort_unstable();
    rows
}

fn expect_agreement(threads: &str, variables: &[(&str, &str)], arenas: std::ops::RangeInclusive<usize>) {
    let directory = tempfile::tempdir().expect("a place for it");
    let program = Stopped::random(directory.path(), threads, variables);
    let map = program.read();
    assert_eq!(decoded(&map), stated(directory.path()));
    assert!(arenas.contains(&map.arenas.len()), "{}", map.arenas.len());
    assert_eq!(map.tcaches.len(), threads.parse::<usize>().expect("a number"));
    for arena in &map.arenas {
        let walked: u64 = arena.heaps.iter().flat_map(|heap| &heap.chunks).map(|chunk| chunk.bytes()).sum();
        assert_eq!(walked, arena.system_bytes);
        assert_eq!(arena.fast_bytes, bytes_of(arena, &[ChunkKind::Fast]));
        assert_eq!(arena.bin_bytes, bytes_of(arena, &[ChunkKind::Bin]));
    }
    let cached: u64 = map.arenas.iter().map(|arena| bytes_of(arena, &[ChunkKind::Tcache])).sum();
    assert_eq!(cached, map.tcaches.iter().map(|tcache| tcache.bytes).sum::<u64>());
    assert!(cached > 0);
    // All of it holds still, so that two readings are equal.
    let glibc = Glibc::find(program.0.id(), &program.maps()).expect("it was found");
    assert_eq!(glibc.read_running(|| program.maps()), Ok(map));
}

#[test]
fn one_arena_is_what_glibc_says() {
    expect_agreement("1", &[], 1..=1);
    expect_agreement("8", &[("MALLOC_ARENA_MAX", "1")], 1..=1);
}

#[test]
fn many_arenas_are_what_glibc_says() {
    expect_agreement("8", &[], 2..=11);
    expect_agreement("64", &[("MALLOC_ARENA_MAX", "64")], 17..=64);
}

#[test]
fn caches_may_be_tuned_or_off() {
    let directory = tempfile::tempdir().expect("a place for it");
    let tuned = "glibc.malloc.tcache_count=100:glibc.malloc.tcache_max=200";
    let program = Stopped::random(directory.path(), "4", &[("GLIBC_TUNABLES", tuned)]);
    let map = program.read();
    assert_eq!(decoded(&map), stated(directory.path()));
    assert_eq!((map.parameters.tcache_count, map.parameters.tcache_max), (Some(100), Some(200)));
    assert!(map.tcaches.iter().any(|tcache| tcache.chunks > 7 * 12), "{:?}", map.tcaches);
    let off = [("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0")];
    let map = Stopped::random(directory.path(), "4", &off).read();
    assert_eq!(decoded(&map), stated(directory.path()));
    assert!(map.tcaches.iter().all(|tcache| tcache.chunks == 0), "{:?}", map.tcaches);
}
