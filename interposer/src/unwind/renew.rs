//! Walking what is not known, and remembering it.

use super::entry::{BP_MATTERS, Entry};
use super::step::{Position, Step, Stop, USES_BP, step};
use super::walk::{PLACES, SPARE, Tail, Walk};

impl Walk {
    /// Walks until a known frame is met from which on everything stands, or to the end.
    #[cold]
    #[inline(never)]
    pub(super) fn renew(&mut self, from: &Position, top: usize) {
        self.readable.begin(from.sp);
        let mut base = top;
        loop {
            if !self.walk_to_known(from, base) {
                return;
            }
            match self.stands() {
                Ok(()) if self.is_deep_enough() => return,
                // What is known does not reach far enough: all of it is walked again.
                Ok(()) => base = self.past as usize,
                Err(index) => base = index + 1,
            }
        }
    }

    /// Walks from the innermost frame to the first one known at `base` or further out, and puts the new
    /// frames before that. False if none was met: then the walk has gone to the end.
    fn walk_to_known(&mut self, from: &Position, base: usize) -> bool {
        // New frames are collected at the beginning of the row. Should they reach known ones, these are
        // forgotten.
        let limit = self.depth as usize + SPARE / 2;
        let (mut at, mut bp_slot, mut how) = (*from, 0, 0);
        let mut count = 0;
        let met = loop {
            let frame = self.frame_of(&at);
            let found = self.place_of(at.sp);
            if self.entry(found).is(&at, frame) && (base.max(count)..self.past as usize).contains(&found) {
                break Ok(found);
            }
            if count == limit {
                break Err(Tail::Unknown);
            }
            *self.entry(count) = Entry::new(&at, frame, bp_slot, how);
            count += 1;
            match step(at, &mut self.readable) {
                Ok(step) => {
                    self.entry(count - 1).how |= step.how & USES_BP;
                    Step { to: at, bp_slot, how } = step;
                }
                Err(Stop::Outermost) => break Err(Tail::Outermost),
                Err(Stop::Lost) => {
                    // What made a walk end in code without a table may have been its rbp.
                    self.entry(count - 1).how |= USES_BP;
                    break Err(Tail::Lost);
                }
            }
        };
        let joined = match met {
            Ok(joined) => {
                if count > 0 {
                    self.entry(joined).follow(at.bp, bp_slot, how);
                }
                joined
            }
            Err(tail) => {
                self.past = self.capacity;
                self.tail = tail;
                *self.entry(self.past as usize) = Entry::PAST;
                self.past as usize
            }
        };
        self.top = (joined - count) as u32;
        self.settle(count, joined);
        met.is_ok()
    }

    /// Where the frame with this stack pointer is, if it is known; else anywhere in the row.
    #[inline(always)]
    fn place_of(&self, sp: u64) -> usize {
        usize::from(self.places[sp as usize / 8 % PLACES])
    }

    /// Moves `count` new frames from the beginning of the row to before `joined`, outermost first, and
    /// works out what depends on the frames further out.
    fn settle(&mut self, count: usize, joined: usize) {
        let outer = self.entry(joined);
        let mut hash = outer.hash;
        let mut passed_on = outer.bp_slot == 0 && outer.sp & BP_MATTERS != 0;
        for at in (0..count).rev() {
            let mut entry = *self.entry(at);
            hash = hash.with(entry.frame);
            entry.hash = hash;
            let matters = entry.how & USES_BP != 0 || passed_on;
            entry.mark(matters);
            passed_on = matters && entry.bp_slot == 0;
            let index = joined - count + at;
            self.places[entry.sp as usize / 8 % PLACES] = index as u16;
            *self.entry(index) = entry;
        }
    }
}
