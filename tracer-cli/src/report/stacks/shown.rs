//! The stacks of a process as they are shown: hidden frames cut off, alike ones as one.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use calltap_analyzers::event::Image;
use calltap_channel::stack::{End, Frame as RawFrame, INTERRUPTED};

use super::frames::{FrameId, Frames, NameId, Names};
use super::hidden::{self, Kind};
use super::{GroupBy, Source, place};
use crate::origin::{Ownership, Site};
use crate::report::model::{Frame, Stack, StackEnd};
use crate::symbols::Detail;

/// Number of a stack as it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Shown(u32);

/// Where a call came from, as the analyzers say it: id of its stack (0 if none was taken) and
/// return address (0 if unknown).
pub type Place = (u32, u64);

/// Names the stacks of one process after the other.
pub struct Stacks<'a> {
    source: &'a mut dyn Source,
    /// Nothing is hidden.
    raw: bool,
    frames: Frames,
    shown: Vec<(Box<[FrameId]>, Option<StackEnd>)>,
    by_look: HashMap<(Box<[FrameId]>, Option<StackEnd>), Shown>,
    labels: HashMap<Option<String>, u32>,
    label_of: HashMap<(GroupBy, FrameId), u32>,
    image: Image,
    by_raw: HashMap<RawFrame, Range<u32>>,
    by_place: HashMap<Place, Shown>,
}

impl<'a> Stacks<'a> {
    /// Knows nothing yet.
    pub fn new(source: &'a mut dyn Source, raw: bool) -> Self {
        Self {
            source,
            raw,
            frames: Frames::default(),
            shown: Vec::new(),
            by_look: HashMap::new(),
            labels: HashMap::new(),
            label_of: HashMap::new(),
            image: Image(0),
            by_raw: HashMap::new(),
            by_place: HashMap::new(),
        }
    }

    /// How many of these stacks end in code without an unwind table, and how many have a guess in them.
    pub fn flawed(&self, ids: HashSet<u32>) -> (u64, u64) {
        let (mut lost, mut guessed) = (0, 0);
        for stack in ids.into_iter().filter_map(|id| self.source.stack(id)) {
            lost += u64::from(stack.end == End::Lost);
            guessed += u64::from(stack.frames.iter().any(|frame| frame.is_guessed()));
        }
        (lost, guessed)
    }

    /// Looks up whatever is on the stacks of these places, all at once.
    pub fn resolve(&mut self, places: impl Iterator<Item = (Image, Vec<Place>)>, detail: Detail) {
        let mut wanted = Vec::new();
        for (image, places) in places {
            let places: HashSet<Place> = places.into_iter().collect();
            let frames: HashSet<RawFrame> =
                places.into_iter().flat_map(|place| self.raw_frames(place).0).collect();
            wanted.extend(frames.into_iter().map(|frame| (image, frame)));
        }
        wanted.sort_unstable();
        self.source.resolve(&wanted, detail);
    }

    /// Goes on to the next process.
    pub fn begin(&mut self, image: Image) {
        self.image = image;
        self.by_raw.clear();
        self.by_place.clear();
    }

    fn raw_frames(&self, (stack, site): Place) -> (Vec<RawFrame>, Option<StackEnd>) {
        match self.source.stack(stack).filter(|stack| !stack.frames.is_empty()) {
            Some(stack) => {
                let end = match stack.end {
                    End::Outermost => StackEnd::Outermost,
                    End::Depth => StackEnd::Depth,
                    End::Lost => StackEnd::Lost,
                };
                (stack.frames, Some(end))
            }
            None if site == 0 => (Vec::new(), None),
            None => (vec![RawFrame::returning_to(site)], None),
        }
    }

    fn name(&mut self, frame: RawFrame) -> Range<u32> {
        if let Some(known) = self.by_raw.get(&frame) {
            return known.clone();
        }
        let mut named = self.source.name(self.image, frame);
        if named.is_empty() {
            named.push(Frame {
                address: frame.lookup_address(),
                guessed: frame.is_guessed(),
                ..Frame::default()
            });
        }
        let range = self.frames.add(named);
        self.by_raw.insert(frame, range.clone());
        range
    }

    /// The frame between a signal handler and what it has interrupted: the C library's code that ends
    /// the handler, by the name that debuggers give it.
    fn trampoline(&mut self, frame: RawFrame) -> Range<u32> {
        // No call returns there and nothing is interrupted there, so the mark makes it a key of its own.
        let key = frame.with(0, INTERRUPTED);
        if let Some(known) = self.by_raw.get(&key) {
            return known.clone();
        }
        let mut named = self.source.name(self.image, frame);
        named.truncate(1);
        let mut named = named.pop().unwrap_or_default();
        (named.function, named.file, named.line) = (Some("<signal handler called>".into()), None, None);
        let range = self.frames.add(vec![named]);
        self.by_raw.insert(key, range.clone());
        range
    }

