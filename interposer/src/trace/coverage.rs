//! What could be bound and what could not, and why: told to the reader, for each object.

use calltap_channel::Note;
use calltap_channel::note::{ARGUMENTS, DEFINED_WORDS, refused};
use calltap_channel::record::MAX_TEXT;

use super::objects::Object;
use crate::{call, image, slot, state, thread};

/// Kinds of [`refused`].
const KINDS: usize = 16;

/// An object's slots, counted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    /// Now bound.
    pub(crate) hooked: u64,
    /// Of functions that no rule asks for.
    pub(crate) left: u64,
    refused: [u64; KINDS],
}

impl Tally {
    /// Counts a slot that could not be bound, with its [`refused`] reason.
    pub(crate) fn refuse(&mut self, reason: u64) {
        if let Some(count) = self.refused.get_mut(reason as usize) {
            *count += 1;
        }
    }
}

/// Tells what became of an object's slots.
pub(crate) fn bound(object: &Object, tally: &Tally) {
    let whole = [object.base, tally.hooked, tally.left, refused::NONE, 0];
    note(Note::Bound, whole, Some(object.path()));
    for (kind, count) in tally.refused.iter().enumerate().filter(|(_, count)| **count != 0) {
        note(Note::Bound, [object.base, 0, 0, kind as u64, *count], Some(object.path()));
    }
}

/// Tells that an object is gone.
pub(crate) fn unbound(object: &Object) {
    note(Note::Unbound, [object.base, 0, 0, 0, 0], None);
}

/// Tells which functions the program defines itself: a bit for each one's number, and where its `malloc` is, if it has one.
pub(crate) fn defined(numbers: [u64; DEFINED_WORDS], malloc: u64) {
    let mut arguments = [malloc; ARGUMENTS];
    arguments[..DEFINED_WORDS].copy_from_slice(&numbers);
    note(Note::Defined, arguments, None);
}

/// Tells that objects of another namespace are not tapped; this is one of them.
pub(crate) fn passed_over(object: &Object) {
    note(Note::PassedOver, [object.base, u64::from(object.namespace), 0, 0, 0], Some(object.path()));
}

fn note(note: Note, arguments: [u64; ARGUMENTS], text: Option<&[u8]>) {
    if state::taps() == 0 {
        // A forked child's first act of interest.
        image::register();
    }
    if slot::ring().is_null() && thread::find().is_none() {
        return;
    }
    let text = text.map(|text| &text[..text.len().min(MAX_TEXT)]);
    call::note(call::now(state::taps()), note, arguments, text);
}
