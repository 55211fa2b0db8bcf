//! The traced functions of this process image: one entry for each real function, whoever imports it.
//!
//! `binding` asks for entries; the entries' machine code reads them. An entry never goes away: slots of objects that are
//! not known any more may still lead to it.

use core::sync::atomic::AtomicU64;

/// Flag of a function: entered by a jump; an [`ENTRY_ONLY`](calltap_channel::trace::ENTRY_ONLY) record is written. Returns twice, not at all, or looks at its caller.
pub(crate) const JUMP: u64 = 1 << 0;
/// Flag: calls are counted, nothing else (with [`JUMP`]).
pub(crate) const COUNT: u64 = 1 << 1;
/// Flag: memory is copied at entry or on return: all vector registers are saved for that.
pub(crate) const COPIES: u64 = 1 << 2;
/// Flag: vector registers are recorded at entry.
pub(crate) const VECTORS: u64 = 1 << 3;
/// Flag: `xmm0`, `xmm1` are recorded on return.
pub(crate) const RETURNS_VECTORS: u64 = 1 << 4;
/// Flag: `st0`, `st1` are recorded on return.
pub(crate) const RETURNS_X87: u64 = 1 << 5;
/// Flag: `rdx` is recorded on return.
pub(crate) const RETURNS_RDX: u64 = 1 << 6;
/// Flag: recorded only if the return address is in an object whose calls are traced (see `binding::is_chosen`): the
/// function's address also stands in slots from which it may be taken.
pub(crate) const ASKS_CALLER: u64 = 1 << 7;
/// Flag: `real` is not the function but a slot's number in `binding`: to be resolved at the first call, as the loader does.
pub(crate) const LAZY: u64 = 1 << 8;
/// Flag: not traced; `binding::watched` is told before each call (`dlsym`, `dlclose`, `_dl_catch_exception`). With [`JUMP`].
pub(crate) const WATCHED: u64 = 1 << 9;
/// Flag: leaves frames behind (`longjmp` and its like): `frames::left` is told before each call. With [`JUMP`].
pub(crate) const LEAVES: u64 = 1 << 10;
/// Flag: nothing is recorded at all; with [`WATCHED`] or [`LEAVES`].
pub(crate) const SILENT: u64 = 1 << 11;
/// Flag: `vfork`: the thread's ring is parked. With [`JUMP`].
pub(crate) const VFORKS: u64 = 1 << 12;
/// Flag: `dlsym`, `dlvsym` whose result is to be traced.
pub(crate) const GIVES_ADDRESS: u64 = 1 << 13;

/// A traced function. 64 bytes; the machine code knows the offsets.
#[repr(C, align(64))]
pub(crate) struct Function {
    /// Address of the real function. Offset 0.
    pub(crate) real: AtomicU64,
    /// The flags above. Offset 8.
    pub(crate) flags: AtomicU64,
    /// Number in the session's directory (low half), number of integer registers (bits 32-39), of vector registers (40-47), stack bytes
    /// (48-63). Offset 16.
    pub(crate) number: AtomicU64,
    /// Offset of the plan's captures at entry (low half) and on return (high half). Offset 24.
    pub(crate) captures: AtomicU64,
    /// Address of its entry: what stands in slots. Offset 32.
    pub(crate) entry: AtomicU64,
    pub(crate) rest: [AtomicU64; 3],
}

const _: () = assert!(size_of::<Function>() == 64);

/// The most entries of one process image.
pub(crate) const MOST: usize = 1 << 15;
