//! Where the interposer's file comes from: never from a place where somebody else could have exchanged it.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;

use super::{NOBODY, is_root};
use crate::launch::{Launch, calltap, scratch};
use crate::target::SCRATCH;

/// The path from which the library is loaded.
fn loaded(launch: Launch) -> String {
    let outcome = launch.run("cat", &["/proc/self/maps"]).expect_status(0);
    let maps = outcome.stdout();
    let line = maps.lines().find(|line| line.contains("libcalltap")).expect("it is tapped");
    line.split_ascii_whitespace().nth(5).expect("it has a name").to_owned()
}

/// Expects that this cache is neither used nor written to.
fn expect_distrust(cache: &Path) {
    let path = loaded(calltap().variable("XDG_CACHE_HOME", cache));
    assert!(path.starts_with("/memfd:libcalltap"), "{path}, with {}", cache.display());
    let left: Vec<_> = fs::read_dir(cache.join("calltap")).into_iter().flatten().flatten().collect();
    assert!(left.is_empty(), "{left:?}");
}

/// Promise 4.
#[test]
fn a_cache_that_others_can_write_to_is_not_used() {
    let directory = scratch();
    let mode = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).expect("ours");
    let cache = directory.path().join("cache");
    fs::create_dir(&cache).expect("ours");
    let trusted = loaded(calltap().variable("XDG_CACHE_HOME", &cache));
    assert!(
        !trusted.starts_with("/memfd:"),
        "{trusted}: are directories above {SCRATCH} writable by others?"
    );
    fs::remove_dir_all(cache.join("calltap")).expect("ours");

    for bits in [0o777, 0o770, 0o702] {
        mode(&cache, bits);
        expect_distrust(&cache);
    }
    mode(&cache, 0o700);
    mode(directory.path(), 0o777);
    expect_distrust(&cache);
    mode(directory.path(), 0o700);
    let (open, link) = (directory.path().join("open"), directory.path().join("link"));
    fs::create_dir(&open).expect("ours");
    mode(&open, 0o777);
    symlink(&open, &link).expect("ours");
    expect_distrust(&link);
    fs::create_dir(cache.join("calltap")).expect("ours");
    mode(&cache.join("calltap"), 0o777);
    expect_distrust(&cache);
}

/// Promise 4: with `sudo`, `HOME` is another user's.
#[test]
fn a_cache_of_another_user_is_not_used() {
    if !is_root() {
        return;
    }
    let home = scratch();
    fs::create_dir(home.path().join(".cache")).expect("ours");
    for path in [home.path().join(".cache"), home.path().to_owned()] {
        chown(path, Some(NOBODY), Some(NOBODY)).expect("root may");
    }
    expect_distrust(&home.path().join(".cache"));
}

/// Promise 4: what is loaded was compared byte by byte with what calltap has in itself, and has not been written to since.
#[test]
fn a_file_of_the_librarys_name_is_not_trusted_for_that() {
    let cache = scratch();
    let first = loaded(calltap().variable("XDG_CACHE_HOME", cache.path()));
    let original = fs::read(&first).expect("ours");
    let mut changed = original.clone();
    *changed.last_mut().expect("not empty") ^= 1;
    fs::write(&first, &changed).expect("ours");
    assert_eq!(loaded(calltap().variable("XDG_CACHE_HOME", cache.path())), first);
    assert_eq!(fs::read(&first).expect("ours"), original);
    let elsewhere = cache.path().join("elsewhere");
    fs::rename(&first, &elsewhere).expect("ours");
    fs::write(&elsewhere, &changed).expect("ours");
    symlink(&elsewhere, &first).expect("ours");
    assert_eq!(loaded(calltap().variable("XDG_CACHE_HOME", cache.path())), first);
    assert_eq!(fs::read(&first).expect("ours"), original);
    assert_eq!(fs::read(&elsewhere).expect("ours"), changed, "nothing is written through a link");
}