    /// All frames of a place's stack, innermost first, the hidden ones included.
    pub fn all_frames(&mut self, place: Place) -> (Vec<FrameId>, Option<StackEnd>) {
        let (raw, end) = self.raw_frames(place);
        let mut all = Vec::with_capacity(raw.len());
        for (index, &frame) in raw.iter().enumerate() {
            let handles = raw.get(index + 1).is_some_and(|outer| outer.is_interrupted());
            let range = if handles { self.trampoline(frame) } else { self.name(frame) };
            all.extend_from_slice(self.frames.list(range));
        }
        (all, end)
    }

    /// Whether a place's stack is of Rust's run-time itself.
    fn is_rusts_own(&mut self, place: Place) -> bool {
        let (frames, _) = self.all_frames(place);
        let kinds: Vec<Kind> = frames.into_iter().map(|id| self.frames.kind(id)).collect();
        hidden::is_rusts_own(&kinds)
    }

    /// The stack of a place in the process that was begun last.
    pub fn shown(&mut self, place: Place) -> Shown {
        if let Some(&known) = self.by_place.get(&place) {
            return known;
        }
        let (mut all, end) = self.all_frames(place);
        if !self.raw {
            let kinds: Vec<Kind> = all.iter().map(|&id| self.frames.kind(id)).collect();
            let range = hidden::shown(&kinds);
            all.truncate(range.end);
            all.drain(..range.start);
        }
        let look = (all.into_boxed_slice(), end);
        let next = Shown(self.shown.len() as u32);
        let shown = *self.by_look.entry(look).or_insert_with_key(|look| {
            self.shown.push(look.clone());
            next
        });
        self.by_place.insert(place, shown);
        shown
    }

    /// Where the call of a place was made.
    pub fn site(&mut self, place: Place) -> Site {
        match self.raw_frames(place).0.first() {
            Some(&leaf) => self.source.site(self.image, leaf),
            None => Site::default(),
        }
    }

    /// Whose a block is that `function` gave to its caller at a place.
    pub fn owner(&mut self, place: Place, function: &str) -> Ownership {
        if self.is_rusts_own(place) {
            return Ownership::Runtime("Rust run-time");
        }
        match self.raw_frames(place).0.first() {
            Some(&leaf) => self.source.owner(self.image, leaf, function),
            None => Ownership::ProgramGuess,
        }
    }

    /// The frames of a stack, innermost first.
    pub fn frames(&self, shown: Shown) -> &[FrameId] {
        &self.shown[shown.0 as usize].0
    }

    /// Why it has no more frames.
    pub fn end(&self, shown: Shown) -> Option<StackEnd> {
        self.shown[shown.0 as usize].1
    }

    /// The frame of a number.
    pub fn frame(&self, id: FrameId) -> &Arc<Frame> {
        self.frames.frame(id)
    }

    /// The name of a frame's function.
    pub fn name_of(&self, id: FrameId) -> NameId {
        self.frames.name(id)
    }

    /// The names of functions.
    pub fn names(&mut self) -> &mut Names {
        self.frames.names()
    }

    /// The stack of a place, as data.
    pub fn model(&mut self, place: Place) -> Stack {
        let shown = self.shown(place);
        Stack {
            id: (place.0 != 0).then_some(place.0),
            end: self.end(shown),
            frames: self.frames(shown).iter().map(|&id| Arc::clone(self.frames.frame(id))).collect(),
        }
    }

    /// Innermost frame, and innermost frame of the program's own.
    pub fn ends(&self, shown: Shown) -> (Option<FrameId>, Option<FrameId>) {
        let frames = self.frames(shown);
        let own = frames.iter().copied().find(|&id| !self.frames.is_librarys(id));
        (frames.first().copied(), own)
    }

    /// A number for what a stack's group has in common, other than whole stacks; the innermost
    /// frame decides.
    pub fn label(&mut self, shown: Shown, group_by: GroupBy) -> u32 {
        let Some(&leaf) = self.frames(shown).first() else {
            return u32::MAX;
        };
        if let Some(&known) = self.label_of.get(&(group_by, leaf)) {
            return known;
        }
        let label = place::label(self.frames.frame(leaf), group_by);
        let next = self.labels.len() as u32;
        let number = *self.labels.entry(label).or_insert(next);
        self.label_of.insert((group_by, leaf), number);
        number
    }
}

#[cfg(test)]
mod tests;
