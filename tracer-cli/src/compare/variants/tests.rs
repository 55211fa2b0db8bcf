use std::path::Path;

use clap::Parser;

use super::*;
use crate::compare::found::{KNOWN, directories};
use crate::compare::options::Compare;

#[derive(Debug, clap::Parser)]
struct Line {
    #[command(flatten)]
    compare: Compare,
}

/// What these words of a command line come to.
fn expanded(words: &[&str]) -> anyhow::Result<Vec<Variant>> {
    let words = [&["compare"], words, &["--", "/bin/true"]].concat();
    expand(&Line::try_parse_from(words).unwrap().compare)
}

fn labels(words: &[&str]) -> Vec<String> {
    expanded(words).unwrap().into_iter().map(|variant| variant.label).collect()
}

/// The message, which has a hint.
fn refusal(words: &[&str]) -> String {
    let text = expanded(words).unwrap_err().to_string();
    assert!(text.contains("\nhint: "), "{text}");
    text
}

#[test]
fn without_a_word_it_is_glibc_and_what_is_installed() {
    let installed = KNOWN.iter().filter(|known| known.find(&directories(None)).is_some());
    let expected: Vec<_> = ["glibc"].into_iter().chain(installed.map(|known| known.name)).collect();
    assert_eq!(labels(&[]), expected);
    let all = expanded(&[]).unwrap();
    assert_eq!(all[0].library, None);
    assert!(all[1..].iter().all(|variant| variant.library.as_ref().is_some_and(|path| path.is_absolute())));
}

#[test]
fn settings_alone_are_glibcs() {
    let words = ["--env", "MALLOC_ARENA_MAX=,1"];
    assert_eq!(labels(&words), ["glibc", "glibc MALLOC_ARENA_MAX=1"]);
    let environments: Vec<_> =
        expanded(&words).unwrap().into_iter().map(|variant| variant.environment).collect();
    let name = || "MALLOC_ARENA_MAX".to_owned();
    assert_eq!(environments, [[(name(), None)], [(name(), Some("1".to_owned()))]]);
}

#[test]
fn settings_multiply_and_labels_have_only_what_differs() {
    let words = ["--allocator", "glibc", "--env", "A=1,2", "--env", "B=x", "--env", "C=,a\\,b"];
    assert_eq!(labels(&words), ["glibc A=1", "glibc A=1 C=a,b", "glibc A=2", "glibc A=2 C=a,b"]);
    let last = expanded(&words).unwrap().pop().unwrap();
    let value = |text: &str| Some(text.to_owned());
    let environment = [("A", value("2")), ("B", value("x")), ("C", value("a,b"))];
    assert_eq!(last.environment, environment.map(|(name, value)| (name.to_owned(), value)));
}

#[test]
fn the_same_twice_is_numbered() {
    assert_eq!(
        labels(&["--allocator", "glibc,glibc", "--allocator", "glibc"]),
        ["glibc", "glibc (2)", "glibc (3)"]
    );
    assert_eq!(labels(&["--env", "A=1,1,2"]), ["glibc A=1", "glibc A=1 (2)", "glibc A=2"]);
}

#[test]
fn libraries_of_one_name_are_told_apart_by_their_paths() {
    let library = |path: &str| ("liba.so".to_owned(), Some(PathBuf::from(path)));
    let allocators = [library("/x/liba.so"), ("glibc".to_owned(), None), library("/y/liba.so")];
    let labels: Vec<_> =
        expand::labelled(&allocators, &[]).into_iter().map(|variant| variant.label).collect();
    assert_eq!(labels, ["/x/liba.so", "glibc", "/y/liba.so"]);
}

#[test]
fn a_path_is_an_allocator_by_its_file_name() {
    let c = own_c_library();
    let all = expanded(&["--allocator", c.to_str().unwrap()]).unwrap();
    assert_eq!((&*all[0].allocator, &*all[0].label), ("libc.so.6", "libc.so.6"));
    assert_eq!(all[0].library, Some(c.canonicalize().unwrap()));
}

#[test]
fn what_cannot_be_compared_is_refused() {
    assert!(refusal(&["--allocator", "hoard"]).starts_with("there is no allocator 'hoard'"));
    assert!(refusal(&["--allocator", "/no/such.so"]).starts_with("cannot preload /no/such.so: No such file"));
    assert!(refusal(&["--env", "LD_PRELOAD=x"]).contains("--allocator PATH"));
    assert!(refusal(&["--env", "A=1", "--env", "A=2"]).contains("--env A=VALUE,VALUE"));
}

/// For a program that is linked with another allocator, the C library has to come before that one.
#[test]
fn for_a_program_linked_with_an_allocator_glibc_is_preloaded() {
    let scratch = tempfile::tempdir().unwrap();
    let at = |name: &str| scratch.path().join(name).to_str().unwrap().to_owned();
    let gcc = |words: &[&str]| {
        assert!(
            std::process::Command::new("gcc")
                .args(["-fno-builtin", "-w"])
                .args(words)
                .status()
                .unwrap()
                .success()
        );
    };
    std::fs::write(at("own.c"), "void *malloc(long n) { return 0; }\nvoid free(void *p) {}\n").unwrap();
    std::fs::write(at("main.c"), "void *malloc(unsigned long);\nint main(void) { return malloc(1) == 0; }\n")
        .unwrap();
    gcc(&[&at("own.c"), "-shared", "-fPIC", "-o", &at("libown.so")]);
    let rpath = format!("-Wl,-rpath,{}", scratch.path().display());
    gcc(&[&at("main.c"), &at("libown.so"), &rpath, "-o", &at("linked")]);
    gcc(&[&at("main.c"), "-o", &at("plain")]);
    gcc(&[&at("main.c"), &at("own.c"), "-rdynamic", "-o", &at("defines")]);
    let library = |program: &str| {
        let line = ["compare", "--allocator", "glibc", "--", &at(program)];
        expand(&Line::try_parse_from(line).unwrap().compare).unwrap().remove(0).library
    };
    assert_eq!(library("linked"), Some(own_c_library().canonicalize().unwrap()));
    assert_eq!(library("plain"), None);
    assert_eq!(library("defines"), None, "nothing comes before the program's own");
}

/// The C library that this process has.
fn own_c_library() -> PathBuf {
    let maps = crate::exit_snapshot::maps::read(Path::new("/proc/self"));
    let is_c = |path: &PathBuf| crate::allocators::name_of(path) == "glibc";
    maps.into_iter().map(|mapped| mapped.path).find(is_c).unwrap()
}
