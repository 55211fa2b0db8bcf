//! The looks as a time series.

use calltap_analyzers::arenas::Occasion;

use super::super::table::aligned;
use crate::report::model::Look;
use crate::report::units::{bytes, time};

/// So many looks are in a text: the first, the last, and some between at equal distances.
const ROWS: usize = 10;

/// Nothing if there was but one.
pub(super) fn looks_part(looks: &[Look]) -> String {
    if looks.len() < 2 {
        return String::new();
    }
    let shown: Vec<_> = chosen(looks.len()).map(|index| row(&looks[index])).collect();
    let omitted = looks.len() - shown.len();
    let header =
        ["look at", "requested", "in use", "system", "resident", "leak", "retention", "fragmentation", ""];
    let mut text = aligned(header, |column| column < 8, shown.into_iter(), "looks", usize::MAX);
    if omitted > 0 {
        text += &format!("    {omitted} looks between these (all with --format json)\n");
    }
    text
}

fn chosen(count: usize) -> impl ExactSizeIterator<Item = usize> {
    let rows = count.min(ROWS);
    (0..rows).map(move |row| row * (count - 1) / (rows - 1))
}

fn row(look: &Look) -> [String; 9] {
    let mut remarks = Vec::new();
    match look.occasion {
        Occasion::Exit => remarks.push("at exit".to_owned()),
        Occasion::OnDemand => remarks.push("asked for".to_owned()),
        Occasion::Periodic => {}
    }
    remarks.extend(look.stopped_ns.map(|ns| format!("stopped {}", time(ns))));
    if !look.consistent {
        remarks.push("not of one moment".to_owned());
    }
    let verdicts = &look.verdicts;
    [
        time(look.at_ns),
        bytes(look.requested_bytes),
        look.in_use_bytes.map_or_else(|| "?".to_owned(), bytes),
        bytes(look.system_bytes),
        bytes(look.anonymous_resident_bytes),
        bytes(verdicts.leak_bytes),
        bytes(verdicts.retention_bytes),
        bytes(verdicts.fragmentation_bytes),
        remarks.join(", "),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_and_the_last_look_are_among_those_shown() {
        assert_eq!(chosen(2).collect::<Vec<_>>(), [0, 1]);
        assert_eq!(chosen(10).collect::<Vec<_>>(), (0..10).collect::<Vec<_>>());
        let many: Vec<_> = chosen(1000).collect();
        assert_eq!((many.len(), many[0], many[9]), (10, 0, 999));
        assert!(many.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
