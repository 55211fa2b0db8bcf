//! Which release ends which owner's time, for one address or one descriptor.
//!
//! An acquire takes effect at its end, a release at its start. The owners of one resource follow
//! each other without overlap, so a release belongs to the youngest owner whose acquire ended
//! before it began, in whatever order the two are told to us.

use std::mem;

use crate::event::Thread;

/// Clocks of two CPUs may disagree by this much, in nanoseconds.
pub(crate) const TOLERANCE_NS: u64 = 64;

/// At most this many owners or releases of one resource wait for their other half.
const WAITING: usize = 16;

/// One time of possession.
pub(crate) trait Owner {
    /// When its acquire ended.
    fn birth_ns(&self) -> u64;
    /// Who acquired, if that is still known.
    fn thread(&self) -> Option<Thread>;
}

/// One end of possession.
pub(crate) trait Release {
    /// When it began.
    fn start_ns(&self) -> u64;
    /// Who released.
    fn thread(&self) -> Thread;
}

/// The youngest owner known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Latest<O> {
    Nobody,
    Live(O),
    /// It was released by a call that began then.
    Released(O, u64),
}

/// What is known of one resource.
///
/// ```text
///  older:  o1(10)            o3(70)      wait for releases that are late or were never seen
///  latest:                         o5(120) live
///  early:           r(40)               wait for acquires that are late or were never seen
/// ```
#[derive(Clone, Debug)]
pub(crate) struct History<O, R> {
    pub(crate) latest: Latest<O>,
    /// Owners that a younger one has succeeded though no release of theirs was seen, oldest first.
    pub(crate) older: Vec<O>,
    /// Releases without an owner, earliest first.
    pub(crate) early: Vec<R>,
}

