//! What a printer keeps of each function: its name as it is shown, and how it says that it failed.

use std::collections::HashMap;
use std::rc::Rc;

use super::entry_only;
use super::failure::{self, Convention};
use super::style::{Chosen, Style};
use crate::symbols::demangled;
use crate::trace::event::Function;

/// A function as it is shown.
#[derive(Debug)]
pub struct Named {
    /// In front of the arguments: `malloc`, or `malloc@libc.so.6`.
    pub call: Box<str>,
    /// Its name alone.
    pub name: Box<str>,
    /// How it says that it failed.
    pub convention: Convention,
    /// It never returns.
    pub never_returns: bool,
    /// It was chosen by `-x`.
    pub entry_point: bool,
}

/// All functions met.
pub struct Functions {
    demangle: bool,
    entry_point: Option<Chosen>,
    /// By number.
    known: HashMap<u32, Rc<Named>>,
    /// The last one.
    last: Option<(u32, Rc<Named>)>,
}

impl Functions {
    /// None yet.
    pub fn new(style: &Style) -> Self {
        Self {
            demangle: style.demangle,
            entry_point: style.entry_point.clone(),
            known: HashMap::new(),
            last: None,
        }
    }

    /// A function as it is shown.
    pub fn of(&mut self, function: &Function) -> Rc<Named> {
        if let Some((number, named)) = &self.last
            && *number == function.number
        {
            return Rc::clone(named);
        }
        let make = || Rc::new(named(function, self.demangle, self.entry_point.as_deref()));
        let named = Rc::clone(self.known.entry(function.number).or_insert_with(make));
        self.last = Some((function.number, Rc::clone(&named)));
        named
    }
}

fn named(function: &Function, demangle: bool, entry_point: Option<&dyn Fn(&Function) -> bool>) -> Named {
    let name = if demangle { demangled(&function.name).into_owned() } else { function.name.clone() };
    let entry_point = entry_point.is_some_and(|chosen| chosen(function));
    // As ltrace does: not behind functions of the program itself.
    let call = match function.provider_name.as_str() {
        provider if entry_point && provider != "MAIN" => format!("{name}@{provider}"),
        _ => name.clone(),
    };
    Named {
        call: call.into(),
        name: name.into(),
        convention: failure::convention(function),
        never_returns: entry_only::never_returns(&function.name),
        entry_point,
    }
}
