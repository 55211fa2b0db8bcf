//! Memory over time in one line.

use crate::report::model::MemoryPoint;
use crate::report::units::{bytes, plural};

/// What was read; nothing if that was not asked for.
pub(super) fn over_time(readings: Option<&[MemoryPoint]>) -> String {
    let Some(readings) = readings else { return String::new() };
    let Some(most) = readings.iter().max_by_key(|reading| reading.resident_bytes) else {
        return "memory over time: no reading\n".to_owned();
    };
    let live = readings.iter().map(|reading| reading.live_bytes).max().unwrap_or(0);
    let of_live = match most.live_bytes {
        0 => String::new(),
        live => {
            format!(", {:.1} times what was live then", most.resident_bytes as f64 / live as f64)
        }
    };
    format!(
        "memory over time: peak live {}, peak resident {} ({} anonymous){of_live}; {}\n",
        bytes(live),
        bytes(most.resident_bytes),
        bytes(most.anonymous_bytes),
        plural(readings.len() as u64, "reading"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peaks_are_told_with_their_quotient() {
        let reading = |live_bytes, resident_bytes| MemoryPoint {
            live_bytes,
            resident_bytes,
            anonymous_bytes: 1024,
            ..MemoryPoint::default()
        };
        let readings = [reading(4096, 2048), reading(2048, 5120), reading(0, 0)];
        assert_eq!(
            over_time(Some(&readings)),
            "memory over time: peak live 4.10 kB, peak resident 5.12 kB (1.02 kB anonymous), 2.5 times what was \
             live then; 3 readings\n"
        );
        assert_eq!(over_time(Some(&readings[2..])).matches("times").count(), 0);
        assert_eq!((over_time(None).len(), over_time(Some(&[])).lines().count()), (0, 1));
    }
}
