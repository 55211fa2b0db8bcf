//! Names and lines for addresses of objects, by blazesym.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use blazesym::symbolize::source::{Elf, Source};
use blazesym::symbolize::{CodeInfo, Input, Sym, Symbolized, Symbolizer};

use super::Detail;
use super::debug_file::DebugDirectories;
use super::demangle::demangled;
use super::files::{FileId, Files};

/// Addresses that are looked up together, so that progress can be shown.
const BATCH: usize = 512;
/// More objects at a time would mean more debug information in memory at a time.
const MAX_THREADS: usize = 4;

/// One function that an address is in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) function: Option<Arc<str>>,
    /// As the linker knows it, if that is something else.
    pub(super) mangled: Option<Arc<str>>,
    pub(super) file: Option<Arc<str>>,
    pub(super) line: Option<u32>,
    pub(super) inlined: bool,
    /// How far behind the function's beginning the address is; not of inlined ones.
    pub(super) within: Option<u64>,
}

impl Named {
    /// Whether its name may lack the namespace and class that it is in: debug information leaves the
    /// linker's name of functions away that no other object can call.
    fn is_unscoped(&self) -> bool {
        self.function.is_some() && self.mangled.is_none()
    }
}

/// The names of an address, innermost first; none if nothing is known.
pub(super) type Names = Arc<[Named]>;

/// Where it is all looked up.
pub(super) struct Lookup<'a> {
    pub(super) files: &'a Files,
    pub(super) directories: &'a DebugDirectories,
    pub(super) detail: Detail,
}

/// What one object is asked for: virtual addresses, ascending.
struct Question {
    file: FileId,
    addresses: Vec<u64>,
}

/// Some of the answers.
type Found = (FileId, Vec<(u64, Names)>);

impl Lookup<'_> {
    /// Looks up virtual addresses, each once. `progress` is told how many are done, and of how many.
    pub(super) fn all(
        &self,
        asked: HashMap<FileId, Vec<u64>>,
        progress: &mut dyn FnMut(usize, usize),
    ) -> HashMap<(FileId, u64), Names> {
        let questions = asked.into_iter().map(|(file, mut addresses)| {
            addresses.sort_unstable();
            addresses.dedup();
            Question { file, addresses }
        });
        let mut questions: Vec<Question> = questions.collect();
        // The longest first, so that all threads end at about the same time.
        questions.sort_by_key(|question| Reverse((question.addresses.len(), question.file)));
        let total = questions.iter().map(|question| question.addresses.len()).sum();
        let (mut names, mut done) = (HashMap::with_capacity(total), 0);
        let mut learn = |(file, found): Found| {
            done += found.len();
            names.extend(found.into_iter().map(|(address, found)| ((file, address), found)));
            progress(done, total);
        };
        match &*questions {
            [] => {}
            // A thread takes longer to start than a small object to read.
            [only] => self.answer(only, &mut learn),
            _ => self.answer_all(questions, learn),
        }
        names
    }

    /// Answers several questions at a time.
    fn answer_all(&self, questions: Vec<Question>, learn: impl FnMut(Found)) {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let threads = threads.min(MAX_THREADS).min(questions.len());
        let questions = Mutex::new(questions.into_iter());
        let (sender, receiver) = mpsc::channel();
        thread::scope(|scope| {
            for _ in 0..threads {
                let (sender, questions) = (sender.clone(), &questions);
                scope.spawn(move || {
                    let next = || questions.lock().ok()?.next();
                    while let Some(question) = next() {
                        // The receiver lives as long as this thread.
                        self.answer(&question, &mut |found| drop(sender.send(found)));
                    }
                });
            }
            drop(sender);
            receiver.into_iter().for_each(learn);
        });
    }

    fn answer(&self, question: &Question, found: &mut dyn FnMut(Found)) {
        let Question { file, addresses } = question;
        let mut answered = 0;
        let mut send = |names: Vec<(u64, Names)>| {
            answered += names.len();
            found((*file, names));
        };
        if let Ok(object) = self.files.read(*file) {
            let path = self.files.path(*file);
            let debug_file = self.directories.debug_file(&object.file, Path::new(&*path));
            let (object, debug_file) = (&object.path, debug_file.as_deref());
            // A file that makes the library panic must not cost the report.
            let _ = catch_unwind(AssertUnwindSafe(|| {
                look_up(object, debug_file, self.directories.all(), self.detail, addresses, &mut send);
            }));
        }
        let unknown = addresses[answered..].iter().map(|&address| (address, Names::from([])));
        found((*file, unknown.collect()));
    }
}

