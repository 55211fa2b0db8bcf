//! Directories whose entries nobody can exchange but us and root.
//!
//! What lies in another one may be good when it is looked at and something else when the loader opens it, in a
//! program that may have more rights than who has exchanged it: with `sudo`, `HOME` is often another user's.

use std::fs::{self, Metadata};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Whether we and root alone can change what lies in a directory, and what its path means. The path has no links in it.
pub(super) fn is_trusted(canonical: &Path) -> bool {
    canonical.is_absolute()
        && canonical.ancestors().all(|directory| {
            let entries_are_their_owners = directory != canonical;
            fs::symlink_metadata(directory).is_ok_and(|found| is_safe(&found, entries_are_their_owners))
        })
}

/// Whether a directory can be made, or is there, in one that is trusted.
pub(super) fn may_be_made(directory: &Path) -> bool {
    directory.is_absolute()
        && directory
            .ancestors()
            .find_map(|existing| match existing.canonicalize() {
                Err(error) if error.kind() == ErrorKind::NotFound => None,
                found => Some(found),
            })
            .is_some_and(|existing| existing.is_ok_and(|existing| is_trusted(&existing)))
}

/// `sticky` is whether it is enough that nobody can rename or remove what is another's.
fn is_safe(directory: &Metadata, sticky: bool) -> bool {
    let ours = [0, nix::unistd::geteuid().as_raw()].contains(&directory.uid());
    let others_write = directory.mode() & 0o022 != 0;
    directory.is_dir() && ours && (!others_write || sticky && directory.mode() & libc::S_ISVTX != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn a_directory_is_trusted_if_nobody_else_can_change_it_or_the_way_to_it() {
        let scratch = tempfile::tempdir().unwrap();
        let above = scratch.path().canonicalize().unwrap().join("above");
        let directory = above.join("below");
        fs::create_dir_all(&directory).unwrap();
        let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        for (of_above, of_it, trusted) in [
            (0o755, 0o700, true),
            (0o755, 0o755, true),
            (0o755, 0o777, false),
            (0o755, 0o770, false),
            (0o755, 0o1777, false),
            (0o777, 0o700, false),
            (0o1777, 0o700, true),
        ] {
            mode(&above, of_above);
            mode(&directory, of_it);
            assert_eq!(is_trusted(&directory), trusted, "{of_above:o} {of_it:o}");
            assert_eq!(may_be_made(&directory), trusted, "{of_above:o} {of_it:o}");
            assert_eq!(may_be_made(&directory.join("new/one")), trusted, "{of_above:o} {of_it:o}");
        }
        assert!(!is_trusted(Path::new("relative")) && !may_be_made(Path::new("relative")));
    }

    #[test]
    fn a_link_leads_to_what_it_is_judged_by() {
        let scratch = tempfile::tempdir().unwrap();
        let (open, link) = (scratch.path().join("open"), scratch.path().join("link"));
        fs::create_dir(&open).unwrap();
        fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
        symlink(&open, &link).unwrap();
        assert!(!may_be_made(&link) && !may_be_made(&link.join("calltap")));
    }

    #[test]
    fn what_is_another_users_is_not_trusted() {
        if !nix::unistd::geteuid().is_root() {
            return;
        }
        let scratch = tempfile::tempdir().unwrap();
        let directory = scratch.path().canonicalize().unwrap().join("theirs");
        fs::create_dir(&directory).unwrap();
        assert!(is_trusted(&directory));
        std::os::unix::fs::chown(&directory, Some(65534), None).unwrap();
        assert!(!is_trusted(&directory) && !may_be_made(&directory.join("calltap")));
    }
}
