//! `/proc/PID/pagemap`: a word for each page, resident or not (kernels before 6.7).

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use calltap_analyzers::arenas::memory_map::{PAGE, PageState, Residency};

use super::{Runs, Span};

const PRESENT: u64 = 1 << 63;
const SWAPPED: u64 = 1 << 62;
const FILE: u64 = 1 << 61;

/// Pages that are read at once.
const AT_ONCE: u64 = 8192;

/// The most bytes of address space that are looked at: a second's work.
const MOST: u64 = 64 << 30;

/// Reads all spans but those that only reserve addresses. Pages of zeros that were only read are taken
/// for resident ones: nothing tells them apart.
///
/// # Errors
/// The kernel's, or if there is too much.
pub(super) fn read(page_map: &File, spans: &[Span]) -> io::Result<Residency> {
    let used = || spans.iter().filter(|span| !span.is_reserved);
    if used().map(|span| span.end - span.start).sum::<u64>() > MOST {
        return Err(io::Error::other("more than 64 GiB are mapped, and this kernel has no PAGEMAP_SCAN"));
    }
    let mut runs = Runs::default();
    let mut bytes = vec![0; (8 * AT_ONCE) as usize];
    for span in used() {
        let mut page = span.start / PAGE;
        while page < span.end / PAGE {
            let count = AT_ONCE.min(span.end / PAGE - page);
            let bytes = &mut bytes[..8 * count as usize];
            page_map.read_exact_at(bytes, 8 * page)?;
            let (words, _) = bytes.as_chunks();
            for (word, page) in words.iter().zip(page..) {
                if let Some(state) = state(u64::from_ne_bytes(*word)) {
                    runs.push(page * PAGE, (page + 1) * PAGE, state);
                }
            }
            page += count;
        }
    }
    Ok(runs.finish())
}

fn state(word: u64) -> Option<PageState> {
    match word {
        _ if word & SWAPPED != 0 => Some(PageState::Swapped),
        _ if word & PRESENT == 0 => None,
        _ if word & FILE != 0 => Some(PageState::File),
        _ => Some(PageState::Anonymous),
    }
}
