//! What could be hooked of each object, and what not.

use std::collections::BTreeMap;
use std::fmt;

use calltap_channel::note::refused;

/// Why slots were not hooked, in words, by [`refused`]'s numbers.
const REASONS: [(u64, &str); 7] = [
    (refused::SPECIAL, "must not be traced"),
    (refused::PROTECTED, "in memory that cannot be made writable"),
    (refused::NOT_CODE, "hold no function's address"),
    (refused::NO_ROOM, "no room for more functions"),
    (refused::UNREADABLE, "its dynamic section cannot be understood"),
    (refused::NAMELESS, "functions without a name"),
    (refused::LAZY, "found at their first call, in a way of the loader's that is not known"),
];

/// Slots of one object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Slots {
    is_program: bool,
    hooked: u64,
    left: u64,
    refused: [u64; REASONS.len()],
}

/// All objects of a session, by path. Of an object that several processes have, the most that one of them had.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    objects: BTreeMap<String, Slots>,
}

impl Coverage {
    /// The paths of all objects, and whether each is a program.
    pub fn objects(&self) -> impl Iterator<Item = (&str, bool)> {
        self.objects.iter().map(|(path, slots)| (path.as_str(), slots.is_program))
    }

    /// An object is a program.
    pub fn program(&mut self, path: &str) {
        if let Some(slots) = self.objects.get_mut(path) {
            slots.is_program = true;
        }
    }

    /// Takes a [`calltap_channel::Note::Bound`].
    pub fn bound(&mut self, path: &str, hooked: u64, left: u64, kind: u64, refused: u64) {
        if !self.objects.contains_key(path) {
            self.objects.insert(path.to_owned(), Slots::default());
        }
        let Some(slots) = self.objects.get_mut(path) else { return };
        match REASONS.iter().position(|(reason, _)| *reason == kind) {
            Some(index) => slots.refused[index] = slots.refused[index].max(refused),
            None => {
                slots.hooked = slots.hooked.max(hooked);
                slots.left = slots.left.max(left);
            }
        }
    }

    /// In one line, what was asked for and could not be hooked; None if nothing. What must not be traced is no loss, and
    /// a function without a name is one that nobody can ask for.
    #[must_use]
    pub fn shortfall(&self) -> Option<String> {
        let lacking = |slots: &Slots| -> u64 {
            let counts = |kind| kind != refused::SPECIAL && kind != refused::NAMELESS;
            REASONS
                .iter()
                .zip(slots.refused)
                .filter(|((kind, _), _)| counts(*kind))
                .map(|(_, slots)| slots)
                .sum()
        };
        let (objects, slots) = self
            .objects
            .values()
            .map(lacking)
            .filter(|slots| *slots > 0)
            .fold((0, 0), |(objects, all), slots| (objects + 1, all + slots));
        let plural =
            |number: u64, word: &str| format!("{number} {word}{}", if number == 1 { "" } else { "s" });
        (slots > 0).then(|| {
            format!(
                "{} in {} could not be hooked: calls through them are not shown\nhint: --coverage says which and why",
                plural(slots, "slot"),
                plural(objects, "object")
            )
        })
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  hooked     left  refused  object")?;
        for (path, slots) in &self.objects {
            let refused: u64 = slots.refused.iter().sum();
            write!(f, "{:>8} {:>8} {refused:>8}  {path}", slots.hooked, slots.left)?;
            let reasons = REASONS.iter().zip(slots.refused).filter(|(_, number)| *number > 0);
            for (index, ((_, reason), number)) in reasons.enumerate() {
                write!(f, "{} {number} {reason}", if index == 0 { ":" } else { "," })?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_refused_is_told_with_its_reasons() {
        let mut coverage = Coverage::default();
        coverage.bound("/lib/a.so", 10, 3, refused::NONE, 0);
        coverage.bound("/lib/a.so", 0, 0, refused::SPECIAL, 2);
        coverage.bound("/lib/c.so", 0, 0, refused::NAMELESS, 7);
        assert_eq!(coverage.shortfall(), None);
        coverage.bound("/lib/b.so", 1, 0, refused::NONE, 0);
        coverage.bound("/lib/b.so", 0, 0, refused::PROTECTED, 1);
        assert!(coverage.shortfall().unwrap().starts_with("1 slot in 1 object could not"));
        let text = coverage.to_string();
        assert!(text.contains("      10        3        2  /lib/a.so: 2 must not be traced\n"), "{text}");
        assert!(text.contains("/lib/b.so: 1 in memory that cannot be made writable\n"), "{text}");
    }

    #[test]
    fn an_object_of_two_processes_is_told_once() {
        let mut coverage = Coverage::default();
        coverage.bound("/lib/a.so", 10, 3, refused::NONE, 0);
        coverage.bound("/lib/a.so", 8, 5, refused::NONE, 0);
        assert_eq!(coverage.to_string().lines().count(), 2);
        assert!(coverage.to_string().contains("      10        5        0  /lib/a.so\n"));
    }
}
