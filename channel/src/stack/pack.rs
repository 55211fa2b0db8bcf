//! Frames in half words: see [`super::table`].

use super::Frame;

/// Frames to a half word of bits that say whose upper half is new.
const GROUP: usize = 32;

/// How many halves stand for these frames.
#[inline]
pub(super) fn packed(frames: impl ExactSizeIterator<Item = Frame>) -> usize {
    let (mut upper, mut halves) = (0, frames.len() + frames.len().div_ceil(GROUP));
    for frame in frames {
        let new = (frame.0 >> 32) as u32;
        halves += usize::from(new != upper);
        upper = new;
    }
    halves
}

/// Gives the halves that stand for these frames to `put`, one after the other.
#[inline]
pub(super) fn pack(mut frames: impl ExactSizeIterator<Item = Frame> + Clone, mut put: impl FnMut(u32)) {
    let mut upper = 0;
    while frames.len() > 0 {
        let bits = new_halves(upper, frames.clone());
        put(bits);
        for index in 0..GROUP.min(frames.len()) {
            let Some(frame) = frames.next() else { return };
            upper = (frame.0 >> 32) as u32;
            if bits >> index & 1 != 0 {
                put(upper);
            }
            put(frame.0 as u32);
        }
    }
}

/// Which of the next [`GROUP`] frames have another upper half than the one before, a bit for each.
#[inline]
fn new_halves(mut upper: u32, frames: impl Iterator<Item = Frame>) -> u32 {
    let mut bits = 0;
    for (index, frame) in frames.take(GROUP).enumerate() {
        let new = (frame.0 >> 32) as u32;
        bits |= u32::from(new != upper) << index;
        upper = new;
    }
    bits
}

/// Reads `length` frames back from what [`pack`] wrote; None if it ends too early.
pub(super) fn unpack(length: usize, mut half: impl FnMut() -> Option<u32>) -> Option<Vec<Frame>> {
    let (mut frames, mut upper, mut bits) = (Vec::with_capacity(length), 0, 0);
    for index in 0..length {
        if index % GROUP == 0 {
            bits = half()?;
        }
        if bits >> (index % GROUP) & 1 != 0 {
            upper = half()?;
        }
        frames.push(Frame(u64::from(upper) << 32 | u64::from(half()?)));
    }
    Some(frames)
}
