//! This process's own page tables.

use std::num::NonZeroUsize;
use std::ptr::NonNull;

use calltap_analyzers::arenas::memory_map::PAGE;
use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous, munmap};

use super::*;
use crate::exit_snapshot;

/// 64 pages of this process's own, unmapped when dropped.
struct Pages(NonNull<libc::c_void>);

const COUNT: u64 = 64;
const LENGTH: usize = (COUNT * PAGE) as usize;

impl Pages {
    fn new(flags: MapFlags) -> Self {
        let length = NonZeroUsize::new(LENGTH).unwrap();
        let access = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: a new mapping at an address of the kernel's choice touches no existing memory.
        Self(unsafe { mmap_anonymous(None, length, access, flags) }.unwrap())
    }

    fn write(&self, page: u64) {
        // SAFETY: the page is mapped and writable, and this test's own.
        unsafe { self.0.cast::<u8>().add((page * PAGE) as usize).write_volatile(1) };
    }

    fn read(&self, page: u64) -> u8 {
        // SAFETY: the page is mapped and readable.
        unsafe { self.0.cast::<u8>().add((page * PAGE) as usize).read_volatile() }
    }

    /// The runs in it by the kernel's `how`, in pages from its beginning.
    fn runs(&self, how: fn(&File, &[Span]) -> io::Result<Residency>) -> Vec<(u64, u64, PageState)> {
        let start = self.0.as_ptr() as u64;
        let file = File::open("/proc/self/pagemap").unwrap();
        let mut maps = exit_snapshot::maps::parse(&std::fs::read("/proc/self/maps").unwrap());
        // Other tests map much beside this.
        maps.retain(|mapped| mapped.start < start + COUNT * PAGE && start < mapped.end);
        let residency = how(&file, &Span::of(&maps)).unwrap();
        residency
            .within(start..start + COUNT * PAGE)
            .map(|run| ((run.start - start) / PAGE, (run.end - start) / PAGE, run.state))
            .collect()
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: mapped by `new`, and not used any more.
        unsafe { munmap(self.0, LENGTH) }.unwrap();
    }
}

/// Whether the kernel of this machine has it.
#[test]
fn pages_that_were_written_are_resident_and_no_others() {
    let pages = Pages::new(MapFlags::MAP_PRIVATE);
    [3, 4, 5, 63].into_iter().for_each(|page| pages.write(page));
    let expected = [(3, 6, PageState::Anonymous), (63, 64, PageState::Anonymous)];
    assert_eq!(pages.runs(words::read), expected);
    if leaves_out_zero_pages() {
        assert_eq!(pages.read(20), 0, "a page that was only read is none of its own");
        assert_eq!(pages.runs(scan::read), expected);
    }
}

#[test]
fn shared_pages_are_not_anonymous() {
    let pages = Pages::new(MapFlags::MAP_SHARED);
    [0, 1].into_iter().for_each(|page| pages.write(page));
    assert_eq!(pages.runs(words::read), [(0, 2, PageState::File)]);
    if leaves_out_zero_pages() {
        assert_eq!(pages.runs(scan::read), [(0, 2, PageState::File)]);
    }
}

#[test]
fn all_resident_pages_are_about_those_that_the_kernel_counts() {
    let pid = std::process::id();
    let ballast = std::hint::black_box(vec![1_u8; 32 << 20]);
    let maps = exit_snapshot::maps::parse(&std::fs::read("/proc/self/maps").unwrap());
    let residency = read(pid, pid, &maps).unwrap();
    let kernel = counts_in_full(pid, pid);
    let found = residency.bytes(0..u64::MAX, PageState::Anonymous);
    let counted = kernel.anonymous.unwrap();
    assert!(found.abs_diff(counted) < 8 << 20, "{found} and {counted}: other tests run beside this");
    assert!(found >= ballast.len() as u64);
    assert!(kernel.rss_anon.is_some() && kernel.lazily_freed.is_some() && kernel.huge.is_some());
}

#[test]
fn what_is_only_reserved_is_not_read_word_by_word() {
    let file = File::open("/proc/self/pagemap").unwrap();
    let reserved = Span { start: 1 << 20, end: 1 << 46, is_anonymous: true, is_reserved: true };
    assert!(words::read(&file, &[reserved]).is_ok());
    assert!(words::read(&file, &[Span { is_reserved: false, ..reserved }]).is_err());
}

#[test]
fn neighbours_are_asked_about_together() {
    let text = b"1000-2000 rw-p 0 0:0 0\n3000-4000 r--p 0 0:0 0\n4000-5000 ---p 0 0:0 0\n\
                 5000-6000 r--p 0 8:1 7 /x\n6000-7000 rw-s 0 8:1 8 /y\n\
                 ffffffffff600000-ffffffffff601000 --xp 0 0:0 0 [vsyscall]\n";
    let spans = Span::of(&exit_snapshot::maps::parse(text));
    let found: Vec<_> = spans.iter().map(|s| (s.start, s.end, s.is_anonymous, s.is_reserved)).collect();
    let expected =
        [(0x1000, 0x4000, true, false), (0x4000, 0x5000, true, true), (0x5000, 0x7000, false, false)];
    assert_eq!(found, expected);
}
