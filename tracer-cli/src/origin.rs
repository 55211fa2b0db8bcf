//! Who owns a block that is still allocated at exit: the program, or the C or C++ run-time.
//!
//! The direct caller of the allocation decides. In the dynamic loader it is the run-time. In the C
//! library the function that holds the call is looked up in two lists of names ([`names`]). A C
//! library without `.symtab` names only what it exports; for a hidden function the direct calls in
//! the machine code are climbed until exported functions are reached, and the nearest ones that
//! the lists know decide ([`callers`]). What cannot be decided is taken for the program's, because
//! a run-time block reported as a leak can be checked, and a leak that is not reported cannot.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::path::Path;

use calltap_channel::function::{Effect, Function};
use serde::Serialize;

use crate::symbols::{Code, FileId, Symbols};

mod callers;
mod names;
mod object;
mod symbols;

use callers::Callers;
use names::Keeper;
use object::Object;

/// How many calls to climb from a hidden function; the longest way that mattered in glibc is 5.
const MAX_CLIMB: usize = 8;

/// Whose a block is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ownership {
    /// The program's own, or handed to it: not released, it is a leak.
    Program,
    /// Kept by the C or C++ run-time for its own purpose, named by the text.
    Runtime(&'static str),
    /// Taken for the program's for lack of evidence.
    ProgramGuess,
}

/// A place in the code of the target.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Site {
    /// The address in the process: a return address, one instruction behind the call. 0 if unknown.
    pub address: u64,
    /// Path of the object that holds it; `None` if no object is known to have been there.
    pub object: Option<String>,
    /// The same as a virtual address of the object file, as `addr2line` and `objdump` take it.
    /// Subtract 1 to get the line of the call itself.
    pub offset: u64,
    /// The function that holds the call, as the symbol table spells it.
    pub symbol: Option<String>,
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.object, self.address) {
            (None, 0) => return f.write_str("unknown"),
            (None, address) => write!(f, "{address:#x}")?,
            (Some(object), _) => {
                let name = object.rsplit('/').next().unwrap_or(object);
                write!(f, "{name}+{:#x}", self.offset)?;
            }
        }
        match &self.symbol {
            Some(symbol) => write!(f, " ({symbol})"),
            None => Ok(()),
        }
    }
}

/// Answers whose a call site is. Every object is read once, in parts, when it is first asked for.
#[derive(Debug, Default)]
pub struct Origins {
    objects: HashMap<FileId, Option<Known>>,
}

#[derive(Debug)]
struct Known {
    object: Object,
    callers: Option<Callers>,
    owners: HashMap<u64, Ownership>,
}

/// Whose code an object is, by its file name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Library {
    Loader,
    C,
    Cxx,
    NameService,
    Other,
}

impl Library {
    fn of(path: &Path) -> Self {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let is = |starts: &[&str]| starts.iter().any(|start| name.starts_with(start));
        match () {
            () if is(&["ld-linux", "ld-2.", "ld.so"]) => Self::Loader,
            () if is(&["libc.so", "libc-2."]) => Self::C,
            () if is(&["libstdc++.so", "libc++.so", "libc++abi.so", "libgcc_s.so"]) => Self::Cxx,
            () if is(&["libnss_", "libresolv.so", "libresolv-2."]) => Self::NameService,
            () => Self::Other,
        }
    }
}

impl Origins {
    /// Knows nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whose a block is that `function_name` (a C symbol) gave to its caller, which it returned to at
    /// `site`.
    pub fn owner(&mut self, site: &Code, function_name: &str, symbols: &Symbols) -> Ownership {
        match Library::of(Path::new(&*site.path)) {
            Library::Loader => Ownership::Runtime("loader and thread vectors"),
            Library::NameService => Ownership::Runtime("name service"),
            Library::C => self.decide(site, Known::owner_in_c_library, symbols),
            // What the C++ library acquires with `operator new` belongs to the object it is for.
            Library::Cxx if is_operator_new(function_name) => Ownership::Program,
            Library::Cxx => self.decide(site, Known::owner_in_cxx_library, symbols),
            Library::Other => self.decide(site, Known::owner_elsewhere, symbols),
        }
    }

    /// The function that holds the call that returns to `site`, as the symbol table spells it.
    pub fn symbol(&mut self, site: &Code, symbols: &Symbols) -> Option<String> {
        // The call may be the function's last instruction; the address behind it is another's.
        let call = site.address.wrapping_sub(1);
        self.known(site.file, symbols)?.object.function_at(call).map(str::to_owned)
    }

    fn decide(
        &mut self,
        site: &Code,
        rule: fn(&mut Known, u64) -> Ownership,
        symbols: &Symbols,
    ) -> Ownership {
        let Some(known) = self.known(site.file, symbols) else {
            return Ownership::ProgramGuess;
        };
        let call = site.address.wrapping_sub(1);
        if let Some(&owner) = known.owners.get(&call) {
            return owner;
        }
        let owner = rule(known, call);
        known.owners.insert(call, owner);
        owner
    }

