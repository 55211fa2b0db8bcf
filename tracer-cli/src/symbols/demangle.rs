//! Names as the linker knows them, made readable.

use std::borrow::Cow;

/// The name as Rust or C++ spells it; unchanged if neither has mangled it. A symbol's version
/// (`@@GLIBC_2.2.5`) is no part of a name.
#[must_use]
pub fn demangled(raw: &str) -> Cow<'_, str> {
    let name = match raw.split_once('@') {
        Some((name, _)) if !name.is_empty() => name,
        _ => raw,
    };
    // Rust first: its older scheme is C++'s with a hash at the end, which the alternate form leaves out.
    if let Ok(rust) = rustc_demangle::try_demangle(name) {
        return format!("{rust:#}").into();
    }
    if !name.starts_with("_Z") {
        return name.into();
    }
    let parsed = cpp_demangle::Symbol::new(name).ok();
    parsed.and_then(|symbol| symbol.demangle().ok()).map_or(name.into(), Cow::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_demangled_in_full() {
        for (raw, name) in [
            ("main", "main"),
            ("fopen@@GLIBC_2.2.5", "fopen"),
            ("_Z4leakIiEPT_m", "int* leak<int>(unsigned long)"),
            ("_ZN1a1bC2Ev", "a::b::b()"),
            ("_ZN4core3fmt5write17h0123456789abcdefE", "core::fmt::write"),
            ("_RNvC6_123foo3bar", "123foo::bar"),
            ("_Zwhat", "_Zwhat"),
            ("i", "i"),
            ("@", "@"),
        ] {
            assert_eq!(demangled(raw), name);
        }
    }
}
