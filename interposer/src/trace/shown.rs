//! What a program is shown of its own stack: as it is without us. In a traced call that has called back, the trampoline
//! stands between the function and its caller.

use core::ffi::{c_int, c_void};

use super::entry::returned;
use super::frames;
use super::personality::GetAddress;
use super::{definitions, objects};

/// Frames of this library's own, between the unwinder and the program.
const OWN: usize = 16;
/// `_URC_NO_REASON` of the exception handling ABI: go on.
const GO_ON: c_int = 0;
/// `_URC_FATAL_PHASE1_ERROR`.
const FAILED: u64 = 3;

/// Calls `real`, which is `backtrace`, for a caller that it would return to at `first`.
pub(super) fn backtrace(real: u64, into: u64, room: u64, first: u64) -> u64 {
    let room = (room as c_int).max(0) as usize;
    let mut all = vec![0_u64; room + OWN + frames::count()];
    // SAFETY: the type of the function of this name.
    let real: unsafe extern "C" fn(*mut u64, c_int) -> c_int = unsafe { core::mem::transmute(real) };
    // SAFETY: as much room as is said.
    let found = unsafe { real(all.as_mut_ptr(), all.len() as c_int) };
    let found = all.get(..found.max(0) as usize).unwrap_or(&[]);
    let shown =
        found.iter().skip_while(|address| **address != first).filter(|address| **address != returned());
    let mut count = 0;
    for address in shown.take(room) {
        // SAFETY: the program has passed memory for so many.
        unsafe { (into as *mut u64).add(count).write(*address) };
        count += 1;
    }
    count as u64
}

type Callback = unsafe extern "C-unwind" fn(*mut c_void, *mut c_void) -> c_int;

struct Shown {
    callback: Callback,
    argument: *mut c_void,
    get_address: GetAddress,
    first: u64,
    has_begun: bool,
}

/// Calls `real`, which is `_Unwind_Backtrace`, as [`backtrace`].
pub(super) fn unwind(real: u64, callback: u64, argument: u64, first: u64) -> u64 {
    let get_address = objects::place_of(real).and_then(|place| {
        let object = objects::object(place);
        let symbol = definitions::find(object.tables.as_ref()?, b"_Unwind_GetIP")?;
        Some(object.base.wrapping_add(symbol.st_value))
    });
    let Some(get_address) = get_address else { return FAILED };
    // SAFETY: the types of what the ABI says, with the program's own arguments.
    unsafe {
        let real: unsafe extern "C-unwind" fn(Callback, *mut c_void) -> c_int = core::mem::transmute(real);
        let mut shown = Shown {
            callback: core::mem::transmute::<u64, Callback>(callback),
            argument: argument as *mut c_void,
            get_address: core::mem::transmute::<u64, GetAddress>(get_address),
            first,
            has_begun: false,
        };
        real(show, (&raw mut shown).cast()) as u64
    }
}

unsafe extern "C-unwind" fn show(context: *mut c_void, shown: *mut c_void) -> c_int {
    // SAFETY: what `unwind` has passed, and the unwinder's own context.
    unsafe {
        let shown = &mut *shown.cast::<Shown>();
        let address = (shown.get_address)(context);
        shown.has_begun |= address == shown.first;
        if !shown.has_begun || address == returned() {
            return GO_ON;
        }
        (shown.callback)(context, shown.argument)
    }
}
