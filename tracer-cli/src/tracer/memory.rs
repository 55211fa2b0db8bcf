//! Small pieces of a stopped tracee's memory.

use nix::sys::uio::{RemoteIoVec, process_vm_readv};
use nix::unistd::Pid;
use std::io::IoSliceMut;

use super::tracees::Id;

const PAGE: u64 = 4096;

/// Reads up to `into.len()` bytes from `address`; gives how many could be read.
pub(crate) fn read(tid: Id, address: u64, into: &mut [u8]) -> usize {
    let remote = [RemoteIoVec { base: address as usize, len: into.len() }];
    process_vm_readv(Pid::from_raw(tid), &mut [IoSliceMut::new(into)], &remote).unwrap_or(0)
}

/// The words at `address`; `None` if not all of them could be read.
pub(crate) fn read_words<const N: usize>(tid: Id, address: u64) -> Option<[u64; N]> {
    let mut bytes = [[0; 8]; N];
    let whole = bytes.as_flattened_mut();
    (read(tid, address, whole) == whole.len()).then(|| bytes.map(u64::from_le_bytes))
}

/// Reads the zero-terminated string at `address` into `into`, as much of it as fits; gives its length
/// without the zero. `None` if there is nothing to read.
pub(crate) fn read_string(tid: Id, address: u64, into: &mut [u8]) -> Option<usize> {
    let mut filled = 0;
    while filled < into.len() {
        let at = address.checked_add(filled as u64)?;
        // Not across a page: what lies behind need not be mapped.
        let piece = ((PAGE - at % PAGE) as usize).min(into.len() - filled);
        let got = read(tid, at, &mut into[filled..filled + piece]);
        if let Some(end) = into[filled..filled + got].iter().position(|&byte| byte == 0) {
            return Some(filled + end);
        }
        filled += got;
        if got < piece {
            return (filled > 0).then_some(filled);
        }
    }
    Some(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_end_at_their_zero_or_where_the_room_ends() {
        let own = nix::unistd::getpid().as_raw();
        let text = c"/etc/passwd";
        let address = text.as_ptr() as u64;
        let mut room = [0; 64];
        assert_eq!(read_string(own, address, &mut room), Some(11));
        assert_eq!(&room[..11], text.to_bytes());
        assert_eq!(read_string(own, address, &mut room[..4]), Some(4));
        assert_eq!(read_string(own, 8, &mut room), None);
    }

    #[test]
    fn words_are_read_whole_or_not_at_all() {
        let own = nix::unistd::getpid().as_raw();
        let words = [1_u64, u64::MAX];
        assert_eq!(read_words(own, words.as_ptr() as u64), Some(words));
        assert_eq!(read_words::<2>(own, 8), None);
    }
}
