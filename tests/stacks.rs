//! Who called: stacks are true, equal to another unwinder's, and harm nobody.

mod compiled;
mod debug_files;
mod descriptors;
mod equality;
mod folded;
mod harm;
mod large;
mod odd;
mod passing;
mod places;
mod shown;
mod suppressed;
mod witness;
