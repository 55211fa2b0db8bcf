//! Binding hooks by slots: those of the objects that are chosen (`run --bind got`), or only where binding by name misses
//! calls (`run --bind symbols`).
//!
//! A slot gets a hook only if it holds the very function that the hook would call: a library's own function of the same
//! name is left alone.

use core::sync::atomic::{AtomicBool, Ordering};

use calltap_channel::note::refused;
use calltap_channel::trace::plan::MISSED;
use goblin::elf64::sym::{STT_FUNC, Sym, st_type};

use super::binding::plan;
use super::coverage::Tally;
use super::functions::{self, UNNUMBERED, Wanted};
use super::imported::Called;
use super::objects::{self, Object};
use super::relocations::{self, Slot, Use};
use super::slots::Writer;
use super::{choose, definitions, lazy, record};
use crate::hooks;
use crate::real::AnyReal;

/// Whether entries can be called: it takes some time to find out what registers there are.
static PREPARED: AtomicBool = AtomicBool::new(false);

/// Notes which functions the program defines itself, so that they serve its libraries. Before anything is bound.
///
/// Not where hooks are found by name, too: there the program may ask for the next definition and get the hook, which
/// must not lead back to it. Who calls cannot decide that: an operator of a library's that jumps on to `free` has the
/// program as its caller.
pub(crate) fn notice_program() {
    if by_name() {
        return;
    }
    let Some(program) = objects::all().map(objects::object).find(|object| object.is_program) else { return };
    let Some(tables) = program.tables else { return };
    hooks::all(|real| {
        let defines = |symbol: &Sym| symbol.st_shndx != 0 && st_type(symbol.st_info) == STT_FUNC;
        if let Some(symbol) = definitions::find_that(&tables, real.name().to_bytes(), defines) {
            real.set(program.base.wrapping_add(symbol.st_value));
        }
    });
}

/// Whether hooks are found by name, and only what that misses is bound.
pub(crate) fn by_name() -> bool {
    plan().is_some_and(|plan| plan.flags() & MISSED != 0)
}

/// Binds an object's slots; `begins` at the program's start.
pub(crate) fn bind(place: usize, begins: bool, writer: &mut Writer) -> Tally {
    let object = objects::object(place);
    let mut tally = Tally::default();
    let Some(tables) = object.tables else {
        tally.refuse(refused::UNREADABLE);
        return tally;
    };
    // By name, all that is there at the beginning is bound already, but for what the program defines itself.
    let is_bound = begins && by_name();
    // Another namespace has a C library of its own, of which a hook knows nothing.
    if object.is_own || is_bound || object.namespace != 0 || !choose::asks_for_call(u64::MAX, object.rules) {
        return tally;
    }
    for slot in relocations::all(object).filter(|slot| slot.used != Use::Nameless) {
        let name = tables.name(tables.symbol(slot.symbol));
        // Asked first, because it is quick to say no.
        let Some((hook, real)) = hook(name).zip(hooks::real(name)) else { continue };
        match stands(object, &slot, hook, real, begins) {
            Some(stands) if stands == slot.value() || writer.write(&object.image, slot.address, stands) => {
                tally.hooked += 1;
            }
            Some(_) => tally.refuse(refused::PROTECTED),
            None => tally.left += 1,
        }
    }
    tally
}

/// What is to stand in a slot of an object that this hook may be for; None if it stays as it is.
fn stands(object: &Object, slot: &Slot, hook: u64, real: &'static dyn AnyReal, begins: bool) -> Option<u64> {
    let value = slot.value();
    if value == hook {
        return Some(hook);
    }
    if !lazy::is_lazy(object, slot, value) {
        return serves(real, value).then_some(hook);
    }
    if begins {
        return Some(hook);
    }
    let Use::Call(number) = slot.used else { return None };
    if !lazy::can_resolve(object) {
        return None;
    }
    if !PREPARED.swap(true, Ordering::Relaxed) {
        record::prepare();
    }
    let wanted = Wanted {
        real: lazy::name_of(object.place, number),
        flags: functions::LAZY | functions::JUMP | functions::SILENT,
        number: u64::from(UNNUMBERED),
        captures: 0,
        rules: 0,
    };
    functions::add(&wanted).map(functions::Function::address)
}

/// Whether the hook calls the function at `value`.
fn serves(real: &'static dyn AnyReal, value: u64) -> bool {
    objects::place_of_code(value).is_some() && real.address() == value
}

/// Where the first call through a lazy slot goes on.
pub(crate) fn called(name: &[u8], value: u64) -> Option<Called> {
    let (hook, real) = (hook(name)?, hooks::real(name)?);
    if value != hook && !serves(real, value) {
        return None;
    }
    let flags = functions::JUMP | functions::SILENT;
    let wanted = Wanted { real: hook, flags, number: u64::from(UNNUMBERED), captures: 0, rules: 0 };
    let function = functions::get(&wanted, |function| function.has_just(flags))?;
    Some(Called { function, stands: hook })
}

/// Address of the hook of this name: this library's own function, whoever else defines one.
fn hook(name: &[u8]) -> Option<u64> {
    let own = objects::own()?;
    let symbol = definitions::find_that(own.tables.as_ref()?, name, |symbol| symbol.st_shndx != 0)?;
    Some(own.base.wrapping_add(symbol.st_value))
}
