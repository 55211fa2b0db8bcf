//! A recording's form: 8-byte little-endian words, in blocks.
//!
//! ```text
//! head     HEAD_WORDS words: MAGIC, VERSION, the channel's version, the clock's two numbers, time of the session's
//!          zero in nanoseconds since 1970, flags
//! block    a word (kind in bits 0-7, words behind it above), the words
//! ```
//! Records stand as they stood in their ring. A text is its length in bytes, then the bytes, zero-padded. The last
//! block of a whole recording is [`Kind::End`].

/// First word.
pub const MAGIC: u64 = u64::from_le_bytes(*b"calltap\n");
/// What this build writes.
pub const VERSION: u64 = 1;
/// Words of the head.
pub const HEAD_WORDS: usize = 8;
/// Flag: children were followed.
pub const FOLLOWED: u64 = 1 << 0;
/// The largest block, in words: more than the largest ring.
pub const MAX_BLOCK: u64 = 1 << 28;

/// Kinds of blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Kind {
    /// The plan's words.
    Plan = 1,
    /// The program: a text.
    Program,
    /// Of one thread: [`OWNER_WORDS`] words that say whose, then records.
    Records,
    /// Everything that happened up to this stamp has been written.
    Bound,
    /// A function of the directory: its number, its row plus one, its name and its provider as texts.
    Function,
    /// A stack: its number, how it ends, its frames.
    Stack,
    /// Records were dropped: whose ([`OWNER_WORDS`] words), how many.
    Dropped,
    /// A ring belongs to nobody any more: its number.
    Closed,
    /// The end: nanoseconds since the session's zero, records lost, calls whose return was not followed.
    End,
}

/// Words that say whose records are in a block.
pub const OWNER_WORDS: usize = 3;

impl Kind {
    /// The kind with this number.
    #[must_use]
    pub fn of(number: u64) -> Option<Self> {
        const ALL: [Kind; 9] = [
            Kind::Plan,
            Kind::Program,
            Kind::Records,
            Kind::Bound,
            Kind::Function,
            Kind::Stack,
            Kind::Dropped,
            Kind::Closed,
            Kind::End,
        ];
        ALL.get(usize::try_from(number.checked_sub(1)?).ok()?).copied()
    }

    /// The word before a block of so many words.
    #[must_use]
    pub fn word(self, words: usize) -> u64 {
        self as u64 | (words as u64) << 8
    }
}

/// Appends a text.
pub fn put_text(text: &[u8], words: &mut Vec<u64>) {
    words.push(text.len() as u64);
    words.extend(text.chunks(8).map(|chunk| {
        let mut bytes = [0; 8];
        bytes[..chunk.len()].copy_from_slice(chunk);
        u64::from_le_bytes(bytes)
    }));
}

/// Takes a text from the front of some words; None if they are too few.
pub fn take_text(words: &mut &[u64]) -> Option<String> {
    let (&length, rest) = words.split_first()?;
    let length = usize::try_from(length).ok()?;
    let (text, rest) = rest.split_at_checked(length.div_ceil(8))?;
    *words = rest;
    let mut bytes: Vec<u8> = text.iter().flat_map(|word| word.to_le_bytes()).collect();
    bytes.truncate(length);
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_and_texts_are_read_as_they_were_written() {
        for kind in [Kind::Plan, Kind::Records, Kind::End] {
            assert_eq!(Kind::of(kind.word(77) & 0xff), Some(kind));
            assert_eq!(kind.word(77) >> 8, 77);
        }
        assert_eq!((Kind::of(0), Kind::of(10)), (None, None));
        let mut words = Vec::new();
        put_text(b"strlen", &mut words);
        put_text(b"/lib/x86_64-linux-gnu/libc.so.6", &mut words);
        let mut rest = words.as_slice();
        assert_eq!(take_text(&mut rest).as_deref(), Some("strlen"));
        assert_eq!(take_text(&mut rest).as_deref(), Some("/lib/x86_64-linux-gnu/libc.so.6"));
        assert!(take_text(&mut rest).is_none() && rest.is_empty());
        assert!(take_text(&mut &[99, 0][..]).is_none());
    }
}
