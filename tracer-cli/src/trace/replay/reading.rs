//! The blocks of a recording, one after the other.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use calltap_channel::segment::ABI;

use crate::trace::record::format::{HEAD_WORDS, Kind, MAGIC, MAX_BLOCK, VERSION};

/// As much is read at once, in bytes.
const BUFFER: usize = 1 << 20;

/// What a recording's head says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The clock's two numbers.
    pub scale: [u64; 2],
    /// The session's zero, in nanoseconds since 1970.
    pub zero_ns: u64,
    /// See [`crate::trace::record::format`].
    pub flags: u64,
}

/// A recording that is being read.
#[derive(Debug)]
pub struct Reading {
    file: BufReader<File>,
    path: PathBuf,
    words: Vec<u64>,
    bytes: Vec<u8>,
}

/// A block.
#[derive(Clone, Copy, Debug)]
pub struct Block<'a> {
    /// What it is.
    pub kind: Kind,
    /// Its words.
    pub words: &'a [u64],
}

impl Block<'_> {
    /// The word at an index; 0 behind its end.
    #[must_use]
    pub fn word(&self, index: usize) -> u64 {
        self.words.get(index).copied().unwrap_or(0)
    }
}

impl Reading {
    /// Opens a recording and reads its head.
    ///
    /// # Errors
    /// If it is none, or of another version.
    pub fn open(path: &Path) -> anyhow::Result<(Self, Head)> {
        let file =
            File::open(path).with_context(|| format!("cannot open the recording {}", path.display()))?;
        let file = BufReader::with_capacity(BUFFER, file);
        let mut reading = Self { file, path: path.to_owned(), words: Vec::new(), bytes: Vec::new() };
        if !reading.fill(HEAD_WORDS)? {
            bail!(reading.torn("before its head ends"));
        }
        let &[magic, version, abi, ticks, factor, zero_ns, flags, _] = reading.words.as_slice() else {
            bail!(reading.torn("before its head ends"));
        };
        if magic != MAGIC {
            bail!(
                "{} is no recording\nhint: `calltap trace --record FILE -- COMMAND` makes one",
                path.display()
            );
        }
        if (version, abi) != (VERSION, ABI) {
            bail!(
                "{} was recorded by another version of calltap ({version}.{abi}, this is {VERSION}.{ABI})\n\
                 hint: play it with the calltap that has recorded it",
                path.display()
            );
        }
        Ok((reading, Head { scale: [ticks, factor], zero_ns, flags }))
    }

    /// The next block.
    ///
    /// # Errors
    /// If the file ends, or what is there is no block.
    pub fn next(&mut self) -> anyhow::Result<Block<'_>> {
        if !self.fill(1)? {
            bail!(self.torn("before the program did"));
        }
        let word = self.words[0];
        let length = word >> 8;
        let Some(kind) = Kind::of(word & 0xff).filter(|_| length <= MAX_BLOCK) else {
            bail!(self.torn("in garbage"));
        };
        if !self.fill(length as usize)? {
            bail!(self.torn("in the middle of a block"));
        }
        Ok(Block { kind, words: &self.words })
    }

    /// The words of the next block, which is to be of this kind.
    ///
    /// # Errors
    /// As [`Self::next`], and if it is another one.
    pub fn expect(&mut self, kind: Kind) -> anyhow::Result<Vec<u64>> {
        let block = self.next()?;
        if block.kind == kind {
            return Ok(block.words.to_vec());
        }
        bail!(self.torn("in garbage"))
    }

    /// Reads so many words. False if the file ends before that.
    fn fill(&mut self, words: usize) -> anyhow::Result<bool> {
        self.words.clear();
        self.bytes.clear();
        // As much memory as there is content, whatever length a block claims to have.
        let read = (&mut self.file).take(words as u64 * 8).read_to_end(&mut self.bytes);
        read.with_context(|| format!("cannot read the recording {}", self.path.display()))?;
        if self.bytes.len() < words * 8 {
            return Ok(false);
        }
        let (chunks, _) = self.bytes.as_chunks();
        self.words.extend(chunks.iter().map(|chunk| u64::from_le_bytes(*chunk)));
        Ok(true)
    }

    fn torn(&self, place: &str) -> String {
        format!(
            "the recording {} ends {place}\n\
             hint: what is readable of it has been shown; a full disk or a killed calltap leaves such files",
            self.path.display()
        )
    }
}
