//! The rules on a program that has the C and C++ run-times of this machine acquire memory.

use std::process::Command;
use std::sync::LazyLock;

use super::*;
use crate::exit_snapshot::maps;

/// What `call_sites.c` said: its maps, and (deed, function, site) of each block left.
struct Told {
    maps: Vec<Mapped>,
    blocks: Vec<(String, String, u64)>,
}

static TOLD: LazyLock<Told> = LazyLock::new(Told::by_this_machine);

impl Told {
    fn by_this_machine() -> Self {
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/src/origin/call_sites.c");
        let directory = std::env::temp_dir().join(format!("calltap-call-sites-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let program = directory.join("call_sites");
        let compiled = Command::new("cc")
            .args(["-O1", "-o"])
            .args([program.as_os_str(), source.as_ref()])
            .args(["-Wl,--no-as-needed", "-l:libstdc++.so.6"])
            .status();
        assert!(compiled.expect("gcc is installed").success());
        let output = Command::new(&program).env("LC_ALL", "C").output().unwrap();
        std::fs::remove_dir_all(&directory).unwrap();
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        // printf's own newline comes first: the deed "printf" prints one.
        let (maps, blocks) = text.trim_start().split_once("\n\n").unwrap();
        let blocks = blocks.lines().map(|line| {
            let mut words = line.split(' ');
            let mut next = || words.next().unwrap().to_owned();
            let (deed, function, _size, site) = (next(), next(), next(), next());
            (deed, function, u64::from_str_radix(&site[2..], 16).unwrap())
        });
        Self { maps: maps::parse(maps.as_bytes()), blocks: blocks.collect() }
    }

    /// Whose the blocks of a deed are, each answer once, with where they came from.
    fn owners(&self, deed: &str) -> Vec<(Ownership, String)> {
        let mut origins = Origins::new();
        let mut owners = Vec::new();
        for (_, function, site) in self.blocks.iter().filter(|block| block.0 == deed) {
            let owner = origins.owner(*site, function, &self.maps);
            let found = (owner, origins.site(*site, &self.maps).to_string());
            if !owners.contains(&found) {
                owners.push(found);
            }
        }
        owners
    }
}

#[test]
fn what_the_run_times_hand_out_is_the_programs() {
    for deed in ["strdup", "asprintf", "fopen", "opendir", "realpath", "regcomp", "getaddrinfo", "demangle"] {
        if allocates("strdup") && ["strdup", "realpath"].contains(&deed) {
            continue; // the tapped functions themselves would be named instead
        }
        let owners = TOLD.owners(deed);
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
        let owners = TOLD.owners(deed);
        let theirs = |owner: &Ownership| matches!(owner, Ownership::Runtime(_));
        assert!(owners.iter().any(|(owner, _)| *owner == Ownership::Runtime(kept)), "{deed}: {owners:?}");
        // Unless strdup is tapped itself, the library's own calls of it cannot be told apart.
        let others = owners.iter().filter(|(owner, _)| !theirs(owner));
        assert!(others.clone().all(|(_, at)| at.contains("dup)")), "{deed}: {owners:?}");
    }
}

#[test]
fn a_site_is_named_by_object_offset_and_symbol() {
    let (_, at) = TOLD.owners("opendir").remove(0);
    assert!(at.starts_with("libc.so.6+0x"), "{at}");
    let (_, at) = TOLD.owners("strdup").remove(0);
    assert!(at.ends_with("strdup)"), "{at}");
}

#[test]
fn addresses_without_a_file_are_shown_as_they_are() {
    let maps = maps::parse(b"10-20 rw-p 0 0:0 0 [heap]\n30-40 r-xp 50 0:1 7 /gone/x (deleted)\n");
    let mut origins = Origins::new();
    assert_eq!(origins.site(0, &maps).to_string(), "unknown");
    assert_eq!(origins.site(0x12, &maps).to_string(), "0x12");
    assert_eq!(origins.site(0x34, &maps).to_string(), "x+0x54", "its file cannot be read any more");
    assert_eq!(origins.owner(0x12, "malloc", &maps), Ownership::ProgramGuess);
    assert_eq!(origins.owner(0x34, "malloc", &maps), Ownership::ProgramGuess);
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