/// Looks up addresses of an object, in ascending order, and hands them out batch by batch.
///
/// `object` leads to the object, `debug_file` to its separate debug information. What was read of
/// them is forgotten at the end.
pub(super) fn look_up(
    object: &Path,
    debug_file: Option<&Path>,
    debug_directories: &[PathBuf],
    detail: Detail,
    addresses: &[u64],
    mut found: impl FnMut(Vec<(u64, Names)>),
) {
    let symbolizer =
        Symbolizer::builder().set_debug_dirs(Some(debug_directories)).enable_demangling(false).build();
    let source = |path: &Path, debug_syms| Source::Elf(Elf { debug_syms, ..Elf::new(path) });
    let best = debug_file.unwrap_or(object);
    // Where the first cannot be read at all, or does not know an address, the next one is asked.
    let reads_lines = detail == Detail::Lines || debug_file.is_none();
    let mut sources = vec![source(best, false)];
    if reads_lines {
        sources.insert(0, source(best, true));
    }
    if debug_file.is_some() {
        sources.push(source(object, false));
    }
    let linkers = source(best, false);
    let mut texts = Texts::default();
    for batch in addresses.chunks(BATCH) {
        let mut names: Vec<(u64, Names)> = batch.iter().map(|&address| (address, Names::from([]))).collect();
        sources.retain(|source| {
            let open = (0..names.len()).filter(|&index| names[index].1.is_empty());
            let open: Vec<usize> = open.collect();
            let asked: Vec<u64> = open.iter().map(|&index| names[index].0).collect();
            let Ok(answers) = symbolizer.symbolize(source, Input::VirtOffset(&asked)) else {
                return false;
            };
            for (index, answer) in open.into_iter().zip(answers) {
                if let Symbolized::Sym(symbol) = answer {
                    names[index].1 = texts.names(&symbol);
                }
            }
            true
        });
        let unscoped = names.iter_mut().filter(|(_, names)| names.last().is_some_and(Named::is_unscoped));
        let unscoped: Vec<_> = unscoped.collect();
        let asked: Vec<u64> = unscoped.iter().map(|(address, _)| *address).collect();
        if let Ok(answers) = symbolizer.symbolize(&linkers, Input::VirtOffset(&asked)) {
            for ((_, names), answer) in unscoped.into_iter().zip(answers) {
                if let Symbolized::Sym(symbol) = answer {
                    texts.scope(names, &symbol.name);
                }
            }
        }
        found(names);
    }
}

/// Every text once.
#[derive(Default)]
struct Texts {
    functions: HashMap<String, (Arc<str>, Option<Arc<str>>)>,
    files: HashMap<PathBuf, Arc<str>>,
}

impl Texts {
    fn names(&mut self, symbol: &Sym) -> Names {
        let inlined = symbol.inlined.iter().rev();
        let inlined = inlined.map(|function| (&function.name, function.code_info.as_ref(), true));
        let all = inlined.chain([(&symbol.name, symbol.code_info.as_deref(), false)]);
        all.map(|(name, place, inlined)| {
            let (function, mangled) = match &**name {
                "" => (None, None),
                name => {
                    let (function, mangled) = self.function(name);
                    (Some(function), mangled)
                }
            };
            let (file, line) = (place.map(|place| self.file(place)), place.and_then(|place| place.line));
            let within = (!inlined).then_some(symbol.offset as u64);
            Named { function, mangled, file, line, inlined, within }
        })
        .collect()
    }

    /// Gives the function that is not inlined the linker's name, if that says more.
    fn scope(&mut self, names: &mut Names, raw: &str) {
        let (function, mangled) = self.function(raw);
        if mangled.is_none() {
            return;
        }
        let mut scoped = names.to_vec();
        if let Some(last) = scoped.last_mut() {
            (last.function, last.mangled) = (Some(function), mangled);
        }
        *names = scoped.into();
    }

    fn function(&mut self, raw: &str) -> (Arc<str>, Option<Arc<str>>) {
        if let Some(known) = self.functions.get(raw) {
            return known.clone();
        }
        let name = demangled(raw);
        let names = (Arc::from(&*name), (name != raw).then(|| raw.into()));
        self.functions.insert(raw.to_owned(), names.clone());
        names
    }

    fn file(&mut self, place: &CodeInfo) -> Arc<str> {
        // Without the `.` that compilers leave in.
        let path: PathBuf = place.to_path().components().collect();
        let text = self.files.entry(path).or_insert_with_key(|path| path.to_string_lossy().into());
        Arc::clone(text)
    }
}
