//! A string of the program, bounded, on its way into a record.

use core::ffi::c_char;

use calltap_channel::record::MAX_TEXT;

use crate::trace::guarded;
use crate::{confined, kernel};

/// At most [`MAX_TEXT`] bytes of a string.
pub(crate) struct Text {
    from: *const c_char,
    length: usize,
    copy: Option<[u8; MAX_TEXT + 8]>,
}

impl Text {
    /// The string at `from`. If nobody has `read` it yet it may be anything: then the kernel copies
    /// it, which fails where a load would kill the program. In a sandbox, which need not know that call, the tracer
    /// lets a load fail; a thread that has none (`traced`) reads nothing.
    pub(crate) fn of(from: *const c_char, read: bool, traced: impl FnOnce() -> bool) -> Option<Self> {
        if from.is_null() {
            return None;
        }
        let mut text = Self { from, length: 0, copy: None };
        let bound = if read {
            MAX_TEXT + 1
        } else {
            let mut copy = [0; MAX_TEXT + 8];
            let room = &mut copy[..=MAX_TEXT];
            let bytes = if !confined::is_confined() {
                kernel::copy_own(from as u64, room)
            } else if traced() {
                guarded::copy_string(from as u64, room)
            } else {
                0
            };
            if bytes == 0 {
                return None;
            }
            text.copy = Some(copy);
            bytes
        };
        while text.length < bound && text.byte(text.length) != 0 {
            text.length += 1;
        }
        Some(text)
    }

    /// Whether the string goes on behind what is kept.
    pub(crate) fn is_cut(&self) -> bool {
        self.length > MAX_TEXT
    }

    /// Bytes kept.
    pub(crate) fn length(&self) -> usize {
        self.length.min(MAX_TEXT)
    }

    /// Words that they fill.
    pub(crate) fn words(&self) -> usize {
        self.length().div_ceil(8)
    }

    /// The `index`th word, zero-padded.
    pub(crate) fn word(&self, index: usize) -> u64 {
        let mut bytes = [0; 8];
        for (offset, byte) in bytes.iter_mut().enumerate() {
            let at = index * 8 + offset;
            if at < self.length() {
                *byte = self.byte(at);
            }
        }
        u64::from_le_bytes(bytes)
    }

    fn byte(&self, at: usize) -> u8 {
        match &self.copy {
            Some(copy) => copy.get(at).copied().unwrap_or(0),
            // SAFETY: the real function has read this string a moment ago; nothing beyond its
            // terminator is asked for.
            None => unsafe { *self.from.add(at) as u8 },
        }
    }
}
