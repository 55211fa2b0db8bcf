//! Bytes in words.

/// Bytes as the report has them: three figures, in powers of 1000.
pub(super) fn amount(bytes: u64) -> String {
    let (mut value, mut units) = (bytes as f64, ["B", "kB", "MB", "GB", "TB"].as_slice());
    while value >= 999.5 && units.len() > 1 {
        (value, units) = (value / 1000.0, &units[1..]);
    }
    let decimals = match value {
        _ if units[0] == "B" => 0,
        ..9.995 => 2,
        ..99.95 => 1,
        _ => 0,
    };
    format!("{value:.decimals$} {}", units[0])
}

#[cfg(test)]
mod tests {
    use super::amount;

    #[test]
    fn three_figures_and_a_unit() {
        let texts =
            [(0, "0 B"), (999, "999 B"), (1_000, "1.00 kB"), (9_996, "10.0 kB"), (999_500, "1.00 MB")];
        for (bytes, text) in texts.into_iter().chain([(u64::MAX, "18446744 TB")]) {
            assert_eq!(amount(bytes), text);
        }
    }
}
