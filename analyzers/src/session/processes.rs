//! How images begin, and what the kernel says of them.

use super::Session;
use crate::descriptors::{Descriptors, KernelDescriptor, Occasion};
use crate::event::{Fd, Giver, Image, Thread};
use crate::image::{Config, ImageLedger};

impl Session {
    /// `image` began at `now_ns`, forked from `parent` if that is given: it has what its parent has
    /// now. An image of the same number that has not ended is forgotten.
    pub fn begin(&mut self, image: Image, parent: Option<Image>, now_ns: u64) {
        self.begin_with(self.config, image, parent, now_ns);
    }

    /// Like [`Self::begin`], for a process in which the interposer is not, or not yet: no heap and no
    /// mappings.
    pub fn begin_provisional(&mut self, image: Image, parent: Option<Image>, now_ns: u64) {
        self.begin_with(Config { heap: false, ..self.config }, image, parent, now_ns);
    }

    /// `image` has told of itself; so far it went by the number of `provisional`, which disappears.
    pub fn adopt(&mut self, image: Image, provisional: Image) {
        let Some(found) = self.remove(provisional) else { return };
        for child in self.vfork_children.values_mut().filter(|child| child.0 == provisional) {
            child.0 = image;
        }
        if let Some(ledger) = self.ledger(image) {
            ledger.adopt(found);
        }
    }

    /// `old` has become `new` by an exec; both have begun. What the exec closed is for
    /// [`Self::holds`] to say.
    pub fn executed(&mut self, old: Image, new: Image) {
        let Some(&old) = self.places.get(&old.0) else { return };
        let Some(&place) = self.places.get(&new.0) else { return };
        if let Ok([former, ledger]) = self.ledgers.get_disjoint_mut([old, place]) {
            ledger.executed(new, former);
        }
    }

    /// The thread `maker` waits in `vfork` for `child`, an image that has begun, and its only thread;
    /// or no longer, because the child has executed another program or ended. What is recorded in the
    /// maker's name meanwhile is the child's, except for what it does to the memory, which is the
    /// maker's own.
    pub fn vfork_child(&mut self, maker: Thread, child: Option<(Image, Thread)>) {
        match child {
            Some(child) => self.vfork_children.insert(maker, child),
            None => self.vfork_children.remove(&maker),
        };
    }

    /// The target was started with `fd`, which is `target` according to `/proc/PID/fd`.
    pub fn given(&mut self, image: Image, fd: Fd, target: &[u8]) {
        if let Some(descriptors) = self.descriptors(image) {
            descriptors.given(fd, target);
        }
    }

    /// The kernel said at `at_ns` that `image` has exactly `held` open.
    pub fn holds(&mut self, image: Image, at_ns: u64, held: &[Fd], occasion: Occasion) {
        if let Some(descriptors) = self.descriptors(image) {
            descriptors.holds(at_ns, held, occasion);
        }
    }

    /// The kernel said at `at_ns`, when `image` was about to end, what it has open. The report says
    /// how that differs from what was found.
    pub fn reconcile(&mut self, image: Image, at_ns: u64, kernel: &[KernelDescriptor]) {
        if let Some(descriptors) = self.descriptors(image) {
            descriptors.reconcile(at_ns, kernel);
        }
    }

    /// Calls of functions of this family go unseen in `image`, and in what is forked from it: its releases
    /// cannot be judged.
    pub fn partly_seen(&mut self, image: Image, giver: Giver) {
        if let Some(ledger) = self.ledger(image) {
            ledger.heap_mut().partly_seen(giver);
        }
    }

    /// A thread of `image` began at `at_ns`.
    pub fn thread_began(&mut self, image: Image, at_ns: u64) {
        if let Some(ledger) = self.ledger(image) {
            ledger.thread_began(at_ns);
        }
    }

    /// `thread` of `image` was seen at `at_ns` to be gone, and all of its calls have been told.
    pub fn thread_ended(&mut self, image: Image, thread: Thread, at_ns: u64) {
        if let Some(ledger) = self.ledger(image) {
            ledger.thread_ended(thread, at_ns);
        }
    }

    fn begin_with(&mut self, config: Config, image: Image, parent: Option<Image>, now_ns: u64) {
        let parent = parent.and_then(|parent| self.image(parent));
        let ledger = ImageLedger::new(config, image, parent, now_ns);
        self.remove(image);
        self.places.insert(image.0, self.ledgers.len());
        self.ledgers.push(ledger);
        self.images.push(image);
    }

    fn descriptors(&mut self, image: Image) -> Option<&mut Descriptors> {
        self.ledger(image).map(ImageLedger::descriptors_mut)
    }
}
