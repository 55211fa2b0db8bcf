//! Stories about real programs: what calltap says of them, and that they do not notice it.
//!
//! The C, C++ and Rust programs in `targets/` print their own truth as `key=value` lines; a story runs
//! one of them, bare or under calltap, and compares. A story about a program that is not
//! installed says `skipped: ...` on stderr.

mod launch;
mod marks;
mod outcome;
mod report;
mod running;
mod stack;
mod target;

mod allocators;
mod arenas;
mod binding;
mod compare;
mod counts;
mod daemons;
mod endings;
mod environment;
mod family;
mod faults;
mod harmless;
mod injection;
mod kernel;
mod latency_by_size;
mod leaks;
mod limits;
mod measure;
mod namespaces;
mod output;
mod outsized;
mod own_malloc;
mod placement;
mod programs;
mod refusals;
mod ring;
mod security;
mod services;
mod stacks;
mod terminal;
mod trace;
