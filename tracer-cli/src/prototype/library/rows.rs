//! All prototypes at once, for the plan.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::Prototypes;
use crate::prototype::files::Place;
use crate::prototype::types::Prototype;

/// A function's prototype for one provider, or for all that have none of their own.
#[derive(Clone, Debug)]
pub struct Row {
    /// The function's symbol. The prototype may have been written for another name of it.
    pub name: String,
    /// Who provides it: an object's path, or its name with or without the parts of its version (`libc.so`).
    /// `None`: anybody.
    pub provider: Option<String>,
    /// The prototype.
    pub prototype: Rc<Prototype>,
}

/// Rows, of which earlier ones hide later ones.
#[derive(Default)]
struct Rows {
    rows: Vec<Row>,
    /// Functions that have a row for anybody.
    settled: HashSet<String>,
    seen: HashSet<(String, String)>,
}

impl Rows {
    fn push(&mut self, name: &str, provider: Option<&str>, prototype: Rc<Prototype>) {
        let new = !self.settled.contains(name)
            && match provider {
                None => self.settled.insert(name.to_owned()),
                Some(provider) => self.seen.insert((name.to_owned(), provider.to_owned())),
            };
        if new {
            let provider = provider.map(str::to_owned);
            self.rows.push(Row { name: name.to_owned(), provider, prototype });
        }
    }
}

impl Prototypes {
    /// Reads what these objects themselves tell of their functions that no file knows.
    pub fn learn(&self, objects: &[PathBuf]) {
        for object in objects {
            self.learned(object);
        }
    }

    /// Everything that [`Prototypes::of`] can answer, but of objects only those that have been
    /// learned. A row for a provider counts before one for anybody.
    #[must_use]
    pub fn all(&self) -> Vec<Row> {
        let mut rows = Rows::default();
        for place in &self.places.all {
            match place {
                Place::File(path) => {
                    for prototype in self.loader.file(path).iter().flat_map(|file| file.all()) {
                        rows.push(&prototype.name, None, Rc::clone(&prototype));
                    }
                }
                Place::Directory(path) => {
                    for stem in stems_in(path) {
                        let file = self.loader.in_directory(path, &stem);
                        for prototype in file.iter().flat_map(|file| file.all()) {
                            rows.push(&prototype.name, Some(&stem), Rc::clone(&prototype));
                        }
                    }
                }
                Place::Shipped => self.push_shipped(&mut rows),
            }
        }
        rows.rows
    }

    fn push_shipped(&self, rows: &mut Rows) {
        for (object, learned) in self.learned.borrow().iter() {
            for (name, prototype) in learned.iter() {
                rows.push(name, object.to_str(), Rc::clone(prototype));
            }
        }
        // The first of our files that knows a function speaks for everybody, but for the libraries that others
        // of them are about.
        let files: Vec<_> =
            self.loader.shipped_stems().filter_map(|stem| Some((stem, self.loader.shipped(stem)?))).collect();
        let mut first = HashSet::new();
        for (stem, file) in &files {
            for prototype in file.own() {
                if !first.insert(&prototype.name) {
                    rows.push(&prototype.name, Some(stem), Rc::clone(prototype));
                }
            }
        }
        for prototype in files.iter().flat_map(|(_, file)| file.own()) {
            rows.push(&prototype.name, None, Rc::clone(prototype));
        }
    }
}

/// The names of a directory's files about libraries, without `.conf`, longer ones first: they are about a version.
fn stems_in(directory: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let mut stems: Vec<String> = names
        .filter_map(|name| name.strip_suffix(".conf").map(str::to_owned))
        .filter(|stem| stem != "syscalls")
        .collect();
    stems.sort_unstable_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    stems
}
