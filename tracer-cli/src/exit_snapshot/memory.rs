//! `/proc/PID/{status,smaps}`: how much memory is and was resident.

/// Sizes in bytes; `None` where the kernel did not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// Largest resident size so far (`VmHWM`).
    pub peak_rss_bytes: Option<u64>,
    /// Largest address space so far (`VmPeak`).
    pub peak_virtual_bytes: Option<u64>,
    /// Resident size (`Rss` of all mappings, else `VmRSS`, which may lag behind).
    pub rss_bytes: Option<u64>,
    /// Resident, of anonymous memory (`RssAnon`).
    pub rss_anon_bytes: Option<u64>,
    /// Resident, of files (`RssFile`).
    pub rss_file_bytes: Option<u64>,
    /// Resident, of shared memory (`RssShmem`).
    pub rss_shmem_bytes: Option<u64>,
    /// Resident, with shared pages divided by their users (`Pss`).
    pub pss_bytes: Option<u64>,
    /// Resident pages of no file, private copies of file pages included (`Anonymous`).
    pub anonymous_bytes: Option<u64>,
    /// Given back with `MADV_FREE`, and still resident (`LazyFree`).
    pub lazily_freed_bytes: Option<u64>,
    /// Transparent huge pages of anonymous memory (`AnonHugePages`).
    pub huge_bytes: Option<u64>,
    /// Swapped out (`Swap`).
    pub swap_bytes: Option<u64>,
    /// Threads at that moment (`Threads`).
    pub threads: Option<u64>,
}

impl Memory {
    /// From `status` and from `smaps` or `smaps_rollup`.
    #[must_use]
    pub fn parse(status: &str, smaps: &str) -> Self {
        let status = |name| total(status, name);
        let smaps = |name| total(smaps, name).map(kibibytes);
        Self {
            peak_rss_bytes: status("VmHWM").map(kibibytes),
            peak_virtual_bytes: status("VmPeak").map(kibibytes),
            rss_bytes: smaps("Rss").or_else(|| status("VmRSS").map(kibibytes)),
            rss_anon_bytes: status("RssAnon").map(kibibytes),
            rss_file_bytes: status("RssFile").map(kibibytes),
            rss_shmem_bytes: status("RssShmem").map(kibibytes),
            pss_bytes: smaps("Pss"),
            anonymous_bytes: smaps("Anonymous"),
            lazily_freed_bytes: smaps("LazyFree"),
            huge_bytes: smaps("AnonHugePages"),
            swap_bytes: smaps("Swap").or_else(|| status("VmSwap").map(kibibytes)),
            threads: status("Threads"),
        }
    }
}

/// The sum of all `name:  number` lines, if there is one.
fn total(text: &str, name: &str) -> Option<u64> {
    text.lines()
        .filter_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
        .filter_map(|rest| rest.split_ascii_whitespace().next()?.parse::<u64>().ok())
        .reduce(u64::saturating_add)
}

fn kibibytes(count: u64) -> u64 {
    count.saturating_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mappings_are_added_up_and_similar_names_are_not() {
        let smaps = "10-20 rw-p 00000000 00:00 0    [heap]\nRss:   8 kB\nPss:  4 kB\nPss_Anon: 100 kB\n\
                     Anonymous:  8 kB\nSwap:  1 kB\nSwapPss:  50 kB\nVmFlags: rd wr\n\
                     20-30 r--p 0 0:1 7   /tmp/Rss: 9\nRss:   2 kB\nPss: 1 kB\nAnonymous: 0 kB\nSwap: 0 kB\n";
        let memory = Memory::parse("", smaps);
        assert_eq!(memory.rss_bytes, Some(10 << 10));
        assert_eq!(memory.pss_bytes, Some(5 << 10));
        assert_eq!(memory.anonymous_bytes, Some(8 << 10));
        assert_eq!(memory.swap_bytes, Some(1 << 10));
    }

    #[test]
    fn status_gives_peaks_and_kinds() {
        let status = "Name:\tVmHWM: 1\nVmPeak:\t 3060 kB\nVmHWM:\t 1728 kB\nVmRSS:\t 1700 kB\n\
                      RssAnon:\t 112 kB\nRssFile:\t 1616 kB\nRssShmem:\t 0 kB\nThreads:\t3\n";
        let memory = Memory::parse(status, "");
        assert_eq!(memory.peak_rss_bytes, Some(1728 << 10));
        assert_eq!(memory.peak_virtual_bytes, Some(3060 << 10));
        assert_eq!(memory.rss_bytes, Some(1700 << 10), "from status where smaps is missing");
        assert_eq!(memory.rss_shmem_bytes, Some(0));
        assert_eq!(memory.threads, Some(3));
        assert_eq!(memory.swap_bytes, None);
    }

    #[test]
    fn nothing_readable_is_nothing_known() {
        assert_eq!(Memory::parse("", ""), Memory::default());
        assert_eq!(Memory::parse("VmHWM: many kB\nVmPeak", "Rss:\n"), Memory::default());
    }
}
