//! The start-up stack of a new program, and the same with our variables in its environment.
//!
//! At its first instruction `rsp` points at the argument count; above it lie the arguments, the
//! environment and the auxiliary vector, each an array with an end mark, then the strings (System V
//! ABI for x86-64, section 3.4.1). We write new arrays and strings *below* all that and leave the
//! old ones where they are: pointers into them stay good, and `/proc/PID/environ` shows what the
//! program was given.

use std::ops::Range;

/// The variable that names libraries to load first.
pub(crate) const PRELOAD: &[u8] = b"LD_PRELOAD=";
/// The variable that keeps the program's own `LD_PRELOAD` while ours is in its place.
pub(crate) const SAVED_PRELOAD: &[u8] = b"CALLTAP_PRELOAD=";
/// The variable that names the segment.
pub(crate) const SEGMENT: &[u8] = b"CALLTAP_SEGMENT=";
/// The variable that tells a program in a sandbox its process id.
pub(crate) const CONFINED: &[u8] = b"CALLTAP_CONFINED=";

const WORD: usize = 8;

/// A start-up stack: `words` from the argument count to the end of the auxiliary vector, and all
/// bytes from the same address to the end of the stack.
#[derive(Debug)]
pub(crate) struct Startup<'a> {
    rsp: u64,
    bytes: &'a [u8],
    /// In words: the environment, without its end mark.
    environment: Range<usize>,
    /// In words: the auxiliary vector, with its end mark.
    auxiliary: Range<usize>,
}

/// What to write where.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Rewritten {
    /// The new stack pointer; `bytes` go there.
    pub(crate) rsp: u64,
    /// They end at or below the old stack pointer.
    pub(crate) bytes: Vec<u8>,
}

impl<'a> Startup<'a> {
    /// Finds the arrays in `bytes`, which lie at `rsp`. `None` if they do not end within.
    pub(crate) fn parse(rsp: u64, bytes: &'a [u8]) -> Option<Self> {
        let word = |index| word_at(bytes, index);
        let arguments = usize::try_from(word(0)?).ok()?;
        let first = arguments.checked_add(2)?;
        if word(first - 1)? != 0 {
            return None;
        }
        let end_mark = (first..).map_while(word).position(|pointer| pointer == 0)?;
        let environment = first..first + end_mark;
        let vector = environment.end + 1;
        let pairs = (vector..).step_by(2).map_while(word).position(|kind| kind == 0)?;
        let auxiliary = vector..vector + 2 * (pairs + 1);
        word(auxiliary.end - 1)?;
        Some(Self { rsp, bytes, environment, auxiliary })
    }

    /// The auxiliary vector's value for `kind` (`AT_BASE` and so on), if it has one.
    pub(crate) fn auxiliary(&self, kind: u64) -> Option<u64> {
        self.auxiliary
            .clone()
            .step_by(2)
            .find(|&at| word_at(self.bytes, at) == Some(kind))
            .and_then(|at| word_at(self.bytes, at + 1))
    }

    /// Whether the environment has a variable that begins with `prefix`, such as `NAME=`.
    pub(crate) fn has_variable(&self, prefix: &[u8]) -> bool {
        let mut strings = self.environment.clone().filter_map(|at| self.string(at));
        strings.any(|string| string.starts_with(prefix))
    }

    /// The same stack with `library` first in `LD_PRELOAD` and `segment` in our own variable, and with its process id in
    /// another one if the process is `confined`.
    ///
    /// A variable that exists keeps its place, new ones come last. If `LD_PRELOAD` is there more
    /// than once the last is changed, because that is the one the loader uses.
    pub(crate) fn with_interposer(&self, library: &[u8], segment: &[u8], confined: Option<u32>) -> Rewritten {
        let existing =
            self.environment.clone().rev().find_map(|at| Some((at, self.string(at)?.strip_prefix(PRELOAD)?)));

        let mut strings = Vec::new();
        let mut preload = [PRELOAD, library].concat();
        let mut saved = None;
        if let Some((_, value)) = existing {
            if !value.is_empty() {
                preload.push(b':');
                preload.extend_from_slice(value);
            }
            saved = Some([SAVED_PRELOAD, value].concat());
        }
        let mut add = |string: &[u8]| {
            let offset = strings.len();
            strings.extend_from_slice(string);
            strings.push(0);
            offset
        };
        let preload = add(&preload);
        let mut appended = vec![add(&[SEGMENT, segment].concat())];
        appended.extend(confined.map(|pid| add(&[CONFINED, pid.to_string().as_bytes()].concat())));
        appended.extend(saved.map(|saved| add(&saved)));
        if existing.is_none() {
            appended.insert(0, preload);
        }

        let words = self.auxiliary.end + appended.len();
        let strings_at = self.rsp - strings.len() as u64;
        let rsp = (strings_at - (words * WORD) as u64) & !15;
        let mut bytes = Vec::with_capacity((self.rsp - rsp) as usize);
        bytes.extend_from_slice(&self.bytes[..self.environment.end * WORD]);
        if let Some((at, _)) = existing {
            let pointer = strings_at + preload as u64;
            bytes[at * WORD..][..WORD].copy_from_slice(&pointer.to_le_bytes());
        }
        for offset in appended {
            bytes.extend_from_slice(&(strings_at + offset as u64).to_le_bytes());
        }
        // The end mark and the auxiliary vector.
        bytes.extend_from_slice(&self.bytes[self.environment.end * WORD..self.auxiliary.end * WORD]);
        bytes.resize((strings_at - rsp) as usize, 0);
        bytes.extend_from_slice(&strings);
        Rewritten { rsp, bytes }
    }

    /// The string that the word at `index` points to, if it lies on this stack.
    fn string(&self, index: usize) -> Option<&'a [u8]> {
        let offset = word_at(self.bytes, index)?.checked_sub(self.rsp)?;
        let string = self.bytes.get(usize::try_from(offset).ok()?..)?;
        let end = string.iter().position(|&byte| byte == 0)?;
        Some(&string[..end])
    }
}

fn word_at(bytes: &[u8], index: usize) -> Option<u64> {
    let word = bytes.get(index.checked_mul(WORD)?..)?.first_chunk()?;
    Some(u64::from_le_bytes(*word))
}

#[cfg(test)]
mod tests;
