//! What a configuration file says.

use std::collections::HashMap;
use std::rc::Rc;

use crate::prototype::types::{Prototype, Typed};

/// The content of one file.
#[derive(Default)]
pub struct ConfigFile {
    pub(super) types: HashMap<String, Typed>,
    pub(super) prototypes: HashMap<String, Rc<Prototype>>,
    pub(super) imports: Vec<Rc<ConfigFile>>,
}

impl ConfigFile {
    /// The prototype of a function: its own before those of the files it imports.
    #[must_use]
    pub fn prototype(&self, name: &str) -> Option<&Rc<Prototype>> {
        self.prototypes.get(name).or_else(|| self.imports.iter().find_map(|file| file.prototype(name)))
    }

    /// The prototype of a function, if this very file has it.
    #[must_use]
    pub fn own_prototype(&self, name: &str) -> Option<&Rc<Prototype>> {
        self.prototypes.get(name)
    }

    /// The type that a name stands for.
    #[must_use]
    pub fn typed(&self, name: &str) -> Option<Typed> {
        let own = self.types.get(name).cloned();
        own.or_else(|| self.imports.iter().find_map(|file| file.typed(name)))
    }

    /// Every prototype that [`ConfigFile::prototype`] can give, in the order of names.
    #[must_use]
    pub fn all(&self) -> Vec<Rc<Prototype>> {
        let mut found = HashMap::new();
        self.gather(&mut found);
        let mut all: Vec<_> = found.into_values().collect();
        all.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        all
    }

    /// The number of prototypes of this very file.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.prototypes.len()
    }

    /// The prototypes of this very file.
    pub fn own(&self) -> impl Iterator<Item = &Rc<Prototype>> {
        self.prototypes.values()
    }

    fn gather<'a>(&'a self, found: &mut HashMap<&'a str, Rc<Prototype>>) {
        for (name, prototype) in &self.prototypes {
            found.entry(name).or_insert_with(|| Rc::clone(prototype));
        }
        for file in &self.imports {
            file.gather(found);
        }
    }
}
