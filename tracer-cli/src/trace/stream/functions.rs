//! The functions of a session, resolved: names from the directory, prototypes by name.

use std::collections::HashMap;
use std::rc::Rc;

use calltap_channel::trace::directory::Directory;

use crate::prototype::abi;
use crate::prototype::types::Prototype;
use crate::trace::event::Function;

/// A function as the directory has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Met {
    /// Its symbol.
    pub name: String,
    /// The provider's path; empty for the program itself.
    pub provider: String,
    /// Row of the plan.
    pub row: Option<u32>,
}

/// Where functions' names are.
#[derive(Debug)]
pub enum Names {
    /// In the session's segment.
    Live(Directory),
    /// In a recording.
    Recorded(HashMap<u32, Met>),
}

impl Names {
    /// The function with a number.
    #[must_use]
    pub fn get(&self, number: u32) -> Option<Met> {
        match self {
            Self::Live(directory) => directory.get(number).map(|met| Met {
                name: String::from_utf8_lossy(met.name).into_owned(),
                provider: String::from_utf8_lossy(met.provider).into_owned(),
                row: met.row,
            }),
            Self::Recorded(names) => names.get(&number).cloned(),
        }
    }
}

/// Who knows prototypes.
pub trait Lookup {
    /// Of a function, if what was recorded of its calls is what this prototype needs.
    fn function(&mut self, met: &Met) -> Option<Rc<Prototype>>;
    /// Of a system call.
    fn system_call(&mut self, name: &str) -> Option<Rc<Prototype>>;
}

/// The functions that were met.
pub struct Functions {
    names: Names,
    lookup: Box<dyn Lookup>,
    known: Vec<Option<Rc<Function>>>,
    /// Whether a call was told of a function that is not there.
    pub has_unknown: bool,
    system_calls: HashMap<&'static str, Option<Rc<Prototype>>>,
}

impl Functions {
    /// Knows none yet.
    #[must_use]
    pub fn new(names: Names, lookup: Box<dyn Lookup>) -> Self {
        Self { names, lookup, known: Vec::new(), has_unknown: false, system_calls: HashMap::new() }
    }

    /// More names came.
    pub fn learn(&mut self, number: u32, met: Met) {
        if let Names::Recorded(names) = &mut self.names {
            names.insert(number, met);
        }
    }

    /// The function with a number; without a name if there is none.
    pub fn get(&mut self, number: u32) -> Rc<Function> {
        let index = number as usize & (calltap_channel::trace::MAX_FUNCTIONS - 1);
        if index >= self.known.len() {
            self.known.resize(index + 1, None);
        }
        if let Some(known) = &self.known[index] {
            return Rc::clone(known);
        }
        let Some(met) = self.names.get(number) else {
            self.has_unknown = true;
            return Rc::new(Function {
                number,
                name: format!("function_{number}"),
                provider: String::new(),
                provider_name: "?".to_owned(),
                prototype: None,
                places: None,
            });
        };
        let prototype = self.lookup.function(&met);
        let function = Rc::new(Function {
            number,
            provider_name: provider_name(&met.provider).to_owned(),
            places: prototype.as_ref().map(|prototype| Rc::new(abi::places(prototype))),
            prototype,
            name: met.name,
            provider: met.provider,
        });
        self.known[index] = Some(Rc::clone(&function));
        function
    }

    /// The prototype of a system call.
    pub fn system_call(&mut self, name: &'static str) -> Option<&Rc<Prototype>> {
        let lookup = &mut self.lookup;
        self.system_calls.entry(name).or_insert_with(|| lookup.system_call(name)).as_ref()
    }
}

/// A provider's file name; `MAIN` for the program itself.
#[must_use]
pub fn provider_name(path: &str) -> &str {
    match path {
        "" => "MAIN",
        _ => path.rsplit('/').next().unwrap_or(path),
    }
}
