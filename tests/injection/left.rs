//! What is left behind: processes, files.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::running::wait_for;

/// Processes of a group by state, without those that only init can take away.
pub(crate) fn group(group: i32) -> Vec<(i32, char)> {
    let processes = fs::read_dir("/proc").expect("it is mounted").filter_map(|entry| {
        let pid: i32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let fields: Vec<_> = stat.rsplit_once(") ")?.1.split(' ').collect();
        let (state, parent) = (fields[0].chars().next()?, fields[1]);
        let left_to_init = state == 'Z' && parent == "1";
        (fields[2] == group.to_string() && !left_to_init).then_some((pid, state))
    });
    processes.collect()
}

/// Waits until all processes of a group have ended.
pub(crate) fn expect_nobody_left(of: i32, what: &str) {
    wait_for(&format!("the end of {what}"), || group(of).is_empty());
}

/// The first child of a process, if it has one.
pub(crate) fn child_of(pid: i32) -> Option<i32> {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).ok()?;
    children.split_ascii_whitespace().next()?.parse().ok()
}

/// Names of the files in a directory.
pub(crate) fn names(directory: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(directory).into_iter().flatten();
    entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}
