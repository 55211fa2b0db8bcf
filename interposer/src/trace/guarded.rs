//! Reading memory at addresses that may be anything, without asking the kernel each time.
//!
//! A page that the kernel has said to be readable a moment ago is simply read. Should that fault after all, the tracer,
//! which sees the signal first, lets the thread go on behind the read, and the target never learns of it.
//!
//! Both are needed. A fault alone would do, but of a fault in a thread that blocks or ignores SIGSEGV the kernel makes
//! sure that it has an effect: it unblocks the signal and resets its handler to the default, and nobody can tell
//! afterwards that it did. So what is likely to fault is never read; and the kernel's answer costs less than a stop.

use core::arch::asm;
use core::sync::atomic::{AtomicU64, Ordering};

use calltap_channel::trace::guarded::MAGIC;
use calltap_channel::trace::walk::Memory;

use crate::{confined, kernel};

const PAGE: u64 = 4096;
/// Pages that are remembered.
const REMEMBERED: usize = 512;
/// What is remembered holds for 2 to this power ticks at most: 5 to 17 ms.
const MOMENT: u32 = 24;
/// Bits of a page's number; a moment's are above them.
const PAGE_BITS: u32 = 45;

/// Pages that could be read: each in its one place.
static READABLE: [AtomicU64; REMEMBERED] = [const { AtomicU64::new(0) }; REMEMBERED];

/// The target's own memory, at a moment.
pub(crate) struct Guarded {
    /// What [`READABLE`] holds of pages that could be read a moment ago, less their numbers.
    moment: u64,
}

impl Guarded {
    /// Memory as it is at `stamp`, in ticks.
    pub(crate) fn at(stamp: u64) -> Self {
        Self { moment: stamp >> MOMENT << PAGE_BITS }
    }

    fn is_readable(&self, page: u64) -> bool {
        // In a sandbox the kernel must not be asked: a fault will tell.
        if confined::is_closed() {
            return true;
        }
        let word = page | self.moment;
        let place = &READABLE[page as usize % REMEMBERED];
        if place.load(Ordering::Relaxed) == word {
            return true;
        }
        let is_readable = kernel::is_readable(page * PAGE);
        if is_readable {
            place.store(word, Ordering::Relaxed);
        }
        is_readable
    }
}

impl Memory for Guarded {
    fn read(&mut self, address: u64, into: &mut [u8]) -> usize {
        let Some(last) = address.checked_add(into.len() as u64).and_then(|end| end.checked_sub(1)) else {
            return 0;
        };
        let (first, last) = (address / PAGE, last / PAGE);
        if first == 0 || last >> PAGE_BITS != 0 {
            return 0;
        }
        let unreadable = (first..=last).find(|page| !self.is_readable(*page));
        let bytes = match unreadable {
            Some(page) => (page * PAGE).saturating_sub(address) as usize,
            None => into.len(),
        };
        let Some(into) = into.get_mut(..bytes) else { return 0 };
        copy(address, into)
    }
}

/// Copies a string at an address that may be anything, with its zero and as much as there is room for, and asks the kernel
/// nothing: a thread without a tracer must not call this. Gives how many bytes there were.
///
/// No page is touched behind the one in which the string ends, so that what the program could pass faults nowhere.
pub(crate) fn copy_string(address: u64, into: &mut [u8]) -> usize {
    let mut filled = 0;
    while let Some(at) = address.checked_add(filled as u64) {
        let page = at / PAGE;
        if page == 0 || page >> PAGE_BITS != 0 {
            break;
        }
        let room = into.len() - filled;
        let bytes = ((PAGE - at % PAGE) as usize).min(room);
        let Some(piece) = into.get_mut(filled..filled + bytes) else { break };
        let copied = copy(at, piece);
        filled += copied;
        if copied < bytes || bytes == room || piece.contains(&0) {
            break;
        }
    }
    filled
}

/// Copies the bytes at an address; gives how many there were before one that could not be read.
#[inline(never)]
fn copy(address: u64, into: &mut [u8]) -> usize {
    let left: usize;
    // SAFETY: writes within `into`, as many bytes as it has. What it reads need not be there: the tracer has a thread that
    // faults with these registers go on at the label, when `rcx` says what is left.
    unsafe {
        asm!(
            "lea r10, [rip + 2f]",
            "movabs r11, {magic}",
            "rep movsb byte ptr [rdi], byte ptr [rsi]",
            "2:",
            "xor r11d, r11d",
            magic = const MAGIC as i64,
            inout("rcx") into.len() => left,
            inout("rdi") into.as_mut_ptr() => _,
            inout("rsi") address => _,
            out("r10") _,
            out("r11") _,
            options(nostack),
        );
    }
    into.len() - left
}
