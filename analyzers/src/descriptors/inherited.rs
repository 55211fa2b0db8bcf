//! What a process began with: by fork, by exec, or from whoever started it all.

use std::collections::{BTreeMap, BTreeSet};

use super::Descriptors;
use super::descriptor::{Descriptor, Source};
use super::faults::Call;
use crate::event::{Fd, Image};
use crate::heap::Faults;

/// Numbers up to this are input, output and errors: an exec is meant to pass them on.
const STANDARD: Fd = Fd(2);

/// How a descriptor came to a process that did not open it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// The target was started with it.
    Given,
    /// The process was forked from one that had it.
    Forked,
    /// The program before the exec had it.
    Executed,
    /// It was there, and nobody saw it come.
    #[default]
    Found,
}

/// When the kernel was asked for a process's descriptors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// At its first stop after a fork.
    Forked,
    /// After an exec, which has closed what was to be closed.
    Executed,
}

/// A descriptor that came through an exec though nothing says that it was meant to.
///
/// The program before the exec, or one that it was forked from, had opened it without `O_CLOEXEC` and
/// nobody closed it. Not counted: 0 to 2; what the target was started with; what a forked child
/// opened or duplicated itself before its exec, because that is how descriptors are passed; and what
/// was expressly told to stay open (`fcntl(F_SETFD, 0)`).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PassedOn {
    /// The number.
    pub fd: Fd,
    /// What it is.
    pub kind: &'static str,
    /// Path, name or peer; empty if it has none.
    pub path: Vec<u8>,
    /// Who had opened it.
    pub opened: Call,
    /// When the exec was.
    pub at_ns: u64,
}

/// A descriptor that came with the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Inherited {
    pub(crate) descriptor: Descriptor,
    pub(crate) from: Origin,
    pub(crate) opened: Option<Call>,
}

/// The descriptors that another process had at some moment.
#[derive(Clone, Debug, Default)]
pub struct InheritedDescriptors(BTreeMap<Fd, Inherited>);

impl Descriptors {
    /// The ledger of `image`, a forked child whose parent had these descriptors.
    #[must_use]
    pub fn forked(image: Image, descriptors: InheritedDescriptors) -> Self {
        Self { is_forked: true, ..Self::beginning_with(image, descriptors, Origin::Forked) }
    }

    /// What a child forked now has from this process, or the program that it executes.
    #[must_use]
    pub fn inherit(&self) -> InheritedDescriptors {
        let mut all = self.inherited.clone();
        all.extend(self.open().map(|(fd, opened)| {
            let call = Some(opened.call(self.image));
            (fd, Inherited { descriptor: opened.descriptor.clone(), from: Origin::Found, opened: call })
        }));
        InheritedDescriptors(all)
    }

    /// The ledger of `image`, which this process becomes by an exec. What the exec closes is for
    /// [`Self::holds`] to say.
    #[must_use]
    pub fn executed(&self, image: Image) -> Self {
        let mut all = self.inherit();
        let by_itself = |inherited: &Inherited| {
            inherited.opened.is_some_and(|call| self.is_forked && call.image == self.image)
        };
        for inherited in all.0.values_mut() {
            // No stream outlives its program.
            inherited.descriptor.stream = None;
            inherited.descriptor.kept |= by_itself(inherited);
        }
        Self::beginning_with(image, all, Origin::Executed)
    }

    fn beginning_with(image: Image, descriptors: InheritedDescriptors, from: Origin) -> Self {
        let mut inherited = descriptors.0;
        for one in inherited.values_mut() {
            one.from = from;
            one.descriptor.last_use = None;
        }
        let mut new = Self::new(image);
        new.began_with = inherited.len() as u64;
        new.counters.in_use(new.began_with);
        new.inherited = inherited;
        new
    }

    /// The target was started with `fd`; `target` is what `/proc/PID/fd` says it is.
    pub fn given(&mut self, fd: Fd, target: &[u8]) {
        let kind = match super::reconcile::kind_of(target) {
            "" => "unknown",
            kind => kind,
        };
        // Its exec has closed those that it is true of.
        let closes_on_exec = Some(false);
        let descriptor = Descriptor::new(Source::new(kind, target, None), closes_on_exec);
        if self.inherited.insert(fd, Inherited { descriptor, from: Origin::Given, opened: None }).is_none() {
            self.began_with += 1;
            self.counters.in_use(self.in_use());
        }
    }

    /// The kernel said at `at_ns` that exactly `held` are open.
    pub fn holds(&mut self, at_ns: u64, held: &[Fd], occasion: Occasion) {
        let held: BTreeSet<Fd> = held.iter().copied().collect();
        if occasion == Occasion::Executed {
            self.passed_through_exec(at_ns, &held);
        }
        self.inherited.retain(|fd, _| held.contains(fd));
        for fd in held {
            let is_known = self.numbers.contains_key(&fd) || self.inherited.contains_key(&fd);
            if !is_known {
                let descriptor = Descriptor::new(Source::new("unknown", b"", None), None);
                self.inherited.insert(fd, Inherited { descriptor, from: Origin::Found, opened: None });
            }
        }
        self.began_with = self.inherited.len() as u64;
        self.counters.in_use(self.in_use());
    }

    fn passed_through_exec(&mut self, at_ns: u64, held: &BTreeSet<Fd>) {
        let mut passed_on = Faults::default();
        for (fd, inherited) in &mut self.inherited {
            let descriptor = &mut inherited.descriptor;
            let is_held = held.contains(fd);
            self.mispredicted_at_exec += u64::from(descriptor.close_on_exec == Some(is_held));
            if !is_held {
                continue;
            }
            let (kind, path) = (descriptor.source.kind, descriptor.source.path.to_vec());
            if let Some(opened) = inherited.opened
                && *fd > STANDARD
                && !descriptor.kept
            {
                passed_on.add(PassedOn { fd: *fd, kind, path, opened, at_ns });
            }
            descriptor.close_on_exec = Some(false);
        }
        self.passed_on = passed_on;
    }

    /// Takes over what was found of this image before it was known by its number.
    pub fn adopt(&mut self, provisional: Self) {
        let (old, image) = (provisional.image, self.image);
        *self = Self { image, ..provisional };
        for opened in self.inherited.values_mut().filter_map(|one| one.opened.as_mut()) {
            if opened.image == old {
                opened.image = image;
            }
        }
    }
}
