//! Writing slots, also where the loader has taken the right to write away: given back page by page.

use core::sync::atomic::{AtomicU64, Ordering};

use super::image::Image;
use crate::kernel;

const PAGE: u64 = 4096;

/// Writes slots one after the other. At most one page is open at a time, and none once this is dropped.
///
/// To be used under the loader's lock only: two of these could close each other's pages.
pub(crate) struct Writer {
    open: Option<u64>,
}

impl Writer {
    /// With all pages as they are.
    pub(crate) fn new() -> Self {
        Self { open: None }
    }

    /// Writes a slot of an object; false if that cannot be done.
    pub(crate) fn write(&mut self, image: &Image, address: u64, value: u64) -> bool {
        if !image.is_data(address) {
            return false;
        }
        if image.is_read_only(address) && !self.open(address & !(PAGE - 1)) {
            return false;
        }
        store(address, value);
        true
    }

    fn open(&mut self, page: u64) -> bool {
        if self.open == Some(page) {
            return true;
        }
        self.close();
        if protect(page, libc::PROT_READ | libc::PROT_WRITE) {
            self.open = Some(page);
        }
        self.open.is_some()
    }

    fn close(&mut self) {
        if let Some(page) = self.open.take() {
            protect(page, libc::PROT_READ);
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.close();
    }
}

fn protect(page: u64, protection: i32) -> bool {
    kernel::call(libc::SYS_mprotect, [page, PAGE, protection as u64, 0, 0]) == 0
}

/// Writes a slot that the loader itself writes while the program runs: a lazy one. No lock is needed.
pub(crate) fn write_lazy(image: &Image, address: u64, value: u64) {
    if image.is_data(address) && !image.is_read_only(address) {
        store(address, value);
    }
}

fn store(address: u64, value: u64) {
    // SAFETY: an aligned word in writable memory of a loaded object, which other threads read as one word.
    unsafe { (*(address as *const AtomicU64)).store(value, Ordering::Release) };
}
