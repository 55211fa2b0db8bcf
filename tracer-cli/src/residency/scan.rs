//! `PAGEMAP_SCAN` (Linux 6.7): the kernel finds the runs of pages that are asked for.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

use calltap_analyzers::arenas::memory_map::{PageState, Residency};

use super::{Runs, Span};

/// `_IOWR('f', 16, struct pm_scan_arg)` (linux/fs.h).
const PAGEMAP_SCAN: libc::c_ulong =
    3 << 30 | (size_of::<Arguments>() as libc::c_ulong) << 16 | (b'f' as libc::c_ulong) << 8 | 16;

/// Categories of pages.
const FILE: u64 = 1 << 2;
const PRESENT: u64 = 1 << 3;
const SWAPPED: u64 = 1 << 4;
const ZERO: u64 = 1 << 5;

/// Runs that are taken at once: as many as the kernel gathers before it writes them out (fs/proc/task_mmu.c).
const AT_ONCE: usize = 512;

/// `struct pm_scan_arg`.
#[repr(C)]
#[derive(Debug, Default)]
struct Arguments {
    size: u64,
    flags: u64,
    start: u64,
    end: u64,
    walk_end: u64,
    regions: u64,
    regions_length: u64,
    most_pages: u64,
    inverted: u64,
    all_of: u64,
    any_of: u64,
    returned: u64,
}

/// `struct page_region`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
struct Region {
    start: u64,
    end: u64,
    categories: u64,
}

/// Reads all spans.
///
/// # Errors
/// The kernel's; `ENOTTY` if it has no such call.
pub(super) fn read(page_map: &File, spans: &[Span]) -> io::Result<Residency> {
    let mut runs = Runs::default();
    let mut regions = vec![Region::default(); AT_ONCE];
    for span in spans {
        let mut start = span.start;
        while start < span.end {
            let (count, walk_end) = scan(page_map, start, span, &mut regions)?;
            for region in &regions[..count] {
                runs.push(region.start, region.end, state(region.categories));
            }
            // `walk_end` can lie before regions that were given if there were many of them (seen on
            // Linux 6.18); to end before the room does is to have come to the end.
            start = match regions[..count].last() {
                Some(last) if count == regions.len() => walk_end.max(last.end),
                _ => span.end,
            };
        }
    }
    Ok(runs.finish())
}

/// Fills `regions` from `start` on; how many there are, and where to go on.
fn scan(page_map: &File, start: u64, span: &Span, regions: &mut [Region]) -> io::Result<(usize, u64)> {
    // Whether a page is a file's is asked of the page itself, which takes most of the time.
    let file = if span.is_anonymous { 0 } else { FILE };
    let mut arguments = Arguments {
        size: size_of::<Arguments>() as u64,
        start,
        end: span.end,
        regions: regions.as_mut_ptr() as u64,
        regions_length: regions.len() as u64,
        // The page of zeros that stands for what was only read costs nothing.
        inverted: ZERO,
        all_of: ZERO,
        any_of: PRESENT | SWAPPED,
        returned: PRESENT | SWAPPED | file,
        ..Arguments::default()
    };
    // SAFETY: the kernel reads and writes the arguments, and at most as many regions as they announce,
    // all of which outlive the call.
    let count = unsafe { libc::ioctl(page_map.as_raw_fd(), PAGEMAP_SCAN, &raw mut arguments) };
    let count = usize::try_from(count).map_err(|_| io::Error::last_os_error())?;
    Ok((count.min(regions.len()), arguments.walk_end))
}

fn state(categories: u64) -> PageState {
    match categories {
        _ if categories & SWAPPED != 0 => PageState::Swapped,
        _ if categories & FILE != 0 => PageState::File,
        _ => PageState::Anonymous,
    }
}
