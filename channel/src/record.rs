//! One finished call, as the interposer writes it and the reader sees it.
//!
//! A record is a run of 8-byte words, 5 to [`MAX_WORDS`] long:
//!
//! | word | content |
//! |---|---|
//! | 0 | header: bits 0-7 length in words, 8-15 flags, 16-31 function number, 32-63 stack id (0 = none taken) |
//! | 1 | start, in ticks of the segment's clock |
//! | 2 | bits 0-47 duration in ticks (saturating: 26 hours at 3 GHz), bits 48-63 errno (0 = the call succeeded) |
//! | 3 | call site: the return address in the direct caller, 0 if unknown |
//! | 4 | returned value; absent if [`VOID`] |
//! | next | arguments; how many is fixed by the function's row in the list ([`crate::function::argument_words`]) |
//! | last | at most one text if [`TEXT`]: a word with its length in bytes, then the bytes, zero-padded |
//!
//! Word 0 is written last, with release order: it commits the record. The other process may put
//! any bits here, so the reader copies first, checks then, and never casts.

/// The longest record, in words. The ring has this much slack behind its end.
pub const MAX_WORDS: usize = 128;
/// The longest copied text, in bytes; longer ones are cut and marked [`CUT`].
pub const MAX_TEXT: usize = 512;
/// Words before the returned value.
pub const PREFIX_WORDS: usize = 4;
/// The most argument words a record can carry.
pub const MAX_ARGUMENTS: usize = MAX_WORDS - PREFIX_WORDS - 1 - 1 - MAX_TEXT / 8;

/// Flag: the function returns nothing, word 4 is the first argument.
pub const VOID: u8 = 1 << 0;
/// Flag: a text follows the arguments.
pub const TEXT: u8 = 1 << 1;
/// Flag: the text was longer than [`MAX_TEXT`].
pub const CUT: u8 = 1 << 2;
/// Flag: made by a `vfork` child, in its parent's memory but with its own descriptors.
pub const VFORK_CHILD: u8 = 1 << 3;
/// Flag: written before the call, which does not return if it succeeds (`execve`, `_exit`).
pub const ENTRY: u8 = 1 << 4;
/// Flag: the duration was not measured (`--latency off`).
pub const UNTIMED: u8 = 1 << 5;
/// Flag: takes effect when it begins, not when it ends (system calls that release).
pub const AT_START: u8 = 1 << 6;

/// The largest duration a record can hold, in ticks.
pub const MAX_DURATION: u64 = (1 << 48) - 1;

/// Word 0 of a record.
#[inline(always)]
#[must_use]
pub const fn header(words: usize, flags: u8, function: u16, stack: u32) -> u64 {
    words as u64 | (flags as u64) << 8 | (function as u64) << 16 | (stack as u64) << 32
}

/// Word 2 of a record.
#[inline(always)]
#[must_use]
pub const fn outcome(duration: u64, errno: u16) -> u64 {
    let duration = if duration > MAX_DURATION { MAX_DURATION } else { duration };
    duration | (errno as u64) << 48
}

/// Why a record was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// The length is below the prefix or above [`MAX_WORDS`].
    Length(u8),
    /// A text was announced that does not fit in the record.
    Text,
}

/// A record copied out of the ring and checked for its form; its numbers are still anybody's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    words: &'a [u64],
    text_at: usize,
    text_bytes: usize,
}

