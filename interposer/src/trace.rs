//! Tracing any imported function: slots of the global offset tables are found and rewritten (`binding`), calls pass
//! through generic entries (`entry`, `call`), each function has one of these (`functions`).

pub(crate) mod binding;
mod call;
mod capture;
mod choose;
mod coverage;
mod definitions;
pub(crate) mod entry;
mod follow;
mod frame;
pub(crate) mod frames;
pub(crate) mod functions;
mod given;
pub(crate) mod guarded;
mod image;
mod imported;
mod lazy;
mod nameless;
mod namespaces;
mod objects;
mod pattern;
mod personality;
mod rare;
pub(crate) mod record;
mod registers;
mod relocations;
mod save;
mod scratch;
mod shown;
mod slots;
mod special;
mod stack;
mod stubs;
mod typed;
mod watch;

pub(crate) use definitions::definition_in;
