//! Which object was where in which process image, and when.

use std::collections::HashMap;
use std::fs::File;
use std::sync::Arc;

use calltap_analyzers::event::Image;
use calltap_channel::stack::Frame;

use super::files::FileId;

/// An object that a process image has met on a stack.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placed {
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) bias: u64,
    pub(super) lap: u64,
    pub(super) at_ns: u64,
    pub(super) file: FileId,
}

/// Executable pages that a file was mapped to at the exit of an image.
#[derive(Clone, Copy, Debug)]
pub(super) struct MappedAtExit {
    pub(super) start: u64,
    pub(super) end: u64,
    /// Of `start` in the file.
    pub(super) offset: u64,
    pub(super) file: FileId,
}

/// What is known of one image.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    pub(super) objects: Vec<Placed>,
    pub(super) at_exit: Vec<MappedAtExit>,
    pub(super) perf_map: Option<Arc<File>>,
    /// Whose copy it is, and since when.
    parent: Option<(Image, u64)>,
}

/// Where a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Location {
    /// At this virtual address of an object.
    Object(FileId, u64),
    /// At this offset of a file that was mapped at exit.
    AtExit(FileId, u64),
    /// In no object.
    Nowhere,
}

/// All images of a session.
#[derive(Clone, Debug, Default)]
pub(super) struct Images {
    histories: HashMap<Image, History>,
}

impl Images {
    pub(super) fn of(&mut self, image: Image) -> &mut History {
        self.histories.entry(image).or_default()
    }

    /// The child has what the parent had met before.
    pub(super) fn forked(&mut self, child: Image, parent: Image, at_ns: u64) {
        if child != parent {
            self.of(child).parent = Some((parent, at_ns));
        }
    }

    /// Where a frame of this image is.
    pub(super) fn locate(&self, image: Image, frame: Frame) -> Location {
        let address = frame.lookup_address();
        let own = self.lineage(image).flat_map(|(history, before_ns)| {
            history.objects.iter().rev().filter(move |object| object.at_ns <= before_ns)
        });
        let object = own.filter(|o| (o.start..o.end).contains(&address) && o.lap <= frame.lap()).reduce(
            |best, other| if (other.lap, other.at_ns) > (best.lap, best.at_ns) { other } else { best },
        );
        if let Some(object) = object {
            return Location::Object(object.file, address.wrapping_sub(object.bias));
        }
        let at_exit = self.histories.get(&image).map_or(&[][..], |history| &history.at_exit);
        at_exit
            .iter()
            .find(|m| (m.start..m.end).contains(&address))
            .map_or(Location::Nowhere, |m| Location::AtExit(m.file, address - m.start + m.offset))
    }

    /// The perf maps that may name code of this image which no file has: its own, then its ancestors'.
    pub(super) fn perf_maps(&self, image: Image) -> impl Iterator<Item = &File> {
        self.lineage(image).filter_map(|(history, _)| history.perf_map.as_deref())
    }

