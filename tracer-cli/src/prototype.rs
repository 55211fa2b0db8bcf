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

/// An object file, as fuzzing feeds it: its functions' prototypes by its debug information.
#[cfg(any(test, fuzzing))]
pub(crate) fn fuzz(file: &std::fs::File, path: &std::path::Path) {
    let Ok(exports) = exports::Exports::read(file) else { return };
    let symbols = exports.all().collect();
    let wanted = dwarf::Wanted { symbols: &symbols, typed: &|_| None };
    for prototype in dwarf::read(file, path, &[], &wanted).values() {
        let _ = abi::places(prototype);
        let _ = compile::Compiler::new(16).compile(prototype);
        let _ = text::Text { prototype, name: &prototype.name, whole: true }.to_string();
    }
}
