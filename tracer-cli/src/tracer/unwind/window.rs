//! A stopped thread's stack, read in pieces.

use crate::tracer::memory;
use crate::tracer::tracees::Id;

/// Bytes read at once.
const PIECE: usize = 4096;

/// The piece of a thread's stack that was read last.
#[derive(Debug)]
pub(super) struct Window {
    tid: Id,
    start: u64,
    words: usize,
    bytes: Box<[u8; PIECE]>,
}

impl Window {
    pub(super) fn new() -> Self {
        Self { tid: 0, start: 0, words: 0, bytes: Box::new([0; PIECE]) }
    }

    /// Forgets what was read; what follows is read from this thread.
    pub(super) fn begin(&mut self, tid: Id) {
        (self.tid, self.words) = (tid, 0);
    }

    /// The word at an address; None if it is not aligned, or cannot be read.
    #[inline]
    pub(super) fn word(&mut self, address: u64) -> Option<u64> {
        if !address.is_multiple_of(8) {
            return None;
        }
        if address.wrapping_sub(self.start) / 8 >= self.words as u64 {
            self.start = address;
            self.words = memory::read(self.tid, address, &mut *self.bytes) / 8;
        }
        let at = usize::try_from(address - self.start).ok()?;
        self.bytes.get(at..self.words * 8)?.first_chunk().copied().map(u64::from_le_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_wherever_they_are() {
        let words: Vec<u64> = (0..4096).collect();
        let at = |index: usize| words.as_ptr() as u64 + 8 * index as u64;
        let mut window = Window::new();
        window.begin(nix::unistd::getpid().as_raw());
        for index in [0, 1, 511, 512, 4095, 3, 4000] {
            assert_eq!(window.word(at(index)), Some(index as u64));
        }
        assert_eq!(window.word(at(1) + 4), None, "not aligned");
        assert_eq!(window.word(8), None, "not mapped");
        assert_eq!(window.word(at(2)), Some(2));
    }
}
