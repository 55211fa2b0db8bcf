//! What is drawn of one process: its verdict, what pins most, a strip for each piece of its
//! allocator's address space, and the time series.

use std::cmp::Reverse;
use std::io::{self, Write};

use super::canvas::Canvas;
use super::{series, strip};
use crate::report::model::{Arenas, LastLook, Process, Strip};
use crate::report::text::Paths;
use crate::report::text::arenas::{headline, pin, words};
use crate::report::units::bytes;

pub(super) const WIDTH: u32 = 1240;
pub(super) const MARGIN: u32 = 16;
/// Above the first sheet: title and legend.
pub(super) const HEADER: u32 = 60;
/// Below the last.
pub(super) const FOOTER: u32 = 28;

/// So many strips are drawn: the largest.
const MOST_STRIPS: usize = 200;
const LABELS: u32 = 330;
const STRIP_WIDTH: u32 = WIDTH - MARGIN - LABELS - MARGIN;
/// From one strip to the next: there is room for markers between.
const LINE: u32 = strip::HEIGHT + 10;
const TEXT_LINE: u32 = 20;

/// One process.
pub(super) struct Sheet<'a> {
    arenas: &'a Arenas,
    lines: Vec<(&'static str, String)>,
    strips: Vec<&'a Strip>,
    /// What each pin says.
    pins: Vec<(u64, String)>,
}

impl<'a> Sheet<'a> {
    pub(super) fn new(process: &Process, arenas: &'a Arenas, paths: &Paths) -> Self {
        let last = &arenas.last;
        let mut strips: Vec<&Strip> = last.strips.iter().collect();
        strips.sort_by_key(|strip| Reverse(strip.end - strip.start));
        let omitted = strips.len().saturating_sub(MOST_STRIPS);
        strips.truncate(MOST_STRIPS);
        strips.sort_by_key(|strip| strip.start);
        let pins: Vec<_> = last.pins.iter().map(|p| (p.block, pin(p, last.at_ns, paths))).collect();
        let mut lines = vec![
            ("head", format!("process {}: {}", process.pid, process.command.join(" "))),
            ("", headline(last)),
        ];
        lines.extend(last.not_decoded.iter().map(|why| ("quiet", format!("not decoded, because {why}"))));
        lines.extend(pins.first().map(|(_, pin)| ("", pin.clone())));
        if omitted > 0 {
            lines.push(("quiet", format!("smaller strips that are not drawn: {omitted}")));
        }
        Self { arenas, lines, strips, pins }
    }

    pub(super) fn height(&self) -> u32 {
        let lines = self.lines.len() as u32 * TEXT_LINE + self.strips.len() as u32 * LINE;
        lines + series::height(&self.arenas.looks) + 24
    }

    pub(super) fn draw<W: Write>(&self, canvas: &mut Canvas<W>, y: u32) -> io::Result<()> {
        let mut y = y + 8;
        for (class, line) in &self.lines {
            y += TEXT_LINE;
            canvas.text(MARGIN, y - 6, class, line)?;
        }
        y += 8;
        for strip in &self.strips {
            self.strip(canvas, strip, y)?;
            y += LINE;
        }
        series::draw(canvas, &self.arenas.looks, (MARGIN + LABELS, y), STRIP_WIDTH)
    }

    fn strip<W: Write>(&self, canvas: &mut Canvas<W>, strip: &Strip, y: u32) -> io::Result<()> {
        let x = MARGIN + LABELS;
        canvas.begin("g", &[])?;
        canvas.element("title", &[], &told(strip))?;
        let baseline = y + strip::HEIGHT - 5;
        canvas.text(MARGIN, baseline, "", &whose(strip, &self.arenas.last))?;
        canvas.text(x - 10, baseline, "end quiet", &sizes(strip))?;
        strip::draw(canvas, strip, (x, y), STRIP_WIDTH)?;
        for (block, pin) in self.pins.iter().filter(|(block, _)| (strip.start..strip.end).contains(block)) {
            let share = (block - strip.start) as f64 / (strip.end - strip.start) as f64;
            canvas.begin("g", &[])?;
            canvas.element("title", &[], pin)?;
            canvas.path("pin", &strip::marker(x + (share * f64::from(STRIP_WIDTH)) as u32, y))?;
            canvas.end("g")?;
        }
        canvas.end("g")
    }
}

/// Whose a strip is.
fn whose(strip: &Strip, last: &LastLook) -> String {
    let arena = last.arenas.iter().find(|arena| strip.arena != 0 && arena.address == strip.arena);
    match arena {
        Some(arena) if arena.is_main => "main arena".to_owned(),
        Some(arena) if arena.attached_threads == Some(0) => format!("orphan {:#x}", arena.address),
        Some(arena) => format!("arena {:#x}", arena.address),
        None if strip.arena != 0 => format!("arena {:#x}", strip.arena),
        None if last.glibc.is_some() => format!("large block {:#x}", strip.start),
        None => format!("region {:#x}", strip.start),
    }
}

fn sizes(strip: &Strip) -> String {
    let free = sum(&strip.cells.free_bytes) + sum(&strip.cells.tcache_bytes);
    format!("{}, {} free", bytes(strip.end - strip.start), bytes(free))
}

/// What a pointer over a strip is shown.
fn told(strip: &Strip) -> String {
    let size = strip.end - strip.start;
    let parts = [
        (sum(&strip.cells.live_bytes), "living"),
        (sum(&strip.cells.tcache_bytes), "in caches"),
        (sum(&strip.cells.free_bytes), "free and resident"),
        (sum(&strip.cells.untouched_bytes), "not resident"),
    ];
    let parts = parts.into_iter().filter_map(|(part, name)| {
        let share = words::percent(part, size)?;
        Some(format!("{} {name} ({share})", bytes(part)))
    });
    let parts: Vec<_> = parts.collect();
    format!("{:#x} to {:#x}, {}: {}", strip.start, strip.end, bytes(size), parts.join(", "))
}

fn sum(cells: &[u64]) -> u64 {
    cells.iter().sum()
}
