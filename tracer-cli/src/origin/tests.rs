//! The rules on a program that has the C and C++ run-times of this machine acquire memory.

use std::process::Command;
use std::sync::LazyLock;

use calltap_analyzers::event::Image;
use calltap_channel::stack::Frame;

use super::*;
use crate::exit_snapshot::maps;
use crate::symbols::Detail;

const IMAGE: Image = Image(1);
/// The process has ended, so that files are found by path.
const GONE: u32 = u32::MAX;

/// A block that `call_sites.c` left: by which deed, whose it is, and where it came from.
struct Left {
    deed: String,
    owner: Ownership,
    at: String,
}

static LEFT: LazyLock<Vec<Left>> = LazyLock::new(by_this_machine);

fn by_this_machine() -> Vec<Left> {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/src/origin/call_sites.c");
    let directory = tempfile::tempdir().unwrap();
    let program = directory.path().join("call_sites");
    let compiled = Command::new("cc")
        .args(["-O1", "-o"])
        .args([program.as_os_str(), source.as_ref()])
        .args(["-Wl,--no-as-needed", "-l:libstdc++.so.6"])
        .status();
    assert!(compiled.expect("gcc is installed").success());
    let output = Command::new(&program).env("LC_ALL", "C").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    // printf's own newline comes first: the deed "printf" prints one.
    let (maps, blocks) = text.trim_start().split_once("\n\n").unwrap();
    let blocks: Vec<(&str, &str, Frame)> = blocks
        .lines()
        .map(|line| {
            let [deed, function, _size, site] = *line.split(' ').collect::<Vec<_>>() else {
                panic!("{line}");
            };
            (deed, function, Frame::returning_to(u64::from_str_radix(&site[2..], 16).unwrap()))
        })
        .collect();
    let mut symbols = Symbols::new(Vec::new());
    symbols.ending(IMAGE, GONE, GONE, &maps::parse(maps.as_bytes()));
    let wanted: Vec<_> = blocks.iter().map(|(_, _, frame)| (IMAGE, *frame)).collect();
    symbols.resolve(&wanted, Detail::Lines, &mut |_, _| ());
    let mut origins = Origins::new();
    let left = |(deed, function, frame): (&str, &str, Frame)| {
        let code = symbols.code(IMAGE, frame).expect("it is in an object");
        let owner = origins.owner(&code, function, &symbols);
        let symbol = origins.symbol(&code, &symbols).unwrap_or_default();
        Left { deed: deed.to_owned(), owner, at: format!("{} ({symbol})", code.path) }
    };
    blocks.into_iter().map(left).collect()
}

/// Whose the blocks of a deed are, with where they came from.
fn owners(deed: &str) -> Vec<(Ownership, &'static str)> {
    LEFT.iter().filter(|left| left.deed == deed).map(|left| (left.owner, left.at.as_str())).collect()
}

#[test]
fn what_the_run_times_hand_out_is_the_programs() {
    for deed in ["strdup", "asprintf", "fopen", "opendir", "realpath", "regcomp", "getaddrinfo", "demangle"] {
        if allocates("strdup") && ["strdup", "realpath"].contains(&deed) {
            continue; // the tapped functions themselves would be named instead
        }
        let owners = owners(deed);
        assert!(!owners.is_empty(), "{deed} left nothing");
        assert!(owners.iter().all(|(owner, _)| *owner == Ownership::Program), "{deed}: {owners:?}");
    }
}

#[test]
fn what_the_run_times_keep_is_theirs() {
    for (deed, kept) in [
        ("start", CXX),
        ("printf", "stdio buffers"),
        ("getline", "stdio buffers"),
        ("fputws", "stdio buffers"),
        ("setlocale", "locale data"),
        ("tzset", "time zone"),
        ("setenv", "environment"),
        ("atexit", "exit and fork handlers"),
        ("dlsym", "loader's error text"),
        ("getpwnam", "name service"),
        ("pthread_create", "loader and thread vectors"),
    ] {
        let owners = owners(deed);
        let theirs = |owner: &Ownership| matches!(owner, Ownership::Runtime(_));
        assert!(owners.iter().any(|(owner, _)| *owner == Ownership::Runtime(kept)), "{deed}: {owners:?}");
        // Unless strdup is tapped itself, the library's own calls of it cannot be told apart.
        let others = owners.iter().filter(|(owner, _)| !theirs(owner));
        assert!(others.clone().all(|(_, at)| at.contains("dup)")), "{deed}: {owners:?}");
    }
}

#[test]
fn the_function_is_named_as_the_symbol_table_has_it() {
    let (_, at) = owners("opendir")[0];
    assert!(at.contains("/libc.so.6 ("), "{at}");
    let (_, at) = owners("strdup")[0];
    assert!(at.ends_with("strdup)"), "{at}");
}

#[test]
fn what_cannot_be_read_is_taken_for_the_programs() {
    let mut symbols = Symbols::new(Vec::new());
    let maps = maps::parse(b"30-40 r-xp 0 0:1 7 /gone/x (deleted)\n50-60 r-xp 0 0:1 8 /gone/libc.so.6\n");
    symbols.ending(IMAGE, GONE, GONE, &maps);
    let frames = [0x34, 0x54].map(Frame::returning_to);
    symbols.resolve(&frames.map(|frame| (IMAGE, frame)), Detail::Lines, &mut |_, _| ());
    let mut origins = Origins::new();
    for frame in frames {
        let code = symbols.code(IMAGE, frame).unwrap();
        assert_eq!((code.address, origins.symbol(&code, &symbols)), (4, None));
        assert_eq!(origins.owner(&code, "malloc", &symbols), Ownership::ProgramGuess);
    }
}

#[test]
fn sites_are_shown_as_far_as_they_are_known() {
    let unknown = Site::default();
    assert_eq!(unknown.to_string(), "unknown");
    let nowhere = Site { address: 0x12, ..unknown };
    assert_eq!(nowhere.to_string(), "0x12");
    let unnamed = Site { object: Some("/gone/x".to_owned()), offset: 0x54, ..nowhere };
    assert_eq!(unnamed.to_string(), "x+0x54");
    let named = Site { symbol: Some("f".to_owned()), ..unnamed };
    assert_eq!(named.to_string(), "x+0x54 (f)");
}

#[test]
fn objects_are_recognised_by_their_file_names() {
    for (path, library) in [
        ("/lib64/ld-linux-x86-64.so.2", Library::Loader),
        ("/lib/x86_64-linux-gnu/libc.so.6", Library::C),
        ("/lib/libc-2.31.so", Library::C),
        ("/usr/lib/libstdc++.so.6.0.30", Library::Cxx),
        ("/usr/lib/libnss_files.so.2", Library::NameService),
        ("/usr/lib/libcurl.so.4", Library::Other),
        ("/opt/libc.so.d/tool", Library::Other),
    ] {
        assert_eq!(Library::of(Path::new(path)), library, "{path}");
    }
}
