//! One piece of address space, from left to right: how much of each cell is what.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::canvas::Canvas;
use crate::report::model::Strip;

/// Height of a strip, which a full cell fills.
pub(super) const HEIGHT: u32 = 18;

/// Classes of the canvas, from the bottom of a cell to its top, and what they stand for.
const KINDS: [(&str, &str); 4] = [
    ("live", "living blocks"),
    ("tcache", "in threads' caches"),
    ("free", "free, and resident"),
    ("untouched", "not resident"),
];

/// What the colours are.
pub(super) fn legend<W: Write>(canvas: &mut Canvas<W>, x: u32, y: u32) -> io::Result<()> {
    let mut x = x;
    for (class, name) in KINDS {
        canvas.rectangle((x, y - 10), (12, 12), class)?;
        canvas.text(x + 18, y, "quiet", name)?;
        x += 150;
    }
    canvas.path("pin", &marker(x + 6, y))?;
    canvas.text(x + 18, y, "quiet", "a block that pins free memory")
}

/// Draws a strip of `width` with its upper left corner at `x`, `y`. What is there of a cell is never
/// less than a pixel high: a small block is what is looked for.
pub(super) fn draw<W: Write>(
    canvas: &mut Canvas<W>,
    strip: &Strip,
    (x, y): (u32, u32),
    width: u32,
) -> io::Result<()> {
    canvas.rectangle((x, y), (width, HEIGHT), "untouched")?;
    let cells = &strip.cells;
    let count = cells.live_bytes.len();
    let Some(cell_bytes) = (strip.end - strip.start).checked_div(count as u64).filter(|bytes| *bytes > 0)
    else {
        return Ok(());
    };
    let left = |cell: usize| x + (cell as u64 * u64::from(width) / count as u64) as u32;
    // What is higher is drawn first, and what is below over it.
    let kinds = [&cells.live_bytes, &cells.tcache_bytes, &cells.free_bytes];
    let layers = [("free", &kinds[..]), ("tcache", &kinds[..2]), ("live", &kinds[..1])];
    for (class, below) in layers {
        let heights: Vec<u32> = (0..count)
            .map(|cell| below.iter().map(|bytes| height(bytes[cell], cell_bytes)).sum::<u32>().min(HEIGHT))
            .collect();
        if heights.iter().any(|height| *height > 0) {
            canvas.path(class, &steps(&heights, left, y + HEIGHT))?;
        }
    }
    Ok(())
}

fn height(bytes: u64, of: u64) -> u32 {
    (u128::from(bytes) * u128::from(HEIGHT)).div_ceil(u128::from(of)).min(HEIGHT.into()) as u32
}

/// The outline of columns on the line `bottom`; alike neighbours are one.
fn steps(heights: &[u32], left: impl Fn(usize) -> u32, bottom: u32) -> String {
    let mut way = format!("M{} {bottom}", left(0));
    let mut at = bottom;
    for (cell, height) in heights.iter().enumerate() {
        let top = bottom - height;
        if top != at {
            let _ = write!(way, "H{}V{top}", left(cell));
            at = top;
        }
    }
    let _ = write!(way, "H{}V{bottom}Z", left(heights.len()));
    way
}

/// A triangle that points down to `x`, `y`.
pub(super) fn marker(x: u32, y: u32) -> String {
    format!("M{x} {y}L{} {}H{}Z", x + 4, y.saturating_sub(7), x.saturating_sub(4))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_block_is_seen_and_alike_cells_are_one() {
        assert_eq!((height(48, 131_072), height(0, 131_072), height(131_072, 131_072)), (1, 0, HEIGHT));
        let way = steps(&[0, 0, 5, 5, 2], |cell| 10 * cell as u32, 18);
        assert_eq!(way, "M0 18H20V13H40V16H50V18Z");
    }
}
