//! Every target over its corpus, over what once made it fail, and over mutations of both: the same ones every time.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fastrand::Rng;
use nix::sys::resource::UsageWho;

use super::{TARGETS, Target, processor};

/// Mutations of a target's inputs.
const MUTATIONS: usize = 2000;
/// A target is not mutated for longer than this; the limit is for those whose inputs are expensive.
const ENOUGH: Duration = Duration::from_secs(2);
/// The longest that an input may take, in processor time of its thread. Optimised code has a second.
const LIMIT: Duration = Duration::from_secs(5);

fn directory(target: &Target) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz").join(target.name)
}

/// The files of a directory by name; none if it is not there.
fn files(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read(path).expect("a readable file"))).collect()
}

fn processor_time() -> Duration {
    processor::time(UsageWho::RUSAGE_THREAD)
}

fn feed(target: &Target, input: &[u8], what: &dyn std::fmt::Display) {
    let began = processor_time();
    let ended = std::panic::catch_unwind(|| (target.body)(input));
    let took = processor_time() - began;
    if ended.is_err() || took > LIMIT {
        let kept = std::env::temp_dir().join(format!("calltap-fuzz-{}", target.name));
        let kept =
            fs::write(&kept, input).map_or_else(|error| error.to_string(), |()| kept.display().to_string());
        panic!("{}: {what} panicked or took too long ({took:?}); the input: {kept}", target.name);
    }
}

fn mutated(inputs: &[(PathBuf, Vec<u8>)], rng: &mut Rng) -> Vec<u8> {
    let mut input = inputs[rng.usize(..inputs.len())].1.clone();
    for _ in 0..rng.usize(1..6) {
        let at = rng.usize(..=input.len());
        let length = rng.usize(..=16).min(input.len() - at);
        match rng.u8(..7) {
            0 => input.truncate(at),
            1 => drop(input.drain(at..at + length)),
            2 => input[at..at + length].iter_mut().for_each(|byte| *byte = rng.u8(..)),
            3 => input[at..at + length.min(1)].iter_mut().for_each(|byte| *byte ^= 1 << rng.u8(..8)),
            4 => {
                let repeated = input[at..at + length].to_vec();
                input.splice(at..at, repeated);
            }
            5 => {
                let other = &inputs[rng.usize(..inputs.len())].1;
                let from = rng.usize(..=other.len());
                let part = other[from..(from + length * 4).min(other.len())].to_vec();
                input.splice(at..at, part);
            }
            _ => {
                let value = *rng.choice(&[0, 1, 0x7f, 0x80, 0xff]).expect("there are some");
                input[at..at + length.min(8)].fill(value);
            }
        }
    }
    input
}

fn replay(name: &str) {
    let target = TARGETS.iter().find(|target| target.name == name).expect("a target's name");
    let corpus = directory(target);
    let mut inputs = files(&corpus);
    assert!(!inputs.is_empty(), "{} is empty: scripts/fuzz-corpus makes it", corpus.display());
    inputs.extend(files(&corpus.join("crashes")));
    for (path, input) in &inputs {
        feed(target, input, &path.display());
    }
    let mut rng = Rng::with_seed(0x00ca_117a);
    let began = processor_time();
    for number in 0..MUTATIONS {
        if processor_time() - began > ENOUGH {
            break;
        }
        feed(target, &mutated(&inputs, &mut rng), &format!("mutation {number}"));
    }
}

/// A test for each target, so that they run beside each other and tell their names.
macro_rules! replays {
    ($($test:ident = $name:literal,)*) => {
        $(#[test]
        fn $test() {
            replay($name);
        })*

        #[test]
        fn every_target_is_replayed() {
            let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
            assert_eq!(names, [$($name),*]);
        }
    };
}

replays! {
    compare = "compare",
    elf = "elf",
    elf_edits = "elf-edits",
    filters = "filters",
    heap = "heap",
    plan = "plan",
    proc = "proc",
    prototypes = "prototypes",
    recording = "recording",
    segment = "segment",
    session = "session",
    startup = "startup",
    suppressions = "suppressions",
}
