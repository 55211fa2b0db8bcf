//! Programs that run with libraries whose debug information is here and there.

use std::fs;
use std::path::Path;

use calltap_channel::stack::GUESSED;

use super::*;
use host::{Host, IMAGE, cxx_library, line_marked, run, rust_library, strip};

mod host;

/// Function and line of a site, innermost first.
fn functions(names: &[NamedFrame]) -> Vec<(Option<&str>, Option<u32>)> {
    names.iter().map(|name| (name.function.as_deref(), name.line)).collect()
}

/// What the first site in `libtest.so` must be called if its debug information is found.
fn expected() -> [(Option<&'static str>, Option<u32>); 3] {
    let line = |mark| Some(line_marked("inlined.cc", mark));
    [
        (Some("places::Box<int>::innermost(void (*)())"), line("INNERMOST")),
        (Some("places::middle(void (*)(), long)"), line("MIDDLE")),
        (Some("enter"), line("OUTERMOST")),
    ]
}

/// Names a library's first site; all has been told before.
fn first(host: &Host, symbols: &mut Symbols) -> Vec<NamedFrame> {
    host.names(symbols).swap_remove(0)
}

#[test]
fn a_frame_in_inlined_code_has_all_its_functions() {
    let directory = tempfile::tempdir().unwrap();
    let library = cxx_library(directory.path(), &["-g"]);
    let host = Host::start(directory.path(), &[&library]);
    let mut symbols = Symbols::new(Vec::new());
    host.tell(&mut symbols);
    let names = host.names(&mut symbols);
    assert_eq!(functions(&names[0]), expected());
    assert_eq!(names[0].iter().map(|name| name.inlined).collect::<Vec<_>>(), [true, true, false]);
    let (loaded, frame) = &host.sites[0];
    for name in &names[0] {
        assert_eq!(name.object.as_deref(), library.to_str());
        assert_eq!((name.address, name.offset), (frame.address(), frame.address() - loaded.bias));
        assert!(name.file.as_deref().unwrap().ends_with("src/symbols/tests/inlined.cc"));
    }
    assert_eq!(names[0][1].mangled.as_deref(), Some("_ZN6places6middleEPFvvEl"));
    let hidden = names[1].last().unwrap();
    assert_eq!(hidden.function.as_deref(), Some("places::hidden(void (*)())"));
    assert_eq!(hidden.line, Some(line_marked("inlined.cc", "HIDDEN")));
    assert_eq!(functions(&names[2]), [(Some("main"), Some(line_marked("host.c", "HOST")))]);
    assert_eq!(names[2][0].object.as_deref(), directory.path().join("host").to_str());
}

#[test]
fn rust_is_demangled_without_its_hash() {
    let directory = tempfile::tempdir().unwrap();
    let library = rust_library(directory.path());
    let host = Host::start(directory.path(), &[&library]);
    let mut symbols = Symbols::new(Vec::new());
    host.tell(&mut symbols);
    let names = first(&host, &mut symbols);
    let function = names[0].function.as_deref().unwrap();
    assert!(function.starts_with("generic::places::generic"), "{function}");
    assert_eq!(names[0].line, Some(line_marked("generic.rs", "GENERIC")));
    assert!(names[0].mangled.as_deref().unwrap().starts_with("_"));
}

#[test]
fn debug_information_is_found_where_a_link_leads() {
    let directory = tempfile::tempdir().unwrap();
    let library = cxx_library(directory.path(), &["-g", "-Wl,--build-id=none"]);
    let debug_file = strip(&library);
    let host = Host::start(directory.path(), &[&library]);
    let elsewhere = tempfile::tempdir().unwrap();
    let below = elsewhere.path().join(directory.path().strip_prefix("/").unwrap());
    let mut at = debug_file;
    for place in [directory.path(), &directory.path().join(".debug"), &below, elsewhere.path()] {
        fs::create_dir_all(place).unwrap();
        let next = place.join("libtest.debug");
        if next != at {
            fs::copy(&at, &next).unwrap();
            fs::remove_file(&at).unwrap();
            at = next;
        }
        let mut symbols = Symbols::new(vec![elsewhere.path().into()]);
        host.tell(&mut symbols);
        assert_eq!(functions(&first(&host, &mut symbols)), expected(), "{}", place.display());
    }
}

#[test]
fn debug_information_of_another_build_is_not_believed() {
    let directory = tempfile::tempdir().unwrap();
    let library = cxx_library(directory.path(), &["-g", "-Wl,--build-id=none"]);
    let debug_file = strip(&library);
    let mut content = fs::read(&debug_file).unwrap();
    *content.last_mut().unwrap() ^= 1;
    fs::write(&debug_file, content).unwrap();
    let host = Host::start(directory.path(), &[&library]);
    let mut symbols = Symbols::new(Vec::new());
    host.tell(&mut symbols);
    assert_eq!(functions(&first(&host, &mut symbols)), [(Some("enter"), None)]);
}

#[test]
fn debug_information_is_found_by_build_id() {
    let directory = tempfile::tempdir().unwrap();
    let id = "0123456789abcdef0123456789abcdef01234567";
    let library = cxx_library(directory.path(), &["-g", &format!("-Wl,--build-id=0x{id}")]);
    let debug_file = strip(&library);
    let elsewhere = tempfile::tempdir().unwrap();
    let below = elsewhere.path().join(".build-id/01");
    fs::create_dir_all(&below).unwrap();
    fs::copy(&debug_file, below.join(format!("{}.debug", &id[2..]))).unwrap();
    fs::remove_file(&debug_file).unwrap();
    let host = Host::start(directory.path(), &[&library]);
    let mut symbols = Symbols::new(vec![elsewhere.path().into()]);
    host.tell(&mut symbols);
    assert_eq!(functions(&first(&host, &mut symbols)), expected());
    let mut without = Symbols::new(Vec::new());
    host.tell(&mut without);
    assert_eq!(functions(&first(&host, &mut without)), [(Some("enter"), None)]);
}

#[test]
fn compressed_debug_information_is_read() {
    for compression in ["zlib", "zstd"] {
        let directory = tempfile::tempdir().unwrap();
        let library = cxx_library(directory.path(), &["-g"]);
        let option = format!("--compress-debug-sections={compression}");
        run("objcopy", &[&option, "libtest.so"], directory.path());
        let host = Host::start(directory.path(), &[&library]);
        let mut symbols = Symbols::new(Vec::new());
        host.tell(&mut symbols);
        assert_eq!(functions(&first(&host, &mut symbols)), expected(), "{compression}");
    }
}

#[test]
fn a_function_that_is_not_exported_is_not_called_by_its_neighbour() {
    let directory = tempfile::tempdir().unwrap();
    let library = cxx_library(directory.path(), &["-s"]);
    let host = Host::start(directory.path(), &[&library]);
    let mut symbols = Symbols::new(Vec::new());
    host.tell(&mut symbols);
    let names = host.names(&mut symbols);
    assert_eq!(functions(&names[0]), [(Some("enter"), None)]);
    let hidden = &names[1][0];
    assert_eq!((&hidden.function, hidden.object.as_deref()), (&None, library.to_str()));
    assert_eq!(hidden.offset, hidden.address - host.sites[1].0.bias);
}

#[test]
fn a_file_that_is_deleted_or_replaced_later_is_still_read() {
    let directory = tempfile::tempdir().unwrap();
    let library = cxx_library(directory.path(), &["-g"]);
    let host = Host::start(directory.path(), &[&library]);
    let mut symbols = Symbols::new(Vec::new());
    host.tell(&mut symbols);
    fs::remove_file(&library).unwrap();
    fs::write(&library, "something else").unwrap();
    fs::remove_file(directory.path().join("host")).unwrap();
    let names = host.names(&mut symbols);
    assert_eq!(functions(&names[0]), expected());
    assert_eq!(functions(&names[2]), [(Some("main"), Some(line_marked("host.c", "HOST")))]);
}

#[test]
fn of_a_file_that_is_gone_already_what_is_in_memory_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let library = cxx_library(directory.path(), &["-g"]);
    let host = Host::start(directory.path(), &[&library]);
    fs::remove_file(&library).unwrap();
    // Another object at its path must not be taken for it.
    fs::copy(directory.path().join("host"), &library).unwrap();
    let mut symbols = Symbols::new(Vec::new());
    host.tell(&mut symbols);
    let names = first(&host, &mut symbols);
    // Who may administrate reaches the file itself and has the inlined functions, too.
    assert_eq!(names.last().unwrap().function.as_deref(), Some("enter"));
    assert_eq!(names[0].object.as_deref(), library.to_str());
}

