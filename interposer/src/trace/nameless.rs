//! What slots without a symbol are called (`R_X86_64_IRELATIVE`): those through which an object calls its own indirect
//! functions.
//!
//! A function that the object exports is in its table of dynamic symbols. Others stand in its file alone, which the CLI
//! has read if the object was to be there from the beginning; of an object that comes later nothing more is known.

use core::cell::OnceCell;

use calltap_channel::trace::plan::names::{FileId, NameKind};

use super::binding::plan;
use super::image::Tables;
use super::objects::Object;
use super::relocations::Slot;
use super::{choose, definitions};
use crate::kernel;

/// An object's nameless slots.
pub(crate) struct Nameless {
    object: &'static Object,
    file: OnceCell<Option<FileId>>,
}

impl Nameless {
    /// Those of this object.
    pub(crate) fn of(object: &'static Object) -> Self {
        Self { object, file: OnceCell::new() }
    }

    /// The name of what is called through a slot: the one of the code itself if a rule names that (`-x`), else that of the
    /// indirect function. Of several the first.
    pub(crate) fn name(&self, tables: &Tables, slot: &Slot) -> Option<&'static [u8]> {
        let code = slot.value().wrapping_sub(self.object.base);
        let is_named = |name: &[u8]| choose::asks_for_entry(choose::of_name(name), self.object.rules);
        self.in_file(NameKind::Function, code)
            .find(|name| is_named(name))
            .or_else(|| definitions::indirect_at(tables, slot.resolver).map(|symbol| tables.name(symbol)))
            .or_else(|| self.in_file(NameKind::Resolver, slot.resolver).next())
    }

    /// The names that the object's file has for an address.
    fn in_file(&self, kind: NameKind, address: u64) -> impl Iterator<Item = &'static [u8]> {
        let names = plan().into_iter().flat_map(|plan| plan.names());
        // The kernel is asked only where it matters: most objects have no such slots.
        let is_here = |file| *self.file.get_or_init(|| file_of(self.object)) == Some(file);
        names
            .filter(move |name| name.kind == kind && name.address == address && is_here(name.file))
            .map(|name| name.text)
    }
}

/// The file that an object is mapped from, if it still has the name by which the loader has opened it.
fn file_of(object: &Object) -> Option<FileId> {
    let path = if object.is_program { c"/proc/self/exe" } else { object.loader_path() };
    let (device, inode) = kernel::file_at(path)?;
    Some(FileId { device, inode })
}
