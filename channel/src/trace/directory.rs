//! The functions that were met: one entry for each name and provider, in all processes of a session.
//!
//! ```text
//! 0        Heads      64 bytes: how much is used
//! entries  Entry x MAX_FUNCTIONS
//! texts    bytes      names and paths, each once for each entry
//! ```
//! The target writes it without a lock, the CLI reads it: an entry is there when its state says so.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::MAX_FUNCTIONS;

/// Room for names and paths.
const TEXT_BYTES: usize = 16 << 20;

/// Size of a directory in bytes.
pub const BYTES: u64 = (size_of::<Heads>() + MAX_FUNCTIONS * size_of::<Entry>() + TEXT_BYTES) as u64;

#[repr(C, align(64))]
struct Heads {
    text_used: AtomicU64,
    lost: AtomicU64,
}

#[repr(C)]
struct Entry {
    /// [`EMPTY`], [`WRITING`], [`READY`].
    state: AtomicU32,
    /// Row of the plan plus one, 0 for none, in bits 0-19; [`check`] above them.
    row: AtomicU32,
    hash: AtomicU64,
    /// Offset among the texts in the high half, length in the low half.
    name: AtomicU64,
    provider: AtomicU64,
}

const EMPTY: u32 = 0;
const WRITING: u32 = 1;
const READY: u32 = 2;

/// A view of a session's directory.
#[derive(Clone, Copy, Debug)]
pub struct Directory {
    base: *mut u8,
}

// SAFETY: shared memory made of atomics; texts are written before they are published.
unsafe impl Send for Directory {}
// SAFETY: as above.
unsafe impl Sync for Directory {}

/// A function of the directory, copied out of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Met<'a> {
    /// Its symbol, without version.
    pub name: &'a [u8],
    /// Path of the object that provides it, as the loader has it; empty for the program itself.
    pub provider: &'a [u8],
    /// Row of the plan; None for none.
    pub row: Option<u32>,
}

impl Directory {
    /// The directory at `base`.
    ///
    /// # Safety
    /// [`BYTES`] bytes from there, 64-aligned, stay mapped as long as any copy of this is used.
    #[must_use]
    pub unsafe fn at(base: *mut u8) -> Self {
        Self { base }
    }

    fn heads(&self) -> &Heads {
        // SAFETY: `at`'s contract; plain atomics.
        unsafe { &*self.base.cast() }
    }

    fn entry(&self, index: usize) -> &Entry {
        assert!(index < MAX_FUNCTIONS);
        // SAFETY: within the mapped bytes by the assertion; plain atomics.
        unsafe { &*self.base.add(size_of::<Heads>() + index * size_of::<Entry>()).cast() }
    }

    fn texts(&self) -> *mut u8 {
        // SAFETY: within the mapped bytes.
        unsafe { self.base.add(size_of::<Heads>() + MAX_FUNCTIONS * size_of::<Entry>()) }
    }

    /// The number of the function `name` of `provider`, entering it if it is new. None if there is no room.
    #[must_use]
    pub fn number(&self, name: &[u8], provider: &[u8], row: Option<u32>) -> Option<u32> {
        let hash = hash_of(&[name, b"@", provider]);
        for probe in 0..MAX_FUNCTIONS {
            let index = (hash as usize).wrapping_add(probe) & (MAX_FUNCTIONS - 1);
            let entry = self.entry(index);
            match entry.state.compare_exchange(EMPTY, WRITING, Ordering::Acquire, Ordering::Acquire) {
                Ok(_) => {
                    let Some(texts) = self.write([name, provider]) else {
                        // Stays as it is: nobody will ever read it.
                        self.heads().lost.fetch_add(1, Ordering::Relaxed);
                        return None;
                    };
                    entry.hash.store(hash, Ordering::Relaxed);
                    let row = row.filter(|row| *row < ROWS).map_or(0, |row| row + 1);
                    entry.row.store(row | check(hash, row), Ordering::Relaxed);
                    entry.name.store(texts[0], Ordering::Relaxed);
                    entry.provider.store(texts[1], Ordering::Relaxed);
                    // Release: pairs with the Acquire of whoever finds it ready.
                    entry.state.store(READY, Ordering::Release);
                    return Some(index as u32);
                }
                // Another process is writing, and may die over it: then a function has two numbers.
                Err(WRITING) => {}
                Err(_) if entry.hash.load(Ordering::Relaxed) == hash => {
                    if self.get(index as u32).is_some_and(|met| met.name == name && met.provider == provider)
                    {
                        return Some(index as u32);
                    }
                }
                Err(_) => {}
            }
        }
        self.heads().lost.fetch_add(1, Ordering::Relaxed);
        None
    }

