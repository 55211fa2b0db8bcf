//! What the trampoline passes on: the registers of a call, and of its return.

use core::sync::atomic::Ordering;

use calltap_channel::trace::walk::Values;

use super::choose;
use super::entry::returned;
use super::frame::Frame;
use super::functions::{ASKS_CALLER, Function, VECTORS};

/// What is answered to the trampoline for a call that is not followed: the function is jumped to.
pub(crate) const JUMP_ON: u64 = 0;

/// What a program has left in registers for a function. The machine code knows it.
#[repr(C)]
pub(crate) struct Entered {
    /// `rdi rsi rdx rcx r8 r9`.
    pub(crate) gprs: [u64; 6],
    pub(crate) rax: u64,
    r10: u64,
    /// Low halves, if the function's flags ask for them.
    pub(crate) vectors: [u64; 8],
    /// Address of the [`Function`]; if the call is not followed, in the end of where to jump.
    pub(crate) function: u64,
    /// The caller's. If the return address is the trampoline's, the frame whose function goes on as this one.
    pub(crate) rbx: u64,
    /// The caller's.
    pub(crate) rbp: u64,
    /// The stack from here on is the program's: its return address.
    pub(crate) top: u64,
}

/// What a function has returned. The machine code knows it.
#[repr(C)]
pub(crate) struct Results {
    pub(crate) rax: u64,
    pub(crate) rdx: u64,
    /// Low halves of `xmm0` and `xmm1`, if the function's flags ask for them.
    pub(crate) vectors: [u64; 2],
    /// `st0` and `st1`, if they ask for those; zero for an empty one.
    pub(crate) x87: [u64; 4],
    /// When it returned, in ticks.
    pub(crate) stamp: u64,
    /// The stack stays aligned.
    pub(crate) rest: u64,
}

impl Results {
    /// Of a call that has none.
    pub(crate) const NONE: Self = Self { rax: 0, rdx: 0, vectors: [0; 2], x87: [0; 4], stamp: 0, rest: 0 };
}

const _: () = assert!(size_of::<Entered>() == 160 && size_of::<Results>() == 80);

impl Entered {
    /// The function that is called.
    #[inline(always)]
    pub(super) fn function(&self) -> &'static Function {
        // SAFETY: the entry's machine code has put the address of its function there, which stays.
        unsafe { &*(self.function as *const Function) }
    }

    /// Where the return address stands.
    #[inline(always)]
    pub(super) fn place(&self) -> u64 {
        (&raw const self.top) as u64
    }

    /// The frame of the function that has jumped to this one instead of returning, if that is traced.
    #[inline(always)]
    pub(super) fn before(&self) -> Option<&'static Frame> {
        // SAFETY: where the trampoline's address stands, the register holds the address of a call's frame; a function that
        // jumps to another one has put it back.
        (self.top == returned()).then(|| unsafe { &*(self.rbx as *const Frame) })
    }

    /// The return address, of the first function if one jumps to the next.
    #[inline(always)]
    pub(super) fn site(&self) -> u64 {
        self.before().map_or(self.top, |before| before.site.load(Ordering::Relaxed))
    }

    /// An address in the code that calls.
    #[inline(always)]
    pub(super) fn caller(&self) -> u64 {
        let Some(before) = self.before() else { return self.top };
        let (function, _) = before.last().unwrap_or(before).function();
        function.real.load(Ordering::Relaxed)
    }

    /// Whether the call is to be recorded, by who makes it.
    #[inline(always)]
    pub(super) fn is_chosen(&self, function: &Function, flags: u64) -> bool {
        flags & ASKS_CALLER == 0 || choose::asks_for_call_from(function.rules(), self.caller())
    }

    /// What is known of the call, with the function's flags.
    #[inline(always)]
    pub(super) fn values(&self, flags: u64) -> Values {
        let vectors = if flags & VECTORS != 0 { self.vectors } else { [0; 8] };
        Values { gprs: self.gprs, vectors, sp: self.place(), rax: 0, rdx: 0 }
    }

    /// Has the trampoline jump to the function.
    #[inline(always)]
    pub(super) fn jump_to(&mut self, real: u64) -> u64 {
        self.function = real;
        JUMP_ON
    }
}
