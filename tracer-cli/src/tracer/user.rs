//! Becoming another user, as `su` does: group, further groups, user.

use nix::errno::Errno;
use nix::unistd::{Gid, Uid, geteuid, getgrouplist, setgid, setgroups, setuid};

/// A user that the target is to run as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct User {
    uid: Uid,
    gid: Gid,
    groups: Vec<Gid>,
}

impl User {
    /// The user with this name.
    ///
    /// # Errors
    /// If there is none, or we must not become it.
    pub(crate) fn named(name: &str) -> anyhow::Result<Self> {
        anyhow::ensure!(
            geteuid().is_root(),
            "cannot run the program as user '{name}': only root may\n\
             hint: leave -u out to run it as yourself"
        );
        let user = nix::unistd::User::from_name(name)
            .map_err(|errno| anyhow::anyhow!("cannot look user '{name}' up: {errno}"))?;
        let user = user
            .ok_or_else(|| anyhow::anyhow!("there is no user '{name}'\nhint: `getent passwd` lists them"))?;
        let c_name = std::ffi::CString::new(name)?;
        let groups = getgrouplist(&c_name, user.gid)
            .map_err(|errno| anyhow::anyhow!("cannot look up the groups of user '{name}': {errno}"))?;
        Ok(Self { uid: user.uid, gid: user.gid, groups })
    }

    /// Makes this process the user's. Async-signal-safe: for a process with one thread that has just been forked.
    pub(crate) fn become_it(&self) -> Result<(), Errno> {
        setgroups(&self.groups)?;
        setgid(self.gid)?;
        setuid(self.uid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_looked_up_with_its_groups() {
        if !geteuid().is_root() {
            assert!(User::named("root").unwrap_err().to_string().contains("only root may"));
            return;
        }
        let root = User::named("root").unwrap();
        assert!(root.uid.is_root() && root.groups.contains(&root.gid));
        assert!(User::named("nobody-has-this-name").unwrap_err().to_string().contains("hint: "));
    }
}
