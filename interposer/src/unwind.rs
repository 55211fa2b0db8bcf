//! Call stacks, taken inside the hooks: allocation-free, without locks, safe in signal handlers.
//!
//! ```text
//!  stack    the number of a stack: walk, look it up, store it if it is new
//!  walk     what the thread remembers of its last walk, and whether that still stands
//!  renew    the walk of what does not
//!  step     one frame to its caller's
//!  cache    rules by code address, for the process
//!  tables   rules out of an object's unwind table
//!  objects  which object an address lies in; program: the executable's own tables
//! ```
//! Return addresses are never rewritten. Nothing is read but the stack in use, as far as it has been
//! found to be readable, and the tables of objects whose code is on it.

mod cache;
mod entry;
mod hash;
mod objects;
mod program;
mod readable;
mod renew;
mod rule;
mod stack;
mod step;
mod tables;
mod walk;

pub(crate) use objects::{can_be_found, is_in_loader, loader_acquired, loader_released, resolve};
pub(crate) use stack::{Memory, take, take_from};
