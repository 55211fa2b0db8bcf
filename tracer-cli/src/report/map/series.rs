//! Requested, system and resident bytes over time.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::canvas::Canvas;
use crate::report::model::Look;
use crate::report::units::{bytes, time};

const HEIGHT: u32 = 160;
/// Below the lines: times.
const TIMES: u32 = 44;
/// Parts of the height that have a figure.
const TICKS: u32 = 4;

type Value = fn(&Look) -> u64;

const LINES: [(&str, &str, Value); 3] = [
    ("requested", "requested", |look| look.requested_bytes),
    ("system", "taken from the kernel by the allocator", |look| look.system_bytes),
    ("resident", "resident and anonymous", |look| look.anonymous_resident_bytes),
];

/// No line without two looks.
pub(super) fn height(looks: &[Look]) -> u32 {
    if looks.len() < 2 { 0 } else { 20 + HEIGHT + TIMES }
}

/// Draws the lines in a field of `width` whose upper left corner is at `x`, `y`.
pub(super) fn draw<W: Write>(
    canvas: &mut Canvas<W>,
    looks: &[Look],
    (x, y): (u32, u32),
    width: u32,
) -> io::Result<()> {
    let [first, .., last] = looks else { return Ok(()) };
    let bottom = y + 20 + HEIGHT;
    let values = looks.iter().flat_map(|look| LINES.map(|(_, _, value)| value(look)));
    let most = values.max().unwrap_or(0).max(1);
    for tick in 0..=TICKS {
        let line = bottom - HEIGHT * tick / TICKS;
        canvas.path("axis", &format!("M{x} {line}h{width}"))?;
        canvas.text(x - 10, line + 4, "end quiet", &bytes(most / u64::from(TICKS) * u64::from(tick)))?;
    }
    canvas.text(x, bottom + 16, "quiet", &time(first.at_ns))?;
    canvas.text(x + width, bottom + 16, "end quiet", &time(last.at_ns))?;
    let length = last.at_ns.saturating_sub(first.at_ns).max(1) as f64;
    let mut key = x;
    for (class, name, value) in LINES {
        let mut points = String::new();
        for look in looks {
            let along = look.at_ns.saturating_sub(first.at_ns) as f64 / length * f64::from(width);
            let up = value(look) as f64 / most as f64 * f64::from(HEIGHT);
            let _ = write!(points, "{:.1},{:.1} ", f64::from(x) + along, f64::from(bottom) - up);
        }
        canvas.empty("polyline", &[("class", class), ("points", points.trim_end())])?;
        canvas.rectangle((key, bottom + 26), (12, 12), class)?;
        canvas.text(key + 18, bottom + 36, "quiet", name)?;
        key += 130 + 4 * name.len() as u32;
    }
    Ok(())
}
