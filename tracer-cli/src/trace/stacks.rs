//! Names for the frames of calls' stacks, while the program runs.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use calltap_analyzers::event::Image;
use calltap_channel::note::ARGUMENTS;
use calltap_channel::stack::{Stack, StackTable};

use super::print::Frames;
use super::stream::Owner;
use crate::symbols::{Detail, Loaded, NamedFrame, Symbols};

/// Where stacks are.
#[derive(Debug)]
pub enum Table {
    /// In the session's segment.
    Live(StackTable),
    /// In a recording.
    Recorded(HashMap<u32, Stack>),
}

impl Table {
    fn get(&self, id: u32) -> Option<Stack> {
        match self {
            Self::Live(table) => table.get(id),
            Self::Recorded(stacks) => stacks.get(&id).cloned(),
        }
    }
}

/// The stacks of all processes.
#[derive(Debug)]
pub struct Stacks {
    /// Where they are.
    pub table: Table,
    symbols: Symbols,
    /// The image of each process.
    images: HashMap<u32, Image>,
    known: HashMap<(Image, u32), Rc<[String]>>,
    most: usize,
}

/// Stacks that a stream tells of and a printer asks.
pub type Shared = Rc<RefCell<Stacks>>;

impl Stacks {
    /// Of a session that begins now; shows at most so many frames.
    #[must_use]
    pub fn new(table: Table, most: u64) -> Self {
        Self {
            table,
            symbols: Symbols::new(Vec::new()),
            images: HashMap::new(),
            known: HashMap::new(),
            most: most as usize,
        }
    }

    /// A process image begins.
    pub fn begun(&mut self, owner: &Owner, program: &str, at_ns: u64) {
        let image = Image(owner.image);
        self.images.insert(owner.pid, image);
        if owner.parent != 0 {
            self.symbols.forked(image, Image(owner.parent), at_ns);
        }
        if !program.is_empty() {
            self.symbols.executed(image, program.into());
        }
    }

    /// A process image has met an object: takes a [`calltap_channel::Note::Loaded`].
    pub fn loaded(&mut self, owner: &Owner, words: &[u64], at_ns: u64) {
        let [start, end, bias, lap] = std::array::from_fn(|index| super::stream::argument(words, index));
        let mut path = Vec::new();
        super::stream::text(words, ARGUMENTS, &mut path);
        let image = Image(owner.image);
        self.symbols.loaded(&Loaded { image, pid: owner.pid, start, end, bias, lap, at_ns, path });
    }

    fn lines(&mut self, pid: u32, id: u32) -> Rc<[String]> {
        let Some(image) = self.images.get(&pid).copied() else { return Rc::default() };
        if let Some(known) = self.known.get(&(image, id)) {
            return Rc::clone(known);
        }
        let stack = self.table.get(id);
        let frames =
            stack.as_ref().map_or(&[][..], |stack| &stack.frames[..stack.frames.len().min(self.most)]);
        let wanted: Vec<_> = frames.iter().map(|frame| (image, *frame)).collect();
        self.symbols.resolve(&wanted, Detail::Lines, &mut |_, _| {});
        let lines: Rc<[String]> = frames
            .iter()
            .flat_map(|frame| self.symbols.name(image, *frame))
            .map(|frame| line(&frame))
            .collect();
        self.known.insert((image, id), Rc::clone(&lines));
        lines
    }
}

/// `libc.so.6(qsort+0x1b) [0x7f0012345678]`, as ltrace writes a frame; with the place in the source instead of the offset
/// in the function if that is known. Of a nameless function the offset is one in the object.
fn line(frame: &NamedFrame) -> String {
    let object = frame.object.as_deref().map_or("?", |path| path.rsplit('/').next().unwrap_or(path));
    let place = match (&frame.function, frame.within.filter(|_| frame.file.is_none())) {
        (Some(function), Some(within)) => format!("{function}+{within:#x}"),
        (Some(function), None) => function.to_string(),
        (None, _) if frame.object.is_some() => format!("+{:#x}", frame.offset),
        (None, _) => "?".to_owned(),
    };
    let mut text = format!("{object}({place}) [{:#x}]", frame.address);
    if let Some(file) = &frame.file {
        text += &format!(" {file}");
        if let Some(line) = frame.line {
            text += &format!(":{line}");
        }
    }
    if frame.inlined {
        text += " (inlined)";
    }
    text
}

/// What a printer asks.
#[derive(Debug)]
pub struct Asked(pub Shared);

impl Frames for Asked {
    fn lines(&mut self, pid: u32, stack: u32) -> Vec<String> {
        self.0.borrow_mut().lines(pid, stack).to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_has_its_line_or_else_its_offset() {
        let frame = NamedFrame {
            object: Some("/lib/libc.so.6".into()),
            function: Some("qsort".into()),
            within: Some(0x1b),
            offset: 0x4101b,
            address: 0x7f00_0004_101b,
            ..NamedFrame::default()
        };
        assert_eq!(line(&frame), "libc.so.6(qsort+0x1b) [0x7f000004101b]");
        let placed = NamedFrame { file: Some("msort.c".into()), line: Some(7), ..frame.clone() };
        assert_eq!(line(&placed), "libc.so.6(qsort) [0x7f000004101b] msort.c:7");
        let nameless = NamedFrame { function: None, within: None, ..frame.clone() };
        assert_eq!(line(&nameless), "libc.so.6(+0x4101b) [0x7f000004101b]");
        let lost = NamedFrame { address: 0x10, ..NamedFrame::default() };
        assert_eq!(line(&lost), "?(?) [0x10]");
    }
}
