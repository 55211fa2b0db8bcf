//! Numbers for people: three figures and a unit.

/// Bytes in powers of 1000: `872 B`, `6.40 MB`.
pub(crate) fn bytes(count: u64) -> String {
    scaled(count, 1000, &["B", "kB", "MB", "GB", "TB", "PB", "EB"])
}

/// Bytes for people, and exactly: `6.40 MB (6400000 bytes)`.
pub(super) fn bytes_exactly(count: u64) -> String {
    match count {
        1 => "1 byte".to_owned(),
        0..1000 => format!("{count} bytes"),
        _ => format!("{} ({count} bytes)", bytes(count)),
    }
}

/// A time: `38 ns`, `1.25 us`, `3.10 ms`, `12.0 s`.
pub(crate) fn time(ns: u64) -> String {
    scaled(ns, 1000, &["ns", "us", "ms", "s"])
}

/// A time in which people wait: `14 s`, `14 min`, `5 h`, `12 days`.
pub(super) fn long_time(ns: u64) -> String {
    let seconds = ns / 1_000_000_000;
    match seconds {
        0..2 => time(ns),
        2..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// So many in a time of which it is a handy number: `12/min`, `500/s`, `0.5/h`.
pub(super) fn rate(per_minute: f64) -> String {
    let (rate, unit) = match per_minute {
        600.0.. => (per_minute / 60.0, "s"),
        1.0.. => (per_minute, "min"),
        _ => (per_minute * 60.0, "h"),
    };
    if rate < 10.0 && rate.fract() >= 0.05 {
        format!("{rate:.1}/{unit}")
    } else {
        format!("{rate:.0}/{unit}")
    }
}

/// `1 block`, `2 blocks`.
pub(crate) fn plural(count: u64, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        _ => format!("{count} {noun}s"),
    }
}

fn scaled(count: u64, step: u64, units: &[&str]) -> String {
    let mut value = count as f64;
    let mut rest = units;
    // 999.5 would be printed as 1000.
    while value >= step as f64 - 0.5 && rest.len() > 1 {
        value /= step as f64;
        rest = &rest[1..];
    }
    let decimals = match value {
        _ if rest.len() == units.len() => 0,
        ..9.995 => 2,
        ..99.95 => 1,
        _ => 0,
    };
    format!("{value:.decimals$} {}", rest[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_figures_and_a_unit() {
        for (count, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.00 kB"),
            (9_994, "9.99 kB"),
            (9_996, "10.0 kB"),
            (72_704, "72.7 kB"),
            (999_499, "999 kB"),
            (999_500, "1.00 MB"),
            (6_400_000, "6.40 MB"),
            (u64::MAX, "18.4 EB"),
        ] {
            assert_eq!(bytes(count), text);
        }
        assert_eq!(time(38), "38 ns");
        assert_eq!(time(1_250), "1.25 us");
        assert_eq!(time(3_600_000_000_000), "3600 s", "seconds are the largest unit");
    }

    #[test]
    fn long_times_and_rates_are_in_the_unit_that_fits() {
        const SECOND: u64 = 1_000_000_000;
        for (seconds, text) in
            [(14, "14 s"), (840, "14 min"), (18_000, "5 h"), (1_036_800, "12 days"), (1, "1.00 s")]
        {
            assert_eq!(long_time(seconds * SECOND), text);
        }
        for (per_minute, text) in
            [(12.0, "12/min"), (1.5, "1.5/min"), (30_000.0, "500/s"), (0.1, "6/h"), (0.0, "0/h")]
        {
            assert_eq!(rate(per_minute), text);
        }
    }

    #[test]
    fn what_matters_is_also_given_exactly() {
        assert_eq!(bytes_exactly(1), "1 byte");
        assert_eq!(bytes_exactly(640), "640 bytes");
        assert_eq!(bytes_exactly(6_400_001), "6.40 MB (6400001 bytes)");
        assert_eq!(plural(1, "block"), "1 block");
        assert_eq!(plural(0, "descriptor"), "0 descriptors");
    }
}
