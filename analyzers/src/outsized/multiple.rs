//! Whether a size is a multiple of a limit: so many bytes for each.

/// A size that is a limit's value times the size of something small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Multiple {
    /// The limit's value, soft or hard.
    pub value: u64,
    /// Bytes for each of it: 1 to 65536.
    pub bytes_each: u64,
    /// How many bytes the size is above the product, or below it: a header, a few rows more, or a round
    /// number of pages. 0 if it is the product.
    pub beyond_bytes: i64,
}

impl Multiple {
    /// Larger things are made one by one.
    const MOST_BYTES_EACH: u64 = 65_536;
    /// The same for a round limit, such as 2^20, which divides every round size by chance.
    const MOST_BYTES_EACH_IF_ROUND: u64 = 1024;
    /// A page, less one byte: what rounding adds.
    const SLACK: u64 = 4095;
    /// Less than one in so many sizes is a multiple by chance.
    const CHANCE: u64 = 100;

    /// What `bytes` is of `value`, if it is a multiple that no chance explains.
    #[must_use]
    pub fn of(bytes: u64, value: u64) -> Option<Self> {
        if value == 0 || bytes == u64::MAX {
            return None;
        }
        let below = bytes / value;
        let (bytes_each, beyond_bytes) = match bytes % value {
            rest if rest > value / 2 => (below + 1, -i64::try_from(value - rest).ok()?),
            rest => (below, i64::try_from(rest).ok()?),
        };
        // Sizes within the slack of a multiple, on both sides of it, among those from one to the next.
        let near = 2 * Self::SLACK.max(bytes_each) + 1;
        let is_near = match beyond_bytes {
            0 => value >= Self::CHANCE,
            beyond => beyond.unsigned_abs() <= near / 2 && value >= near * Self::CHANCE,
        };
        let is_round = value >> value.trailing_zeros() < Self::CHANCE;
        let most = if is_round { Self::MOST_BYTES_EACH_IF_ROUND } else { Self::MOST_BYTES_EACH };
        let is_small = (1..=most).contains(&bytes_each);
        (is_small && is_near).then_some(Self { value, bytes_each, beyond_bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What systemd made of "infinity": `fs.nr_open` of some machines.
    const BILLION: u64 = 1_073_741_816;

    fn of(bytes: u64, value: u64) -> Option<(u64, i64)> {
        Multiple::of(bytes, value).map(|multiple| (multiple.bytes_each, multiple.beyond_bytes))
    }

    #[test]
    fn a_product_is_a_multiple() {
        assert_eq!(of(BILLION * 48, BILLION), Some((48, 0)));
        assert_eq!(of(20_000 * 1024, 20_000), Some((1024, 0)));
        assert_eq!(of(20_000 * 24_576, 20_000), Some((24_576, 0)));
        assert_eq!(of(48 << 20, 1 << 20), Some((48, 0)));
        assert_eq!(of(BILLION, BILLION), Some((1, 0)));
    }

    #[test]
    fn a_header_a_row_more_and_round_pages_are_near_enough_of_a_large_value() {
        assert_eq!(of(BILLION * 48 + 16, BILLION), Some((48, 16)));
        assert_eq!(of((BILLION - 1) * 48, BILLION), Some((48, -48)));
        assert_eq!(of((BILLION * 52).next_multiple_of(4096), BILLION), Some((52, 416)));
        assert_eq!(of(20_000 * 48 + 16, 20_000), None, "every second size is as near");
    }

    #[test]
    fn others_are_none() {
        assert_eq!(of(55_000_000_000, BILLION), None, "51.2 for each");
        assert_eq!(of(1 << 33, 1 << 20), None, "both are round");
        assert_eq!(of(20_000 * 70_000, 20_000), None, "70000 for each are not small");
        assert_eq!(of(BILLION / 3, BILLION), None);
        assert_eq!((of(u64::MAX, 5), of(64, 0), of(64, 8)), (None, None, None));
        assert_eq!(of(u64::MAX - 1, u64::MAX / 2), Some((2, 0)));
    }
}
