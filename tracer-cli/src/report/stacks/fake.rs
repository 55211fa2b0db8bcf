//! A few stacks with names, for tests.

use std::collections::HashMap;

use calltap_analyzers::event::Image;
use calltap_channel::stack::{End, Frame as RawFrame, Stack};

use super::Source;
use crate::origin::{Ownership, Site};
use crate::report::model::Frame;
use crate::symbols::Detail;

/// Stacks by id, from 1; frames by return address.
#[derive(Debug, Default)]
pub(in crate::report) struct Fake {
    pub(in crate::report) stacks: Vec<Stack>,
    pub(in crate::report) names: HashMap<u64, Vec<Frame>>,
    /// Those that are something else in one image.
    pub(in crate::report) names_of: HashMap<(Image, u64), Vec<Frame>>,
    /// Return addresses where a run-time asks for what it keeps.
    pub(in crate::report) kept_at: Vec<u64>,
    /// How many frames were to be looked up.
    pub(in crate::report) resolved: usize,
}

impl Fake {
    /// Names the frame of a return address, see [`frame`]; of an inner function first.
    pub(in crate::report) fn frame(mut self, address: u64, name: &str) -> Self {
        self.names.entry(address).or_default().push(frame(address, name));
        self
    }

    /// Names the frame of a return address in one image.
    pub(in crate::report) fn frame_of(mut self, image: Image, address: u64, name: &str) -> Self {
        self.names_of.entry((image, address)).or_default().push(frame(address, name));
        self
    }

    /// A run-time keeps what it got where it is returned to at this address.
    pub(in crate::report) fn kept_at(mut self, address: u64) -> Self {
        self.kept_at.push(address);
        self
    }

    /// Adds a stack, innermost frame first; its id is one more than the last one's.
    pub(in crate::report) fn stack(mut self, addresses: &[u64], end: End) -> Self {
        let frames = addresses.iter().map(|&address| RawFrame::returning_to(address)).collect();
        self.stacks.push(Stack { frames, end });
        self
    }
}

/// In `/srv/bin/leaky`: `FUNCTION  FILE:LINE  inlined` with two spaces between, or the beginning of it.
pub(in crate::report) fn frame(address: u64, name: &str) -> Frame {
    let mut words = name.split("  ");
    let function = words.next().filter(|name| !name.is_empty()).map(Into::into);
    let (file, line) = words.next().and_then(|place| place.split_once(':')).unzip();
    Frame {
        function,
        file: file.map(Into::into),
        line: line.map(|line| line.parse().expect("a number")),
        inlined: words.next().is_some(),
        object: Some("/srv/bin/leaky".into()),
        offset: address & 0xfff,
        address,
        guessed: false,
    }
}

impl Source for Fake {
    fn stack(&self, id: u32) -> Option<Stack> {
        self.stacks.get((id as usize).checked_sub(1)?).cloned()
    }

    fn resolve(&mut self, frames: &[(Image, RawFrame)], _: Detail) {
        self.resolved += frames.len();
    }

    fn name(&self, image: Image, frame: RawFrame) -> Vec<Frame> {
        let address = frame.address();
        let name = self.names_of.get(&(image, address)).or_else(|| self.names.get(&address));
        name.cloned().unwrap_or_default()
    }

    fn site(&mut self, image: Image, frame: RawFrame) -> Site {
        let unknown = Site { address: frame.address(), ..Site::default() };
        let outermost = self.name(image, frame).pop();
        outermost.map_or(unknown.clone(), |Frame { object, offset, function, .. }| Site {
            object: object.as_deref().map(str::to_owned),
            offset,
            symbol: function.as_deref().map(str::to_owned),
            ..unknown
        })
    }

    fn owner(&mut self, _: Image, frame: RawFrame, _: &str) -> Ownership {
        let kept = self.kept_at.contains(&frame.address());
        if kept { Ownership::Runtime("run-time") } else { Ownership::Program }
    }
}
