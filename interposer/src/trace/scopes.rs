//! Which real function a hook stands for, where that depends on the caller.
//!
//! As a rule there is one: what the next object in search order defines. But a program that defines a function itself
//! serves all its libraries with it, and calls what comes next in search order itself; and the objects of another
//! namespace (`dlmopen`) have a C library of their own.

use core::ffi::CStr;
use core::sync::atomic::{AtomicU64, Ordering};

use super::objects;

/// Functions that there can be, of all namespaces.
const MOST: usize = 4096;

struct Scope {
    /// Address of the function's name: the hook's own.
    name: AtomicU64,
    namespace: AtomicU64,
    real: AtomicU64,
}

static SCOPES: [Scope; MOST] =
    [const { Scope { name: AtomicU64::new(0), namespace: AtomicU64::new(0), real: AtomicU64::new(0) } };
        MOST];

/// Notes the function that serves a namespace; of that of the program it is the program's own. False if another one does
/// already, or if there is no room.
pub(crate) fn add(name: &'static CStr, namespace: u32, real: u64) -> bool {
    for scope in &SCOPES {
        let key = scope.name.load(Ordering::Relaxed);
        if key == name.as_ptr() as u64 && scope.namespace.load(Ordering::Relaxed) == u64::from(namespace) {
            return scope.real.load(Ordering::Relaxed) == real;
        }
        if key == 0 {
            scope.namespace.store(u64::from(namespace), Ordering::Relaxed);
            scope.real.store(real, Ordering::Relaxed);
            // Release: whoever finds the name finds the rest.
            scope.name.store(name.as_ptr() as u64, Ordering::Release);
            return true;
        }
    }
    false
}

/// Whether any function does not only mean the usual one.
pub(crate) fn are_any() -> bool {
    SCOPES[0].name.load(Ordering::Relaxed) != 0
}

/// The function that serves a namespace, if that is not the usual one.
pub(crate) fn of(name: &'static CStr, namespace: u32) -> Option<u64> {
    SCOPES
        .iter()
        .map(|scope| (scope, scope.name.load(Ordering::Acquire)))
        .take_while(|(_, key)| *key != 0)
        .find(|(scope, key)| {
            *key == name.as_ptr() as u64 && scope.namespace.load(Ordering::Relaxed) == u64::from(namespace)
        })
        .map(|(scope, _)| scope.real.load(Ordering::Relaxed))
}

/// The function that a call from `site` means, if that is not the usual one.
pub(crate) fn real(name: &'static CStr, site: u64) -> Option<u64> {
    let caller = objects::place_of(site).map(objects::object);
    if caller.is_some_and(|caller| caller.is_program || caller.is_own) {
        return None;
    }
    of(name, caller.map_or(0, |caller| caller.namespace))
}
