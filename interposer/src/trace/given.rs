//! Addresses that `dlsym` gives, replaced by those of entries (`--tap-dlsym`; `-x` for the
//! functions that it names).
//!
//! Where a program asks for what comes next in search order, or for the first of all, `dlsym` looks at who calls it: such
//! a call is entered by a jump, and what it gives is left as it is.

use calltap_channel::trace::plan::DLSYM_OF_ENTRIES;

use super::objects;
use super::{binding, choose, follow, functions, imported};

/// What `dlsym` is to give instead of `real`, the address of what is called `name` (a zero-terminated text).
pub(crate) fn given(name: u64, real: u64) -> u64 {
    let Some(provider) = objects::place_of_code(real).map(objects::object) else { return real };
    // SAFETY: `dlsym` has just looked this name up.
    let name = unsafe { objects::text_at(name as *const u8) };
    let rules = choose::of_name(name);
    let of_entries = binding::plan().is_some_and(|plan| plan.flags() & DLSYM_OF_ENTRIES != 0);
    let is_asked = if of_entries { choose::asks_for_entry } else { choose::may_be_asked };
    if !is_asked(rules, provider.rules) {
        return real;
    }
    let taken = functions::taken();
    let Some(address) = imported::taken(name, real, provider, rules) else { return real };
    if functions::taken() != taken {
        // Slots that hold this address are to compare equal to it.
        follow::follow_everywhere();
    }
    address
}
