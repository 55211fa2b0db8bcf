//! A second unwinder: `targets/witness.c`, and how its stacks compare with ours.

use std::collections::HashMap;
use std::fmt::Write;
use std::fs;
use std::ops::Range;
use std::path::Path;

use crate::target::Target;

/// How often each stack was seen in a process. Addresses are innermost first.
pub(super) type Stacks = HashMap<Vec<u64>, u64>;

/// Frames that both unwinders go up to; beyond it they cut differently.
const COMPARED_DEPTH: usize = 500;

/// The library that takes the stacks.
pub(super) fn library() -> Target {
    Target::c("witness.c").flags(&["-shared", "-fPIC", "-lgcc_s"]).build()
}

/// What the witness saw of one process.
pub(super) struct Witnessed {
    pub(super) pid: u64,
    pub(super) stacks: Stacks,
    /// Where its own library and calltap's are: both leave frames of their own on stacks.
    ignored: [Range<u64>; 2],
    maps: Vec<(Range<u64>, String)>,
}

impl Witnessed {
    /// Reads all files that the library has left in a directory.
    pub(super) fn all(directory: &Path) -> Vec<Self> {
        let entries = fs::read_dir(directory).expect("the directory exists");
        let paths = entries.map(|entry| entry.expect("it can be listed").path());
        paths.filter(|path| path.extension().is_none()).map(|path| Self::read(&path)).collect()
    }

    fn read(path: &Path) -> Self {
        use std::io::Read;
        let mut file = fs::File::open(path).expect("it was just listed");
        let mut words = |count: usize| -> Vec<u64> {
            let mut bytes = vec![0; count * 8];
            file.read_exact(&mut bytes).expect("the file is longer than what is used of it");
            let words = bytes.chunks_exact(8);
            words.map(|word| u64::from_ne_bytes(word.try_into().expect("8 bytes"))).collect()
        };
        let header = words(8);
        let [pid, used, lost, nested] = header[..4] else { unreachable!("8 words were read") };
        assert_eq!((lost, nested), (0, 0), "the witness missed stacks of {pid}");
        let mut rest = &words(used as usize - 8)[..];
        let mut stacks = Stacks::new();
        while let [count, length, tail @ ..] = rest {
            let (mut frames, tail) = (tail[..*length as usize].to_vec(), &tail[*length as usize..]);
            frames.truncate(COMPARED_DEPTH);
            *stacks.entry(frames).or_default() += count;
            rest = tail;
        }
        let maps = fs::read_to_string(path.with_extension("maps")).unwrap_or_default();
        let maps = maps.lines().filter_map(mapping).collect();
        Self { pid, stacks, ignored: [header[4]..header[5], header[6]..header[7]], maps }
    }

    /// What `--dump-stacks` wrote of the same process, without the frames that the witness ignores.
    pub(super) fn same_in_dump(&self, dump: &str) -> Stacks {
        let mut stacks = Stacks::new();
        for line in dump.lines() {
            let mut words = line.split(' ');
            let [count, pid] = [words.next(), words.next()].map(|word| {
                word.and_then(|word| word.parse::<u64>().ok()).unwrap_or_else(|| panic!("{line}"))
            });
            if pid != self.pid {
                continue;
            }
            let address = |word: &str| u64::from_str_radix(word.trim_start_matches("0x"), 16).expect("hex");
            let mut frames: Vec<_> = words.next().expect("addresses").split(',').map(address).collect();
            frames.retain(|address| !self.ignored.iter().any(|range| range.contains(address)));
            frames.truncate(COMPARED_DEPTH);
            *stacks.entry(frames).or_default() += count;
        }
        stacks
    }

    /// Where ours and the witness's stacks differ, the most frequent class first.
    pub(super) fn differences(&self, ours: &Stacks) -> String {
        let surplus = |of: &Stacks, than: &Stacks| -> Vec<(Vec<u64>, u64)> {
            let more = |(frames, count): (&Vec<u64>, &u64)| {
                let more = count.saturating_sub(than.get(frames).copied().unwrap_or(0));
                (more > 0).then(|| (frames.clone(), more))
            };
            of.iter().filter_map(more).collect()
        };
        let (only_ours, mut only_theirs) = (surplus(ours, &self.stacks), surplus(&self.stacks, ours));
        only_theirs.sort();
        let mut classes: HashMap<String, (u64, String)> = HashMap::new();
        for (frames, count) in only_ours {
            let nearest =
                only_theirs.iter().map(|(other, _)| other).max_by_key(|other| common(&frames, other));
            let other = nearest.map_or(&[][..], |other| other);
            let at = common(&frames, other);
            let name = |frames: &[u64], at: usize| {
                frames.get(at).map_or_else(|| "(end)".to_owned(), |address| self.name(*address))
            };
            let after = if at == 0 { "(begin)".to_owned() } else { name(&frames, at - 1) };
            let class = format!("after {after}: ours {}, theirs {}", name(&frames, at), name(other, at));
            let example = || frames.iter().map(|address| self.name(*address)).collect::<Vec<_>>().join(" < ");
            classes.entry(class).or_insert_with(|| (0, example())).0 += count;
        }
        let mut classes: Vec<_> = classes.into_iter().collect();
        classes.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
        let mut text = String::new();
        for (class, (count, example)) in classes.iter().take(12) {
            writeln!(text, "{count} {class}\n    such as {example}").expect("a String takes all");
        }
        let rest: u64 = only_theirs.iter().map(|(_, count)| count).sum();
        writeln!(text, "{rest} stacks are the witness's alone").expect("a String takes all");
        text
    }

    /// Object and file offset of an address.
    fn name(&self, address: u64) -> String {
        let found = self.maps.iter().find(|(range, _)| range.contains(&address));
        found.map_or_else(
            || format!("{address:#x}"),
            |(range, object)| {
                let (object, offset) = object.rsplit_once('+').expect("mapping() put it there");
                let offset: u64 = offset.parse().expect("mapping() put it there");
                format!("{object}+{:#x}", address - range.start + offset)
            },
        )
    }
}

/// How many innermost frames two stacks share.
fn common(one: &[u64], other: &[u64]) -> usize {
    one.iter().zip(other).take_while(|(one, other)| one == other).count()
}

/// How many of the witness's calls have the same stack in ours, and how many there are. Ours may hold more:
/// calls of the program that has become the witnessed one by exec.
pub(super) fn agreement(ours: &Stacks, theirs: &Stacks) -> (u64, u64) {
    let same = theirs.iter().map(|(frames, count)| (*count).min(ours.get(frames).copied().unwrap_or(0)));
    (same.sum(), theirs.values().sum())
}

/// A line of `/proc/PID/maps` that has a file: its range and `NAME+OFFSET`.
fn mapping(line: &str) -> Option<(Range<u64>, String)> {
    let words: Vec<_> = line.split_ascii_whitespace().collect();
    let [range, _, offset, _, _, path] = words[..] else { return None };
    let number = |text: &str| u64::from_str_radix(text, 16).ok();
    let (start, end) = range.split_once('-')?;
    let object = path.rsplit('/').next()?;
    Some((number(start)?..number(end)?, format!("{object}+{}", number(offset)?)))
}
