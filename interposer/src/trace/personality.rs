//! What an unwinder asks when it comes to a call that is under way: whether anything is to be done there.
//!
//! There are several unwinders in the world, and a process may have more than one. The one that asks is answered through
//! its own functions: those of the object that it is in. A static one may not export them; if its context
//! is laid out as that of GCC's, GCC's functions do.
//!
//! GCC's run-time is not loaded for this: whoever raises has it.

use core::ffi::{c_int, c_void};
use core::sync::atomic::Ordering;

use super::entry::{landing_pad, returned};
use super::frame::Frame;
use super::{definitions, objects};
use crate::call;

/// `_URC_INSTALL_CONTEXT` of the exception handling ABI.
const INSTALL_CONTEXT: c_int = 7;
/// `_URC_CONTINUE_UNWIND`.
const CONTINUE_UNWIND: c_int = 8;
/// `_UA_CLEANUP_PHASE`: not looking for a handler, but unwinding.
const CLEANUP_PHASE: c_int = 2;

/// Registers by their numbers in unwind information.
const RAX: c_int = 0;
const RDX: c_int = 1;
const RBX: c_int = 3;

type GetRegister = unsafe extern "C" fn(*mut c_void, c_int) -> u64;
type SetRegister = unsafe extern "C" fn(*mut c_void, c_int, u64);
pub(super) type GetAddress = unsafe extern "C" fn(*mut c_void) -> u64;
type SetAddress = unsafe extern "C" fn(*mut c_void, u64);

/// Those of GCC's that are linked into this library.
mod own {
    use super::{c_int, c_void};

    unsafe extern "C" {
        pub(super) fn _Unwind_Backtrace(
            each: extern "C" fn(*mut c_void, *mut c_void) -> c_int,
            argument: *mut c_void,
        ) -> c_int;
        pub(super) fn _Unwind_GetGR(context: *mut c_void, register: c_int) -> u64;
        pub(super) fn _Unwind_SetGR(context: *mut c_void, register: c_int, value: u64);
        pub(super) fn _Unwind_GetIP(context: *mut c_void) -> u64;
        pub(super) fn _Unwind_SetIP(context: *mut c_void, address: u64);
        pub(super) fn _Unwind_Resume(exception: *mut c_void);
    }
}

/// An unwinder's functions.
struct Unwinder {
    get_register: GetRegister,
    set_register: SetRegister,
    get_address: GetAddress,
    set_address: SetAddress,
    resume: u64,
}

impl Unwinder {
    /// Of the unwinder that has this code, and this context of the frame that it is at.
    fn of(code: u64, context: *mut c_void) -> Option<Self> {
        Self::exported(code).or_else(|| Self::like_own(context))
    }

    fn exported(code: u64) -> Option<Self> {
        let object = objects::object(objects::place_of(code)?);
        let tables = object.tables.as_ref()?;
        let address = |name: &[u8]| {
            let symbol = definitions::find(tables, name)?;
            (symbol.st_value != 0 && symbol.st_shndx != 0).then(|| object.base.wrapping_add(symbol.st_value))
        };
        // SAFETY: functions of these names have these types in all unwinders: the ABI says so.
        unsafe {
            Some(Self {
                get_register: core::mem::transmute::<u64, GetRegister>(address(b"_Unwind_GetGR")?),
                set_register: core::mem::transmute::<u64, SetRegister>(address(b"_Unwind_SetGR")?),
                get_address: core::mem::transmute::<u64, GetAddress>(address(b"_Unwind_GetIP")?),
                set_address: core::mem::transmute::<u64, SetAddress>(address(b"_Unwind_SetIP")?),
                resume: address(b"_Unwind_Resume")?,
            })
        }
    }

    /// GCC's, if the context has the frame's address where GCC's has it.
    fn like_own(context: *mut c_void) -> Option<Self> {
        /// 18 registers and the canonical frame address come before.
        const ADDRESS: usize = 19;
        // SAFETY: every unwinder's context has room for all registers.
        let address = unsafe { *context.cast::<u64>().add(ADDRESS) };
        if address != returned() {
            return None;
        }
        extern "C" fn stop(_: *mut c_void, _: *mut c_void) -> c_int {
            1
        }
        // What they know of registers is set up when they are first at work.
        // SAFETY: stops at the first frame.
        unsafe { own::_Unwind_Backtrace(stop, core::ptr::null_mut()) };
        Some(Self {
            get_register: own::_Unwind_GetGR,
            set_register: own::_Unwind_SetGR,
            get_address: own::_Unwind_GetIP,
            set_address: own::_Unwind_SetIP,
            resume: own::_Unwind_Resume as *const () as u64,
        })
    }
}

/// The personality routine of the trampoline. A call that is left is ended at its landing pad.
pub(crate) extern "C" fn personality(
    _version: c_int,
    actions: c_int,
    _class: u64,
    exception: *mut c_void,
    context: *mut c_void,
) -> c_int {
    if actions & CLEANUP_PHASE == 0 {
        return CONTINUE_UNWIND;
    }
    let Some(unwinder) = Unwinder::of(call::return_address(), context) else { return CONTINUE_UNWIND };
    // SAFETY: the unwinder's own functions, with its own context.
    unsafe {
        if (unwinder.get_address)(context) != returned() {
            return CONTINUE_UNWIND;
        }
        // SAFETY: in a call that is under way rbx is the address of its frame.
        let frame = &*((unwinder.get_register)(context, RBX) as *const Frame);
        frame.resume.store(unwinder.resume, Ordering::Relaxed);
        (unwinder.set_register)(context, RAX, exception as u64);
        (unwinder.set_register)(context, RDX, 0);
        (unwinder.set_address)(context, landing_pad());
    }
    INSTALL_CONTEXT
}
