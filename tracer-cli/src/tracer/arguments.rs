//! What a system call's arguments point to: paths and addresses at its entry, descriptors that the
//! kernel has put into memory at its end.

use std::ops::Range;

use calltap_analyzers::kernel::CallId;
use calltap_channel::note::X86_64;
use calltap_channel::record::MAX_TEXT;

use super::memory;
use super::tracees::Id;
use crate::system_calls::{self, TextArgument};

/// `struct msghdr`: name, its length, vector, its length, control, its length, flags (recvmsg(2)).
const MESSAGE_WORDS: usize = 7;
const CONTROL: usize = 4;
const CONTROL_LENGTH: usize = 5;
/// Bytes of a `struct mmsghdr`.
const MULTIPLE_STRIDE: u64 = 64;
/// Control data is read up to here; descriptors behind it are found by `/proc` at the end.
const MAX_CONTROL: usize = 4096;
/// Messages of one `recvmmsg` that are looked at.
const MAX_MESSAGES: u64 = 64;

/// Reads a path, a name or a socket address into `text`.
pub(crate) fn read_at_entry(tid: Id, id: CallId, arguments: &[u64; 6], text: &mut Vec<u8>) {
    text.clear();
    match system_calls::text_of(id) {
        Some(TextArgument::Path(index)) => {
            text.resize(MAX_TEXT, 0);
            let length = memory::read_string(tid, arguments[index], text).unwrap_or(0);
            text.truncate(length);
        }
        Some(TextArgument::SocketAddress { pointer, length }) => {
            text.resize((arguments[length] as usize).min(MAX_TEXT), 0);
            let read = memory::read(tid, arguments[pointer], text);
            text.truncate(read);
        }
        _ => {}
    }
}

/// Reads the descriptors that a successful call has stored, as little-endian 32-bit numbers.
pub(crate) fn read_at_end(tid: Id, id: CallId, arguments: &[u64; 6], result: i64, text: &mut Vec<u8>) {
    if result < 0 {
        return;
    }
    match system_calls::text_of(id) {
        Some(TextArgument::Pair(index)) => {
            text.resize(8, 0);
            let read = memory::read(tid, arguments[index], text);
            text.truncate(read / 4 * 4);
        }
        Some(TextArgument::Messages { pointer, several }) => {
            let count = if several { (result as u64).min(MAX_MESSAGES) } else { 1 };
            for index in 0..count {
                received(tid, arguments[pointer] + index * MULTIPLE_STRIDE, text);
            }
        }
        _ => {}
    }
}

/// Appends the descriptors (`SCM_RIGHTS`) of the message header at `address`.
fn received(tid: Id, address: u64, text: &mut Vec<u8>) {
    let Some(header) = memory::read_words::<MESSAGE_WORDS>(tid, address) else { return };
    let mut control = vec![0; (header[CONTROL_LENGTH] as usize).min(MAX_CONTROL)];
    let read = memory::read(tid, header[CONTROL], &mut control);
    append_rights(&control[..read], text);
}

/// The descriptors in control data: a run of `struct cmsghdr` (length, level, type), each padded to
/// 8 bytes (cmsg(3)).
fn append_rights(mut control: &[u8], text: &mut Vec<u8>) {
    const HEADER: usize = 16;
    let number =
        |bytes: &[u8], at| i32::from_le_bytes(*bytes[at..].first_chunk().expect("within the header"));
    while control.len() >= HEADER {
        let length = usize::from_le_bytes(*control.first_chunk().expect("within the header"));
        if !(HEADER..=control.len()).contains(&length) {
            return;
        }
        if number(control, 8) == libc::SOL_SOCKET && number(control, 12) == libc::SCM_RIGHTS {
            let room = (MAX_TEXT - text.len()) / 4 * 4;
            text.extend(control[HEADER..length].iter().take(room));
        }
        control = control.get(length.next_multiple_of(8)..).unwrap_or_default();
    }
}

/// The addresses at which a successful call may have changed which code is mapped: `mmap` and
/// `mprotect` with `PROT_EXEC`, `munmap`, `mremap`. Selections without the memory class do not see them.
pub(crate) fn changed_code(id: CallId, arguments: &[u64; 6], result: i64) -> Option<Range<u64>> {
    let [address, length, protection, ..] = *arguments;
    let executable = protection & libc::PROT_EXEC as u64 != 0;
    if id.interface != X86_64 || result < 0 {
        return None;
    }
    match i64::from(id.number) {
        libc::SYS_mmap if executable => Some(result as u64..(result as u64).saturating_add(length)),
        libc::SYS_mprotect if executable => Some(address..address.saturating_add(length)),
        libc::SYS_munmap | libc::SYS_mremap => Some(address..address.saturating_add(length)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(level: i32, kind: i32, fds: &[i32]) -> Vec<u8> {
        let mut bytes = (16 + 4 * fds.len()).to_le_bytes().to_vec();
        bytes.extend(level.to_le_bytes());
        bytes.extend(kind.to_le_bytes());
        fds.iter().for_each(|fd| bytes.extend(fd.to_le_bytes()));
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes
    }

    fn rights(control: &[u8]) -> Vec<i32> {
        let mut text = Vec::new();
        append_rights(control, &mut text);
        text.chunks_exact(4).map(|fd| i32::from_le_bytes(fd.try_into().unwrap())).collect()
    }

    #[test]
    fn descriptors_are_found_among_other_control_data() {
        let mut control = message(libc::SOL_SOCKET, libc::SCM_CREDENTIALS, &[1, 2, 3]);
        control.extend(message(libc::SOL_SOCKET, libc::SCM_RIGHTS, &[7, 9, 11]));
        assert_eq!(rights(&control), [7, 9, 11]);
    }

    #[test]
    fn lengths_that_make_no_sense_end_the_search() {
        let mut control = message(libc::SOL_SOCKET, libc::SCM_RIGHTS, &[7]);
        control.extend(3_usize.to_le_bytes());
        control.extend([0; 8]);
        assert_eq!(rights(&control), [7]);
        assert_eq!(rights(&control[..19]), Vec::<i32>::new());
        let mut endless = usize::MAX.to_le_bytes().to_vec();
        endless.extend([0; 8]);
        assert_eq!(rights(&endless), Vec::<i32>::new());
    }
}
