//! Which processes have come of a process.

use std::collections::VecDeque;
use std::fs;
use std::path::Path;
use std::sync::OnceLock;

/// A process with its parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Descendant {
    /// Its process id.
    pub pid: u32,
    /// Its parent's.
    pub parent: u32,
}

/// All that descend from process `pid`, without itself: parents before their children, siblings by age. What
/// begins or ends meanwhile may be missing.
#[must_use]
pub fn of(pid: u32) -> Vec<Descendant> {
    static LISTED: OnceLock<bool> = OnceLock::new();
    let listed = *LISTED.get_or_init(|| Path::new("/proc/thread-self/children").exists());
    if listed { walk(pid, children) } else { from_parents(pid) }
}

/// The children of a process, oldest first; those that others left behind come last.
#[must_use]
pub fn children(pid: u32) -> Vec<u32> {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    let lists = threads
        .flatten()
        .map(|thread| fs::read_to_string(thread.path().join("children")).unwrap_or_default());
    lists
        .flat_map(|list| list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>())
        .collect()
}

/// Whether the process runs, or could: it has not ended.
#[must_use]
pub fn is_alive(pid: u32) -> bool {
    Stat::of(pid).is_some_and(|stat| !matches!(stat.state, b'Z' | b'X'))
}

/// All that a process traces, whoever made them.
#[must_use]
pub fn traced_by(tracer: u32) -> Vec<u32> {
    let is_traced = |pid: &u32| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let by = status.lines().find_map(|line| line.strip_prefix("TracerPid:")?.trim().parse().ok());
        by == Some(tracer)
    };
    processes().filter(is_traced).collect()
}

/// Every process of the system that we can see.
fn processes() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn walk(root: u32, children: impl Fn(u32) -> Vec<u32>) -> Vec<Descendant> {
    let mut found: Vec<Descendant> = Vec::new();
    let mut waiting = VecDeque::from([root]);
    while let Some(parent) = waiting.pop_front() {
        for pid in children(parent) {
            // A process number that was used again while we looked could lead round in a circle.
            if pid != root && found.iter().all(|known| known.pid != pid) {
                found.push(Descendant { pid, parent });
                waiting.push_back(pid);
            }
        }
    }
    found
}

/// For kernels that do not list children (`CONFIG_PROC_CHILDREN`): every process is asked for its parent.
fn from_parents(root: u32) -> Vec<Descendant> {
    let mut parents: Vec<(u64, Descendant)> = processes()
        .filter_map(|pid| {
            let stat = Stat::of(pid)?;
            Some((stat.started, Descendant { pid, parent: stat.parent }))
        })
        .collect();
    parents.sort_by_key(|(started, process)| (*started, process.pid));
    walk(root, |parent| {
        parents
            .iter()
            .filter(|(_, process)| process.parent == parent)
            .map(|(_, process)| process.pid)
            .collect()
    })
}

/// Fields of `/proc/PID/stat` (proc_pid_stat(5)).
#[derive(Clone, Copy, Debug)]
struct Stat {
    state: u8,
    parent: u32,
    /// In clock ticks since the machine started.
    started: u64,
}

impl Stat {
    fn of(pid: u32) -> Option<Self> {
        let text = fs::read(format!("/proc/{pid}/stat")).ok()?;
        // The name before may have anything in it, parentheses and blanks too.
        let behind = text.iter().rposition(|&byte| byte == b')')? + 1;
        let text = String::from_utf8_lossy(&text[behind..]);
        let mut fields = text.split_whitespace();
        let state = *fields.next()?.as_bytes().first()?;
        let parent = fields.next()?.parse().ok()?;
        // Fields 5 to 21 lie between.
        let started = fields.nth(17)?.parse().ok()?;
        Some(Self { state, parent, started })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::process::{Command, Stdio};

    #[test]
    fn children_and_theirs_are_found_in_both_ways() {
        // The shell's child has one of its own; all three wait for our end of the pipe.
        let script = "exec 3<&0; sh -c 'cat <&3 & echo $! $$; wait' & cat <&3; wait";
        let mut shell = Command::new("sh");
        let mut shell =
            shell.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = Vec::new();
        let mut stdout = shell.stdout.take().unwrap();
        while !line.ends_with(b"\n") {
            let mut byte = [0];
            stdout.read_exact(&mut byte).unwrap();
            line.push(byte[0]);
        }
        let line = String::from_utf8(line).unwrap();
        let (grandchild, child) = line.trim().split_once(' ').unwrap();
        let expected = Descendant { pid: grandchild.parse().unwrap(), parent: child.parse().unwrap() };
        for found in [of(shell.id()), from_parents(shell.id())] {
            assert!(found.contains(&expected), "{found:?} {expected:?}");
            assert!(found.contains(&Descendant { pid: expected.parent, parent: shell.id() }), "{found:?}");
        }
        assert!(is_alive(expected.pid));
        drop(shell.stdin.take());
        let pid = shell.id();
        assert!(of(std::process::id()).iter().any(|process| process.pid == pid));
        shell.wait().unwrap();
        assert!(!is_alive(pid));
    }

    #[test]
    fn a_circle_has_an_end() {
        let found = walk(1, |pid| if pid < 4 { vec![pid + 1] } else { vec![1, 2] });
        assert_eq!(found.iter().map(|process| process.pid).collect::<Vec<_>>(), [2, 3, 4]);
    }
}
