//! The library that is loaded into programs: where it is put, and what it may not ask for.

use std::fs;
use std::path::{Path, PathBuf};

use goblin::elf::Elf;

use crate::launch::{bare, calltap, scratch};
use crate::target::Target;

/// Runs something with this cache directory and expects a sound report.
fn expect_tapped(cache: &Path) {
    let target = Target::c("endings.c").build();
    let launch = calltap().variable("XDG_CACHE_HOME", cache).variable("HOME", "/no/such/home");
    let outcome = launch.run(&target, &["exit", "11"]).expect_status(7);
    assert_eq!(outcome.report().only_process().still_allocated(), (11, 11 * 32), "{outcome}");
}

/// The libraries in a cache directory.
fn libraries(cache: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(cache.join("calltap")).expect("calltap made it");
    entries.map(|entry| entry.expect("it can be listed").path()).collect()
}

#[test]
fn it_is_written_once_and_replaced_if_it_is_damaged() {
    let cache = scratch();
    expect_tapped(cache.path());
    let first = libraries(cache.path());
    assert_eq!(first.len(), 1, "{first:?}");
    let whole = fs::read(&first[0]).expect("it was just there");
    for damage in [&whole[..whole.len() / 2], b"", b"no library at all"] {
        fs::write(&first[0], damage).expect("it is ours");
        expect_tapped(cache.path());
        assert_eq!(libraries(cache.path()), first);
        assert!(fs::read(&first[0]).expect("it is there") == whole, "not repaired");
    }
}

#[test]
fn no_cache_directory_is_needed() {
    expect_tapped("/dev/null/cache".as_ref());
    let cache = scratch();
    expect_tapped(&cache.path().join("with space"));
    expect_tapped(&cache.path().join("with:colon"));
    let children = Target::c("family.c").build();
    let launch = bare().variable("XDG_CACHE_HOME", "/dev/null/cache").variable("HOME", "");
    let without = launch.clone().run(&children, &["vfork_exec"]);
    let with = launch.tapped().run(&children, &["vfork_exec"]).expect_same_as(&without);
    assert!(with.report().processes().iter().all(|process| process.at("/tapped") == true));
}

#[test]
fn many_first_runs_at_once_do_not_disturb_each_other() {
    let cache = scratch();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| expect_tapped(cache.path()));
        }
    });
    assert_eq!(libraries(cache.path()).len(), 1);
}

#[test]
fn it_asks_for_nothing_that_a_hook_must_not_use() {
    let cache = scratch();
    expect_tapped(cache.path());
    let bytes = fs::read(&libraries(cache.path())[0]).expect("it was just there");
    let library = Elf::parse(&bytes).expect("it is an ELF file");
    let imports: Vec<_> = library
        .dynsyms
        .iter()
        .filter(goblin::elf::Sym::is_import)
        .filter_map(|symbol| library.dynstrtab.get_at(symbol.st_name))
        .collect();
    assert!(imports.contains(&"dlsym"), "{imports:?}");
    // What would leave traces in the program.
    for name in ["pthread_create", "sigaction", "signal", "timer_create", "setitimer", "dlclose"] {
        assert!(!imports.contains(&name), "{name}: {imports:?}");
    }
    assert!(library.libraries.iter().all(|name| !name.contains("gcc_s")), "{:?}", library.libraries);
}

#[test]
fn no_hook_asks_the_loader_for_thread_storage() {
    let trap = Target::c("trap.c").flags(&["-shared", "-fPIC"]).build();
    let everything = calltap().options(&["--tap", "memory,fd,io,lock,process"]);
    let launch = everything.variable("LD_PRELOAD", trap.path());
    let directory = scratch();
    let place = directory.path().to_str().expect("a plain path");
    for (source, arguments) in [
        ("counts_heap.c", &["4", "100"][..]),
        ("counts_fd.c", &["4", "10", place]),
        ("errno.c", &[""]),
        ("family.c", &["fork_among_threads"]),
    ] {
        launch.clone().run(Target::c(source).build(), arguments).expect_status(0);
    }
}
