//! Who called: stacks are true, equal to another unwinder's, and harm nobody.

mod debug_files;
mod equality;
mod harm;
mod large;
mod odd;
mod passing;
mod places;
mod suppressed;
mod witness;
