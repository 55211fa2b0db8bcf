//! Variables that somebody else has set.

use std::fs::{self, File};
use std::path::PathBuf;

use crate::launch::{bare, calltap, scratch};
use crate::target::Target;

/// Promise 5.
#[test]
fn forged_variables_of_ours_load_nothing() {
    let library = Target::c("announce.c").flags(&["-shared", "-fPIC"]).build();
    let path = library.path().display().to_string();
    for before in
        [&[("CALLTAP_PRELOAD", path.as_str())][..], &[("CALLTAP_SEGMENT", "/x"), ("CALLTAP_PRELOAD", &path)]]
    {
        let launch = before.iter().fold(calltap(), |launch, (name, value)| launch.variable(name, value));
        let outcome = launch.run("sh", &["-c", "env; true; /bin/true"]).expect_status(0);
        assert!(!outcome.stdout().contains("LD_PRELOAD"), "{outcome}");
        assert!(!outcome.stderr().contains("announced"), "{outcome}");
    }
}

/// The library of a session, as one finds it in the cache.
fn library(cache: &std::path::Path) -> PathBuf {
    calltap().variable("XDG_CACHE_HOME", cache).run("true", &[""; 0]).expect_status(0);
    let mut found = fs::read_dir(cache.join("calltap")).expect("ours").flatten().map(|entry| entry.path());
    found.find(|path| path.extension().is_some_and(|extension| extension == "so")).expect("it was placed")
}

/// Promise 5: loaded by somebody else, with anything in place of a segment, the library does nothing.
#[test]
fn what_is_no_segment_is_neither_waited_for_nor_written_to() {
    let directory = scratch();
    let library = library(directory.path());
    let [text, sparse, pipe, nothing] =
        ["text", "sparse", "pipe", "nothing"].map(|name| directory.path().join(name));
    fs::write(&text, vec![b'x'; 10_000]).expect("ours");
    File::create(&sparse).and_then(|file| file.set_len(1 << 40)).expect("ours");
    let path = std::ffi::CString::new(pipe.display().to_string()).expect("a plain path");
    // SAFETY: a string that ends with zero.
    assert_eq!(unsafe { libc::mkfifo(path.as_ptr(), 0o600) }, 0);
    let target = Target::c("mirror.c").build();
    let expected = bare().run(&target, &[""; 0]).expect_status(0);
    let places =
        [text.clone(), sparse.clone(), pipe, nothing, "/dev/null".into(), "/dev/zero".into(), "/".into()];
    for place in &places {
        let launch = bare().variable("LD_PRELOAD", &library).variable("CALLTAP_SEGMENT", place);
        launch.run(&target, &[""; 0]).expect_same_as(&expected);
    }
    assert_eq!(fs::read(&text).expect("ours"), vec![b'x'; 10_000]);
    use std::os::unix::fs::MetadataExt;
    assert_eq!(fs::metadata(&sparse).expect("ours").blocks(), 0);
}
