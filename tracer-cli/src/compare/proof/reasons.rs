//! Why something else serves than should.

use std::env;
use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};

use super::is_c_library;
use crate::allocators;
use crate::compare::run::{Outcome, Served};
use crate::compare::variants::Variant;
use crate::preflight;
use crate::prototype::exports::Exports;
use crate::trace::needed;

/// That a program has an allocator in it, under names of its own or as `malloc`: what it allocates there no variant
/// changes. None if it has none, or does not tell.
#[must_use]
pub fn own_allocator(program: &Path) -> Option<String> {
    let shown = program.display();
    if exports_malloc(program) {
        return Some(format!(
            "{shown} defines malloc itself, and that comes before everything that is preloaded"
        ));
    }
    let name = allocators::within(program)?;
    Some(format!("{shown} has {name} built in: no variant changes what it allocates there"))
}

/// Why `object` serves a process and not the variant's allocator.
pub(super) fn of_another(variant: &Variant, served: &Served, object: &str, outcome: &Outcome) -> String {
    let program = program(served);
    let is_program =
        program.as_deref().is_some_and(|program| super::is_same_file(program, Path::new(object)));
    if is_program || program.as_deref().is_some_and(exports_malloc) {
        return "the program defines malloc itself, and that comes before everything that is preloaded\n\
                hint: build it without its own allocator"
            .to_owned();
    }
    if variant.library.is_some() && is_c_library(object) {
        return of_not_preloaded(variant, outcome);
    }
    let needs = program.map(|program| needed::objects(&program)).unwrap_or_default();
    let how = match needs.iter().any(|needed| super::is_same_file(needed, Path::new(object))) {
        true => "its program is linked with it, or LD_PRELOAD of your own environment names it",
        false => "something preloads or loads it there",
    };
    match variant.library {
        None => format!(
            "{how}\nhint: give the C library's path as an allocator, so that it comes first: \
             --allocator /lib/x86_64-linux-gnu/libc.so.6"
        ),
        Some(_) => format!("{how}\nhint: remove it from LD_PRELOAD or /etc/ld.so.preload"),
    }
}

/// Why the variant's library is not in a process.
pub(super) fn of_not_preloaded(variant: &Variant, outcome: &Outcome) -> String {
    // The loader's words: `ERROR: ld.so: object 'X' from LD_PRELOAD cannot be preloaded (...): ignored.`
    let library = variant.library.as_deref().unwrap_or(Path::new("")).display().to_string();
    let by_loader = |line: &&str| line.contains(": ld.so: object ") && line.contains(&library);
    match outcome.stderr_tail.lines().find(by_loader) {
        Some(line) => format!("the loader says: {line}\nhint: `ldd {library}` shows what the library lacks"),
        None => {
            "LD_PRELOAD did not reach it: something on the way cleans the environment, or raises privileges\n\
                 hint: start the program itself, without env -i, sudo or the like"
                .to_owned()
        }
    }
}

/// Why no process shows who serves.
pub(super) fn of_nothing(all: &[Served]) -> String {
    if all.iter().any(|served| served.tapped && served.allocations > 0) {
        return "each process that allocated ended before it could be seen\nhint: start the program itself, without a shell"
            .to_owned();
    }
    if let Some(own) = all.iter().filter_map(program).find_map(|program| own_allocator(&program)) {
        return format!("{own}\nhint: build it without its own allocator");
    }
    if !all.is_empty() && all.iter().all(|served| !served.tapped) {
        let commands: Vec<_> = all.iter().map(|served| served.command.as_str()).collect();
        return format!(
            "none of its processes could be tapped ({}): static programs, and those with raised privileges, preload nothing\n\
             hint: link the program dynamically, or take a copy without the privileges",
            commands.join(", ")
        );
    }
    "no process made an allocation that calltap could see\nhint: look at `calltap run` of the same command"
        .to_owned()
}

/// The file of a process's program, as far as its command tells.
fn program(served: &Served) -> Option<PathBuf> {
    let first = served.command.split_whitespace().next()?;
    let program = preflight::examine(OsStr::new(first), env::var_os("PATH").as_deref()).ok()?;
    Some(program.interpreter.unwrap_or(program.path))
}

fn exports_malloc(object: &Path) -> bool {
    File::open(object).and_then(|file| Exports::read(&file)).is_ok_and(|exports| exports.provides("malloc"))
}
