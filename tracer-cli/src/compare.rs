//! `calltap compare`: which allocator, with which settings, for this program.
//!
//! ```text
//!  options    what to compare; variants: allocators times environments; found: where allocators are
//!  launch     one run, tapped or not, from its set-up to its end; when, stop: of services
//!  measure    the process between us and an untapped program
//!  tapped     what `calltap run` says of a run
//!  run        what a run gave; result: what all of them gave; report: how it is told
//! ```

pub mod options;
pub mod result;
pub mod run;
pub mod stop;
pub mod variants;
pub mod when;
