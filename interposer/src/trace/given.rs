//! Addresses that `dlsym` gives, replaced by those of entries (`--tap-dlsym`).
//!
//! Where a program asks for what comes next in search order, or for the first of all, `dlsym` looks at who calls it: such
//! a call is entered by a jump, and what it gives is left as it is.

use super::objects;
use super::{choose, follow, functions, imported};

/// What `dlsym` is to give instead of `real`, the address of what is called `name` (a zero-terminated text).
pub(crate) fn given(name: u64, real: u64) -> u64 {
    let Some(provider) = objects::place_of_code(real).map(objects::object) else { return real };
    // SAFETY: `dlsym` has just looked this name up.
    let name = unsafe { objects::text_at(name as *const u8) };
    let rules = choose::of_name(name);
    if !choose::may_be_asked(rules, provider.rules) {
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
