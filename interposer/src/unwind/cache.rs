//! The rules of this process's code that have been needed so far, by address.
//!
//! One word an entry, so that it is read and written whole without a lock: bits 0-29 the rule, the
//! rest what its place does not say of the address. Two entries to a set; a set that is full forgets
//! the older one, whose rule is then looked up in the tables again.

use core::sync::atomic::{AtomicU64, Ordering};

use super::rule::Rule;

/// Addresses of user space have so many bits.
const ADDRESS_BITS: u32 = 47;
const SET_BITS: u32 = 13;
const SETS: usize = 1 << SET_BITS;
/// Odd, so that multiplying by it modulo 2^47 loses nothing.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

static ENTRIES: [AtomicU64; SETS * 2] = [const { AtomicU64::new(0) }; SETS * 2];

const _: () = assert!(ADDRESS_BITS - SET_BITS + Rule::BITS == u64::BITS);

/// First entry of the address's set, and what stands above the rule in an entry of its own.
#[inline(always)]
fn place(address: u64) -> (usize, u64) {
    let spread = address.wrapping_mul(SPREAD) & ((1 << ADDRESS_BITS) - 1);
    ((spread >> (ADDRESS_BITS - SET_BITS)) as usize * 2, spread << Rule::BITS & !((1 << Rule::BITS) - 1))
}

/// The rule of an address below 2^47, if it is known.
#[inline(always)]
pub(super) fn get(address: u64) -> Option<Rule> {
    let (at, tag) = place(address);
    for entry in &ENTRIES[at..at + 2] {
        let word = entry.load(Ordering::Relaxed);
        let rule = word ^ tag;
        if rule >> Rule::BITS == 0 && rule != 0 {
            return Some(Rule::from_bits(rule as u32));
        }
    }
    None
}

/// Remembers a rule.
pub(super) fn put(address: u64, rule: Rule) {
    let (at, tag) = place(address);
    let older = ENTRIES[at].swap(tag | u64::from(rule.bits()), Ordering::Relaxed);
    ENTRIES[at + 1].store(older, Ordering::Relaxed);
}

/// Forgets all rules: an object may have been loaded where another one was.
pub(super) fn clear() {
    for entry in &ENTRIES {
        entry.store(0, Ordering::Relaxed);
    }
}
