//! Addresses of functions that stand where they may be taken from: in all objects they are made to lead to the same entry,
//! so that they compare equal.

use goblin::elf64::section_header::SHN_UNDEF;
use goblin::elf64::sym::{STT_FUNC, STT_GNU_IFUNC, STT_NOTYPE, Sym, st_type};

use super::functions::{self, Function};
use super::objects::{self, Object};
use super::relocations::{self, Use};
use super::slots::Writer;
use super::{definitions, special, watch};
use crate::image;

/// Whether the symbol that a relocation refers to is, or may be, a function.
pub(crate) fn may_be_function(symbol: &Sym) -> bool {
    matches!(st_type(symbol.st_info), STT_FUNC | STT_GNU_IFUNC | STT_NOTYPE)
}

/// Whether `value`, in a slot from which addresses may be taken, is a function's own address.
///
/// A library that was linked without those it needs knows no types of what it imports, and data may lie beside code. An
/// executable may have lent a function the address of an entry of its PLT: calls through that come by another slot.
pub(crate) fn is_function(name: &[u8], symbol: Option<&Sym>, value: u64) -> bool {
    let Some(provider) = objects::place_of_code(value).map(objects::object) else { return false };
    let has_type = symbol.is_some_and(|symbol| st_type(symbol.st_info) != STT_NOTYPE);
    if has_type && !provider.is_program {
        return true;
    }
    let defines = |symbol: &Sym| u32::from(symbol.st_shndx) != SHN_UNDEF && may_be_function(symbol);
    provider.tables.is_some_and(|tables| definitions::find_that(&tables, name, defines).is_some())
}

/// Makes slots from which addresses may be taken lead to the entries of their functions, where these have some.
pub(crate) fn follow(object: &Object, writer: &mut Writer) {
    let Some(tables) = object.tables.filter(|_| !object.is_own) else { return };
    for slot in relocations::all(object) {
        let value = slot.value();
        if !matches!(slot.used, Use::CallOrTake | Use::Take) || value == 0 {
            continue;
        }
        // Asked first, because it is quick to say no.
        if functions::find(value, Function::is_taken).is_none() {
            continue;
        }
        let symbol = tables.symbol(slot.symbol);
        let name = tables.name(symbol);
        if !may_be_function(symbol)
            || special::is_untouchable(name)
            || !is_function(name, Some(symbol), value)
        {
            continue;
        }
        if let Some(function) = standing_for(name, value) {
            writer.write(&object.image, slot.address, function.address());
        }
    }
}

/// The entry that stands in slots from which the address of the function of this name at `value` may be taken.
pub(crate) fn standing_for(name: &[u8], value: u64) -> Option<&'static Function> {
    match objects::place_of_code(value).map(objects::object) {
        Some(provider) if is_indirect(provider, name) => {
            functions::find(value, |function| function.is_taken() && is_named(function, name))
        }
        _ => functions::find(value, Function::is_taken),
    }
}

/// Whether a name is one of an indirect function: others that happen to be implemented by the same code are functions of
/// their own.
pub(crate) fn is_indirect(provider: &Object, name: &[u8]) -> bool {
    provider
        .tables
        .is_some_and(|tables| definitions::find_that(&tables, name, definitions::is_indirect).is_some())
}

/// Whether a function is in the directory by this name.
fn is_named(function: &Function, name: &[u8]) -> bool {
    image::segment().and_then(|segment| segment.directory()).is_some_and(|directory| {
        directory.get(function.directory_number()).is_some_and(|met| met.name == name)
    })
}

/// Makes all slots from which addresses may be taken follow those that are taken elsewhere.
pub(crate) fn follow_everywhere() {
    watch::while_nothing_is_loaded(|| {
        let mut writer = Writer::new();
        objects::all().for_each(|place| follow(objects::object(place), &mut writer));
    });
}
