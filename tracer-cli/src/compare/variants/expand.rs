//! From options to variants.

use std::collections::HashMap;
use std::env;
use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{anyhow, bail};

use super::{Setting, Variant};
use crate::allocators;
use crate::compare::found::{self, KNOWN};
use crate::compare::options::Compare;
use crate::preflight;
use crate::prototype::exports::Exports;
use crate::trace::needed;
use crate::tracer::loader;

/// The C library's allocator, as the user writes it.
pub const GLIBC: &str = "glibc";

/// All variants, the baseline first, each with a label of its own.
///
/// # Errors
/// If an allocator is not installed or cannot be preloaded, or a variable is not to be set, with a hint.
pub fn expand(options: &Compare) -> anyhow::Result<Vec<Variant>> {
    for (at, setting) in options.env.iter().enumerate() {
        if setting.name == "LD_PRELOAD" {
            bail!(
                "LD_PRELOAD is what puts an allocator in place\nhint: name the library as --allocator PATH"
            );
        }
        if options.env[..at].iter().any(|other| other.name == setting.name) {
            let name = &setting.name;
            bail!("--env gives {name} twice\nhint: give all of its values at once: --env {name}=VALUE,VALUE");
        }
    }
    let directories = found::directories(env::var_os("LD_LIBRARY_PATH").as_deref());
    let allocators = match &options.allocator[..] {
        [] => installed(&directories, !options.env.is_empty()),
        names => names.iter().map(|name| allocator(name, &directories)).collect::<anyhow::Result<_>>()?,
    };
    // A command that cannot be found is told of elsewhere.
    let program = options.command.first();
    let program = program.and_then(|name| preflight::examine(name, env::var_os("PATH").as_deref()).ok());
    let first =
        program.and_then(|program| c_library_to_preload(&program.interpreter.unwrap_or(program.path)));
    let allocators = allocators.into_iter().map(|(name, library)| match library {
        None => (name, first.clone()),
        library => (name, library),
    });
    Ok(labelled(&allocators.collect::<Vec<_>>(), &options.env))
}

/// A name, and what is preloaded.
type Allocator = (String, Option<PathBuf>);

/// What is compared if the user names none.
fn installed(directories: &[PathBuf], only_settings: bool) -> Vec<Allocator> {
    let mut all = vec![(GLIBC.to_owned(), None)];
    if !only_settings {
        let found = |known: &found::Known| Some((known.name.to_owned(), Some(known.find(directories)?)));
        all.extend(KNOWN.iter().filter_map(found));
    }
    all
}

/// The allocator that a name or a path means.
fn allocator(text: &str, directories: &[PathBuf]) -> anyhow::Result<Allocator> {
    if text == GLIBC {
        return Ok((text.to_owned(), None));
    }
    if let Some(known) = KNOWN.iter().find(|known| known.name == text) {
        let library = known.find(directories).ok_or_else(|| anyhow!(known.missing(directories)))?;
        return Ok((text.to_owned(), Some(library)));
    }
    if !text.contains('/') && !Path::new(text).exists() {
        bail!(
            "there is no allocator '{text}'\nhint: name glibc, jemalloc, tcmalloc, mimalloc, or a shared library by its \
             path, with a slash in it"
        );
    }
    let library = found::usable(Path::new(text)).map_err(|reason| anyhow!(reason))?;
    Ok((file_name(Path::new(text)), Some(library)))
}

/// The C library, if the program is linked with another object whose `malloc` comes before its own.
///
/// A program's own `malloc` comes before everything that is preloaded, so there it would be of no use.
fn c_library_to_preload(program: &Path) -> Option<PathBuf> {
    let mut objects = needed::objects(program).into_iter().filter(|path| !loader::is_glibc(path));
    let exports_malloc = |path: &PathBuf| {
        File::open(path).and_then(|file| Exports::read(&file)).is_ok_and(|exports| exports.provides("malloc"))
    };
    if exports_malloc(&objects.next()?) {
        return None;
    }
    let mut with_malloc = objects.filter(exports_malloc);
    let is_c_library = |path: &PathBuf| allocators::name_of(path) == GLIBC;
    if is_c_library(&with_malloc.next()?) {
        return None;
    }
    with_malloc.find(is_c_library)?.canonicalize().ok()
}

/// Allocators times settings; the last setting changes fastest.
pub(super) fn labelled(allocators: &[Allocator], settings: &[Setting]) -> Vec<Variant> {
    let mut variants = Vec::new();
    for allocator @ (name, library) in allocators {
        for environment in combinations(settings) {
            let mut label = shown(allocator, allocators);
            for ((name, value), setting) in environment.iter().zip(settings) {
                let differs = setting.values.iter().any(|other| other != value);
                if let (Some(value), true) = (value, differs) {
                    label += &format!(" {name}={value}");
                }
            }
            let (allocator, library) = (name.clone(), library.clone());
            variants.push(Variant { label, allocator, library, environment });
        }
    }
    let mut times: HashMap<String, u32> = HashMap::new();
    for variant in &mut variants {
        let times = times.entry(variant.label.clone()).or_default();
        *times += 1;
        if *times > 1 {
            variant.label += &format!(" ({times})");
        }
    }
    variants
}

/// Its name; its path if another library has that name, too.
fn shown((name, library): &Allocator, allocators: &[Allocator]) -> String {
    let ambiguous = allocators.iter().any(|(other, path)| other == name && path != library);
    match library {
        Some(library) if ambiguous => library.display().to_string(),
        _ => name.clone(),
    }
}

/// All combinations of the settings' values; one that is empty without settings.
fn combinations(settings: &[Setting]) -> Vec<Vec<(String, Option<String>)>> {
    settings.iter().fold(vec![Vec::new()], |all, setting| {
        let with = |before: &Vec<_>, value: &Option<String>| {
            before.iter().cloned().chain([(setting.name.clone(), value.clone())]).collect()
        };
        all.iter().flat_map(|before| setting.values.iter().map(move |value| with(before, value))).collect()
    })
}

fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}
