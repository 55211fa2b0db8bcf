//! What the process was allowed (`/proc/PID/limits`), and what the whole system is.

use std::fs;

/// A resource limit. `None` is "unlimited".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limit {
    /// The limit in force.
    pub soft: Option<u64>,
    /// The highest one that the process may set itself.
    pub hard: Option<u64>,
}

/// The limits that matter for memory and descriptors. `None` is "not known".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Descriptor numbers below this can be used.
    pub open_files: Option<Limit>,
    /// Bytes of address space.
    pub address_space: Option<Limit>,
}

impl Limits {
    /// From the text of `/proc/PID/limits`.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self { open_files: row(text, "Max open files"), address_space: row(text, "Max address space") }
    }
}

/// How many open files the system has and may have. `None` is "not known".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SystemFiles {
    /// Open files of all processes together.
    pub allocated: Option<u64>,
    /// The most that there can be.
    pub maximum: Option<u64>,
    /// No process may have a limit above this.
    pub ceiling: Option<u64>,
}

impl SystemFiles {
    /// What the kernel says now.
    #[must_use]
    pub fn read() -> Self {
        let text = |name| fs::read_to_string(format!("/proc/sys/fs/{name}")).unwrap_or_default();
        Self::parse(&text("file-nr"), &text("nr_open"))
    }

    /// From the texts of `file-nr` and `nr_open`.
    #[must_use]
    pub fn parse(file_nr: &str, nr_open: &str) -> Self {
        let numbers: Vec<Option<u64>> = file_nr.split_ascii_whitespace().map(|n| n.parse().ok()).collect();
        // What is between them, "allocated and unused", has been 0 since Linux 2.6.
        let [allocated, _, maximum] = numbers[..] else {
            return Self { ceiling: nr_open.trim().parse().ok(), ..Self::default() };
        };
        Self { allocated, maximum, ceiling: nr_open.trim().parse().ok() }
    }
}

fn row(text: &str, name: &str) -> Option<Limit> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    let mut columns = rest.split_ascii_whitespace().map(|column| match column {
        "unlimited" => Some(None),
        number => number.parse().ok().map(Some),
    });
    Some(Limit { soft: columns.next()??, hard: columns.next()?? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_unlimited_are_told_apart_from_unknown() {
        let limits = Limits::parse(
            "Limit                     Soft Limit           Hard Limit           Units     \n\
             Max open files            1024                 1048576              files     \n\
             Max address space         unlimited            unlimited            bytes     \n",
        );
        assert_eq!(limits.open_files, Some(Limit { soft: Some(1024), hard: Some(1_048_576) }));
        assert_eq!(limits.address_space, Some(Limit { soft: None, hard: None }));
    }

    #[test]
    fn rows_that_are_missing_or_cut_off_are_unknown() {
        assert_eq!(Limits::parse(""), Limits::default());
        assert_eq!(Limits::parse("Max open files   1024\nMax address space x y bytes"), Limits::default());
    }

    #[test]
    fn the_systems_numbers_are_told_apart_from_unknown() {
        let files = SystemFiles::parse("2112\t0\t9223372036854775807\n", "1048576\n");
        assert_eq!(files.allocated, Some(2112));
        assert_eq!((files.maximum, files.ceiling), (Some(i64::MAX as u64), Some(1_048_576)));
        assert_eq!(SystemFiles::parse("", ""), SystemFiles::default());
        assert_eq!(SystemFiles::parse("1 2", "3").ceiling, Some(3));
    }
}
