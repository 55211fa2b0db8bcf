//! Binding: slots of loaded objects are made to lead to entries.
//!
//! ```text
//!  objects      which objects there are; image, definitions: what they consist of
//!  relocations  an object's slots; nameless: what those without a symbol are called
//!  choose       which calls the rules ask for; pattern
//!  special      functions that are not like others
//!  imported     a function that is asked for, and what is recorded of it; functions: the entries
//!  follow       addresses that may be taken: the same entry everywhere; given: those that dlsym gives and dladdr takes
//!  slots        writing; lazy: those that have not been bound yet
//!  watch        new objects; coverage: what is told of them
//!  typed        hooks in slots; namespaces: those of other namespaces
//! ```
//! A function whose address may be taken from a slot has one entry in all objects, asked for or not, so that addresses
//! compare equal everywhere; it asks who calls.

use core::cell::Cell;

use calltap_channel::note::refused;
use calltap_channel::trace::plan::{Plan, TYPED};
use goblin::elf64::sym::Sym;

use super::coverage::{self, Tally};
use super::follow::{follow, is_function, may_be_function};
use super::functions::{self, UNNUMBERED, Wanted};
use super::imported::{Imported, is_needed};
use super::nameless::Nameless;
use super::objects::{self, Object};
use super::relocations::{self, Slot, Use};
use super::slots::Writer;
use super::{choose, lazy, namespaces, special, typed, watch};

pub(crate) use super::given::{given, own_address};
pub(crate) use super::lazy::resolve;
pub(crate) use super::watch::watched;

/// The plan of this session. Set by the constructor.
struct Session(Cell<Option<Plan<'static>>>);

// SAFETY: written by the constructor, while the process has one thread; read afterwards.
unsafe impl Sync for Session {}

static SESSION: Session = Session(Cell::new(None));

/// The session's plan, if it has one.
pub(crate) fn plan() -> Option<Plan<'static>> {
    SESSION.0.get()
}

/// Binds all objects that are loaded. Called by the constructor, under the loader's lock, before anyone else runs.
pub(crate) fn bind_all(plan: Plan<'static>) {
    SESSION.0.set(Some(plan));
    choose::prepare(&plan);
    super::record::prepare();
    // SAFETY: the loader runs constructors under its lock.
    unsafe { look_again(false) };
}

/// Binds objects that have been loaded since.
pub(crate) fn rescan() {
    // SAFETY: while nothing is loaded, the lock is held by us.
    watch::while_nothing_is_loaded(|| unsafe { look_again(false) });
}

/// As [`rescan`]; `unloads` if the loader is about to call the destructors of an object.
///
/// # Safety
/// The caller holds the loader's lock.
pub(crate) unsafe fn look_again(unloads: bool) {
    let Some(plan) = plan() else { return };
    let begins = objects::own().is_none();
    // SAFETY: by the contract.
    let changes = unsafe { objects::look(choose::of_object, unloads) };
    if !changes.gone.is_empty() {
        forget(&changes.gone);
    }
    let is_typed = plan.flags() & TYPED != 0;
    if is_typed && !(changes.new.is_empty() && changes.gone.is_empty()) {
        let passed_over = namespaces::changed(&changes.new, begins);
        passed_over.into_iter().for_each(coverage::passed_over);
    }
    if changes.new.is_empty() {
        return;
    }
    if begins {
        keep_out_of_program(&mut Writer::new());
        if is_typed {
            typed::notice_program();
        }
    }
    let taken = functions::taken();
    let mut tallies = Vec::with_capacity(changes.new.len());
    let mut writer = Writer::new();
    let is_loader = |place: &usize| watch::is_loader(objects::object(*place));
    // The loader first: what else has to be watched depends on it.
    let (loaders, others): (Vec<usize>, Vec<usize>) = changes.new.iter().partition(|place| is_loader(place));
    for place in loaders {
        watch::set(objects::object(place), &mut writer);
        tallies.push((place, Tally::default()));
    }
    for place in others {
        let tally = if is_typed { typed::bind(place, begins, &mut writer) } else { bind(place, &mut writer) };
        tallies.push((place, tally));
    }
    let followers: &mut dyn Iterator<Item = usize> =
        if functions::taken() == taken { &mut changes.new.iter().copied() } else { &mut objects::all() };
    if functions::taken() != 0 {
        followers.for_each(|place| follow(objects::object(place), &mut writer));
    }
    drop(writer);
    if typed::by_name() {
        return;
    }
    for (place, tally) in tallies {
        coverage::bound(objects::object(place), &tally);
    }
}

