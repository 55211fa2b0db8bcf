//! What is known of each function that a program imports.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::imports::Imports;
use crate::prototype::exports::Exports;
use crate::prototype::library::Prototypes;
use crate::prototype::types::Prototype;

/// A function that an object imports.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// Its symbol.
    pub(super) name: String,
    /// The object that imports it.
    pub(super) caller: Rc<Path>,
    /// The object that has it, `None` if none of them has.
    pub(super) provider: Option<Rc<Path>>,
    /// What is known of it.
    pub(super) prototype: Option<Rc<Prototype>>,
    /// Why its calls cannot be traced.
    pub(super) obstacle: Option<&'static str>,
}

/// All of them: those that can be traced first.
#[derive(Debug, Default)]
pub(super) struct Rows(pub(super) Vec<Row>);

/// An object that is there from the beginning.
struct Object {
    path: Rc<Path>,
    exports: Exports,
    file: File,
}

impl Rows {
    /// What the first of these objects, or each of them (`all`), imports of the others.
    ///
    /// # Errors
    /// If the first one cannot be read; of others, what can be read counts.
    pub(super) fn of(objects: &[PathBuf], all: bool, prototypes: &Prototypes) -> io::Result<Self> {
        let mut opened = Vec::new();
        for (index, path) in objects.iter().enumerate() {
            match open(path) {
                Ok(object) => opened.push(object),
                Err(error) if index == 0 => return Err(error),
                Err(_) => {}
            }
        }
        let mut rows = Vec::new();
        for object in &opened[..if all { opened.len() } else { opened.len().min(1) }] {
            let imports = Imports::read(&object.file)?;
            // The loader binds to the first object that has it, in this order.
            let provider = |name: &str| opened.iter().find(|other| other.exports.provides(name));
            let functions = imports.functions.iter().map(|name| (name, provider(name)));
            let others = imports.others.difference(&imports.functions);
            let others = others.filter_map(|name| Some((name, Some(provider(name)?))));
            for (name, provider) in functions.chain(others) {
                let provider = provider.map(|provider| Rc::clone(&provider.path));
                let obstacle = obstacle(name, provider.is_some());
                let prototype = match &provider {
                    Some(provider) if obstacle.is_none() => prototypes.of(name, provider),
                    _ => None,
                };
                let caller = Rc::clone(&object.path);
                rows.push(Row { name: name.clone(), caller, provider, prototype, obstacle });
            }
        }
        rows.sort_by(|a, b| (a.obstacle.is_some(), &a.name).cmp(&(b.obstacle.is_some(), &b.name)));
        Ok(Self(rows))
    }

    /// Those whose name and provider's path (empty for the program itself, or nobody) fit.
    pub(super) fn chosen(self, fits: impl Fn(&str, &str) -> bool) -> Self {
        let provider =
            |row: &Row| row.provider.as_ref().map_or(String::new(), |path| path.display().to_string());
        Self(self.0.into_iter().filter(|row| fits(&row.name, &provider(row))).collect())
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn open(path: &Path) -> io::Result<Object> {
    let file = File::open(path)?;
    Ok(Object { path: path.into(), exports: Exports::read(&file)?, file })
}

/// Why calls of this function cannot be traced.
fn obstacle(name: &str, provided: bool) -> Option<&'static str> {
    let is_loaders = name.starts_with("_dl_") || matches!(name, "__tls_get_addr" | "___tls_get_addr");
    let is_profilers = name.starts_with("__cyg_profile_")
        || matches!(name, "__fentry__" | "mcount" | "_mcount" | "__gmon_start__");
    let is_compilers =
        name.starts_with("__morestack") || name == "rust_eh_personality" || name.ends_with("_personality_v0");
    if is_loaders {
        Some("part of the loader, not called as C calls functions")
    } else if is_profilers {
        Some("called by the compiler for profiling, not as C calls functions")
    } else if is_compilers {
        Some("called by the unwinder or the compiler's run-time, not as C calls functions")
    } else if !provided {
        Some("no object that is there from the beginning has it")
    } else {
        None
    }
}