    fn known(&mut self, file: FileId, symbols: &Symbols) -> Option<&mut Known> {
        self.objects
            .entry(file)
            .or_insert_with(|| {
                let object = Object::read(symbols.open(file).ok()?).ok()?;
                Some(Known { object, callers: None, owners: HashMap::new() })
            })
            .as_mut()
    }
}

impl Known {
    fn owner_in_c_library(&mut self, call: u64) -> Ownership {
        // The program's own call of a tapped function such as `strdup` would be known by that name.
        if self.object.exported_at(call).any(allocates) {
            return Ownership::Runtime("the library's own copies");
        }
        match self.nearest(call, names::keeper) {
            Some(Keeper::Program) => Ownership::Program,
            Some(Keeper::Runtime(what)) => Ownership::Runtime(what),
            None => Ownership::ProgramGuess,
        }
    }

    /// The emergency pool, exceptions in flight, unwind tables; only demangled names are handed out.
    fn owner_in_cxx_library(&mut self, call: u64) -> Ownership {
        let handed_out = |name: &str| {
            let out = name == "__cxa_demangle" || is_operator_new(name);
            out.then_some(Keeper::Program)
        };
        match self.nearest(call, handed_out) {
            Some(_) => Ownership::Program,
            None => Ownership::Runtime(CXX),
        }
    }

    /// The program's, unless the C++ run-time is linked into it.
    fn owner_elsewhere(&mut self, call: u64) -> Ownership {
        match self.object.function_at(call) {
            Some("_GLOBAL__sub_I_eh_alloc.cc" | "__cxa_allocate_exception") => Ownership::Runtime(CXX),
            _ => Ownership::Program,
        }
    }

    /// What a list says of the exported function that holds `call`, or of the nearest exported
    /// functions from which calls lead to it. `None` if it says nothing, or both.
    fn nearest(&mut self, call: u64, list: impl Fn(&str) -> Option<Keeper>) -> Option<Keeper> {
        let object = &self.object;
        let judge = |address| Judgement::of(object.exported_at(address), &list);
        match judge(call) {
            Judgement::Says(keeper) => return Some(keeper),
            Judgement::Silent => return None,
            Judgement::Climb => {}
        }
        let callers = self.callers.get_or_insert_with(|| Callers::of(object));
        let start = callers.function_of(call)?;
        let (mut seen, mut level) = (HashSet::from([start]), vec![start]);
        if callers.callers_of(start).next().is_none() {
            // Called through a table of functions, such as a kind of stream has.
            return object.tables_with(start).iter().find_map(|table| list(table));
        }
        for _ in 0..MAX_CLIMB {
            let (mut found, mut next) = (Vec::new(), Vec::new());
            for caller in level.iter().flat_map(|&callee| callers.callers_of(callee)) {
                if seen.insert(caller) {
                    match judge(caller) {
                        Judgement::Says(keeper) => found.push(keeper),
                        Judgement::Climb => next.push(caller),
                        Judgement::Silent => {}
                    }
                }
            }
            if let Some(&first) = found.first() {
                return found.iter().all(|&keeper| same_side(keeper, first)).then_some(first);
            }
            level = next;
        }
        None
    }
}

/// What a function's exported names say.
enum Judgement {
    Says(Keeper),
    /// Exported for all, but listed nowhere: its callers would not tell more.
    Silent,
    /// Hidden, or a name for the library's own use: its callers may tell.
    Climb,
}

impl Judgement {
    fn of<'a>(names: impl Iterator<Item = &'a str>, list: impl Fn(&str) -> Option<Keeper>) -> Self {
        let mut judgement = Self::Climb;
        for name in names {
            if let Some(keeper) = list(name) {
                return Self::Says(keeper);
            }
            if names::is_public(name) {
                judgement = Self::Silent;
            }
        }
        judgement
    }
}

const CXX: &str = "C++ run-time";

fn same_side(one: Keeper, other: Keeper) -> bool {
    matches!((one, other), (Keeper::Program, Keeper::Program) | (Keeper::Runtime(_), Keeper::Runtime(_)))
}

/// Whether a function is itself tapped as one that gives blocks.
fn allocates(symbol: &str) -> bool {
    Function::from_name(symbol).is_some_and(|function| {
        matches!(function.row().effect, Effect::Allocate(..) | Effect::AllocateAt(..))
    })
}

/// Whether a symbol is one of the `operator new` and `operator new[]` (Itanium C++ ABI).
fn is_operator_new(symbol: &str) -> bool {
    symbol.starts_with("_Znw") || symbol.starts_with("_Zna")
}

/// An object file, as fuzzing feeds it.
#[cfg(any(test, fuzzing))]
pub(crate) fn fuzz(file: std::fs::File, addresses: &[u64]) {
    let Ok(object) = Object::read(file) else { return };
    for &address in addresses {
        let _ =
            (object.function_at(address), object.exported_at(address).count(), object.tables_with(address));
    }
    Callers::of(&object);
}

#[cfg(test)]
mod tests;
