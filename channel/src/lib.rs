//! What both sides of calltap must agree on.
//!
//! The interposer (inside the target) and the CLI (outside) share one memory
//! segment. This crate defines its layout ([`segment`]), its single-producer
//! rings ([`ring`]), the records in them ([`record`]), the clock they are
//! stamped with ([`clock`]) and the one list of functions that can be tapped
//! ([`function`]). It allocates nothing and calls nothing in libc but `clock_gettime`.

pub mod clock;
pub mod function;
pub mod note;
pub mod record;
pub mod ring;
pub mod segment;
pub mod stack;
mod sync;
pub mod trace;

pub use function::{Effect, Family, Function, Giver, Kind, Provider};
pub use note::Note;
