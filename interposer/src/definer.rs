//! Whose definition a hook calls. One function may have several in a process, each with blocks, streams and an `errno` of
//! its own, so there is a hook for each: the slot that leads to a definition gets the hook that calls it, and nothing
//! is decided while the program runs.
//!
//! The exported hooks call what comes next in search order. The others are found through slots only
//! ([`crate::trace::typed`]).

use core::sync::atomic::{AtomicU64, Ordering};

use crate::real::{AnyReal, Real};

/// One who defines functions.
pub(crate) trait Definer {
    /// Its real function, of those of a hook.
    fn real<F>(reals: &Reals<F>) -> &Real<F>;

    /// The `errno` that its functions leave to the calling thread.
    fn errno() -> u16;

    /// Sets it.
    fn set_errno(number: i32);
}

/// Whoever comes next in search order.
#[derive(Clone, Copy)]
pub(crate) struct Next;

/// The program itself, whose definitions serve its libraries.
#[derive(Clone, Copy)]
pub(crate) struct Program;

/// The libraries of another namespace (`dlmopen`).
#[derive(Clone, Copy)]
pub(crate) struct Namespace;

impl Definer for Next {
    #[inline(always)]
    fn real<F>(reals: &Reals<F>) -> &Real<F> {
        &reals.next
    }

    #[inline(always)]
    fn errno() -> u16 {
        crate::types::errno()
    }

    fn set_errno(number: i32) {
        crate::types::set_errno(number);
    }
}

impl Definer for Program {
    #[inline(always)]
    fn real<F>(reals: &Reals<F>) -> &Real<F> {
        &reals.program
    }

    #[inline(always)]
    fn errno() -> u16 {
        crate::types::errno()
    }

    fn set_errno(number: i32) {
        crate::types::set_errno(number);
    }
}

/// `__errno_location` of the namespace's own C library; 0 while no namespace is tapped.
static ERRNO_LOCATION: AtomicU64 = AtomicU64::new(0);

impl Namespace {
    /// Sets where [`Definer::errno`] is found. No hook of it may be in a slot before.
    pub(crate) fn set_errno_location(function: u64) {
        ERRNO_LOCATION.store(function, Ordering::Relaxed);
    }

    fn location() -> *mut i32 {
        let function = ERRNO_LOCATION.load(Ordering::Relaxed);
        if function == 0 {
            // Its libraries are gone: nobody looks at their `errno` any more.
            // SAFETY: libc's own location of this thread's errno.
            return unsafe { libc::__errno_location() };
        }
        // SAFETY: the C function of this name, of a library that is loaded as long as its functions are called.
        let locate: extern "C" fn() -> *mut i32 = unsafe { core::mem::transmute(function) };
        locate()
    }
}

impl Definer for Namespace {
    #[inline(always)]
    fn real<F>(reals: &Reals<F>) -> &Real<F> {
        &reals.namespace
    }

    #[inline(never)]
    fn errno() -> u16 {
        // SAFETY: an `__errno_location` gives the calling thread's, always readable.
        unsafe { *Self::location() as u16 }
    }

    fn set_errno(number: i32) {
        // SAFETY: as above; it is this thread's alone.
        unsafe { *Self::location() = number }
    }
}

/// The real functions of one name, by who defines them.
pub(crate) struct Reals<F> {
    next: Real<F>,
    program: Real<F>,
    namespace: Real<F>,
}

impl<F: Copy> Reals<F> {
    /// The next one not yet looked up, the others not known. `name` is the C symbol.
    pub(crate) const fn new(name: &'static core::ffi::CStr) -> Self {
        Self { next: Real::new(name), program: Real::given(name), namespace: Real::given(name) }
    }

    /// That of one definer.
    #[inline(always)]
    pub(crate) fn of<D: Definer>(&self) -> &Real<F> {
        D::real(self)
    }
}

/// What binding by slots asks of a name's hooks, whatever their type.
#[derive(Clone, Copy)]
pub(crate) struct Hooks {
    /// The real function of the exported hook.
    pub(crate) next: &'static dyn AnyReal,
    /// The program's own.
    pub(crate) program: Hook,
    /// The other namespace's.
    pub(crate) namespace: Hook,
}

/// A hook that is not exported.
#[derive(Clone, Copy)]
pub(crate) struct Hook {
    /// Its address.
    pub(crate) address: u64,
    /// Its real function.
    pub(crate) real: &'static dyn AnyReal,
}

impl Hooks {
    /// Those of one name.
    pub(crate) fn new<F: Copy>(reals: &'static Reals<F>, program: u64, namespace: u64) -> Self {
        Self {
            next: &reals.next,
            program: Hook { address: program, real: &reals.program },
            namespace: Hook { address: namespace, real: &reals.namespace },
        }
    }
}
