//! Addresses that `dlsym` gives and `dladdr` takes.
//!
//! A program may compare what `dlsym` gives with the function's address that it has from a slot: where an entry stands in
//! slots, `dlsym` gives that, too. What no slot has is left as it is, unless it is to be traced (`--tap-dlsym`; `-x` for
//! the functions that it names). `dladdr` knows nothing of entries, and is asked about their functions.
//!
//! Where a program asks for what comes next in search order, `dlsym` looks at who calls it: such a call is entered by a
//! jump, and what it gives is left as it is.

use calltap_channel::trace::plan::{DLSYM_OF_ENTRIES, TAP_DLSYM};

use super::functions::{Function, LAZY};
use super::{binding, choose, follow, functions, imported, objects, special};

/// What `dlsym` is to give instead of `real`, the address of what is called `name` (a zero-terminated text).
pub(crate) fn given(name: u64, real: u64) -> u64 {
    let Some(provider) = objects::place_of_code(real).map(objects::object) else { return real };
    // SAFETY: `dlsym` has just looked this name up.
    let name = unsafe { objects::text_at(name as *const u8) };
    let rules = choose::of_name(name);
    let flags = binding::plan().map_or(0, |plan| plan.flags());
    let is_asked = if flags & DLSYM_OF_ENTRIES != 0 { choose::asks_for_entry } else { choose::may_be_asked };
    if flags & TAP_DLSYM == 0 || !is_asked(rules, provider.rules) {
        return as_in_slots(name, real);
    }
    let taken = functions::taken();
    let Some(address) = imported::taken(name, real, provider, rules) else { return real };
    if functions::taken() != taken {
        // Slots that hold this address are to compare equal to it.
        follow::follow_everywhere();
    }
    address
}

/// What stands for a function in slots from which its address may be taken.
fn as_in_slots(name: &[u8], real: u64) -> u64 {
    if special::is_untouchable(name) || !follow::is_function(name, None, real) {
        return real;
    }
    follow::standing_for(name, real).map_or(real, Function::address)
}

/// The address of the function whose entry is at `address`; what is no entry's is left as it is.
pub(crate) fn own_address(address: u64) -> u64 {
    let function = functions::at_entry(address).filter(|function| !function.has(LAZY));
    function.map_or(address, |function| function.real.load(core::sync::atomic::Ordering::Relaxed))
}
