//! Tracing any imported function: slots of the global offset tables are found and rewritten (`binding`), calls pass
//! through generic entries (`entry`, `call`), each function has one of these (`functions`).

pub(crate) mod functions;
pub(crate) mod binding;
mod choose;
mod coverage;
mod definitions;
mod follow;
mod given;
mod image;
mod imported;
mod lazy;
mod objects;
mod pattern;
mod relocations;
pub(crate) mod scopes;
mod typed;
mod slots;
mod special;
mod watch;
mod call;
pub(crate) mod entry;
pub(crate) mod frames;
mod personality;
mod rare;
mod save;
mod stack;
mod stubs;
mod capture;
mod guarded;
mod shown;
mod frame;
mod registers;
pub(crate) mod record;
