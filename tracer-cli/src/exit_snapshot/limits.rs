//! `/proc/PID/limits`: what the process was allowed.

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
}
