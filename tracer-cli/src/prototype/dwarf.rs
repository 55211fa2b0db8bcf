//! Prototypes from the debug information of the object that has the functions.
//!
//! What cannot be told exactly is not told at all: a function of which one parameter has a type that has no place in
//! [`super::types`] (a 128-bit integer, a class whose layout is unusual) has no prototype.

mod classes;
mod entries;
mod scalars;
mod sections;
mod structs;
#[cfg(test)]
mod tests;
mod types;

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use gimli::{EndianSlice, LittleEndian};

use entries::{Entries, Entry};
use types::Types;

use super::types::{Kind, Lens, Origin, Parameter, Prototype, Typed};

/// Names of parameters that are formats if variable arguments follow.
const FORMATS: [&str; 5] = ["format", "fmt", "__format", "__fmt", "_format"];

/// What is to be found.
pub(super) struct Wanted<'a> {
    /// Functions' symbols, and where each one's code is in the object's file (not of one that the loader chooses from several).
    pub(super) symbols: &'a HashMap<&'a str, Option<u64>>,
    /// The type that a file gives a name to: it counts instead of what the debug information says.
    pub(super) typed: &'a dyn Fn(&str) -> Option<Typed>,
}

/// The prototypes of functions of an object that its debug information can tell; none if it has none, or it cannot
/// be read.
pub(super) fn read(
    object: &File,
    path: &Path,
    debug_directories: &[PathBuf],
    wanted: &Wanted<'_>,
) -> HashMap<String, Rc<Prototype>> {
    let mut found = HashMap::new();
    let Ok(Some(sections)) = sections::read(object, path, debug_directories) else { return found };
    let dwarf = sections.borrow(|bytes| EndianSlice::new(bytes, LittleEndian));
    let entries = Entries::of(&dwarf);
    let mut functions =
        Functions { wanted, by_address: HashMap::new(), types: Types::new(&entries, wanted.typed) };
    for (name, address) in wanted.symbols {
        if let Some(address) = address {
            functions.by_address.entry(*address).or_default().push(name);
        }
    }
    for function in entries.functions() {
        functions.add(&entries, &function, &mut found);
    }
    functions.types.finish();
    found
}

/// Looks for the wanted functions.
struct Functions<'a, 'd> {
    wanted: &'a Wanted<'a>,
    by_address: HashMap<u64, Vec<&'a str>>,
    types: Types<'a, 'd>,
}

impl<'d> Functions<'_, 'd> {
    /// Adds a function's prototype under all its wanted names.
    fn add(
        &mut self,
        entries: &Entries<'d>,
        function: &Entry<'d>,
        found: &mut HashMap<String, Rc<Prototype>>,
    ) {
        if entries.flag(function, gimli::DW_AT_declaration) {
            return;
        }
        let mut names: Vec<&str> = Vec::new();
        if entries.inherited_flag(function, gimli::DW_AT_external) {
            let linkage = entries.inherited_text(function, gimli::DW_AT_linkage_name);
            let plain = entries.inherited_text(function, gimli::DW_AT_name);
            names.extend(linkage.or(plain).filter(|name| self.wanted.symbols.contains_key(name)));
        }
        if let Some(address) = entries.address(function) {
            names.extend(self.by_address.get(&address).into_iter().flatten());
        }
        names.retain(|name| !found.contains_key(*name));
        if let Some(first) = names.first()
            && let Some(prototype) = self.prototype(entries, function, first)
        {
            let prototype = Rc::new(prototype);
            found.extend(names.iter().map(|name| ((*name).to_owned(), Rc::clone(&prototype))));
        }
    }

    fn prototype(&mut self, entries: &Entries<'d>, function: &Entry<'d>, name: &str) -> Option<Prototype> {
        let mut parameters = Vec::new();
        let returns = match entries.inherits(function, gimli::DW_AT_type) {
            false => Typed::plain(Kind::Void),
            true => {
                let returned = self.types.passed(&entries.typed(function)?)?;
                if returned.by_reference {
                    // The caller says where the result goes, and gets that address back.
                    let place = Typed { kind: pointer_to_nothing(), lens: Lens::Hide };
                    parameters.push(Parameter::of(place));
                }
                returned_text(returned.typed)
            }
        };
        let mut variadic = false;
        for child in entries.children(function) {
            match child.tag {
                gimli::DW_TAG_formal_parameter => {
                    let typed = self.types.passed(&entries.typed(&child)?)?.typed;
                    let name = entries.inherited_text(&child, gimli::DW_AT_name).map(str::to_owned);
                    parameters.push(Parameter { name, ..Parameter::of(typed) });
                }
                gimli::DW_TAG_unspecified_parameters => variadic = true,
                _ => {}
            }
        }
        if variadic {
            add_format(&mut parameters);
        }
        Some(Prototype { name: name.to_owned(), returns, parameters, origin: Origin::Dwarf })
    }
}

/// Variable arguments are known if a string before them is a format: its name says so.
fn add_format(parameters: &mut Vec<Parameter>) {
    let is_format = |name: &str| FORMATS.contains(&name);
    if let Some(last) = parameters.last_mut()
        && last.typed.lens == Lens::String
        && last.name.as_deref().is_some_and(is_format)
    {
        last.typed.lens = Lens::Format;
        let typed = Typed::plain(Kind::Variadic);
        parameters.push(Parameter::of(typed));
    }
}

/// A function that gives a pointer to characters gives a string; one that takes such a pointer may write there.
fn returned_text(typed: Typed) -> Typed {
    match &typed.kind {
        Kind::Pointer(to) if typed.lens == Lens::Default && to.kind == Kind::Char => types::text(Kind::Char),
        _ => typed,
    }
}

fn pointer_to_nothing() -> Kind {
    Kind::Pointer(Rc::new(Typed::plain(Kind::Void)))
}
