//! A run of records in a ring: written to a file from where it stands, then cleared.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::sync::atomic::Ordering;

use calltap_channel::record::{MAX_WORDS, PREFIX_WORDS};
use calltap_channel::ring::Words;
use calltap_channel::segment::RawWords;

/// Words that lie behind each other, all of them committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Place of the first.
    pub place: usize,
    /// How many.
    pub words: usize,
}

/// The committed records from `position` on, up to the ring's end, about `most` words, or the end of what the producer
/// has reserved. `each` is shown the header word and the place of every one. None if there is a header that no producer
/// writes, or where nothing is reserved.
pub fn committed(
    words: &RawWords,
    position: u64,
    capacity: u64,
    [most, reserved]: [usize; 2],
    mut each: impl FnMut(u64, usize),
) -> Option<Run> {
    let place = (position & (capacity - 1)) as usize;
    let mut run = Run { place, words: 0 };
    while run.words < most && place + run.words < capacity as usize {
        // Acquire: pairs with the Release of the record's commit.
        let header = words.load(place + run.words, Ordering::Acquire);
        if header == 0 {
            break;
        }
        let length = (header & 0xff) as usize;
        if !(PREFIX_WORDS..=MAX_WORDS).contains(&length) || run.words + length > reserved {
            // What comes before it is good.
            return (run.words > 0).then_some(run);
        }
        each(header, place + run.words);
        run.words += length;
    }
    Some(run)
}

/// Writes `before`, then the words of a run.
///
/// # Errors
/// Of writing.
pub fn write(file: &File, before: &[u64], words: &RawWords, run: Run) -> io::Result<()> {
    let run_bytes = (words.address() as usize + run.place * 8, run.words * 8);
    let mut parts = [(before.as_ptr() as usize, size_of_val(before)), run_bytes];
    while parts.iter().any(|(_, length)| *length > 0) {
        let vectors = parts.map(|(base, iov_len)| libc::iovec { iov_base: base as *mut _, iov_len });
        // SAFETY: both parts are mapped: a slice, and words of the ring (a run ends within its slack). The kernel only
        // reads them, and what the target might change meanwhile it copies as it is.
        let written = unsafe { libc::writev(file.as_raw_fd(), vectors.as_ptr(), vectors.len() as i32) };
        if written < 0 {
            let error = io::Error::last_os_error();
            if error.kind() == io::ErrorKind::Interrupted {
                continue;
            }
            return Err(error);
        }
        let mut written = written as usize;
        for (base, length) in &mut parts {
            let done = written.min(*length);
            (*base, *length, written) = (*base + done, *length - done, written - done);
        }
    }
    Ok(())
}

/// Makes a run read as empty.
pub fn clear(words: &RawWords, run: Run) {
    let first = words.address() as *mut u64;
    // SAFETY: the run lies within the ring's words and their slack; its producer does not touch them before they are
    // given back, and whoever scribbles over them all the same can only put other words there.
    unsafe { first.add(run.place).write_bytes(0, run.words) };
}
