//! The proof that a variant's allocator serves: where `malloc` was bound to in each process, as calltap's hooks saw it.

mod reasons;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs::metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::run::{Served, Tapped, Untapped};
use super::variants::{GLIBC, Variant};
use crate::allocators;

pub use reasons::own_allocator;

/// Whether every process that allocated was served by the variant's allocator. Returns what could not be seen, for
/// the user to know.
///
/// # Errors
/// Which process was served by what else, and why if that can be known; or that nothing shows who serves.
pub fn check(variant: &Variant, tapped: &Tapped) -> Result<Vec<String>, String> {
    let allocated = |served: &&Served| served.tapped && served.allocations > 0;
    let known = || {
        let all = tapped.served.iter().filter(allocated);
        all.filter_map(|served| Some((served, served.object.as_deref()?)))
    };
    if let Some((served, object)) = known().find(|(_, object)| !is_of(variant, object)) {
        let reason = reasons::of_another(variant, served, object, &tapped.outcome);
        return Err(format!(
            "{} does not serve process {} ({}), but {object}: {reason}",
            variant.allocator, served.pid, served.command
        ));
    }
    if known().next().is_none() {
        let reason = reasons::of_nothing(&tapped.served);
        return Err(format!("nothing shows that {} serves: {reason}", variant.allocator));
    }
    let untapped = tapped.served.iter().filter(|served| !served.tapped);
    let unknown = tapped.served.iter().filter(allocated).filter(|served| served.object.is_none());
    let mut notes = by_command(untapped, "could not be tapped: which allocator serves there is not known");
    notes.extend(by_command(unknown, "ended before it could be seen which allocator serves there"));
    Ok(notes)
}

/// Whether the variant's library was seen in a process, if there was a look at any that had a C library.
///
/// # Errors
/// That it was not, and what was seen.
pub fn check_untapped(variant: &Variant, untapped: &Untapped) -> Result<(), String> {
    let mapped = &untapped.mapped_allocators;
    // The loader maps what is preloaded before the C library: without that a process was just beginning.
    let is_loaded = mapped.iter().any(|object| is_c_library(object));
    if !is_loaded || mapped.iter().any(|object| is_of(variant, object)) {
        return Ok(());
    }
    let reason = reasons::of_not_preloaded(variant, &untapped.outcome);
    Err(format!("{} was loaded into no process, only {}: {reason}", variant.allocator, mapped.join(", ")))
}

/// Whether an object is what the variant wants to serve.
fn is_of(variant: &Variant, object: &str) -> bool {
    let c_library = variant.allocator == GLIBC && is_c_library(object);
    c_library || variant.library.as_deref().is_some_and(|library| is_same_file(library, Path::new(object)))
}

fn is_c_library(object: &str) -> bool {
    allocators::name_of(Path::new(object)) == GLIBC
}

/// Equal paths, or one file under two names.
fn is_same_file(one: &Path, other: &Path) -> bool {
    let identity = |path: &Path| metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()));
    one == other || identity(one).is_some_and(|one| identity(other) == Some(one))
}

/// One note for each command, with how many processes it is about.
fn by_command<'a>(all: impl Iterator<Item = &'a Served>, what: &str) -> Vec<String> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for served in all {
        *counts.entry(&served.command).or_default() += 1;
    }
    let times = |count: u64| if count == 1 { String::new() } else { format!(" ({count} processes)") };
    counts.into_iter().map(|(command, count)| format!("{command}{} {what}", times(count))).collect()
}
