//! The vocabulary of the list of functions, as C types with what a record needs to know of them.

use core::ffi::{c_char, c_void};

use crate::definer::Definer;

pub(crate) type Size = usize;
pub(crate) type Int = i32;
pub(crate) type Fd = i32;
pub(crate) type Mode = u32;
pub(crate) type Count32 = u32;
pub(crate) type Offset = i64;
pub(crate) type Long = i64;
pub(crate) type Count = isize;
pub(crate) type Nothing = ();

/// Any pointer that is recorded as a number; null is the failure where it is returned.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(crate) struct Address(pub(crate) *mut c_void);

/// What `mmap` and its like return: -1 is the failure.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(crate) struct Mapping(pub(crate) *mut c_void);

/// An error number, returned directly; `errno` is not touched.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(crate) struct Code(pub(crate) i32);

/// A path that is copied into the record.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(crate) struct Path(pub(crate) *const c_char);

/// Another string that is copied into the record.
pub(crate) type Text = Path;

/// Something that fits in a word of a record.
pub(crate) trait Word: Copy {
    fn word(self) -> u64;
}

/// Something a function returns.
pub(crate) trait Returned: Word {
    /// Whether there is anything to record.
    const VOID: bool = false;

    /// Why the call of a function that `D` defines failed; 0 if it did not.
    fn failure<D: Definer>(self) -> u16;
}

/// Something a C function returns in the first integer register.
pub(crate) trait FromRegister {
    fn from_register(register: u64) -> Self;
}

macro_rules! words {
    ($($type:ty),*) => {
        $(impl Word for $type {
            #[inline(always)]
            fn word(self) -> u64 {
                self as i64 as u64
            }
        })*
    };
}
words!(Size, Int, Mode, Offset, Count);

macro_rules! from_register {
    ($($type:ty: |$register:ident| $value:expr;)*) => {
        $(impl FromRegister for $type {
            #[inline(always)]
            fn from_register($register: u64) -> Self {
                $value
            }
        })*
    };
}
from_register! {
    Int: |register| register as i32;
    Count: |register| register as isize;
    Size: |register| register as usize;
    Code: |register| Code(register as i32);
    Address: |register| Address(register as *mut c_void);
    Mapping: |register| Mapping(register as *mut c_void);
    Nothing: |_register| ();
}

impl<T> Word for *mut T {
    #[inline(always)]
    fn word(self) -> u64 {
        self as u64
    }
}

impl<T> Word for *const T {
    #[inline(always)]
    fn word(self) -> u64 {
        self as u64
    }
}

impl Word for Address {
    #[inline(always)]
    fn word(self) -> u64 {
        self.0 as u64
    }
}

impl Word for Mapping {
    #[inline(always)]
    fn word(self) -> u64 {
        self.0 as u64
    }
}

impl Word for Code {
    #[inline(always)]
    fn word(self) -> u64 {
        self.0 as u64
    }
}

impl Word for Path {
    #[inline(always)]
    fn word(self) -> u64 {
        self.0 as u64
    }
}

impl Word for Nothing {
    #[inline(always)]
    fn word(self) -> u64 {
        0
    }
}

/// The calling thread's `errno`.
#[inline]
pub(crate) fn errno() -> u16 {
    // SAFETY: libc's own location of this thread's errno, always readable.
    unsafe { *libc::__errno_location() as u16 }
}

/// Sets the calling thread's `errno`.
pub(crate) fn set_errno(number: i32) {
    // SAFETY: as in `errno`; the location is this thread's alone.
    unsafe { *libc::__errno_location() = number }
}

macro_rules! fails_with_minus_one {
    ($($type:ty),*) => {
        $(impl Returned for $type {
            #[inline(always)]
            fn failure<D: Definer>(self) -> u16 {
                if self == -1 { D::errno() } else { 0 }
            }
        })*
    };
}
fails_with_minus_one!(Int, Count);

impl Returned for Address {
    #[inline(always)]
    fn failure<D: Definer>(self) -> u16 {
        if self.0.is_null() { D::errno() } else { 0 }
    }
}

impl Returned for Mapping {
    #[inline(always)]
    fn failure<D: Definer>(self) -> u16 {
        if self.0 as usize == usize::MAX { D::errno() } else { 0 }
    }
}

impl Returned for Code {
    #[inline(always)]
    fn failure<D: Definer>(self) -> u16 {
        self.0 as u16
    }
}

impl Returned for Nothing {
    const VOID: bool = true;

    #[inline(always)]
    fn failure<D: Definer>(self) -> u16 {
        0
    }
}
