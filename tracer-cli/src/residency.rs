//! Which pages of a stopped process are resident, from its page tables.
//!
//! Asked while the process waits: 25,000 resident pages take 1 to 3 ms. The kernel gives runs of pages
//! since Linux 6.7 ([`scan`]); before that it gives a word for each page ([`words`]).

mod counts;
mod scan;
mod words;

use std::fs::File;
use std::io;
use std::sync::LazyLock;

use calltap_analyzers::arenas::memory_map::{PageState, Residency, Run};

use crate::exit_snapshot::Mapped;

pub use counts::{counted, counts, counts_in_full};

/// First address that no program has; the kernel's own page (`[vsyscall]`) lies above.
const USER_END: u64 = 1 << 47;

/// Reads the residency of process `pid`, of which the thread `tid` is held: the leader may be gone. `maps`
/// is what it has mapped, by ascending address.
///
/// # Errors
/// If its page tables cannot be read; if that would take too long (an old kernel, and more than 64 GiB
/// mapped).
pub fn read(pid: u32, tid: u32, maps: &[Mapped]) -> io::Result<Residency> {
    let page_map = File::open(format!("/proc/{pid}/task/{tid}/pagemap"))?;
    let spans = Span::of(maps);
    let scanned = scan::read(&page_map, &spans);
    let unknown = |error: &io::Error| {
        matches!(error.raw_os_error(), Some(libc::ENOTTY | libc::EINVAL | libc::EOPNOTSUPP))
    };
    match scanned {
        Err(error) if unknown(&error) => words::read(&page_map, &spans),
        scanned => scanned,
    }
}

/// Whether the page of zeros, which stands for pages that were read and never written, is told from
/// others: then reading a process's memory does not change what [`read`] finds.
#[must_use]
pub fn leaves_out_zero_pages() -> bool {
    static SCANS: LazyLock<bool> = LazyLock::new(|| {
        // Where no program has anything.
        let nothing = Span { start: 0x1000, end: 0x2000, is_anonymous: true, is_reserved: false };
        File::open("/proc/self/pagemap").is_ok_and(|page_map| scan::read(&page_map, &[nothing]).is_ok())
    });
    *SCANS
}

/// Neighbouring mappings that are asked about together, gaps between them included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    start: u64,
    end: u64,
    /// Private and of no file: what is resident is anonymous, and need not be asked for each page.
    is_anonymous: bool,
    /// Nothing in it can be read or written.
    is_reserved: bool,
}

impl Span {
    /// Those of a process.
    fn of(maps: &[Mapped]) -> Vec<Self> {
        let mut spans: Vec<Self> = Vec::new();
        for mapped in maps.iter().filter(|mapped| mapped.end <= USER_END) {
            let span = Self {
                start: mapped.start,
                end: mapped.end,
                is_anonymous: mapped.inode == 0 && mapped.permissions[3] == b'p',
                is_reserved: mapped.permissions.starts_with(b"---"),
            };
            match spans.last_mut() {
                Some(last) if last.is_like(&span) => last.end = span.end,
                _ => spans.push(span),
            }
        }
        spans
    }

    fn is_like(&self, next: &Self) -> bool {
        let both = (self.is_anonymous, self.is_reserved);
        both == (next.is_anonymous, next.is_reserved) && (!self.is_reserved || self.end == next.start)
    }
}

/// Runs that are put together by ascending address.
#[derive(Debug, Default)]
struct Runs(Vec<Run>);

impl Runs {
    fn push(&mut self, start: u64, end: u64, state: PageState) {
        match self.0.last_mut() {
            Some(last) if last.end == start && last.state == state => last.end = end,
            _ => self.0.push(Run { start, end, state }),
        }
    }

    fn finish(self) -> Residency {
        Residency::new(self.0)
    }
}

#[cfg(test)]
mod tests;
