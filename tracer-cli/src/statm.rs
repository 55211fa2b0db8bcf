//! `/proc/PID/statm`: how much memory a process has (proc_pid_statm(5)).

use calltap_analyzers::arenas::memory_map::PAGE;

/// Pages of a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statm {
    /// Resident, all kinds.
    pub resident: u64,
    /// Resident, of files and shared memory.
    pub shared: u64,
    /// Of code, resident or not.
    pub code: u64,
}

impl Statm {
    /// Reads the file's only line. None if it is another's, or if the process has given its memory up.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace().skip(1).map_while(|word| word.parse().ok());
        let mut next = || words.next();
        let statm = Self { resident: next()?, shared: next()?, code: next()? };
        (statm.resident > 0).then_some(statm)
    }

    /// Resident bytes of all kinds.
    #[must_use]
    pub const fn resident_bytes(self) -> u64 {
        self.resident * PAGE
    }

    /// Resident bytes that are neither of files nor of shared memory.
    #[must_use]
    pub const fn anonymous_bytes(self) -> u64 {
        self.resident.saturating_sub(self.shared) * PAGE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_the_second_to_the_fourth_word() {
        let statm = Statm::parse("1000 200 50 1 0 300 0\n").unwrap();
        assert_eq!(statm, Statm { resident: 200, shared: 50, code: 1 });
        assert_eq!((statm.resident_bytes(), statm.anonymous_bytes()), (200 * 4096, 150 * 4096));
        assert_eq!(Statm::parse("1000 200 50"), None);
        assert_eq!(Statm::parse("0 0 0 0 0 0 0"), None);
        let own = std::fs::read_to_string("/proc/self/statm").unwrap();
        assert!(Statm::parse(&own).is_some_and(|own| own.resident > own.shared && own.shared > 0), "{own}");
    }
}
