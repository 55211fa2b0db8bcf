//! Copied memory that waits for the record it belongs to.

use super::decode;
use super::ring::Owner;
use crate::trace::event::Copied;

/// What was copied and not asked for yet.
#[derive(Debug, Default)]
pub struct Waiting {
    /// Ring, and what names the call in it.
    open: Vec<((u32, u64), Copied)>,
    spare: Vec<Copied>,
    bytes: Vec<u8>,
}

impl Waiting {
    /// Takes a [`calltap_channel::Note::Memory`].
    pub fn add(&mut self, owner: &Owner, words: &[u64]) {
        let key = (owner.ring, words[3]);
        decode::text(words, 1, &mut self.bytes);
        let index = self.open.iter().position(|(other, _)| *other == key).unwrap_or_else(|| {
            self.open.push((key, self.spare.pop().unwrap_or_default()));
            self.open.len() - 1
        });
        self.open[index].1.add(decode::argument(words, 0), &self.bytes);
    }

    /// What was copied for the call that is named so in a ring. To be given back with [`Self::done`].
    pub fn of(&mut self, owner: &Owner, key: u64) -> Copied {
        if self.open.is_empty() {
            return self.spare.pop().unwrap_or_default();
        }
        let found = self.open.iter().position(|(other, _)| *other == (owner.ring, key));
        found.map_or_else(|| self.spare.pop().unwrap_or_default(), |index| self.open.swap_remove(index).1)
    }

    /// It was used.
    pub fn done(&mut self, mut copied: Copied) {
        copied.clear();
        self.spare.push(copied);
    }

    /// A ring's owner is gone.
    pub fn forget(&mut self, ring: u32) {
        self.open.retain(|((other, _), _)| *other != ring);
    }
}