    fn write<const N: usize>(&self, texts: [&[u8]; N]) -> Option<[u64; N]> {
        let bytes: usize = texts.iter().map(|text| text.len()).sum();
        let mut at = self.heads().text_used.fetch_add(bytes as u64, Ordering::Relaxed) as usize;
        if at.checked_add(bytes)? > TEXT_BYTES {
            return None;
        }
        Some(texts.map(|text| {
            // SAFETY: the bytes were reserved for us alone and are within the texts.
            unsafe { core::ptr::copy_nonoverlapping(text.as_ptr(), self.texts().add(at), text.len()) };
            let word = (at as u64) << 32 | text.len() as u64;
            at += text.len();
            word
        }))
    }

    /// The function with this number, if it is entered. The texts are shared memory: they are bytes, and no more
    /// is promised of them.
    #[must_use]
    pub fn get(&self, number: u32) -> Option<Met<'_>> {
        if number as usize >= MAX_FUNCTIONS {
            return None;
        }
        let entry = self.entry(number as usize);
        if entry.state.load(Ordering::Acquire) != READY {
            return None;
        }
        let name = self.text(entry.name.load(Ordering::Relaxed))?;
        let provider = self.text(entry.provider.load(Ordering::Relaxed))?;
        // Somebody may have scribbled over it.
        let hash = entry.hash.load(Ordering::Relaxed);
        let checked_row = entry.row.load(Ordering::Relaxed);
        let row = checked_row & ROWS;
        let is_whole = hash_of(&[name, b"@", provider]) == hash && row | check(hash, row) == checked_row;
        is_whole.then(|| Met { name, provider, row: row.checked_sub(1) })
    }

    fn text(&self, word: u64) -> Option<&[u8]> {
        let (at, length) = ((word >> 32) as usize, word as u32 as usize);
        if at.checked_add(length)? > TEXT_BYTES {
            return None;
        }
        // SAFETY: within the texts by the check; bytes may be anything.
        Some(unsafe { core::slice::from_raw_parts(self.texts().add(at), length) })
    }

    /// A number that grows whenever a function is entered: before it can be read.
    #[must_use]
    pub fn growth(&self) -> u64 {
        self.heads().text_used.load(Ordering::Relaxed)
    }

    /// Functions that found no room.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.heads().lost.load(Ordering::Relaxed)
    }
}

/// The most rows of a plan that functions have.
const ROWS: u32 = (1 << 20) - 1;

/// What stands beside a row to tell whether it is still the one that was entered.
fn check(hash: u64, row: u32) -> u32 {
    ((hash ^ u64::from(row)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u32 & !ROWS
}

/// FNV-1a, 64 bits, of the parts in a row.
#[must_use]
pub fn hash_of(parts: &[&[u8]]) -> u64 {
    parts.iter().flat_map(|part| part.iter()).fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_has_one_number() {
        let mut memory = vec![0_u64; BYTES as usize / 8 + 8];
        let base = memory.as_mut_ptr().cast::<u8>();
        // SAFETY: the vector outlives the view, and is aligned up to 64 within its spare words.
        let directory = unsafe { Directory::at(base.add(base.align_offset(64))) };
        let one = directory.number(b"malloc", b"/lib/libc.so.6", Some(7)).unwrap();
        assert_eq!(directory.number(b"malloc", b"/lib/libc.so.6", None), Some(one));
        let other = directory.number(b"malloc", b"", None).unwrap();
        assert_ne!(one, other);
        let met = directory.get(one).unwrap();
        assert_eq!((met.name, met.provider, met.row), (&b"malloc"[..], &b"/lib/libc.so.6"[..], Some(7)));
        assert_eq!(directory.get(other.wrapping_add(1)), None);
    }
}
