//! How much memory a program can use: what the machine has, or what its control group may take.

use std::fs;
use std::path::{Path, PathBuf};

use calltap_analyzers::outsized::{Capacity, CapacitySetBy};

/// Where systems mount version 2, and the memory controller of version 1 (cgroups(7)).
const UNIFIED: &str = "/sys/fs/cgroup";
const MEMORY: &str = "/sys/fs/cgroup/memory";

/// The smaller of both, for programs that this process starts; an allocation of more than `percent` of it
/// is outsized. None if `/proc` cannot be read.
#[must_use]
pub fn capacity(percent: u64) -> Option<Capacity> {
    let ram = ram(&fs::read_to_string("/proc/meminfo").ok()?)?;
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let files = groups.lines().flat_map(limit_files);
    let limit = files.filter_map(|file| limit(&fs::read_to_string(file).ok()?)).min();
    Some(smaller(ram, limit, percent))
}

fn smaller(ram: u64, limit: Option<u64>, percent: u64) -> Capacity {
    match limit.filter(|limit| *limit < ram) {
        Some(bytes) => Capacity { bytes, set_by: CapacitySetBy::Cgroup, percent },
        None => Capacity { bytes: ram, set_by: CapacitySetBy::Ram, percent },
    }
}

/// `MemTotal` in bytes.
pub(crate) fn ram(meminfo: &str) -> Option<u64> {
    let total = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = total.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024).filter(|bytes| *bytes > 0)
}

/// The files that may hold a limit for the group of a line of `/proc/self/cgroup`: its own and those of
/// the groups above, which bind it as well.
pub(crate) fn limit_files(line: &str) -> Vec<PathBuf> {
    let mut fields = line.splitn(3, ':').skip(1);
    let (Some(controllers), Some(group)) = (fields.next(), fields.next()) else { return Vec::new() };
    let (mount, file) = match controllers {
        "" => (UNIFIED, "memory.max"),
        _ if controllers.split(',').any(|controller| controller == "memory") => {
            (MEMORY, "memory.limit_in_bytes")
        }
        _ => return Vec::new(),
    };
    // A group outside of what the process can see is named by way of "..".
    let group = if group.contains("/..") { "/" } else { group };
    let own = Path::new(mount).join(group.trim_start_matches('/'));
    let mut directory = own.as_path();
    let mut files = vec![directory.join(file)];
    while directory != Path::new(mount)
        && let Some(above) = directory.parent()
    {
        directory = above;
        files.push(directory.join(file));
    }
    files
}

/// Bytes; None for "max". Version 1 has a number above any machine's memory for that.
fn limit(text: &str) -> Option<u64> {
    text.trim().parse().ok().filter(|bytes| *bytes > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ram_is_mem_total() {
        assert_eq!(ram("MemTotal:       24684084 kB\nMemFree:  2377300 kB\n"), Some(24_684_084 * 1024));
        assert_eq!(ram("MemFree: 5 kB\n"), None);
        assert_eq!(ram("MemTotal: many kB\n"), None);
        assert_eq!(ram("MemTotal: 0 kB\n"), None);
    }

    #[test]
    fn a_limit_binds_the_groups_below_it() {
        let files = |line| {
            let files = limit_files(line).into_iter();
            files.map(|file| file.to_str().expect("a plain path").to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(
            files("0::/user.slice/a:b"),
            [
                "/sys/fs/cgroup/user.slice/a:b/memory.max",
                "/sys/fs/cgroup/user.slice/memory.max",
                "/sys/fs/cgroup/memory.max"
            ]
        );
        assert_eq!(
            files("4:hugetlb,memory:/docker/17"),
            [
                "/sys/fs/cgroup/memory/docker/17/memory.limit_in_bytes",
                "/sys/fs/cgroup/memory/docker/memory.limit_in_bytes",
                "/sys/fs/cgroup/memory/memory.limit_in_bytes"
            ]
        );
        assert_eq!(files("0::/"), ["/sys/fs/cgroup/memory.max"]);
        assert_eq!(files("0::/../../elsewhere"), ["/sys/fs/cgroup/memory.max"]);
        assert!(files("8:pids:/x").is_empty() && files("rubbish").is_empty() && files("").is_empty());
    }

    #[test]
    fn no_limit_is_written_in_two_ways() {
        assert_eq!(limit("536870912\n"), Some(1 << 29));
        assert_eq!(limit("max\n"), None);
        let unlimited = limit("9223372036854771712\n");
        assert_eq!(smaller(1 << 34, unlimited, 25).set_by, CapacitySetBy::Ram);
    }

    #[test]
    fn the_smaller_one_counts() {
        let tight = smaller(1 << 34, Some(1 << 30), 50);
        assert_eq!(
            (tight.bytes, tight.set_by, tight.most_bytes()),
            (1 << 30, CapacitySetBy::Cgroup, 1 << 29)
        );
        assert_eq!(smaller(1 << 30, Some(1 << 34), 50).bytes, 1 << 30);
        assert_eq!(smaller(1 << 30, None, 50).bytes, 1 << 30);
    }

    #[test]
    fn this_machine_has_memory() {
        let here = capacity(25).expect("/proc/meminfo is there");
        assert!(here.bytes > here.most_bytes() && here.most_bytes() > 0);
    }
}
