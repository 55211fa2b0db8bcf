//! A function that somebody imports: whether its calls are asked for, what is recorded of it, and its entry.

use calltap_channel::note::refused;
use calltap_channel::trace::plan::{COUNT_ONLY, NO_ARGUMENTS, NO_MEMORY, Plan, TYPED, shape};

use super::binding::{NotBound, plan};
use super::follow::{is_function, is_indirect};
use super::functions::{self, Function, UNNUMBERED, Wanted};
use super::objects::{self, Object};
use super::{choose, special, typed, watch};
use crate::image;

/// A function that somebody calls by a name, or takes the address of.
pub(crate) struct Imported<'a> {
    /// Its name.
    pub(crate) name: &'a [u8],
    /// Its address.
    pub(crate) real: u64,
    /// The object that it is in.
    pub(crate) provider: &'static Object,
    /// The rules that its name fits.
    pub(crate) rules: u64,
    /// Whether its address may be taken.
    pub(crate) takes: bool,
}

impl Imported<'_> {
    /// Whether its calls by an object are asked for.
    pub(crate) fn is_asked(&self, caller: &Object) -> bool {
        choose::asks_for_call(self.rules, caller.rules)
            || choose::asks_for_function(self.rules, self.provider.rules)
    }

    /// Its entry, new or not: recorded if it is asked for, else only as far as we need to know of it.
    pub(crate) fn function(&self, asked: bool) -> Result<&'static Function, NotBound> {
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
        let same = |function: &Function| {
            function.directory_number() == wanted.number as u32 && function.has_just(wanted.flags)
        };
        let indirect = self.takes && is_indirect(self.provider, self.name);
        let function = if self.takes {
            let shared = functions::find(self.real, |function| {
                function.is_taken()
                    && !(asked && function.has(functions::SILENT))
                    && (!indirect || function.directory_number() == wanted.number as u32)
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
pub(crate) fn is_needed(name: &[u8]) -> bool {
    let flags = plan().map_or(0, |plan| plan.flags());
    // Where nothing is recorded, nothing is left behind either; but entries stand where addresses may be taken.
    let left_behind = if flags & COUNT_ONLY != 0 {
        0
    } else {
        functions::LEAVES
            | functions::BACKTRACES
            | functions::UNWINDS
            | functions::CONTROLS
            | functions::CALLS_KERNEL
    };
    let needed = left_behind | functions::VFORKS | functions::GIVES_ADDRESS | functions::TAKES_ADDRESS;
    special::flags(name) & needed != 0 || watch::is_wanted(name)
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
        return typed::called(caller, name, real);
    }
    let provider = objects::object(objects::place_of_code(real)?);
    let imported = Imported { name, real, provider, rules, takes: false };
    let function = imported.function(imported.is_asked(caller)).ok()?;
    Some(Called { function, stands: function.address() })
}

/// The entry of a function whose address the program is given; None if it is to have the function's own.
pub(crate) fn taken(name: &[u8], real: u64, provider: &'static Object, rules: u64) -> Option<u64> {
    if special::is_untouchable(name) || !is_function(name, None, real) {
        return None;
    }
    let imported = Imported { name, real, provider, rules, takes: true };
    Some(imported.function(true).ok()?.address())
}