#[test]
fn what_no_note_told_of_is_named_by_the_mappings_at_exit() {
    let directory = tempfile::tempdir().unwrap();
    let library = cxx_library(directory.path(), &["-g"]);
    let host = Host::start(directory.path(), &[&library]);
    let snapshot = crate::exit_snapshot::read(host.pid(), host.pid());
    let mut symbols = Symbols::new(Vec::new());
    symbols.ending(IMAGE, host.pid(), host.pid(), &snapshot.maps);
    let names = host.names(&mut symbols);
    assert_eq!(functions(&names[0]), expected());
    let (loaded, frame) = &host.sites[0];
    assert_eq!(names[0][0].offset, frame.address() - loaded.bias);
    assert_eq!(functions(&names[2]), [(Some("main"), Some(line_marked("host.c", "HOST")))]);
}

#[test]
fn compiled_code_is_named_by_the_perf_map_of_the_process_or_its_parents() {
    let directory = tempfile::tempdir().unwrap();
    let host = Host::start(directory.path(), &[]);
    let map = format!("/tmp/perf-{}.map", host.pid());
    fs::write(&map, "1000 20 LazyCompile:*add /a b.js:1\n2000 20 other\n").unwrap();
    let mut symbols = Symbols::new(Vec::new());
    let (child, stranger) = (Image(8), Image(9));
    symbols.forked(child, IMAGE, 5);
    symbols.ending(IMAGE, host.pid(), host.pid(), &[]);
    fs::remove_file(&map).unwrap();
    let frame = Frame::returning_to(0x1020);
    let wanted = [IMAGE, child, stranger].map(|image| (image, frame));
    symbols.resolve(&wanted, Detail::Lines, &mut |_, _| ());
    for image in [IMAGE, child] {
        let names = symbols.name(image, frame);
        assert_eq!(functions(&names), [(Some("LazyCompile:*add /a b.js:1"), None)]);
        assert_eq!((&names[0].object, names[0].address), (&None, 0x1020));
    }
    assert_eq!(functions(&symbols.name(stranger, frame)), [(None, None)]);
}

