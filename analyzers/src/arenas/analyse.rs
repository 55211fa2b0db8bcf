//! From a moment to its report.

use super::arena_rows::ArenaRows;
use super::parts::Parts;
use super::region_rows::RegionRows;
use super::report::ArenaReport;
use super::{Decoding, Moment, advice, differences, ledger, pieces, pins, strips, tcaches, trim, verdict};

/// Says where a process's memory was at one moment, and why.
#[must_use]
pub fn analyse(moment: &Moment) -> ArenaReport {
    let map = moment.chunk_map();
    let (mut parts, mut arenas) = (Parts::default(), ArenaRows::new(map));
    let (mut regions, mut strips) = (RegionRows::default(), strips::map(moment));
    let simulation = map.map(|map| trim::simulate(map, &moment.residency));
    let mut judge = verdict::judge(moment, simulation.as_ref());
    pieces::walk(moment, |piece| {
        parts.add(piece);
        arenas.add(piece);
        regions.add(piece);
        strips.add(piece);
        judge.add(piece);
    });
    let verdicts = judge.finish();
    let (strips, strips_left_out) = strips.finish();
    ArenaReport {
        at_ns: moment.at_ns,
        occasion: moment.occasion,
        stopped_ns: moment.stopped_ns,
        consistent: moment.consistent,
        glibc: map.map(|map| map.version),
        not_decoded: match &moment.decoding {
            Decoding::NotDecoded(why) => Some(why.clone()),
            Decoding::Chunks(_) | Decoding::Regions => None,
        },
        allocators: moment.allocators.clone(),
        ledger: ledger::ledger(moment, &parts),
        parts: parts.iter().collect(),
        arenas: arenas.finish(&moment.births, simulation.as_ref()),
        tcaches: map.map_or_else(Vec::new, tcaches::rows),
        regions: regions.finish(moment),
        pins: map.map_or_else(Vec::new, |map| pins::find(moment, map)),
        advice: advice::give(moment, &parts, simulation.as_ref(), &verdicts),
        verdicts,
        trim: simulation.map(|simulation| simulation.total()),
        strips,
        strips_left_out,
        births: moment.births.clone(),
        differences: differences::compare(moment),
    }
}
