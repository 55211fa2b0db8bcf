//! What is printed, from events made by hand. Expected texts are ltrace's where it is right.

mod arguments;
mod failures;
mod json;
mod lines;
mod long_doubles;
mod options;
mod stage;
mod summary;
mod system_calls;
mod tree;
mod twice;
mod values;
