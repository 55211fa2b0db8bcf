//! A process's memory, read from outside.

use nix::sys::uio::{RemoteIoVec, process_vm_readv};
use nix::unistd::Pid;
use std::io::IoSliceMut;

/// The most pieces that the kernel reads in one call (`UIO_MAXIOV`).
const PIECES: usize = 1024;

/// The memory of the process that a thread belongs to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Memory(Pid);

impl Memory {
    /// By the id of the process or of any thread of it that has not ended.
    pub(super) const fn of(tid: u32) -> Self {
        Self(Pid::from_raw(tid as i32))
    }

    /// Reads up to `into.len()` bytes from `address`; gives how many could be read before a page that
    /// could not.
    pub(super) fn read(self, address: u64, into: &mut [u8]) -> usize {
        let remote = [RemoteIoVec { base: address as usize, len: into.len() }];
        process_vm_readv(self.0, &mut [IoSliceMut::new(into)], &remote).unwrap_or(0)
    }

    /// The words at `address`.
    ///
    /// # Errors
    ///
    /// If not all of them can be read.
    pub(super) fn words<const N: usize>(self, address: u64) -> Result<[u64; N], String> {
        let mut bytes = [[0; 8]; N];
        let whole = bytes.as_flattened_mut();
        if self.read(address, whole) == whole.len() {
            Ok(bytes.map(u64::from_le_bytes))
        } else {
            Err(format!("its memory at {address:#x} cannot be read"))
        }
    }

    /// The words from `start` to `end`, as many as can be read.
    pub(super) fn words_between(self, start: u64, end: u64) -> Vec<u64> {
        let mut bytes = vec![0; end.saturating_sub(start) as usize];
        let got = self.read(start, &mut bytes);
        bytes[..got].as_chunks().0.iter().map(|&word| u64::from_le_bytes(word)).collect()
    }

    /// The two words at each of `addresses`, in their order; `None` where they cannot be read. Many
    /// cost little more than one.
    pub(super) fn pairs(self, addresses: &[u64]) -> Vec<Option<[u64; 2]>> {
        const PAIR: usize = 16;
        let mut all = Vec::with_capacity(addresses.len());
        let mut bytes = [[[0; 8]; 2]; PIECES];
        while let rest @ [_, ..] = &addresses[all.len()..] {
            let remote: Vec<_> = rest
                .iter()
                .take(PIECES)
                .map(|&address| RemoteIoVec { base: address as usize, len: PAIR })
                .collect();
            let room = &mut bytes.as_flattened_mut().as_flattened_mut()[..remote.len() * PAIR];
            let got = process_vm_readv(self.0, &mut [IoSliceMut::new(room)], &remote).unwrap_or(0) / PAIR;
            all.extend(bytes[..got].iter().map(|pair| Some(pair.map(u64::from_le_bytes))));
            if got < remote.len() {
                // The kernel stops at the first that it cannot read.
                all.push(None);
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_whole_or_not_at_all() {
        let own = Memory::of(std::process::id());
        let words = [1_u64, u64::MAX];
        let address = words.as_ptr() as u64;
        assert_eq!(own.words(address), Ok(words));
        assert_eq!(own.words_between(address, address + 16), words);
        assert!(own.words::<2>(8).unwrap_err().contains("0x8"));
        assert!(own.words_between(8, 24).is_empty());
    }

    #[test]
    fn pairs_that_cannot_be_read_do_not_hide_the_others() {
        let own = Memory::of(std::process::id());
        let words: Vec<u64> = (0..6000).collect();
        let address = |index: usize| &raw const words[index] as u64;
        let mut addresses: Vec<_> = (0..2999).map(|index| address(index * 2)).collect();
        addresses[1500] = 8;
        let pairs = own.pairs(&addresses);
        assert_eq!(pairs.len(), 2999);
        for (index, pair) in pairs.iter().enumerate() {
            let first = index as u64 * 2;
            assert_eq!(*pair, (index != 1500).then_some([first, first + 1]), "{index}");
        }
    }
}