/// What an event meant.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Effect<'a, O, R> {
    /// The resource has a living owner now.
    Began(&'a O),
    /// The living owner must have released it, unseen so far.
    Superseded(&'a O),
    /// `release` ended `owner`'s time.
    Paired { owner: &'a O, was_live: bool, release: &'a R },
    /// The release at `at_ns` ended the time of `to` rather than of `from`.
    PairedAnew { from: &'a O, to: &'a O, at_ns: u64 },
    /// Too many wait: this owner's release will not be looked for any more.
    GaveUpOwner(&'a O),
    /// Too many wait: this release's owner will not be looked for any more.
    GaveUpRelease(&'a R),
}

impl<O, R> Default for History<O, R> {
    fn default() -> Self {
        Self { latest: Latest::Nobody, older: Vec::new(), early: Vec::new() }
    }
}

impl<O: Owner, R: Release> History<O, R> {
    /// Whether anybody still waits for their other half.
    pub(crate) fn is_settled(&self) -> bool {
        self.older.is_empty() && self.early.is_empty()
    }

    /// An acquire has ended.
    pub(crate) fn acquire(&mut self, owner: O, tell: &mut impl FnMut(Effect<'_, O, R>)) {
        if let Latest::Released(prior, at_ns) = &mut self.latest
            && prior.birth_ns() <= owner.birth_ns()
            && owner.birth_ns() + TOLERANCE_NS < *at_ns
        {
            // The release that ended the prior owner's time began after this younger one's birth.
            tell(Effect::PairedAnew { from: prior, to: &owner, at_ns: *at_ns });
            let displaced = mem::replace(prior, owner);
            match self.early_release_of(&displaced) {
                Some(index) => {
                    let release = self.early.remove(index);
                    tell(Effect::Paired { owner: &displaced, was_live: false, release: &release });
                }
                None => self.wait_owner(displaced, tell),
            }
        } else if let Some(index) = self.early_release_of(&owner) {
            let release = self.early.remove(index);
            tell(Effect::Paired { owner: &owner, was_live: false, release: &release });
            self.enter_released(owner, release.start_ns(), tell);
        } else {
            self.enter_live(owner, tell);
        }
    }

    /// A release has begun.
    ///
    /// # Errors
    /// Gives the release back if it has no owner: see [`Self::wait_release`].
    pub(crate) fn release(&mut self, release: R, tell: &mut impl FnMut(Effect<'_, O, R>)) -> Result<(), R> {
        match self.owner_of(&release) {
            Some(Place::Latest) => match mem::replace(&mut self.latest, Latest::Nobody) {
                Latest::Live(owner) => {
                    tell(Effect::Paired { owner: &owner, was_live: true, release: &release });
                    self.latest = Latest::Released(owner, release.start_ns());
                    Ok(())
                }
                ended => {
                    self.latest = ended;
                    Err(release)
                }
            },
            Some(Place::Older(index)) => {
                let owner = self.older.remove(index);
                tell(Effect::Paired { owner: &owner, was_live: false, release: &release });
                Ok(())
            }
            None => Err(release),
        }
    }

    /// Whether every owner known began after `start_ns`.
    pub(crate) fn begins_after(&self, start_ns: u64) -> bool {
        self.youngest(|owner| owner.birth_ns() <= start_ns).is_none()
    }

    /// Keeps a release for an acquire that is told later than it ended.
    pub(crate) fn wait_release(&mut self, release: R, tell: &mut impl FnMut(Effect<'_, O, R>)) {
        let at = self.early.partition_point(|other| other.start_ns() <= release.start_ns());
        self.early.insert(at, release);
        if self.early.len() > WAITING {
            tell(Effect::GaveUpRelease(&self.early.remove(0)));
        }
    }

    fn wait_owner(&mut self, owner: O, tell: &mut impl FnMut(Effect<'_, O, R>)) {
        let at = self.older.partition_point(|other| other.birth_ns() <= owner.birth_ns());
        self.older.insert(at, owner);
        if self.older.len() > WAITING {
            tell(Effect::GaveUpOwner(&self.older.remove(0)));
        }
    }

    fn enter_live(&mut self, owner: O, tell: &mut impl FnMut(Effect<'_, O, R>)) {
        match mem::replace(&mut self.latest, Latest::Nobody) {
            Latest::Live(current) if current.birth_ns() <= owner.birth_ns() => {
                tell(Effect::Superseded(&current));
                self.wait_owner(current, tell);
            }
            // A younger one is known already.
            late @ Latest::Live(_) => {
                self.latest = late;
                return self.wait_owner(owner, tell);
            }
            Latest::Released(prior, at_ns) if owner.birth_ns() < prior.birth_ns() => {
                self.latest = Latest::Released(prior, at_ns);
                return self.wait_owner(owner, tell);
            }
            Latest::Released(..) | Latest::Nobody => {}
        }
        tell(Effect::Began(&owner));
        self.latest = Latest::Live(owner);
    }

    fn enter_released(&mut self, owner: O, at_ns: u64, tell: &mut impl FnMut(Effect<'_, O, R>)) {
        match mem::replace(&mut self.latest, Latest::Nobody) {
            Latest::Live(current) if current.birth_ns() <= owner.birth_ns() => {
                tell(Effect::Superseded(&current));
                self.wait_owner(current, tell);
            }
            younger @ (Latest::Live(_) | Latest::Released(..))
                if younger.owner().is_some_and(|latest| latest.birth_ns() > owner.birth_ns()) =>
            {
                self.latest = younger;
                return;
            }
            _ => {}
        }
        self.latest = Latest::Released(owner, at_ns);
    }

    /// The youngest owner whose acquire ended before `release` began: surely, then by the clocks'
    /// own figures, then within their tolerance. `Latest` may have been released already, and then
    /// no older owner can be meant.
    fn owner_of(&self, release: &R) -> Option<Place> {
        let start = release.start_ns();
        let surely = |owner: &O| {
            let same_clock = owner.thread() == Some(release.thread());
            owner.birth_ns() + if same_clock { 0 } else { TOLERANCE_NS } <= start
        };
        let by_the_clocks = |owner: &O| owner.birth_ns() <= start;
        let perhaps = |owner: &O| owner.birth_ns() <= start + TOLERANCE_NS;
        self.youngest(surely).or_else(|| self.youngest(by_the_clocks)).or_else(|| self.youngest(perhaps))
    }

    fn youngest(&self, qualifies: impl Fn(&O) -> bool) -> Option<Place> {
        if self.latest.owner().is_some_and(&qualifies) {
            return Some(Place::Latest);
        }
        self.older.iter().rposition(qualifies).map(Place::Older)
    }

    /// The waiting release whose youngest owner is `owner`.
    fn early_release_of(&self, owner: &O) -> Option<usize> {
        let birth = owner.birth_ns();
        let first = self.early.partition_point(|release| release.start_ns() < birth);
        if let Some(release) = self.early.get(first) {
            let between = |other: &O| other.birth_ns() > birth && other.birth_ns() <= release.start_ns();
            if self.youngest(between).is_none() {
                return Some(first);
            }
        }
        let before = first.checked_sub(1)?;
        let release = &self.early[before];
        let ended_ns = if let Latest::Released(_, at_ns) = self.latest { at_ns } else { 0 };
        let within = release.start_ns() + TOLERANCE_NS >= birth && release.start_ns() > ended_ns;
        (within && owner.thread() != Some(release.thread())).then_some(before)
    }
}

enum Place {
    Latest,
    Older(usize),
}

impl<O> Latest<O> {
    fn owner(&self) -> Option<&O> {
        match self {
            Self::Nobody => None,
            Self::Live(owner) | Self::Released(owner, _) => Some(owner),
        }
    }
}

#[cfg(test)]
mod tests;