/// Has this library call what comes next in search order, where the program has lent a function its own address, or
/// defines one: it is the program's calls that are traced.
fn keep_out_of_program(writer: &mut Writer) {
    let Some((own, tables)) = objects::own().and_then(|own| Some((own, own.tables?))) else { return };
    for slot in relocations::all(own).filter(|slot| matches!(slot.used, Use::Call(_) | Use::CallOrTake)) {
        let name = tables.name(tables.symbol(slot.symbol));
        let in_program =
            objects::place_of_code(slot.value()).is_some_and(|at| objects::object(at).is_program);
        if in_program {
            // SAFETY: names in the table are zero-terminated; RTLD_NEXT means: after this library.
            let next = unsafe { libc::dlsym(libc::RTLD_NEXT, name.as_ptr().cast()) } as u64;
            if next != 0 {
                writer.write(&own.image, slot.address, next);
            }
        }
    }
}

/// Gives back the entries of objects that are gone.
fn forget(gone: &[Object]) {
    functions::forget(|function| {
        let real = function.real.load(core::sync::atomic::Ordering::Relaxed);
        match lazy::place_in(real) {
            // Its object's place is free, or another one's by now, whose slots are not bound yet.
            Some(place) => gone.iter().any(|object| object.place == place),
            None => gone.iter().any(|object| (object.image.start..object.image.end).contains(&real)),
        }
    });
    gone.iter().for_each(coverage::unbound);
}

/// Binds the slots of an object that rules ask for.
fn bind(place: usize, writer: &mut Writer) -> Tally {
    let object = objects::object(place);
    let mut tally = Tally::default();
    let Some(tables) = object.tables else {
        tally.refuse(refused::UNREADABLE);
        return tally;
    };
    if object.is_own {
        return tally;
    }
    let is_asked_about = choose::is_asked_about(object.rules);
    let nameless = Nameless::of(object);
    for slot in relocations::all(object) {
        let (symbol, name) = match slot.used {
            Use::Nameless if is_asked_about => (None, nameless.name(&tables, &slot)),
            Use::Nameless => (None, None),
            _ => {
                let symbol = tables.symbol(slot.symbol);
                (Some(symbol), Some(tables.name(symbol)))
            }
        };
        match name {
            _ if slot.used == Use::Take => {}
            None if choose::asks_for_nameless(object.rules) => tally.refuse(refused::NAMELESS),
            None => tally.left += 1,
            Some(name) => match lead(place, &slot, symbol, name) {
                Ok(None) => {}
                Ok(Some(Lead { stands, asked })) if writer.write(&object.image, slot.address, stands) => {
                    if asked {
                        tally.hooked += 1;
                    } else {
                        tally.left += 1;
                    }
                }
                Ok(Some(_)) => tally.refuse(refused::PROTECTED),
                Err(NotBound::Left) => tally.left += 1,
                Err(NotBound::Refused(reason)) => tally.refuse(reason),
            },
        }
    }
    tally
}

/// What is to stand in a slot.
struct Lead {
    stands: u64,
    /// Whether a rule asks for it; if not, it is bound for our own sake.
    asked: bool,
}

/// Why a slot is not bound.
pub(crate) enum NotBound {
    /// Nobody asks for the function.
    Left,
    /// See [`refused`].
    Refused(u64),
}

/// Decides about a slot through which its object may call, with its symbol, if it has one. None if it is none of a
/// function.
fn lead(place: usize, slot: &Slot, symbol: Option<&Sym>, name: &[u8]) -> Result<Option<Lead>, NotBound> {
    let object = objects::object(place);
    let value = slot.value();
    let takes = slot.used == Use::CallOrTake;
    if value == 0 || (takes && !symbol.is_some_and(may_be_function)) || functions::at_entry(value).is_some() {
        return Ok(None);
    }
    let rules = choose::of_name(name);
    let may_ask = choose::may_ask(rules, object.rules);
    let needed = is_needed(name);
    if !may_ask && !needed {
        return if takes && !is_function(name, symbol, value) { Ok(None) } else { Err(NotBound::Left) };
    }
    if special::is_untouchable(name) {
        return if may_ask { Err(NotBound::Refused(refused::SPECIAL)) } else { Err(NotBound::Left) };
    }
    if lazy::is_lazy(object, slot, value) {
        if !lazy::can_resolve(object) {
            return Err(NotBound::Refused(refused::LAZY));
        }
        let Use::Call(number) = slot.used else { return Ok(None) };
        let wanted = Wanted {
            real: lazy::name_of(place, number),
            flags: functions::LAZY | functions::JUMP | functions::SILENT,
            number: u64::from(UNNUMBERED),
            captures: 0,
            rules,
        };
        let function = functions::add(&wanted).ok_or(NotBound::Refused(refused::NO_ROOM))?;
        return Ok(Some(Lead { stands: function.address(), asked: may_ask }));
    }
    if takes && !is_function(name, symbol, value) {
        return Ok(None);
    }
    let provider = objects::place_of_code(value).ok_or(NotBound::Refused(refused::NOT_CODE))?;
    let imported = Imported { name, real: value, provider: objects::object(provider), rules, takes };
    let asked = imported.is_asked(object);
    let function = imported.function(asked)?;
    Ok(Some(Lead { stands: function.address(), asked }))
}
