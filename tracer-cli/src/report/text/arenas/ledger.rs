//! From what was requested to what is mapped, each gap by its names; and what is beside it.

use calltap_analyzers::arenas::report::Part;

use super::super::table::aligned;
use super::words;
use crate::report::model::{Extent, LastLook, Ledger};
use crate::report::units::bytes;

pub(super) fn ledger_part(last: &LastLook) -> String {
    let Ledger { requested, usable, in_use, system, mapped, .. } = &last.ledger;
    let sums = [
        ("requested", Some(*requested), [Part::Rounding].as_slice()),
        ("usable", *usable, &[Part::Headers, Part::NotSeen]),
        ("in use", *in_use, &[Part::Tcache, Part::Fast, Part::Bin, Part::Top, Part::Orphan, Part::Retained]),
        ("system", Some(*system), &[Part::Reserved]),
        ("mapped for it", Some(*mapped), &[]),
    ];
    let mut rows = Vec::new();
    let mut told = vec![Part::Live];
    for (name, sum, gap) in sums {
        rows.extend(sum.map(|sum| row(name.to_owned(), sum)));
        rows.extend(parts(last, gap));
        told.extend(gap);
    }
    let beside: Vec<_> =
        last.parts.iter().map(|part| part.part).filter(|part| !told.contains(part)).collect();
    let others = parts(last, &beside);
    if !others.is_empty() {
        rows.push(["beside it".to_owned(), String::new(), String::new(), String::new()]);
        rows.extend(others);
    }
    let text = if rows.iter().all(|row| row[3].is_empty()) {
        let rows = rows.into_iter().map(|[name, bytes, resident, _]| [name, bytes, resident]);
        aligned(["ledger", "bytes", "resident"], |column| column > 0, rows, "rows", usize::MAX)
    } else {
        let header = ["ledger", "bytes", "resident", "swapped"];
        aligned(header, |column| column > 0, rows.into_iter(), "rows", usize::MAX)
    };
    text + &explained(&last.ledger)
}

fn parts(last: &LastLook, wanted: &[Part]) -> Vec<[String; 4]> {
    let found = last.parts.iter().filter(|part| wanted.contains(&part.part));
    found.map(|part| row(format!("  + {}", words::part(part.part)), part.extent)).collect()
}

fn row(name: String, extent: Extent) -> [String; 4] {
    let swapped = if extent.swapped_bytes == 0 { String::new() } else { bytes(extent.swapped_bytes) };
    [name, bytes(extent.bytes), bytes(extent.resident_bytes), swapped]
}

/// The sum beside what the kernel counts.
fn explained(ledger: &Ledger) -> String {
    let mut text = format!(
        "    explained: {} of {} resident and anonymous",
        bytes(ledger.explained_bytes),
        bytes(ledger.anonymous_bytes),
    );
    if let Some(tenths) = (ledger.explained_bytes * 1000).checked_div(ledger.anonymous_bytes) {
        text += &format!(" ({}.{}%)", tenths / 10, tenths % 10);
    }
    let kernel = &ledger.kernel;
    let counts = [
        (kernel.anonymous_bytes, "in smaps"),
        (kernel.rss_anon_bytes, "in RssAnon"),
        (kernel.lazily_freed_bytes.filter(|bytes| *bytes > 0), "given back with MADV_FREE and kept"),
        (kernel.swap_bytes.filter(|bytes| *bytes > 0), "in swap"),
        (kernel.huge_bytes.filter(|bytes| *bytes > 0), "in huge pages"),
    ];
    let counts = counts.into_iter().filter_map(|(count, where_)| Some(format!("{} {where_}", bytes(count?))));
    let counts: Vec<_> = counts.collect();
    if !counts.is_empty() {
        text += &format!("; the kernel counts {}", counts.join(", "));
    }
    text + "\n"
}
