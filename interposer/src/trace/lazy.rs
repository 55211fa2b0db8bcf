//! Slots that have not been bound yet: their first call is to find the function, as the loader finds it.
//!
//! Such a slot gets an entry that says which slot it is. At its first call the loader's own function is called that its
//! resolver (in the third word of the object's PLT table) would have called: so scope, version and indirect functions
//! are as without us.

use core::sync::atomic::{AtomicU64, Ordering};

use super::functions::{Function, JUMP, SILENT};
use super::objects::{self, Object};
use super::relocations::{Slot, Use};
use super::{imported, slots};

/// Marks the name of a lazy slot: bits 32-62 are the object's place, the low half is the slot's number.
const NAME: u64 = 1 << 63;

/// The loader's function that binds a slot: of (link map, number of the slot), gives the function's address.
static FIXUP: AtomicU64 = AtomicU64::new(0);

/// The name of a slot.
pub(crate) fn name_of(place: usize, number: u32) -> u64 {
    NAME | (place as u64) << 32 | u64::from(number)
}

/// The place of the object whose slot a function stands for, if it stands for a slot.
pub(crate) fn place_in(real: u64) -> Option<usize> {
    (real & NAME != 0).then_some((real >> 32) as usize & (objects::MOST - 1))
}

/// Whether a slot still leads into the object's own PLT, as the linker has made it.
pub(crate) fn is_lazy(object: &Object, slot: &Slot, value: u64) -> bool {
    // `endbr64` and `push`. The jump behind them makes up for a missing `endbr64`, and may end the segment (lld).
    const LOOKED_AT: usize = 9;
    let Use::Call(number) = slot.used else { return false };
    if !object.image.is_code(value) || !object.image.is_code(value + LOOKED_AT as u64 - 1) {
        return false;
    }
    // SAFETY: so many bytes of the object's code.
    let code = unsafe { core::slice::from_raw_parts(value as *const u8, LOOKED_AT) };
    let code = code.strip_prefix(&[0xf3, 0x0f, 0x1e, 0xfa]).unwrap_or(code);
    // push number
    code[0] == 0x68 && code[1..5] == number.to_le_bytes()
}

/// Whether slots of this object can be bound by us: finds the loader's function.
pub(crate) fn can_resolve(object: &Object) -> bool {
    if FIXUP.load(Ordering::Relaxed) != 0 {
        return true;
    }
    let Some(table) = object.tables.map(|tables| tables.plt_got).filter(|table| *table != 0) else {
        return false;
    };
    // SAFETY: the PLT's table begins with three words for the loader.
    let resolver = unsafe { *((table + 16) as *const u64) };
    match find_fixup(resolver) {
        Some(fixup) => {
            FIXUP.store(fixup, Ordering::Relaxed);
            true
        }
        None => false,
    }
}

/// What glibc's resolvers do once they have saved all registers, of which `rbx` points to their arguments:
/// `mov 16(%rbx),%rsi; mov 8(%rbx),%rdi; call ...; mov %rax,%r11`.
fn find_fixup(resolver: u64) -> Option<u64> {
    const BEFORE: [u8; 9] = [0x48, 0x8b, 0x73, 0x10, 0x48, 0x8b, 0x7b, 0x08, 0xe8];
    const BEHIND: [u8; 3] = [0x49, 0x89, 0xc3];
    const LOOKED_AT: u64 = 512;
    let image = objects::object(objects::place_of_code(resolver)?).image;
    if !image.is_code(resolver + LOOKED_AT) {
        return None;
    }
    // SAFETY: within the loader's code.
    let code = unsafe { core::slice::from_raw_parts(resolver as *const u8, LOOKED_AT as usize) };
    let at = code.windows(16).position(|part| part[..9] == BEFORE && part[13..] == BEHIND)?;
    let distance = i32::from_le_bytes(code[at + 9..at + 13].try_into().ok()?);
    let fixup = resolver.wrapping_add(at as u64 + 13).wrapping_add_signed(i64::from(distance));
    image.is_code(fixup).then_some(fixup)
}

/// Binds the slot that a function stands for, and gives the function to go on with.
///
/// Several threads may do so at one time, and a signal handler of one that does: all find the same.
pub(crate) fn resolve(function: &'static Function) -> &'static Function {
    if let Some(found) = function.resolved() {
        return found;
    }
    let name = function.real.load(Ordering::Relaxed);
    let Some(place) = place_in(name) else { return function };
    let (object, number) = (objects::object(place), name as u32);
    let Some((tables, rela)) =
        object.tables.and_then(|tables| Some((tables, tables.jumps.get(number as usize)?)))
    else {
        return function;
    };
    let slot = object.base.wrapping_add(rela.r_offset);
    // SAFETY: `can_resolve` has found it before any slot got such a function; its type is the loader's.
    let fixup: unsafe extern "C" fn(u64, u64) -> u64 =
        unsafe { core::mem::transmute(FIXUP.load(Ordering::Relaxed)) };
    // SAFETY: the object is loaded, as somebody calls through its slot; that has this number in its PLT.
    let real = unsafe { fixup(object.map, u64::from(number)) };
    // It has written the slot: other threads' calls are to come by here meanwhile.
    slots::write_lazy(&object.image, slot, function.address());
    let symbol = tables.symbol(goblin::elf64::reloc::r_sym(rela.r_info));
    let found = imported::called(tables.name(symbol), real, object, function.rules());
    slots::write_lazy(&object.image, slot, found.as_ref().map_or(real, |found| found.stands));
    match found.map(|found| found.function) {
        Some(found) => {
            function.resolve_to(found);
            found
        }
        None => {
            // Not asked for after all: whoever is on the way to this entry goes on to the function.
            function.real.store(real, Ordering::Relaxed);
            function.flags.store(JUMP | SILENT, Ordering::Release);
            function
        }
    }
}
