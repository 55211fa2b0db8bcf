//! System calls that change what is mapped.

use std::ops::Range;

use crate::arenas::memory_map::PAGE;
use crate::kernel::SystemCall;

/// The x86-64 interface; programs of another one have no hooks.
const X86_64: u8 = 0;

const MMAP: u32 = 9;
const MPROTECT: u32 = 10;
const MUNMAP: u32 = 11;
const BRK: u32 = 12;
const MREMAP: u32 = 25;
const MADVISE: u32 = 28;

const MAP_ANONYMOUS: u64 = 0x20;
const MAP_STACK: u64 = 0x2_0000;
const PROT_WRITE: u64 = 2;
const MADV_DONTNEED: u64 = 4;
const MADV_FREE: u64 = 8;

/// What a successful system call has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum MemoryCall {
    /// Moved the end of the `brk` heap, or asked where it is.
    Break {
        /// From here, which the call itself does not tell.
        from: u64,
        /// To here.
        to: u64,
    },
    /// Mapped.
    Map {
        range: Range<u64>,
        /// Without any permission: address space only.
        reserved: bool,
        /// For a stack (`MAP_STACK`).
        stack: bool,
        /// Of a file.
        file: bool,
    },
    /// Unmapped.
    Unmap { range: Range<u64> },
    /// Moved or resized.
    Move { from: Range<u64>, to: Range<u64> },
    /// Made writable.
    Protect { range: Range<u64> },
    /// Gave pages back, now or when the kernel wants them.
    Discard { range: Range<u64> },
}

impl MemoryCall {
    /// What `call` has done; `None` if it failed or is about something else.
    pub(super) fn of(call: &SystemCall<'_>) -> Option<Self> {
        if call.id.interface != X86_64 || call.errno() != 0 || call.entry_only {
            return None;
        }
        let [address, bytes, third, fourth, ..] = call.arguments;
        let range = pages(address, bytes);
        Some(match call.id.number {
            BRK => Self::Break { from: call.result as u64, to: call.result as u64 },
            MMAP => Self::Map {
                range: pages(call.result as u64, bytes),
                reserved: third == 0,
                stack: fourth & MAP_STACK != 0,
                file: fourth & MAP_ANONYMOUS == 0,
            },
            MUNMAP => Self::Unmap { range },
            MREMAP => Self::Move { from: range, to: pages(call.result as u64, third) },
            MPROTECT if third & PROT_WRITE != 0 => Self::Protect { range },
            MADVISE if matches!(third, MADV_DONTNEED | MADV_FREE) => Self::Discard { range },
            _ => return None,
        })
    }

    /// Whether both are one call, of which a hook and the kernel have told.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Map { range, .. }, Self::Map { range: other, .. })
            | (Self::Unmap { range }, Self::Unmap { range: other }) => range == other,
            (Self::Move { .. }, Self::Move { .. }) => self == other,
            _ => false,
        }
    }
}

/// `bytes` from `address` on; whole pages, as the kernel takes them. Empty if it makes no sense.
pub(super) fn pages(address: u64, bytes: u64) -> Range<u64> {
    let end = bytes.checked_next_multiple_of(PAGE).and_then(|bytes| address.checked_add(bytes));
    address..end.unwrap_or(address)
}
