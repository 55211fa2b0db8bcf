//! Binding: slots of loaded objects are made to lead to entries.
//!
//! ```text
//!  objects      which objects there are; image, definitions: what they consist of
//!  relocations  an object's slots
//!  choose       which calls the rules ask for; pattern
//!  special      functions that are not like others
//!  functions    the entries, one for each function
//!  slots        writing; lazy: those that have not been bound yet
//!  watch        new objects; coverage: what is told of them
//! ```
//! A function whose address may be taken from a slot has one entry in all objects, asked for or not, so that addresses
//! compare equal everywhere; it asks who calls.

use core::cell::Cell;

use calltap_channel::note::refused;
use calltap_channel::trace::plan::{COUNT_ONLY, NO_ARGUMENTS, NO_MEMORY, Plan, TAP_DLSYM, TYPED, shape};
use goblin::elf64::section_header::SHN_UNDEF;
use goblin::elf64::sym::{STT_FUNC, STT_GNU_IFUNC, STT_NOTYPE, Sym, st_type};

use super::coverage::{self, Tally};
use super::functions::{self, Function, UNNUMBERED, Wanted};
use super::objects::{self, Object};
use super::relocations::{self, Slot, Use};
use super::slots::Writer;
use super::{choose, definitions, lazy, special, typed, watch};
use crate::image;

pub(crate) use super::given::given;
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
    super::call::prepare();
    // SAFETY: the loader runs constructors under its lock.
    unsafe { look_again() };
}

/// Binds objects that have been loaded since.
pub(crate) fn rescan() {
    // SAFETY: while nothing is loaded, the lock is held by us.
    watch::while_nothing_is_loaded(|| unsafe { look_again() });
}