impl<'a> Record<'a> {
    /// Checks `words`, a private copy of one record's words.
    ///
    /// # Errors
    /// [`Malformed`] where the lengths in the record contradict each other.
    #[inline]
    pub fn parse(words: &'a [u64]) -> Result<Self, Malformed> {
        let length = (words.first().copied().unwrap_or(0) & 0xff) as usize;
        if !(PREFIX_WORDS..=MAX_WORDS.min(words.len())).contains(&length) {
            return Err(Malformed::Length(length as u8));
        }
        let words = &words[..length];
        let mut record = Self { words, text_at: length, text_bytes: 0 };
        let first = record.first_argument();
        if first > length {
            return Err(Malformed::Length(length as u8));
        }
        if record.flags() & TEXT != 0 {
            // The text stands last; the word that gives its size is the first one that fits.
            let announced = (words[0] >> 16 & 0xffff) as u16;
            let arguments = crate::function::argument_words(announced);
            let at = first + arguments;
            if at >= length {
                return Err(Malformed::Text);
            }
            let bytes = words[at] as usize;
            if bytes > MAX_TEXT || at + 1 + bytes.div_ceil(8) > length {
                return Err(Malformed::Text);
            }
            record.text_at = at;
            record.text_bytes = bytes;
        }
        Ok(record)
    }

    /// The flag bits.
    #[inline]
    #[must_use]
    pub fn flags(&self) -> u8 {
        (self.words[0] >> 8) as u8
    }

    /// The function's number; see [`crate::Function::from_number`] and [`crate::Note::from_number`].
    #[inline]
    #[must_use]
    pub fn number(&self) -> u16 {
        (self.words[0] >> 16) as u16
    }

    /// Id in the stack table, 0 if no stack was taken.
    #[inline]
    #[must_use]
    pub fn stack(&self) -> u32 {
        (self.words[0] >> 32) as u32
    }

    /// When the call began, in ticks.
    #[inline]
    #[must_use]
    pub fn start(&self) -> u64 {
        self.words[1]
    }

    /// How long the real function took, in ticks.
    #[inline]
    #[must_use]
    pub fn duration(&self) -> u64 {
        self.words[2] & MAX_DURATION
    }

    /// When the call ended, in ticks.
    #[inline]
    #[must_use]
    pub fn end(&self) -> u64 {
        self.start().saturating_add(self.duration())
    }

    /// The error number of a failed call, 0 of one that succeeded.
    #[inline]
    #[must_use]
    pub fn errno(&self) -> u16 {
        (self.words[2] >> 48) as u16
    }

    /// The return address in the direct caller, 0 if unknown.
    #[inline]
    #[must_use]
    pub fn site(&self) -> u64 {
        self.words[3]
    }

    /// What the function returned; 0 for a function that returns nothing.
    #[inline]
    #[must_use]
    pub fn returned(&self) -> u64 {
        if self.flags() & VOID != 0 { 0 } else { self.words.get(PREFIX_WORDS).copied().unwrap_or(0) }
    }

    /// The `index`th argument, 0 if the record has fewer.
    #[inline]
    #[must_use]
    pub fn argument(&self, index: usize) -> u64 {
        let at = self.first_argument() + index;
        if at < self.text_at { self.words[at] } else { 0 }
    }

    /// All argument words.
    #[inline]
    #[must_use]
    pub fn arguments(&self) -> &'a [u64] {
        &self.words[self.first_argument()..self.text_at]
    }

    /// The copied text (a path, a name), if the record has one: raw bytes, any encoding.
    #[must_use]
    pub fn text(&self) -> Option<Text> {
        if self.flags() & TEXT == 0 {
            return None;
        }
        let mut text = Text { bytes: [0; MAX_TEXT], length: self.text_bytes };
        for (chunk, word) in text.bytes.chunks_exact_mut(8).zip(&self.words[self.text_at + 1..]) {
            chunk.copy_from_slice(&word.to_le_bytes());
        }
        Some(text)
    }

    /// Length in words.
    #[inline]
    #[must_use]
    pub fn len_words(&self) -> usize {
        self.words.len()
    }

    #[inline]
    fn first_argument(&self) -> usize {
        PREFIX_WORDS + usize::from(self.flags() & VOID == 0)
    }
}

/// A text taken out of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text {
    bytes: [u8; MAX_TEXT],
    length: usize,
}

impl Text {
    /// The bytes, as the target had them.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}
