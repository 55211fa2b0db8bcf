//! `malloc_state`: an arena's own words.

use calltap_analyzers::arenas::chunk_map::Arena;

use super::layout::{LEAST, STATE_WORDS};
use crate::allocator::memory::Memory;

/// Fast bins.
pub(super) const FAST_BINS: usize = 10;
/// The other bins: the unsorted one, small and large ones.
pub(super) const BINS: usize = 127;
/// In a malformed ring there may be no end; nobody has so many.
const ARENAS_MAX: usize = 1 << 16;
/// The flag of an arena whose memory is in pieces.
const NONCONTIGUOUS: u64 = 2;

/// An arena's `malloc_state`, copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct State {
    /// Its address in the process.
    pub(super) address: u64,
    words: Box<[u64; STATE_WORDS]>,
}

impl State {
    /// From its words.
    pub(super) fn new(address: u64, words: &[u64; STATE_WORDS]) -> Self {
        Self { address, words: Box::new(*words) }
    }

    fn read(memory: Memory, address: u64) -> Result<Self, String> {
        Ok(Self { address, words: Box::new(memory.words(address)?) })
    }

    /// Somebody holds its lock.
    pub(super) fn is_locked(&self) -> bool {
        self.words[0] as u32 != 0
    }

    /// It grows by the program break alone, as the main arena does until that fails.
    pub(super) fn is_contiguous(&self) -> bool {
        self.words[0] >> 32 & NONCONTIGUOUS == 0
    }

    /// The first chunk in a fast bin, 0 if there is none.
    pub(super) fn fast(&self, bin: usize) -> u64 {
        self.words[2 + bin]
    }

    /// The chunk size that a fast bin holds.
    pub(super) const fn fast_bytes(bin: usize) -> u64 {
        LEAST + 16 * bin as u64
    }

    /// The chunk at its end.
    pub(super) fn top(&self) -> u64 {
        self.words[12]
    }

    /// The chunk that a bin's list of this arena begins and ends with, and that does not exist.
    pub(super) fn sentinel(&self, bin: usize) -> u64 {
        self.address + 96 + 16 * bin as u64
    }

    /// The first and the last chunk of a bin; the sentinel if there is none.
    pub(super) fn bin(&self, bin: usize) -> [u64; 2] {
        [self.words[14 + 2 * bin], self.words[15 + 2 * bin]]
    }

    /// The next arena in the ring.
    pub(super) fn next(&self) -> u64 {
        self.words[270]
    }

    /// Bytes taken from the kernel.
    pub(super) fn system_bytes(&self) -> u64 {
        self.words[273]
    }

    /// It has no memory yet.
    pub(super) fn is_empty(&self) -> bool {
        self.top() == 0 || self.top() == self.sentinel(0)
    }

    /// What is reported of it, without heaps.
    pub(super) fn arena(&self, is_main: bool) -> Arena {
        Arena {
            address: self.address,
            is_main,
            system_bytes: self.system_bytes(),
            max_system_bytes: self.words[274],
            attached_threads: Some(self.words[272]),
            locked: self.is_locked(),
            ..Arena::default()
        }
    }

    /// Whether this can be the main arena by its own words: unused, as the library's file has it, or in
    /// use.
    pub(super) fn is_plausible(&self) -> bool {
        let words = &*self.words;
        if !self.next().is_multiple_of(16) || self.next() == 0 || words[273] > words[274] {
            return false;
        }
        if words[..270].iter().all(|&word| word == 0) {
            return self.next() == self.address && words[271..] == [0, 1, 0, 0];
        }
        let counts = words[0] as u32 <= 2 && words[0] >> 32 < 8 && words[1] as u32 <= 1;
        let bins = (0..BINS).all(|bin| {
            let ends = self.bin(bin);
            let own = ends.map(|end| end == self.sentinel(bin));
            own[0] == own[1] && ends.iter().all(|&end| end != 0 && end.is_multiple_of(16))
        });
        counts && bins && self.top().is_multiple_of(16) && self.is_empty() == (self.system_bytes() == 0)
    }
}

/// All arenas, the main one first, then by address.
///
/// # Errors
///
/// If one cannot be read, or they do not form a ring.
pub(super) fn ring(memory: Memory, main: u64) -> Result<Vec<State>, String> {
    let mut all = vec![State::read(memory, main)?];
    let mut next = all[0].next();
    while next != main {
        if all.len() == ARENAS_MAX || next == 0 {
            return Err("its arenas form no ring".into());
        }
        all.push(State::read(memory, next)?);
        next = all[all.len() - 1].next();
    }
    all[1..].sort_unstable_by_key(|state| state.address);
    if all[1..].windows(2).any(|pair| pair[0].address == pair[1].address) {
        return Err("its arenas form no ring".into());
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An arena at `address`, initialised and empty.
    fn empty(address: u64) -> State {
        let mut words = [0; STATE_WORDS];
        words[12] = address + 96;
        for bin in 0..BINS {
            words[14 + 2 * bin..16 + 2 * bin].fill(address + 96 + 16 * bin as u64);
        }
        words[270] = address;
        words[272] = 1;
        State::new(address, &words)
    }

    #[test]
    fn an_arena_is_told_from_its_neighbourhood() {
        let state = empty(0x1000);
        assert!(state.is_plausible());
        assert!(state.is_empty());
        // The bins of what begins a bin earlier point to themselves too.
        let mut shifted = [0; STATE_WORDS];
        shifted[2..].copy_from_slice(&state.words[..STATE_WORDS - 2]);
        assert!(!State::new(0x1000 - 16, &shifted).is_plausible());
        assert!(!State::new(0x1000, &[0; STATE_WORDS]).is_plausible());
    }

    #[test]
    fn an_arena_that_was_never_used_points_to_itself_and_has_one_thread() {
        let mut words = [0; STATE_WORDS];
        words[270] = 0x1000;
        words[272] = 1;
        assert!(State::new(0x1000, &words).is_plausible());
        assert!(!State::new(0x2000, &words).is_plausible());
        words[100] = 1;
        assert!(!State::new(0x1000, &words).is_plausible());
    }

    #[test]
    fn a_ring_that_does_not_close_is_given_up() {
        let own = Memory::of(std::process::id());
        let mut states = vec![[0_u64; STATE_WORDS]; 3];
        let address = |index: usize| &raw const states[index] as u64;
        let addresses = [0, 1, 2].map(address);
        (states[0][270], states[1][270], states[2][270]) = (addresses[2], addresses[0], addresses[1]);
        let all = ring(own, addresses[0]).expect("a ring");
        assert_eq!(all.iter().map(|state| state.address).collect::<Vec<_>>(), addresses);
        // Two that point to each other, aside from the first.
        states[1][270] = addresses[2];
        assert_eq!(ring(own, addresses[0]).unwrap_err(), "its arenas form no ring");
        states[1][270] = 8;
        assert!(ring(own, addresses[0]).unwrap_err().contains("cannot be read"));
    }
}
