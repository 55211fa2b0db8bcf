//! What `calltap trace` adds to the border: which functions are traced and how much of a call is copied
//! ([`plan`], written by the CLI before the target starts), which functions were met
//! ([`directory`], written by the target), and how a call's memory is copied ([`walk`]).
//!
//! # A traced call in a ring
//!
//! Two records: one pushed before the real function is called, one after it. Both are notes.
//!
//! [`crate::Note::Entered`]
//!
//! | word | content |
//! |---|---|
//! | 0 | header; its stack id is that of the caller, if stacks are taken |
//! | 1 | start, in ticks |
//! | 2 | bits 0-31 function (number in the [`directory`]), 32-35 integer registers, 36-39 vector registers, 48-63 flags ([`ENTRY_ONLY`], [`IN_VFORK_CHILD`], [`NO_ROW`]) |
//! | 3 | call site: the return address |
//! | 4 | address of the return address on the stack; names the call until it has returned |
//! | next | the integer registers `rdi rsi rdx rcx r8 r9`, as many as word 2 says |
//! | next | low halves of `xmm0`..`xmm7`, as many as word 2 says |
//! | next | `rax` (of which `al` bounds the vector registers used by a variadic call), if any vector registers are there |
//!
//! [`crate::Note::Returned`]
//!
//! | word | content |
//! |---|---|
//! | 0 | header |
//! | 1 | end, in ticks |
//! | 2 | bits 0-31 function, 32-47 `errno` on return, 48-63 flags ([`LEFT`], [`HAS_RDX`], [`HAS_VECTORS`], [`HAS_X87`]) |
//! | 3 | `rax` |
//! | 4 | as word 4 of the entry |
//! | next | `rdx` if [`HAS_RDX`] |
//! | next | low halves of `xmm0`, `xmm1` if [`HAS_VECTORS`] |
//! | next | `st0`, `st1` as four words (each the 10 bytes of an extended double, zero-padded to 16) if [`HAS_X87`] |
//!
//! What arguments point to comes before the record that it belongs to, as [`crate::Note::Memory`]:
//! word 1 is the same stamp, word 3 the same stack address, then the address of the bytes, and the bytes as a text.
//! A stack argument is memory, too: at word 4 plus 8 and up.

pub mod directory;
pub mod glob;
pub mod guarded;
pub mod plan;
pub mod walk;

/// Flag of an entry: no [`crate::Note::Returned`] follows; the function was entered by a jump.
pub const ENTRY_ONLY: u64 = 1 << 48;
/// Flag of an entry: made by a `vfork` child.
pub const IN_VFORK_CHILD: u64 = 1 << 49;
/// Flag of an entry: the function has no row in the plan; registers are what they happened to be.
pub const NO_ROW: u64 = 1 << 50;

/// Flag of a return: the call was left by an exception or by cancellation; there is no result.
pub const LEFT: u64 = 1 << 48;
/// Flag of a return: `rdx` follows.
pub const HAS_RDX: u64 = 1 << 49;
/// Flag of a return: two vector registers follow.
pub const HAS_VECTORS: u64 = 1 << 50;
/// Flag of a return: two x87 registers follow.
pub const HAS_X87: u64 = 1 << 51;

/// The most functions of one session.
pub const MAX_FUNCTIONS: usize = 1 << 16;
