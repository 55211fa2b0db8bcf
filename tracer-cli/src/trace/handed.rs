//! What another user must be able to open (`-u`): the segment and the library, in a directory of the session.
//!
//! Root's own files are out of their reach: `/proc/PID/fd` of another user's process, and root's cache directory.

use std::fs::{self, DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::Context;
use nix::unistd::User;

use crate::segment_file;

/// Memory with names.
const MEMORY: &str = "/dev/shm";

/// A directory for one session of another user; gone with this value.
#[derive(Debug)]
pub struct Handed {
    directory: PathBuf,
    /// The user.
    pub user: User,
}

impl Handed {
    /// For the user with this name.
    ///
    /// # Errors
    /// If there is none, or no directory can be made.
    pub fn to(name: &str) -> anyhow::Result<Self> {
        let user = User::from_name(name).with_context(|| format!("cannot look user '{name}' up"))?;
        let user = user
            .ok_or_else(|| anyhow::anyhow!("there is no user '{name}'\nhint: `getent passwd` lists them"))?;
        let directory = Path::new(MEMORY).join(format!("calltap-{:016x}", segment_file::new_tag()?));
        DirBuilder::new()
            .mode(0o700)
            .create(&directory)
            .with_context(|| format!("cannot make a directory for user '{name}' in {MEMORY}"))?;
        let handed = Self { directory, user };
        // Whoever knows a file's name may open it, if that is theirs.
        fs::set_permissions(&handed.directory, Permissions::from_mode(0o711))?;
        Ok(handed)
    }

    /// The directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// A copy of the library that the user can read.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn library(&self, library: &Path) -> anyhow::Result<PathBuf> {
        let path = self.directory.join("libcalltap.so");
        fs::copy(library, &path).and_then(|_| fs::set_permissions(&path, Permissions::from_mode(0o755)))?;
        Ok(path)
    }
}

impl Drop for Handed {
    fn drop(&mut self) {
        // What cannot be removed is only memory, until the next boot.
        let _ = fs::remove_dir_all(&self.directory);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_handed_over_is_gone_with_the_session() {
        let me = User::from_uid(nix::unistd::getuid()).unwrap().unwrap();
        let handed = Handed::to(&me.name).unwrap();
        let library = handed.library(&std::env::current_exe().unwrap()).unwrap();
        assert_eq!(fs::metadata(&library).unwrap().permissions().mode() & 0o777, 0o755);
        let directory = handed.directory().to_owned();
        drop(handed);
        assert!(!directory.exists());
        assert!(Handed::to("nobody-has-this-name").unwrap_err().to_string().contains("hint: "));
    }
}
