//! A piece of a process's memory, as large as it is worth, that moves on.

use crate::allocator::memory::Memory;
use calltap_analyzers::arenas::memory_map::PAGE;

/// The most bytes read at once: few calls for many chunks, and what is parsed is still in the CPU's
/// cache.
const MOST: u64 = 64 << 10;

/// The most bytes read ahead for each look at the last filling.
const AHEAD: u64 = 1 << 10;

/// First address that no program has.
const USER_END: u64 = 1 << 47;

/// A copied piece of memory, read front to back.
#[derive(Debug)]
pub(super) struct Window {
    memory: Memory,
    bytes: Vec<u8>,
    start: u64,
    filled: usize,
    /// How often something was looked at since it was filled.
    looks: u64,
}

impl Window {
    /// An empty one.
    pub(super) fn new(memory: Memory) -> Self {
        Self { memory, bytes: Vec::new(), start: 0, filled: 0, looks: 0 }
    }

    /// `length` bytes at `address`, not behind `limit`; `None` if they cannot be read.
    #[inline]
    pub(super) fn at(&mut self, address: u64, length: usize, limit: u64) -> Option<&[u8]> {
        let offset = address.wrapping_sub(self.start) as usize;
        if offset.saturating_add(length) > self.filled {
            self.fill(address, length, limit)?;
            return self.bytes.get(..length);
        }
        self.looks += 1;
        self.bytes.get(offset..offset + length)
    }

    /// Begins at `address`. Where chunks are small it soon reads all in large pieces; where they are
    /// large, only the rest of each header's page: pages that the process never touched are left alone
    /// so, most of them, which saves time, and page tables of what only we have looked at.
    #[cold]
    fn fill(&mut self, address: u64, length: usize, limit: u64) -> Option<()> {
        let limit = limit.min(USER_END);
        let least = address.checked_add(length as u64).filter(|&end| end <= limit)?;
        let end = (address + self.looks.saturating_mul(AHEAD).min(MOST - PAGE)).max(least);
        let end = end.next_multiple_of(PAGE).min(limit);
        let room = (end - address).min(MOST) as usize;
        if self.bytes.len() < room {
            self.bytes.resize(room, 0);
        }
        (self.start, self.looks) = (address, 1);
        self.filled = self.memory.read(address, &mut self.bytes[..room]);
        (self.filled >= length).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_what_is_there() {
        let bytes: Vec<u8> = (0..4 * MOST).map(|index| (index / 16 % 251) as u8).collect();
        let start = bytes.as_ptr() as u64;
        let limit = start + bytes.len() as u64;
        let mut window = Window::new(Memory::of(std::process::id()));
        for step in [16, 48, 4000, 100_000] {
            let mut address = start;
            while address + 24 <= limit {
                let at = (address - start) as usize;
                assert_eq!(window.at(address, 24, limit), Some(&bytes[at..at + 24]), "{step} {at}");
                address += step;
            }
            assert_eq!(window.at(address, 24, limit), None);
        }
    }

    #[test]
    fn it_grows_where_it_is_used_much_and_shrinks_where_it_is_not() {
        let bytes = vec![0_u8; 4 * MOST as usize];
        let start = bytes.as_ptr() as u64;
        let limit = start + bytes.len() as u64;
        let mut window = Window::new(Memory::of(std::process::id()));
        let mut address = start;
        while address < start + 2 * MOST {
            window.at(address, 16, limit).expect("it is readable");
            address += 64;
        }
        assert!(window.filled as u64 > MOST / 2);
        window.at(start + 3 * MOST, 16, limit).expect("it is readable");
        window.at(start, 16, limit).expect("it is readable");
        assert!(window.filled as u64 <= 2 * PAGE);
    }

    #[test]
    fn unreadable_memory_is_none() {
        let mut window = Window::new(Memory::of(std::process::id()));
        assert_eq!(window.at(8, 16, 4096), None);
        assert_eq!(window.at(u64::MAX - 4, 16, u64::MAX), None);
    }
}