    /// The image, its parent and so on, each with the time until which its past is also the image's.
    fn lineage(&self, image: Image) -> impl Iterator<Item = (&History, u64)> {
        let mut next = Some((image, u64::MAX));
        // Numbers come from the target: a ring of parents must end too.
        let mut remaining = self.histories.len();
        std::iter::from_fn(move || {
            let (image, before_ns) = next?;
            remaining = remaining.checked_sub(1)?;
            let history = self.histories.get(&image)?;
            next = history.parent.map(|(parent, at_ns)| (parent, at_ns.min(before_ns)));
            Some((history, before_ns))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::symbols::files::Files;
    use calltap_channel::stack::INTERRUPTED;
    use std::path::Path;

    const CHILD: Image = Image(2);
    const PARENT: Image = Image(1);

    fn placed(file: FileId, lap: u64, at_ns: u64) -> Placed {
        Placed { start: 0x1000, end: 0x2000, bias: 0x1000, lap, at_ns, file }
    }

    fn at(lap: u64) -> Frame {
        Frame::returning_to(0x1101).with(lap, 0)
    }

    fn two_files() -> [FileId; 2] {
        let mut files = Files::default();
        ["a", "b"].map(|path| files.missing(Path::new(path)))
    }

    #[test]
    fn the_lap_tells_which_object_was_there() {
        let [first, second] = two_files();
        let mut images = Images::default();
        images.of(PARENT).objects.extend([placed(first, 0, 10), placed(second, 3, 20)]);
        assert_eq!(images.locate(PARENT, at(0)), Location::Object(first, 0x100));
        assert_eq!(images.locate(PARENT, at(2)), Location::Object(first, 0x100));
        assert_eq!(images.locate(PARENT, at(3)), Location::Object(second, 0x100));
        assert_eq!(images.locate(PARENT, at(9)), Location::Object(second, 0x100));
        let outside = Frame::returning_to(0x2001);
        assert_eq!(images.locate(PARENT, outside), Location::Nowhere);
        assert_eq!(images.locate(PARENT, Frame::returning_to(0x2000)), Location::Object(first, 0xfff));
    }

    #[test]
    fn of_two_objects_of_one_lap_the_later_one_counts() {
        let [first, second] = two_files();
        let mut images = Images::default();
        images.of(PARENT).objects.extend([placed(second, 0, 20), placed(first, 0, 10)]);
        assert_eq!(images.locate(PARENT, at(0)), Location::Object(second, 0x100));
    }

    #[test]
    fn an_interrupted_instruction_is_looked_up_where_it_is() {
        let [first, _] = two_files();
        let mut images = Images::default();
        images.of(PARENT).objects.push(placed(first, 0, 10));
        let frame = Frame::returning_to(0x1000).with(0, INTERRUPTED);
        assert_eq!(images.locate(PARENT, frame), Location::Object(first, 0));
        assert_eq!(images.locate(PARENT, Frame::returning_to(0x1000)), Location::Nowhere);
    }

    #[test]
    fn a_child_has_what_its_parent_had_met_before_the_fork() {
        let [first, second] = two_files();
        let mut images = Images::default();
        images.forked(CHILD, PARENT, 15);
        // The notes of the parent are read later than those of the fork.
        images.of(PARENT).objects.extend([placed(first, 0, 10), placed(second, 1, 20)]);
        assert_eq!(images.locate(CHILD, at(5)), Location::Object(first, 0x100));
        assert_eq!(images.locate(PARENT, at(5)), Location::Object(second, 0x100));
        images.of(CHILD).objects.push(placed(second, 1, 17));
        assert_eq!(images.locate(CHILD, at(1)), Location::Object(second, 0x100));
        assert_eq!(images.locate(CHILD, at(0)), Location::Object(first, 0x100));
        let grandchild = Image(3);
        images.forked(grandchild, CHILD, 16);
        assert_eq!(images.locate(grandchild, at(1)), Location::Object(first, 0x100));
    }

    #[test]
    fn parents_in_a_ring_end_somewhere() {
        let mut images = Images::default();
        images.forked(CHILD, PARENT, 1);
        images.forked(PARENT, CHILD, 1);
        assert_eq!(images.locate(CHILD, at(0)), Location::Nowhere);
    }

    #[test]
    fn what_was_mapped_at_exit_counts_where_no_object_was_met() {
        let [first, second] = two_files();
        let mut images = Images::default();
        let history = images.of(PARENT);
        history.objects.push(placed(first, 0, 10));
        history.at_exit.push(MappedAtExit { start: 0x1000, end: 0x3000, offset: 0x500, file: second });
        assert_eq!(images.locate(PARENT, at(0)), Location::Object(first, 0x100));
        assert_eq!(images.locate(PARENT, Frame::returning_to(0x2001)), Location::AtExit(second, 0x1500));
    }
}
