//! Names that stand only in an object's file: the loader maps no `.symtab`, so the CLI reads it before the program starts.
//!
//! They are for calls of indirect functions (`STT_GNU_IFUNC`) by the object that defines them, if it does not export them:
//! the slot's relocation (`R_X86_64_IRELATIVE`) has the resolver's address and no symbol.

use super::{Plan, head};

/// Words of a name: device, inode, kind, address, text.
pub const NAME_WORDS: usize = 5;

/// What is at a name's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum NameKind {
    /// What finds the indirect function of this name.
    Resolver = 0,
    /// The function of this name, which an indirect one may turn out to be.
    Function = 1,
}

/// A file, as `stat(2)` tells it from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileId {
    /// `st_dev`.
    pub device: u64,
    /// `st_ino`.
    pub inode: u64,
}

/// A name of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name<'a> {
    /// The object's file.
    pub file: FileId,
    /// What is at `address`.
    pub kind: NameKind,
    /// As the file has it, before the loader moves it.
    pub address: u64,
    /// The symbol.
    pub text: &'a [u8],
}

impl<'a> Plan<'a> {
    /// All names in their order; those that make no sense are left out.
    pub fn names(&self) -> impl Iterator<Item = Name<'a>> + use<'a> {
        let plan = *self;
        let first = plan.word(head::NAMES) as usize;
        let count = (plan.word(head::NAME_COUNT) as usize).min(plan.words.len() / NAME_WORDS);
        (0..count).filter_map(move |index| {
            let at = first.checked_add(index * NAME_WORDS)?;
            let word = |word: usize| plan.word(at.saturating_add(word));
            let kind = match word(2) {
                0 => NameKind::Resolver,
                1 => NameKind::Function,
                _ => return None,
            };
            let text = plan.text(word(4) as usize);
            let file = FileId { device: word(0), inode: word(1) };
            (!text.is_empty()).then_some(Name { file, kind, address: word(3), text })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{HEAD, VERSION};
    use super::*;

    fn words(names: u64, count: u64, rest: &[u64]) -> Vec<u64> {
        let mut words = vec![0; HEAD];
        words[head::VERSION] = VERSION;
        words[head::NAMES] = names;
        words[head::NAME_COUNT] = count;
        words.extend_from_slice(rest);
        words[head::WORDS] = words.len() as u64;
        words
    }

    #[test]
    fn what_lies_outside_of_the_plan_is_no_name() {
        for (names, count) in [(u64::MAX, 1), (u64::MAX - 4, u64::MAX), (HEAD as u64, u64::MAX), (1 << 60, 3)]
        {
            let words = words(names, count, &[1, 2, 0, 3, u64::MAX - 1, 1, 2, 0, 3, 1 << 40]);
            assert_eq!(Plan::new(&words).unwrap().names().count(), 0, "{names:x} {count:x}");
        }
    }

    #[test]
    fn a_kind_that_is_not_known_is_no_name() {
        let text = HEAD as u64;
        let word = u64::from_le_bytes(*b"xyz\0\0\0\0\0");
        let words = words(text + 2, 2, &[3, word, 1, 2, 7, 16, text, 1, 2, 1, 16, text]);
        let names: Vec<_> = Plan::new(&words).unwrap().names().collect();
        let file = FileId { device: 1, inode: 2 };
        assert_eq!(names, [Name { file, kind: NameKind::Function, address: 16, text: b"xyz" }]);
    }
}
