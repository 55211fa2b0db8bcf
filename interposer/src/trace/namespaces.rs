//! Other namespaces (`dlmopen`): which one the hooks of [`crate::definer::Namespace`] are for.
//!
//! A namespace has a C library of its own: blocks, streams and `errno` of one mean nothing to another. Its slots get hooks
//! with real functions of its own, of which there is one set: it belongs to the first namespace that comes, until all of
//! that one's objects have gone. Of another one nothing is bound, for half of it (blocks given, but not taken back)
//! would be worse than nothing.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::definitions;
use super::objects::{self, Object};
use crate::definer::Namespace;
use crate::hooks;
use crate::real::AnyReal;

/// The namespace whose slots are bound; 0 if none is.
static TAPPED: AtomicU32 = AtomicU32::new(0);
/// A bit for each namespace that has been passed over, and has objects still. glibc has at most 16.
static PASSED_OVER: AtomicU64 = AtomicU64::new(0);

/// Takes into account that objects have come (at these places) or gone. Gives one object of each namespace that is passed
/// over from now on.
///
/// What is there when the program begins (`LD_AUDIT`) runs inside the loader: it is passed over.
pub(crate) fn changed(new: &[usize], begins: bool) -> Vec<&'static Object> {
    let has_objects =
        |namespace: u32| objects::all().any(|place| objects::object(place).namespace == namespace);
    if !has_objects(TAPPED.load(Ordering::Relaxed)) {
        TAPPED.store(0, Ordering::Relaxed);
    }
    let mut passed_over = PASSED_OVER.load(Ordering::Relaxed);
    for namespace in 0..u64::BITS {
        if passed_over >> namespace & 1 != 0 && !has_objects(namespace) {
            passed_over &= !(1 << namespace);
        }
    }
    let mut first_of = Vec::new();
    for object in new.iter().map(|place| objects::object(*place)) {
        let namespace = object.namespace;
        if namespace == 0 || namespace == TAPPED.load(Ordering::Relaxed) || namespace >= u64::BITS {
            continue;
        }
        if passed_over >> namespace & 1 != 0 {
            continue;
        }
        if TAPPED.load(Ordering::Relaxed) == 0 && !begins && errno_location(namespace).is_some() {
            TAPPED.store(namespace, Ordering::Relaxed);
        } else {
            passed_over |= 1 << namespace;
            first_of.push(object);
        }
    }
    PASSED_OVER.store(passed_over, Ordering::Relaxed);
    Namespace::set_errno_location(errno_location(TAPPED.load(Ordering::Relaxed)).unwrap_or(0));
    hooks::all(|hooks| {
        let real = hooks.namespace.real;
        if real.address() != 0 && !is_definition(real, real.address()) {
            real.set(0);
        }
    });
    first_of
}

/// Whether an object's slots are bound by what they hold in its own namespace.
pub(crate) fn is_tapped(object: &Object) -> bool {
    object.namespace != 0 && object.namespace == TAPPED.load(Ordering::Relaxed)
}

/// Whether the function at `value` is the real one of its name in the namespace of `caller`, for whoever calls it there.
///
/// The first that a slot leads to is, unless it is its object's own (but for the C library's).
pub(crate) fn serves(caller: &Object, real: &'static dyn AnyReal, value: u64) -> bool {
    if real.address() == value {
        return true;
    }
    let Some(provider) = objects::place_of_code(value).map(objects::object) else { return false };
    let is_first = real.address() == 0
        && provider.namespace == caller.namespace
        && (provider.place != caller.place || is_c_library(provider))
        && is_definition(real, value);
    if is_first {
        real.set(value);
    }
    is_first
}

/// Whether a loaded object defines the name of `real` at an address.
fn is_definition(real: &'static dyn AnyReal, address: u64) -> bool {
    let Some(object) = objects::place_of_code(address).map(objects::object) else { return false };
    let Some(tables) = object.tables else { return false };
    definitions::find_that(&tables, real.name().to_bytes(), |symbol| {
        symbol.st_shndx != 0 && object.base.wrapping_add(symbol.st_value) == address
    })
    .is_some()
}

const ERRNO_LOCATION: &[u8] = b"__errno_location";

fn is_c_library(object: &Object) -> bool {
    defined_by(object).is_some()
}

fn defined_by(object: &Object) -> Option<u64> {
    let symbol =
        definitions::find_that(object.tables.as_ref()?, ERRNO_LOCATION, |symbol| symbol.st_shndx != 0)?;
    Some(object.base.wrapping_add(symbol.st_value))
}

/// Where the C library of a namespace other than the program's has its `errno`.
fn errno_location(namespace: u32) -> Option<u64> {
    let mut of_namespace =
        objects::all().map(objects::object).filter(|object| object.namespace == namespace && namespace != 0);
    of_namespace.find_map(defined_by)
}
