//! Frames and names, each kept once: a stack is a list of numbers.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::hidden::Kind;
use super::name;
use super::place;
use crate::report::model::Frame;

/// Number of a frame. Frames that are shown alike have one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FrameId(pub u32);

/// Number of a function's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NameId(pub u32);

/// All frames that were ever met.
#[derive(Debug, Default)]
pub struct Frames {
    known: Vec<Known>,
    by_look: HashMap<Frame, FrameId>,
    names: Names,
    /// The frames of raw frames, one after the other.
    lists: Vec<FrameId>,
}

#[derive(Debug)]
struct Known {
    frame: Arc<Frame>,
    kind: Kind,
    name: NameId,
    is_librarys: bool,
}

/// Names without parameters, each once.
#[derive(Debug, Default)]
pub struct Names {
    all: Vec<Arc<str>>,
    ids: HashMap<Arc<str>, NameId>,
}

impl Names {
    /// The number of a name.
    pub fn id(&mut self, name: &str) -> NameId {
        if let Some(id) = self.ids.get(name) {
            return *id;
        }
        let (id, name) = (NameId(self.all.len() as u32), Arc::<str>::from(name));
        self.all.push(Arc::clone(&name));
        self.ids.insert(name, id);
        id
    }

    /// All names, by number.
    pub fn all(&self) -> &[Arc<str>] {
        &self.all
    }
}

impl Frames {
    /// Keeps what a raw frame is; [`Self::list`] gives it back.
    pub fn add(&mut self, named: Vec<Frame>) -> Range<u32> {
        let start = self.lists.len() as u32;
        for frame in named {
            let id = self.id(frame);
            self.lists.push(id);
        }
        start..self.lists.len() as u32
    }

    /// The frames of a raw frame.
    pub fn list(&self, range: Range<u32>) -> &[FrameId] {
        &self.lists[range.start as usize..range.end as usize]
    }

    fn id(&mut self, frame: Frame) -> FrameId {
        // Two calls in one line look alike.
        let mut look = frame.clone();
        if look.object.is_some() {
            look.address = 0;
        }
        if look.file.is_some() {
            look.offset = 0;
        }
        if let Some(&id) = self.by_look.get(&look) {
            return id;
        }
        let id = FrameId(self.known.len() as u32);
        let label = match &frame.function {
            Some(function) => name::without_parameters(function),
            None => place::in_object(&frame),
        };
        self.known.push(Known {
            kind: Kind::of(&frame),
            name: self.names.id(&label),
            is_librarys: place::is_librarys(&frame),
            frame: Arc::new(frame),
        });
        self.by_look.insert(look, id);
        id
    }

    /// The frame of a number.
    pub fn frame(&self, id: FrameId) -> &Arc<Frame> {
        &self.known[id.0 as usize].frame
    }

    /// What it is good for.
    pub fn kind(&self, id: FrameId) -> Kind {
        self.known[id.0 as usize].kind
    }

    /// The name of its function, or its place in the object if that is unknown.
    pub fn name(&self, id: FrameId) -> NameId {
        self.known[id.0 as usize].name
    }

    /// See [`place::is_librarys`].
    pub fn is_librarys(&self, id: FrameId) -> bool {
        self.known[id.0 as usize].is_librarys
    }

    /// The names of functions.
    pub fn names(&mut self) -> &mut Names {
        &mut self.names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(function: &str, line: Option<u32>, offset: u64) -> Frame {
        Frame {
            function: Some(function.into()),
            file: line.map(|_| "a.c".into()),
            line,
            offset,
            object: Some("/srv/app".into()),
            address: offset,
            ..Frame::default()
        }
    }

    #[test]
    fn calls_in_one_line_are_one_frame() {
        let mut frames = Frames::default();
        let mut id = |frame| {
            let range = frames.add(vec![frame]);
            frames.list(range)[0]
        };
        let first = id(frame("f", Some(3), 0x10));
        assert_eq!(id(frame("f", Some(3), 0x20)), first);
        assert_ne!(id(frame("f", Some(4), 0x10)), first);
        let without_line = id(frame("f", None, 0x10));
        assert_ne!(id(frame("f", None, 0x20)), without_line, "nothing else tells them apart");
        let nowhere = |address| Frame { address, ..Frame::default() };
        assert_ne!(id(nowhere(1)), id(nowhere(2)));
    }

    #[test]
    fn overloads_share_a_name() {
        let mut frames = Frames::default();
        let range = frames.add(vec![frame("f(int)", Some(1), 0), frame("f(char)", Some(2), 0)]);
        let [one, other] = *frames.list(range) else { panic!("two frames") };
        assert_ne!(one, other);
        assert_eq!(frames.name(one), frames.name(other));
        assert_eq!(&*frames.names().all()[0], "f");
    }
}