#[test]
fn a_frame_of_which_nothing_is_known_has_its_address() {
    let mut symbols = Symbols::new(Vec::new());
    let frame = Frame::returning_to(0x1234).with(0, GUESSED);
    let unknown = NamedFrame { address: 0x1234, guessed: true, ..NamedFrame::default() };
    assert_eq!(symbols.name(IMAGE, frame), std::slice::from_ref(&unknown));
    symbols.resolve(&[(IMAGE, frame)], Detail::Lines, &mut |_, _| ());
    assert_eq!(symbols.name(IMAGE, frame), [unknown]);
}

#[test]
fn the_program_of_a_process_that_is_gone_is_the_one_that_was_executed() {
    let loaded = Loaded {
        image: IMAGE,
        pid: u32::MAX,
        start: 0x1000,
        end: 0x2000,
        bias: 0x1000,
        lap: 0,
        at_ns: 1,
        path: Vec::new(),
    };
    let frame = Frame::returning_to(0x1010);
    let object = |symbols: &mut Symbols| {
        symbols.loaded(&loaded);
        symbols.resolve(&[(IMAGE, frame)], Detail::Lines, &mut |_, _| ());
        symbols.name(IMAGE, frame).remove(0)
    };
    let nameless = object(&mut Symbols::new(Vec::new()));
    assert_eq!((nameless.object, nameless.offset), (None, 0x10));
    let mut symbols = Symbols::new(Vec::new());
    symbols.executed(IMAGE, Path::new("/bin/sh").into());
    assert_eq!(object(&mut symbols).object.as_deref(), Some("/bin/sh"));
}