/// As [`rescan`].
///
/// # Safety
/// The caller holds the loader's lock.
pub(crate) unsafe fn look_again() {
    let Some(plan) = plan() else { return };
    let begins = objects::own().is_none();
    // SAFETY: by the contract.
    let changes = unsafe { objects::look(choose::of_object) };
    if !changes.gone.is_empty() {
        forget(&changes.gone);
    }
    if changes.new.is_empty() {
        return;
    }
    let is_typed = plan.flags() & TYPED != 0;
    if is_typed && begins {
        typed::notice_program();
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
    for (place, tally) in tallies {
        coverage::bound(objects::object(place), &tally);
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
    for slot in relocations::all(object) {
        let symbol = tables.symbol(slot.symbol);
        match slot.used {
            Use::Take => {}
            Use::Nameless if choose::is_asked_about(object.rules) => tally.refuse(refused::NAMELESS),
            Use::Nameless => tally.left += 1,
            Use::Call(_) | Use::CallOrTake => {
                let name = tables.name(symbol);
                match lead(place, &slot, symbol, name) {
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
                }
            }
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
enum NotBound {
    /// Nobody asks for the function.
    Left,
    /// See [`refused`].
    Refused(u64),
}

/// Decides about a slot through which its object may call. None if it is none of a function.
fn lead(place: usize, slot: &Slot, symbol: &Sym, name: &[u8]) -> Result<Option<Lead>, NotBound> {
    let object = objects::object(place);
    let value = slot.value();
    let takes = slot.used == Use::CallOrTake;
    if value == 0 || (takes && !may_be_function(symbol)) || functions::at_entry(value).is_some() {
        return Ok(None);
    }
    let rules = choose::of_name(name);
    let may_ask = choose::may_ask(rules, object.rules);
    let needed = is_needed(name);
    if !may_ask && !needed {
        return if takes && !is_function(name, Some(symbol), value) { Ok(None) } else { Err(NotBound::Left) };
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
    if takes && !is_function(name, Some(symbol), value) {
        return Ok(None);
    }
    let provider = objects::place_of_code(value).ok_or(NotBound::Refused(refused::NOT_CODE))?;
    let call = Call { name, real: value, provider: objects::object(provider), rules, takes };
    let asked = call.is_asked(object);
    let function = call.function(asked)?;
    Ok(Some(Lead { stands: function.address(), asked }))
}

/// What the first call through a lazy slot has led to.
pub(crate) struct Called {
    /// Whose call it is.
    pub(crate) function: &'static Function,
    /// What is to stand in the slot.
    pub(crate) stands: u64,
}

/// The function at `real` that an object has called by a name with these rules through a slot for calls; None if it is not
/// to be traced.
pub(crate) fn called(name: &[u8], real: u64, caller: &Object, rules: u64) -> Option<Called> {
    if plan()?.flags() & TYPED != 0 {
        return typed::called(name, real, caller);
    }
    let provider = objects::object(objects::place_of_code(real)?);
    let call = Call { name, real, provider, rules, takes: false };
    let function = call.function(call.is_asked(caller)).ok()?;
    Some(Called { function, stands: function.address() })
}

/// The entry of a function whose address the program is given; None if it is to have the function's own.
pub(crate) fn taken(name: &[u8], real: u64, provider: &'static Object, rules: u64) -> Option<u64> {
    if special::is_untouchable(name) || !is_function(name, None, real) {
        return None;
    }
    let call = Call { name, real, provider, rules, takes: true };
    Some(call.function(true).ok()?.address())
}

/// Makes all slots from which addresses may be taken follow those that are taken elsewhere.
pub(crate) fn follow_everywhere() {
    watch::while_nothing_is_loaded(|| {
        let mut writer = Writer::new();
        objects::all().for_each(|place| follow(objects::object(place), &mut writer));
    });
}

/// A function that somebody calls by a name.
struct Call<'a> {
    name: &'a [u8],
    real: u64,
    provider: &'static Object,
    /// The rules that its name fits.
    rules: u64,
    /// Whether its address may be taken.
    takes: bool,
}

impl Call<'_> {
    fn is_asked(&self, caller: &Object) -> bool {
        choose::asks_for_call(self.rules, caller.rules)
            || choose::asks_for_function(self.rules, self.provider.rules)
    }

    /// Its entry, new or not: recorded if it is asked for, else only as far as we need to know of it.
    fn function(&self, asked: bool) -> Result<&'static Function, NotBound> {
        let plan = plan().ok_or(NotBound::Left)?;
        if self.provider.is_own || !(asked || is_needed(self.name)) {
            return Err(NotBound::Left);
        }
        let mut wanted = Wanted {
            real: self.real,
            flags: (special::flags(self.name) & !functions::JUMP) | functions::JUMP | functions::SILENT,
            number: u64::from(UNNUMBERED),
            captures: 0,
            rules: self.rules,
        };
        if asked {
            self.describe(&plan, &mut wanted)?;
            if self.takes && !choose::asks_whoever_calls(self.rules, self.provider.rules) {
                wanted.flags |= functions::ASKS_CALLER;
            }
        }
        if watch::is_wanted(self.name) {
            wanted.flags |= functions::WATCHED;
        }
        if plan.flags() & TAP_DLSYM != 0 && matches!(self.name, b"dlsym" | b"dlvsym") {
            wanted.flags |= functions::GIVES_ADDRESS;
        }
        let same = |function: &Function| {
            function.directory_number() == wanted.number as u32 && function.has_just(wanted.flags)
        };
        let indirect = self.takes && is_indirect(self.provider, self.name);
        let function = if self.takes {
            let shared = functions::find(self.real, |function| {
                function.is_taken() && (!indirect || function.directory_number() == wanted.number as u32)
            });
            shared.or_else(|| functions::get(&wanted, same))
        } else {
            functions::get(&wanted, same)
        };
        let function = function.ok_or(NotBound::Refused(refused::NO_ROOM))?;
        if self.takes {
            function.take();
        }
        Ok(function)
    }

    /// What is recorded of it.
    fn describe(&self, plan: &Plan<'_>, wanted: &mut Wanted) -> Result<(), NotBound> {
        let no_room = NotBound::Refused(refused::NO_ROOM);
        let Some(directory) = image::segment().and_then(|segment| segment.directory()) else {
            return Err(no_room);
        };
        let row = plan.row(self.name, |text| is_of(self.provider, text));
        let number = directory.number(self.name, self.provider.path(), row.map(|row| row.number));
        wanted.number = u64::from(number.ok_or(no_room)?);
        wanted.flags = special::flags(self.name);
        if plan.flags() & COUNT_ONLY != 0 {
            wanted.flags |= functions::COUNT | functions::JUMP;
            return Ok(());
        }
        let Some(row) = row else {
            wanted.flags |= functions::GUESSED;
            if plan.flags() & NO_ARGUMENTS == 0 {
                wanted.flags |= functions::VECTORS;
                wanted.number |= 6 << 32 | 8 << 40;
            }
            return Ok(());
        };
        if plan.flags() & NO_ARGUMENTS != 0 {
            return Ok(());
        }
        let vectors = row.shape >> shape::VECTORS_SHIFT & shape::VECTORS;
        wanted.number |= (row.shape & shape::GPRS) << 32 | vectors << 40;
        let mut flag = |is: bool, flag: u64| wanted.flags |= if is { flag } else { 0 };
        flag(vectors != 0, functions::VECTORS);
        flag(row.shape & shape::RDX != 0, functions::RETURNS_RDX);
        flag(row.shape & shape::RETURNS_VECTORS != 0, functions::RETURNS_VECTORS);
        flag(row.shape & shape::RETURNS_X87 != 0, functions::RETURNS_X87);
        if plan.flags() & NO_MEMORY == 0 {
            let stack = row.shape >> shape::STACK_SHIFT & shape::STACK;
            flag(row.entry != 0 || row.exit != 0 || stack != 0, functions::COPIES);
            wanted.number |= stack << 48;
            wanted.captures = row.entry as u64 | (row.exit as u64) << 32;
        }
        Ok(())
    }
}

/// Whether a row's provider text means this object: its path, or its soname, with whatever version.
fn is_of(provider: &Object, text: &[u8]) -> bool {
    if text.first() == Some(&b'/') {
        return text == provider.full_path();
    }
    let version = provider.soname().strip_prefix(text);
    version.is_some_and(|version| version.is_empty() || version.starts_with(b"."))
}

/// Whether calls of a function must come by us even if nobody asks for them.
fn is_needed(name: &[u8]) -> bool {
    let flags = plan().map_or(0, |plan| plan.flags());
    // Where nothing is recorded, nothing is left behind either.
    let left_behind = if flags & COUNT_ONLY != 0 {
        functions::VFORKS
    } else {
        functions::LEAVES | functions::VFORKS | functions::BACKTRACES | functions::UNWINDS
    };
    special::flags(name) & left_behind != 0
        || watch::is_wanted(name)
        || (flags & TAP_DLSYM != 0 && matches!(name, b"dlsym" | b"dlvsym"))
}

/// Whether the symbol that a relocation refers to is, or may be, a function.
fn may_be_function(symbol: &Sym) -> bool {
    matches!(st_type(symbol.st_info), STT_FUNC | STT_GNU_IFUNC | STT_NOTYPE)
}

/// Whether `value`, in a slot from which addresses may be taken, is a function's own address.
///
/// A library that was linked without those it needs knows no types of what it imports, and data may lie beside code. An
/// executable may have lent a function the address of an entry of its PLT: calls through that come by another slot.
fn is_function(name: &[u8], symbol: Option<&Sym>, value: u64) -> bool {
    let Some(provider) = objects::place_of_code(value).map(objects::object) else { return false };
    let has_type = symbol.is_some_and(|symbol| st_type(symbol.st_info) != STT_NOTYPE);
    if has_type && !provider.is_program {
        return true;
    }
    let Some(definition) = provider.tables.and_then(|tables| definitions::find(&tables, name)) else {
        return false;
    };
    u32::from(definition.st_shndx) != SHN_UNDEF && may_be_function(definition)
}

/// Makes slots from which addresses may be taken lead to the entries of their functions, where these have some.
fn follow(object: &Object, writer: &mut Writer) {
    let Some(tables) = object.tables.filter(|_| !object.is_own) else { return };
    for slot in relocations::all(object) {
        let value = slot.value();
        if !matches!(slot.used, Use::CallOrTake | Use::Take) || value == 0 {
            continue;
        }
        let Some(function) = functions::find(value, Function::is_taken) else { continue };
        let symbol = tables.symbol(slot.symbol);
        let name = tables.name(symbol);
        if !may_be_function(symbol) || special::is_untouchable(name) || !is_function(name, Some(symbol), value) {
            continue;
        }
        let function = match objects::place_of_code(value).map(objects::object) {
            Some(provider) if is_indirect(provider, name) => {
                functions::find(value, |function| function.is_taken() && is_named(function, name))
            }
            _ => Some(function),
        };
        if let Some(function) = function {
            writer.write(&object.image, slot.address, function.address());
        }
    }
}

/// Whether a name is one of an indirect function: others that happen to be implemented by the same code are functions of
/// their own.
fn is_indirect(provider: &Object, name: &[u8]) -> bool {
    let definition = provider.tables.and_then(|tables| definitions::find(&tables, name));
    definition.is_some_and(definitions::is_indirect)
}

/// Whether a function is in the directory by this name.
fn is_named(function: &Function, name: &[u8]) -> bool {
    image::segment()
        .and_then(|segment| segment.directory())
        .is_some_and(|directory| directory.get(function.directory_number()).is_some_and(|met| met.name == name))
}
