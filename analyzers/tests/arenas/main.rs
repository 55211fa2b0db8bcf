//! Where the memory is, on made-up moments whose truth is known byte by byte.

mod build;
mod differences;
mod map;
mod model;
mod partition;
mod rows;
