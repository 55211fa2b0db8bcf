//! From chunk to chunk through a piece of memory.
//!
//! The process may be stopped meanwhile, and memory that is new to us costs more time than memory
//! that is read: so what is kept is small, and becomes chunks later.

use calltap_analyzers::arenas::chunk_map::{Chunk, ChunkKind};

use super::cache::Cache;
use super::layout::{CACHED_MAX, FLAGS, HEADER, LEAST, Layout, MMAPPED, PREVIOUS_IN_USE, TCACHE, serves};
use super::window::Window;

/// In a size: the chunk is free, by the next chunk's header.
const FREE: u32 = 1 << 31;
/// In a size: the first word of the chunk's block is in [`Walked::links`].
const LINKED: u32 = 1 << 30;
/// A size that does not fit, in units of 16 bytes: see [`Walked::large`].
const LARGE: u32 = LINKED - 1;
/// The link of a chunk that is in no list: no address.
const NO_LINK: u64 = u64::MAX;

/// A piece of memory, walked: chunks without a gap from the first to the end.
#[derive(Clone, Debug)]
pub(super) struct Walked {
    /// Address of the first chunk.
    pub(super) first: u64,
    /// First address behind the last.
    pub(super) end: u64,
    /// The last one is the arena's top; otherwise it is a fencepost.
    pub(super) has_top: bool,
    /// What may be threads' caches, by ascending address.
    pub(super) caches: Vec<Cache>,
    /// Free chunks.
    pub(super) free_chunks: usize,
    /// Their bytes.
    pub(super) free_bytes: u64,
    /// Each chunk's size in units of 16 bytes, with [`FREE`] and [`LINKED`].
    sizes: Vec<u32>,
    /// The sizes of those that are [`LARGE`], in bytes, in their order.
    large: Vec<u64>,
    /// The first word of the block of each chunk that may be in a list, in their order.
    links: Vec<u64>,
}

impl Walked {
    const fn at(first: u64) -> Self {
        Self {
            first,
            end: first,
            has_top: false,
            caches: Vec::new(),
            free_chunks: 0,
            free_bytes: 0,
            sizes: Vec::new(),
            large: Vec::new(),
            links: Vec::new(),
        }
    }

    fn push(&mut self, bytes: u64) {
        let units = u32::try_from(bytes / 16).unwrap_or(LARGE).min(LARGE);
        if units == LARGE {
            self.large.push(bytes);
        }
        self.sizes.push(units);
        self.end += bytes;
    }

    /// The last chunk is free.
    fn free_last(&mut self, bytes: u64, link: u64) {
        self.mark_last(FREE);
        self.free_chunks += 1;
        self.free_bytes += bytes;
        self.link_last(link);
    }

    /// The last chunk may be in a list.
    fn link_last(&mut self, link: u64) {
        self.mark_last(LINKED);
        self.links.push(link);
    }

    fn mark_last(&mut self, flag: u32) {
        if let Some(last) = self.sizes.last_mut() {
            *last |= flag;
        }
    }

    /// Its chunks, and for each the first word of its block, or what is no link.
    pub(super) fn chunks(&self) -> (Vec<Chunk>, Vec<u64>) {
        let mut address = self.first;
        let (mut large, mut listed) = (self.large.iter(), self.links.iter());
        let mut chunks = Vec::with_capacity(self.sizes.len() + 1);
        let mut links = Vec::with_capacity(self.sizes.len());
        for &size in &self.sizes {
            let bytes = match size & LARGE {
                LARGE => large.next().map_or(0, |&bytes| bytes),
                units => u64::from(units) * 16,
            };
            let kind = match bytes {
                HEADER => ChunkKind::Fencepost,
                _ if size & FREE != 0 => ChunkKind::Bin,
                _ => ChunkKind::InUse,
            };
            let link = (size & LINKED != 0).then(|| listed.next()).flatten();
            chunks.push(Chunk::new(address, bytes, kind));
            links.push(link.map_or(NO_LINK, |&link| link));
            address += bytes;
        }
        match &mut chunks[..] {
            [.., top] if self.has_top => *top = top.with(ChunkKind::Top),
            // If there was no room for a free chunk, the first fencepost has what was left.
            [.., fence, _] if fence.bytes() <= LEAST => *fence = fence.with(ChunkKind::Fencepost),
            _ => {}
        }
        (chunks, links)
    }
}

/// Walks from the chunk at `first` to the arena's `top`, whose end must be `limit`, or to the
/// fenceposts that end other pieces: one of size 16 or none and one of size 0 at `limit` in a thread
/// arena, two of size 16 in the main one.
///
/// # Errors
///
/// If a chunk cannot be read or cannot be one. The walk ends in any case: every step is upwards.
pub(super) fn walk(
    window: &mut Window,
    layout: Layout,
    first: u64,
    limit: u64,
    top: u64,
) -> Result<Walked, String> {
    let mut walked = Walked::at(first);
    // Behind the top's header is nothing but what was never touched, or went back.
    let readable = if (first..limit).contains(&top) { limit.min(top + LEAST) } else { limit };
    let (mut last, mut last_link) = (0, NO_LINK);
    loop {
        let address = walked.end;
        let (before, word, link) = header(window, address, readable)?;
        if word & PREVIOUS_IN_USE == 0 {
            if last < LEAST || last != before {
                return Err(format!(
                    "the chunk at {address:#x} does not follow a free chunk of {before:#x} bytes"
                ));
            }
            walked.free_last(last, last_link);
        } else if (LEAST..=CACHED_MAX).contains(&last) && layout.may_link(last_link, address - last + HEADER)
        {
            walked.link_last(last_link);
        }
        let bytes = word & !FLAGS;
        let malformed = || Err(format!("the chunk at {address:#x} cannot have size {word:#x}"));
        if word & MMAPPED != 0 || !bytes.is_multiple_of(16) || bytes > limit - address {
            return malformed();
        }
        if bytes < LEAST {
            let ends = match bytes {
                0 => address + HEADER == limit && (HEADER..=LEAST).contains(&last),
                _ => last == HEADER,
            };
            if bytes == 0 && !ends || address == top {
                return malformed();
            }
            walked.push(HEADER);
            if ends {
                return Ok(walked);
            }
        } else {
            walked.push(bytes);
            if address == top {
                walked.has_top = true;
                return if walked.end == limit { Ok(walked) } else { malformed() };
            }
            if serves(bytes, TCACHE) {
                let block = window.at(address + HEADER, TCACHE as usize, readable);
                walked.caches.extend(block.and_then(|block| Cache::of(address, block)));
            }
        }
        (last, last_link) = (bytes, link);
    }
}

/// The words of a chunk's header, and the first of its block; no link if its heap ends before that.
#[inline]
fn header(window: &mut Window, address: u64, limit: u64) -> Result<(u64, u64, u64), String> {
    let length = limit.saturating_sub(address).min(24) as usize;
    let words = window.at(address, length, limit).map(|bytes| bytes.as_chunks().0);
    let word = u64::from_le_bytes;
    match words {
        Some(&[before, size, link]) => Ok((word(before), word(size), word(link))),
        Some(&[before, size]) => Ok((word(before), word(size), NO_LINK)),
        Some(_) => Err(format!("a heap ends at {limit:#x} without top or fenceposts")),
        None => Err(format!("the chunk at {address:#x} cannot be read")),
    }
}

#[cfg(test)]
mod tests;
