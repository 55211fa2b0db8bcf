//! Prototypes take and give what the headers' declarations say: as many, in registers and memory of the same kinds.
//!
//! A C++ template takes a function's type apart and writes it in short: `i4` and `u4` for integers of 4 bytes, `f8` for a
//! double, `z8` for a complex one of two doubles, `s16` for a struct of 16 bytes, `p` before what a pointer points to,
//! `v` for void, `.` for `...`.

use std::collections::BTreeMap;

use super::compiler::{Questions, skipped};
use super::read;
use crate::prototype::types::{Kind, Lens, Prototype, Typed};

/// Headers with declarations, then the template. C++'s own versions of the headers, which have overloads, are passed over.
const BEFORE: &str =
    concat!(include_str!("declarations/headers.txt"), include_str!("declarations/taking_apart.txt"));

/// What a function takes apart to.
struct Declared<'a> {
    returns: &'a str,
    parameters: Vec<&'a str>,
    variadic: bool,
}

impl<'a> Declared<'a> {
    /// Reads `i4(pc1,i4,.)`.
    fn read(text: &'a str) -> Self {
        let (returns, rest) = text.split_once('(').expect("parameters");
        let mut parameters: Vec<_> =
            rest.trim_end_matches(')').split(',').filter(|parameter| !parameter.is_empty()).collect();
        let variadic = parameters.pop_if(|last| *last == ".").is_some();
        Self { returns, parameters, variadic }
    }
}

/// Whether a value of our type is passed, or stands in memory, as one of theirs.
fn agrees(ours: &Typed, theirs: &str, passed: bool) -> bool {
    let plain = ours.lens == Lens::Default;
    match &ours.kind {
        Kind::Void => theirs == "v",
        Kind::Int { bytes, signed } => match theirs.split_at(1) {
            ("i", size) => size == bytes.to_string() && (*signed || !plain),
            ("u", size) => size == bytes.to_string() && (!*signed || !plain),
            ("e", size) => size == bytes.to_string(),
            // An address that may have a special value has a name for that.
            ("p", _) => *bytes == 8 && !plain && passed,
            _ => false,
        },
        // C passes characters as integers.
        Kind::Char => matches!(theirs, "i1" | "u1") || passed && matches!(theirs, "i4"),
        Kind::Float(bytes) => theirs == format!("f{bytes}"),
        Kind::Complex(bytes) => theirs == format!("z{bytes}"),
        Kind::Vector(_) | Kind::Variadic => false,
        // A union of an integer and an address is passed as that (`union sigval`).
        Kind::Pointer(to) if theirs == "s8" => to.kind == Kind::Void,
        Kind::Pointer(to) => theirs
            .strip_prefix('p')
            // Bits are counted in bytes, whatever these are called.
            .is_some_and(|theirs| ours.lens == Lens::Bits || points(to, theirs)),
        Kind::Array { of, .. } => theirs.strip_prefix('a').is_some_and(|theirs| agrees(of, theirs, false)),
        Kind::Struct(of) => theirs == format!("s{}", of.layout().0),
    }
}

/// Whether our pointer may point to what theirs points to.
fn points(ours: &Typed, theirs: &str) -> bool {
    match &ours.kind {
        // What is not looked into may be anything, and what is `void` in C may be known better.
        Kind::Void => true,
        _ if theirs == "v" => true,
        // A pointer to an array of C, or to the first of several.
        Kind::Array { of, .. } => {
            points(of, theirs) || theirs.strip_prefix('a').is_some_and(|rest| points(of, rest))
        }
        Kind::Pointer(_) => agrees(ours, theirs, false) || theirs.starts_with('a'),
        _ => agrees(ours, theirs, false),
    }
}

/// What our prototype has that the declaration does not.
fn differences(ours: &Prototype, theirs: &Declared<'_>) -> Option<String> {
    let parameters: Vec<_> = ours
        .parameters
        .iter()
        .map(|parameter| &parameter.typed)
        .filter(|typed| typed.kind != Kind::Variadic)
        .collect();
    let enough = if theirs.variadic {
        parameters.len() >= theirs.parameters.len()
    } else {
        parameters.len() == theirs.parameters.len()
    };
    if !enough {
        return Some(format!("{} parameters, not {}", parameters.len(), theirs.parameters.len()));
    }
    if !agrees(&ours.returns, theirs.returns, true) {
        return Some(format!("its result is {}", theirs.returns));
    }
    let wrong =
        parameters.iter().zip(&theirs.parameters).position(|(ours, theirs)| !agrees(ours, theirs, true));
    wrong.map(|position| format!("parameter {} is {}", position + 1, theirs.parameters[position]))
}

#[test]
fn prototypes_are_what_the_headers_declare() {
    let (read, _) = read();
    let mut prototypes = BTreeMap::new();
    for file in ["libcrypto.so", "libssl.so", "libz.so", "libgcc_s.so", "libm.so", "libc.so"] {
        for prototype in read[file].all() {
            prototypes.insert((prototype.name.clone(), file), prototype);
        }
    }
    let question = |name: &str| format!("Apart<decltype({name})>::write(\"{name}\");");
    let lines = prototypes.keys().map(|(name, _)| (name.as_str(), question(name))).collect();
    let options = ["-std=gnu++14", "-D_GNU_SOURCE", "-D_GLIBCXX_INCLUDE_NEXT_C_HEADERS"];
    let questions = Questions { compiler: "c++", options: &options, before: BEFORE, lines };
    let Some(answers) = questions.ask() else { return skipped("c++") };
    let declared: BTreeMap<_, _> = answers.written.lines().filter_map(|line| line.split_once(' ')).collect();
    let wrong: Vec<_> = prototypes
        .iter()
        .filter_map(|((name, file), prototype)| {
            let difference = differences(prototype, &Declared::read(declared.get(name.as_str())?))?;
            Some(format!("{file}: {name}: {difference}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(declared.len() > 1_200, "only {} functions are declared", declared.len());
}
