//! The words of a traced call's records; see [`calltap_channel::trace`].

use calltap_channel::note::SystemCallWord;
use calltap_channel::record::{MAX_DURATION, PREFIX_WORDS};
use calltap_channel::trace::walk::Values;
use calltap_channel::trace::{ENTRY_ONLY, HAS_RDX, HAS_VECTORS, HAS_X87, IN_VFORK_CHILD, LEFT};

/// What a [`calltap_channel::Note::Entered`] says.
#[derive(Clone, Copy, Debug)]
pub struct EnteredWords {
    pub(super) function: u32,
    pub(super) site: u64,
    pub(super) sp: u64,
    pub(super) values: Values,
    pub(super) stack: u32,
    pub(super) entry_only: bool,
    pub(super) in_vfork_child: bool,
}

impl EnteredWords {
    /// None if the lengths contradict each other.
    pub(super) fn of(words: &[u64]) -> Option<Self> {
        let &[header, _, word, site, sp, ref rest @ ..] = words else { return None };
        let (gprs, vectors) = ((word >> 32 & 0xf) as usize, (word >> 36 & 0xf) as usize);
        let mut values = Values { sp, ..Values::default() };
        values.gprs.get_mut(..gprs)?.copy_from_slice(rest.get(..gprs)?);
        let rest = &rest[gprs..];
        values.vectors.get_mut(..vectors)?.copy_from_slice(rest.get(..vectors)?);
        Some(Self {
            function: word as u32,
            site,
            sp,
            values,
            stack: (header >> 32) as u32,
            entry_only: word & ENTRY_ONLY != 0,
            in_vfork_child: word & IN_VFORK_CHILD != 0,
        })
    }
}

/// What a [`calltap_channel::Note::Returned`] says.
#[derive(Clone, Copy, Debug)]
pub struct ReturnedWords {
    pub(super) function: u32,
    pub(super) sp: u64,
    pub(super) values: Values,
    pub(super) vectors: [u64; 2],
    pub(super) x87: [[u8; 10]; 2],
    pub(super) errno: i32,
    pub(super) left: bool,
}

impl ReturnedWords {
    /// None if the lengths contradict each other.
    pub(super) fn of(words: &[u64]) -> Option<Self> {
        let &[_, _, word, rax, sp, ref rest @ ..] = words else { return None };
        let mut rest = rest.iter().copied();
        let mut values = Values { sp, rax, ..Values::default() };
        if word & HAS_RDX != 0 {
            values.rdx = rest.next()?;
        }
        let mut vectors = [0; 2];
        if word & HAS_VECTORS != 0 {
            vectors = [rest.next()?, rest.next()?];
        }
        let mut x87 = [[0; 10]; 2];
        if word & HAS_X87 != 0 {
            for register in &mut x87 {
                register[..8].copy_from_slice(&rest.next()?.to_le_bytes());
                register[8..].copy_from_slice(&rest.next()?.to_le_bytes()[..2]);
            }
        }
        Some(Self {
            function: word as u32,
            sp,
            values,
            vectors,
            x87,
            errno: i32::from((word >> 32) as u16),
            left: word & LEFT != 0,
        })
    }
}

/// What a [`calltap_channel::Note::CallBegan`] or [`calltap_channel::Note::SystemCall`] says.
#[derive(Clone, Copy, Debug)]
pub struct CallWords {
    pub(super) pid: u32,
    pub(super) tid: u32,
    pub(super) word: SystemCallWord,
    pub(super) result: i64,
    pub(super) duration: u64,
    pub(super) arguments: [u64; 6],
    pub(super) site: u64,
}

impl CallWords {
    /// None if the note is too short.
    pub(super) fn of(words: &[u64]) -> Option<Self> {
        let &[_, _, outcome, site, pid, tid, word, result, _, a, b, c, d, e, f, ..] = words else {
            return None;
        };
        Some(Self {
            pid: pid as u32,
            tid: tid as u32,
            word: SystemCallWord(word),
            result: result as i64,
            duration: outcome & MAX_DURATION,
            arguments: [a, b, c, d, e, f],
            site,
        })
    }
}

/// The `index`th argument of a note; 0 if it has fewer.
#[must_use]
pub fn argument(words: &[u64], index: usize) -> u64 {
    words.get(PREFIX_WORDS + index).copied().unwrap_or(0)
}

/// The text of a note with so many argument words; empty if its length is not to be believed.
pub fn text(words: &[u64], arguments: usize, into: &mut Vec<u8>) {
    into.clear();
    let Some((&length, rest)) = words.get(PREFIX_WORDS + arguments..).and_then(<[u64]>::split_first) else {
        return;
    };
    let length = (length as usize).min(rest.len() * 8);
    into.extend(rest[..length.div_ceil(8)].iter().flat_map(|word| word.to_le_bytes()));
    into.truncate(length);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_has_the_registers_that_it_announces() {
        let word = 7 | 2 << 32 | 1 << 36 | ENTRY_ONLY;
        let words = [9 | 5 << 32, 100, word, 0x40, 0x7f00, 11, 12, 13, 1];
        let entered = EnteredWords::of(&words).unwrap();
        assert_eq!((entered.function, entered.site, entered.sp, entered.stack), (7, 0x40, 0x7f00, 5));
        assert_eq!((entered.values.gprs, entered.values.vectors[0]), ([11, 12, 0, 0, 0, 0], 13));
        assert!(entered.entry_only && !entered.in_vfork_child);
        assert!(EnteredWords::of(&words[..7]).is_none());
        assert!(EnteredWords::of(&[9, 100, 7 | 9 << 32, 0, 0]).is_none());
    }

    #[test]
    fn a_return_has_the_results_that_it_announces() {
        let word = 7 | 22 << 32 | HAS_RDX | HAS_VECTORS | HAS_X87;
        let words = [12, 1, word, 3, 0x7f00, 4, 5, 6, 0x0807_0605_0403_0201, 0x0a09, 0, 0];
        let returned = ReturnedWords::of(&words).unwrap();
        assert_eq!((returned.values.rax, returned.values.rdx, returned.errno), (3, 4, 22));
        assert_eq!((returned.vectors, returned.x87[0]), ([5, 6], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]));
        assert!(ReturnedWords::of(&words[..11]).is_none());
    }

    #[test]
    fn a_text_is_no_longer_than_its_record() {
        let mut bytes = Vec::new();
        let words = [0, 0, 0, 0, 77, 3, u64::from_le_bytes(*b"abcdefgh")];
        text(&words, 1, &mut bytes);
        assert_eq!(bytes, b"abc");
        text(&[0, 0, 0, 0, 77, 300, 0], 1, &mut bytes);
        assert_eq!(bytes.len(), 8);
    }
}
