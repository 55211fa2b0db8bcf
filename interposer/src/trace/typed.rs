//! Binding hooks by slots: those of the objects that are chosen (`run --bind got`), or only where binding by name misses
//! calls (`run --bind symbols`).
//!
//! A slot gets the hook whose real function is the very one that the slot holds. Whose that is ([`crate::definer`]) is
//! decided by the slot, not at a call by its caller: an operator that jumps on to `free` has another one than it seems.
//! A library's own function of the same name is left alone.

use core::sync::atomic::{AtomicBool, Ordering};

use calltap_channel::note::{DEFINED_WORDS, refused};
use calltap_channel::trace::plan::MISSED;
use goblin::elf64::sym::{STT_FUNC, Sym, st_type};

use super::binding::plan;
use super::coverage::{self, Tally};
use super::functions::{self, UNNUMBERED, Wanted};
use super::imported::Called;
use super::objects::{self, Object};
use super::relocations::{self, Slot, Use};
use super::slots::Writer;
use super::{choose, definitions, lazy, namespaces, record};
use crate::definer::Hooks;
use crate::hooks;

/// Whether entries can be called: it takes some time to find out what registers there are.
static PREPARED: AtomicBool = AtomicBool::new(false);

/// Whether the program defines a function itself that there is a hook for.
static PROGRAM_DEFINES: AtomicBool = AtomicBool::new(false);

/// Notes which functions the program defines itself, and tells. Before anything is bound.
///
/// They serve its libraries: the first definition in search order does.
pub(crate) fn notice_program() {
    let Some(program) = objects::all().map(objects::object).find(|object| object.is_program) else { return };
    let mut numbers = [0; DEFINED_WORDS];
    // In the list's order, which is that of the numbers.
    let mut number = 0;
    hooks::all(|hooks| {
        if let Some(address) = definition(program, hooks.program.real.name().to_bytes()) {
            hooks.program.real.set(address);
            if let Some(word) = numbers.get_mut(number / 64) {
                *word |= 1 << (number % 64);
            }
        }
        number += 1;
    });
    if numbers != [0; DEFINED_WORDS] {
        PROGRAM_DEFINES.store(true, Ordering::Relaxed);
        coverage::defined(numbers, hooks::malloc::hooks().program.real.address());
    }
}

/// The function that an object defines under a name.
fn definition(object: &Object, name: &[u8]) -> Option<u64> {
    let defines = |symbol: &Sym| symbol.st_shndx != 0 && st_type(symbol.st_info) == STT_FUNC;
    let symbol = definitions::find_that(object.tables.as_ref()?, name, defines)?;
    Some(object.base.wrapping_add(symbol.st_value))
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
    let is_bound = begins && by_name() && !PROGRAM_DEFINES.load(Ordering::Relaxed);
    let is_passed_over = object.namespace != 0 && !namespaces::is_tapped(object);
    if object.is_own || is_bound || is_passed_over || !choose::asks_for_call(u64::MAX, object.rules) {
        return tally;
    }
    for slot in relocations::all(object).filter(|slot| slot.used != Use::Nameless) {
        let name = tables.name(tables.symbol(slot.symbol));
        // Asked first, because it is quick to say no.
        let Some((exported, hooks)) = exported(name).zip(hooks::named(name)) else { continue };
        match stands(object, &slot, name, exported, &hooks, begins) {
            Some(stands) if stands == slot.value() || writer.write(&object.image, slot.address, stands) => {
                tally.hooked += 1;
            }
            Some(_) => tally.refuse(refused::PROTECTED),
            None => tally.left += 1,
        }
    }
    tally
}

/// What is to stand in a slot of an object that one of these hooks may be for; None if it stays as it is.
fn stands(
    object: &Object,
    slot: &Slot,
    name: &[u8],
    exported: u64,
    hooks: &Hooks,
    begins: bool,
) -> Option<u64> {
    let value = slot.value();
    if [exported, hooks.program.address, hooks.namespace.address].contains(&value) {
        return Some(value);
    }
    if !lazy::is_lazy(object, slot, value) {
        return hook_for(object, exported, hooks, value);
    }
    let of_program = hooks.program.real.address();
    // At the beginning it is known where the search ends, unless it begins in the object itself (`DT_SYMBOLIC`).
    if begins && (of_program == 0 || definition(object, name).is_none()) {
        let hook = if of_program == 0 { exported } else { hooks.program.address };
        return (of_program != 0 || !by_name()).then_some(hook);
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

/// The hook that calls the function at `value`, which a slot of this object has led to.
fn hook_for(object: &Object, exported: u64, hooks: &Hooks, value: u64) -> Option<u64> {
    objects::place_of_code(value)?;
    if object.namespace != 0 {
        let is_served =
            namespaces::is_tapped(object) && namespaces::serves(object, hooks.namespace.real, value);
        return is_served.then_some(hooks.namespace.address);
    }
    if value == hooks.program.real.address() {
        return Some(hooks.program.address);
    }
    (value == hooks.next.address()).then_some(exported)
}

/// Where the first call through a lazy slot of an object goes on.
pub(crate) fn called(object: &Object, name: &[u8], value: u64) -> Option<Called> {
    let (exported, hooks) = exported(name).zip(hooks::named(name))?;
    let hook = if value == exported { exported } else { hook_for(object, exported, &hooks, value)? };
    let flags = functions::JUMP | functions::SILENT;
    let wanted = Wanted { real: hook, flags, number: u64::from(UNNUMBERED), captures: 0, rules: 0 };
    let function = functions::get(&wanted, |function| function.has_just(flags))?;
    Some(Called { function, stands: hook })
}

/// Address of the exported hook of this name: this library's own function, whoever else defines one.
fn exported(name: &[u8]) -> Option<u64> {
    let own = objects::own()?;
    let symbol = definitions::find_that(own.tables.as_ref()?, name, |symbol| symbol.st_shndx != 0)?;
    Some(own.base.wrapping_add(symbol.st_value))
}
