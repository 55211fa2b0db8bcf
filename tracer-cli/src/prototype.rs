//! Prototypes: what a function's parameters and result are, from ltrace's configuration language, from our own
//! shipped files in the same language, and from debug information.

pub mod abi;
pub mod compile;
mod dwarf;
pub mod exports;
pub mod files;
mod lexer;
pub mod library;
pub mod parse;
pub mod shipped;
pub mod text;
pub mod types;
