use std::ffi::OsStr;
use std::process::Command;

use super::*;

/// Builds a shared library that defines these functions, with these options.
fn library(path: &Path, functions: &[&str], options: &[&str]) {
    let source = path.with_extension("c");
    let code: String =
        functions.iter().map(|name| format!("void *{name}(long a) {{ return (void *)a; }}\n")).collect();
    fs::write(&source, code).unwrap();
    let built = Command::new("gcc")
        .args(["-fno-builtin", "-w"])
        .arg(&source)
        .args(options)
        .arg("-o")
        .arg(path)
        .status();
    assert!(built.unwrap().success());
}

const SHARED: [&str; 3] = ["-shared", "-fPIC", "-nostdlib"];

fn known(name: &str) -> &'static Known {
    KNOWN.iter().find(|known| known.name == name).unwrap()
}

/// Why a file is not usable; it always has a hint.
fn refusal(path: &Path) -> String {
    let text = usable(path).unwrap_err();
    let (reason, hint) = text.split_once("\nhint: ").unwrap();
    assert!(reason.starts_with("cannot preload ") && !hint.is_empty(), "{text}");
    reason.to_owned()
}

#[test]
fn the_better_library_is_found_whatever_directory_it_is_in() {
    let scratch = tempfile::tempdir().unwrap();
    let [first, second] = ["first", "second"].map(|name| scratch.path().canonicalize().unwrap().join(name));
    let directories = [first.clone(), second.clone(), scratch.path().join("none")];
    for directory in [&first, &second] {
        fs::create_dir(directory).unwrap();
    }
    assert_eq!(known("tcmalloc").find(&directories), None);
    let minimal = first.join("libtcmalloc_minimal.so.4");
    library(&minimal, &["malloc", "free"], &SHARED);
    assert_eq!(known("tcmalloc").find(&directories), Some(minimal.clone()));
    let full = second.join("libtcmalloc.so.4");
    fs::copy(&minimal, &full).unwrap();
    assert_eq!(known("tcmalloc").find(&directories), Some(full.clone()));
    // What is broken, or another machine's, is passed over.
    fs::write(first.join("libtcmalloc.so.4"), "not a library").unwrap();
    assert_eq!(known("tcmalloc").find(&directories), Some(full));
}

#[test]
fn of_several_versions_the_newest_is_found() {
    let scratch = tempfile::tempdir().unwrap();
    let directory = scratch.path().canonicalize().unwrap();
    library(&directory.join("libmimalloc.so.2.0"), &["malloc", "free"], &SHARED);
    for name in ["libmimalloc.so.10", "libmimalloc.so.9", "libmimalloc.so.old"] {
        fs::copy(directory.join("libmimalloc.so.2.0"), directory.join(name)).unwrap();
    }
    let found = known("mimalloc").find(std::slice::from_ref(&directory));
    assert_eq!(found, Some(directory.join("libmimalloc.so.10")));
}

#[test]
fn what_is_missing_is_told_with_where_it_was_looked_for_and_its_package() {
    let nowhere = [PathBuf::from("/no/such"), PathBuf::from("/nor/this")];
    assert_eq!(
        known("tcmalloc").missing(&nowhere),
        "tcmalloc is not installed: there is no usable libtcmalloc.so.4 or libtcmalloc_minimal.so.4 in /no/such, /nor/this\n\
         hint: apt-get install libtcmalloc-minimal4 (or libgoogle-perftools4, which profiles, too), \
         or give the path of its library: --allocator PATH"
    );
    let text = known("mimalloc").missing(&nowhere);
    assert!(text.contains("no usable libmimalloc.so.* in /no/such"), "{text}");
}

#[test]
fn a_library_is_usable_if_it_is_this_machines_and_has_malloc_and_free() {
    let scratch = tempfile::tempdir().unwrap();
    let directory = scratch.path().canonicalize().unwrap();
    let good = directory.join("libgood.so");
    library(&good, &["malloc", "free"], &SHARED);
    std::os::unix::fs::symlink(&good, directory.join("link.so")).unwrap();
    assert_eq!(usable(&directory.join("link.so")), Ok(good.clone()));

    assert!(refusal(&directory.join("none.so")).contains("No such file"));
    assert!(refusal(Path::new("/etc/passwd")).ends_with("it is no ELF file"));
    assert!(refusal(&directory).contains("Is a directory"));
    let half = directory.join("libhalf.so");
    library(&half, &["malloc"], &SHARED);
    assert!(refusal(&half).ends_with("it exports no free"));
    let wants = directory.join("libwants.so");
    library(&wants, &["calloc"], &SHARED);
    assert!(refusal(&wants).ends_with("it exports no malloc"));
    let program = directory.join("program");
    library(&program, &["main", "malloc", "free"], &["-no-pie", "-rdynamic"]);
    assert!(refusal(&program).ends_with("it is a program, no shared library"));

    let mut bytes = fs::read(&good).unwrap();
    bytes.truncate(100);
    let cut = directory.join("libcut.so");
    fs::write(&cut, &bytes).unwrap();
    assert!(refusal(&cut).contains("no complete shared library"));
    let mut bytes = fs::read(&good).unwrap();
    bytes[18..20].copy_from_slice(&183_u16.to_le_bytes());
    let arm = directory.join("libarm.so");
    fs::write(&arm, &bytes).unwrap();
    assert!(refusal(&arm).ends_with("it is for 64-bit ARM"));

    let spaced = directory.join("lib spaced.so");
    fs::copy(&good, &spaced).unwrap();
    assert!(refusal(&spaced).contains("a space or a colon"));
}

#[test]
fn directories_are_those_of_the_environment_before_those_of_the_system() {
    let scratch = tempfile::tempdir().unwrap();
    let own = scratch.path().to_str().unwrap();
    let all = directories(Some(OsStr::new(&format!(":{own}:/no/such/directory;{own}"))));
    assert_eq!(all[0], scratch.path());
    assert_eq!(all.iter().filter(|path| **path == all[0]).count(), 1);
    assert!(all[1..].iter().all(|path| path.is_dir()));
    assert_eq!(directories(None), all[1..]);
    // The C library of this machine is in one of them.
    assert!(all.iter().any(|path| path.join("libc.so.6").exists()), "{all:?}");
}

#[test]
fn configuration_files_include_others() {
    let scratch = tempfile::tempdir().unwrap();
    let at = |name: &str| scratch.path().join(name);
    fs::create_dir(at("conf.d")).unwrap();
    fs::write(
        at("conf"),
        "/a # not /b\n\n  /c=libc6\ninclude conf.d/*.conf\nhwcap 1 x\ninclude none/*.conf\n/d\n",
    )
    .unwrap();
    fs::write(at("conf.d/2.conf"), "/second\n").unwrap();
    fs::write(at("conf.d/1.conf"), "/first\ninclude 1.conf\n").unwrap();
    fs::write(at("conf.d/3.conf.old"), "/old\n").unwrap();
    let mut found = Vec::new();
    directories::configured(&at("conf"), 2, &mut found);
    let found: Vec<_> = found.iter().filter_map(|path| path.to_str()).collect();
    // A file that includes itself is followed no further than the limit.
    assert_eq!(found, ["/a", "/c", "/first", "/first", "/second", "/d"]);
}
