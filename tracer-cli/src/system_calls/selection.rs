//! Which system calls the user asks for.

use std::fmt;
use std::str::FromStr;

use calltap_analyzers::kernel::CallId;

use super::call::Call;
use super::class::Class;
use super::condition::{Condition, condition};
use super::lookup;
use super::table::CALLS;
use crate::similar::similar;

const WORDS: usize = CALLS.len().div_ceil(64);

/// Places in [`CALLS`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Places([u64; WORDS]);

impl Places {
    fn set(&mut self, place: usize, present: bool) {
        let bit = 1 << (place % 64);
        if present { self.0[place / 64] |= bit } else { self.0[place / 64] &= !bit }
    }

    fn has(&self, place: usize) -> bool {
        self.0[place / 64] & 1 << (place % 64) != 0
    }
}

/// How far a call is selected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    None,
    /// With some of its arguments.
    If(Condition),
    All,
}

/// A choice of system calls, made from text and shown as text that makes the same choice.
///
/// The text is a list with commas between its items, taken from left to right: a class (`memory`, also
/// `%memory`), a name (`openat`), `all` or `none`; with `-` before it (or `!`), what it stands for is
/// taken out again. If the first item is taken out, it is from all; as with strace, one `!` there is for
/// the whole list. Class `fd` has some calls with some of their arguments only (`fcntl` that copies).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    text: String,
    all: Places,
    partly: Places,
}

/// What is wrong with a list of system calls.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("there is no system call and no class `{item}`\nhint: {hint}")]
pub struct SelectionError {
    item: String,
    hint: String,
}

impl SelectionError {
    fn new(item: &str) -> Self {
        let classes = Class::ALL.into_iter().map(Class::name);
        let near = similar(item, classes.chain(CALLS.iter().map(|call| call.name)));
        let hint = if near.is_empty() {
            let classes = Class::ALL.map(Class::name).join(", ");
            format!("classes are {classes}; calls have their names from the kernel")
        } else {
            format!("did you mean {}?", near.join(" or "))
        };
        Self { item: item.to_owned(), hint }
    }
}

impl Selection {
    /// What `list` asks for; see [`Selection`].
    ///
    /// # Errors
    /// If an item is neither a class nor a call.
    pub fn of(list: &str) -> Result<Self, SelectionError> {
        let mut selection = Self::default();
        if let Some(rest) = list.trim().strip_prefix('!') {
            selection.take("all")?;
            for item in items(rest) {
                selection.take(&format!("-{item}"))?;
            }
            return Ok(selection);
        }
        for (index, item) in items(list).enumerate() {
            if index == 0 && taken_out(item).is_some() {
                selection.take("all")?;
            }
            selection.take(item)?;
        }
        Ok(selection)
    }

    /// Takes the next item into account.
    fn take(&mut self, item: &str) -> Result<(), SelectionError> {
        let (name, wanted) = taken_out(item).map_or((item, true), |name| (name, false));
        if name != "none" {
            self.change(name, wanted)?;
        }
        if !self.text.is_empty() {
            self.text += ",";
        }
        self.text += if wanted { "" } else { "-" };
        self.text += name;
        Ok(())
    }

    fn change(&mut self, name: &str, wanted: bool) -> Result<(), SelectionError> {
        let class = Class::named(name.strip_prefix('%').unwrap_or(name));
        let mut found = class.is_some();
        for (place, call) in CALLS.iter().enumerate() {
            if !class.map_or(call.name == name, |class| class.has(call)) {
                continue;
            }
            found = true;
            if class == Some(Class::Fd) && condition(call.name).is_some() {
                self.partly.set(place, wanted);
            } else {
                self.all.set(place, wanted);
                if !wanted {
                    self.partly.set(place, false);
                }
            }
        }
        if found { Ok(()) } else { Err(SelectionError::new(name)) }
    }

    /// Adds what another one has.
    pub fn add(&mut self, other: Self) {
        for (ours, theirs) in [(&mut self.all, &other.all), (&mut self.partly, &other.partly)] {
            ours.0.iter_mut().zip(theirs.0).for_each(|(ours, theirs)| *ours |= theirs);
        }
        // What the other one takes out must not be taken out of ours.
        self.text = if other.text.contains('-') {
            self.exact()
        } else {
            items(&self.text).chain(items(&other.text)).collect::<Vec<_>>().join(",")
        };
    }

    /// A text that names the calls one by one, and those with some of their arguments by their class.
    fn exact(&self) -> String {
        let mut items = Vec::new();
        if self.partly != Places::default() {
            items.push("fd".to_owned());
            let missing =
                self.extents().filter(|(call, extent)| Class::Fd.has(call) && *extent == Extent::None);
            items.extend(missing.map(|(call, _)| format!("-{}", call.name)));
        }
        let all = self.extents().filter(|(_, extent)| *extent == Extent::All);
        items.extend(all.map(|(call, _)| call.name.to_owned()));
        items.join(",")
    }

    /// Whether no call is selected.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all == Places::default() && self.partly == Places::default()
    }

    /// Whether a call is selected, with some arguments at least.
    #[cfg(test)]
    pub(super) fn contains(&self, id: CallId) -> bool {
        lookup::place(id).is_some_and(|place| self.all.has(place) || self.partly.has(place))
    }

    /// Whether a call with these arguments is selected, as the filter would decide. Cheap: for every stop.
    #[must_use]
    pub fn wants(&self, id: CallId, arguments: &[u64; 6]) -> bool {
        match lookup::place(id).map_or(Extent::None, |place| self.extent(place)) {
            Extent::None => false,
            Extent::If(condition) => condition.holds(arguments),
            Extent::All => true,
        }
    }

    /// How far the call at a place of [`CALLS`] is selected.
    pub(super) fn extent(&self, place: usize) -> Extent {
        if self.all.has(place) {
            return Extent::All;
        }
        let partly = self.partly.has(place).then(|| condition(CALLS[place].name)).flatten();
        partly.map_or(Extent::None, Extent::If)
    }

    /// Every call, and how far it is selected.
    pub(super) fn extents(&self) -> impl Iterator<Item = (&'static Call, Extent)> {
        CALLS.iter().enumerate().map(|(place, call)| (call, self.extent(place)))
    }
}

fn items(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|item| !item.is_empty())
}

fn taken_out(item: &str) -> Option<&str> {
    item.strip_prefix(['-', '!'])
}

impl FromStr for Selection {
    type Err = SelectionError;

    fn from_str(list: &str) -> Result<Self, SelectionError> {
        Self::of(list)
    }
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.text.is_empty() { "none" } else { &self.text })
    }
}

#[cfg(test)]
mod tests;
