//! What is fed to everything here that reads what others have written: the target, its files, `/proc`, the user.
//!
//! A target is a function of bytes. `scripts/fuzz` runs it under libFuzzer, from a build of this very binary
//! (`--cfg fuzzing`); the tests run it over its corpus in `tests/fuzz/NAME`, over what once made it fail in
//! `tests/fuzz/NAME/crashes`, and over mutations of both. It fails by a panic, more than a second, or more than 2 GiB.

mod bytes;
mod elf;
mod heap;
mod input;
#[cfg(fuzzing)]
pub mod libfuzzer;
mod objects;
mod plan;
mod proc;
mod processor;
mod prototypes;
mod recording;
#[cfg(test)]
mod replay;
#[cfg(test)]
mod seeds;
mod segment;
mod session;
mod startup;
mod suppressions;
mod words;

/// What can be fed.
pub struct Target {
    /// Its name, and that of its corpus.
    pub name: &'static str,
    /// Takes an input.
    pub body: fn(&[u8]),
}

/// All of them.
pub const TARGETS: &[Target] = &[
    Target { name: "compare", body: input::compare },
    Target { name: "elf", body: elf::whole },
    Target { name: "elf-edits", body: elf::edited },
    Target { name: "filters", body: input::filters },
    Target { name: "heap", body: heap::edited },
    Target { name: "plan", body: plan::words },
    Target { name: "proc", body: proc::files },
    Target { name: "prototypes", body: prototypes::file },
    Target { name: "recording", body: recording::replayed },
    Target { name: "segment", body: segment::bytes },
    Target { name: "session", body: session::records },
    Target { name: "startup", body: startup::stack },
    Target { name: "suppressions", body: suppressions::file },
];
