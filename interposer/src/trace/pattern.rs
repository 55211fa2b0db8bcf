//! Patterns of rules: literal, shell's, regular expressions.

use calltap_channel::trace::plan::{self, PatternKind};
use regex_lite::Regex;

use super::objects::Object;

/// A pattern, ready to be tried.
pub(crate) enum Pattern {
    /// Fits everything.
    Any,
    /// The program itself.
    Program,
    Exact(&'static [u8]),
    Glob(&'static [u8]),
    Regex(Regex),
    /// Fits nothing: a regular expression that is none. The command line has refused it before.
    Nothing,
}

impl Pattern {
    /// That of a rule.
    pub(crate) fn of(pattern: plan::Pattern<'static>) -> Self {
        match pattern.kind {
            PatternKind::Any => Self::Any,
            PatternKind::Main => Self::Program,
            PatternKind::Exact => Self::Exact(pattern.text),
            PatternKind::Glob => Self::Glob(pattern.text),
            PatternKind::Regex => core::str::from_utf8(pattern.text)
                .ok()
                .and_then(|text| Regex::new(text).ok())
                .map_or(Self::Nothing, Self::Regex),
        }
    }

    /// Whether everything fits.
    pub(crate) fn is_any(&self) -> bool {
        matches!(self, Self::Any | Self::Glob(b"*"))
    }

    /// Whether a whole text fits.
    pub(crate) fn fits(&self, text: &[u8]) -> bool {
        match self {
            Self::Any => true,
            Self::Program | Self::Nothing => false,
            Self::Exact(exact) => *exact == text,
            Self::Glob(glob) => fits_glob(glob, text),
            Self::Regex(regex) => core::str::from_utf8(text).is_ok_and(|text| regex.is_match(text)),
        }
    }

    /// Whether an object fits: by its soname, or by its path if the pattern speaks of paths.
    pub(crate) fn fits_object(&self, object: &Object) -> bool {
        let of_path = match self {
            Self::Program => return object.is_program,
            Self::Exact(text) | Self::Glob(text) => text.first() == Some(&b'/'),
            // There are no slashes in sonames.
            Self::Regex(regex) => regex.as_str().contains('/'),
            Self::Any | Self::Nothing => false,
        };
        self.fits(if of_path { object.full_path() } else { object.soname() })
    }
}

/// Whether a shell pattern fits a whole text: `*`, `?`, `[abc]`, `[a-z]`, `[!abc]`, `[^abc]`, and `\` before a letter that
/// stands for itself.
pub(crate) fn fits_glob(glob: &[u8], text: &[u8]) -> bool {
    let (mut at, mut position) = (0, 0);
    // Where the last star was, and how much of the text it took so far.
    let mut star: Option<(usize, usize)> = None;
    loop {
        if glob.get(at) == Some(&b'*') {
            star = Some((at + 1, position));
            at += 1;
            continue;
        }
        if at == glob.len() && position == text.len() {
            return true;
        }
        let step = text.get(position).and_then(|byte| one(&glob[at..], *byte));
        if let Some(length) = step {
            at += length;
            position += 1;
        } else if let Some((after, taken)) = star.filter(|(_, taken)| *taken < text.len()) {
            star = Some((after, taken + 1));
            (at, position) = (after, taken + 1);
        } else {
            return false;
        }
    }
}

/// If the pattern's first element fits this byte: its length.
fn one(glob: &[u8], byte: u8) -> Option<usize> {
    match *glob {
        [] => None,
        [b'?', ..] => Some(1),
        [b'\\', letter, ..] => (letter == byte).then_some(2),
        [b'[', ref class @ ..] => match in_class(class, byte) {
            Some((length, fits)) => fits.then_some(length + 1),
            // Never closed: it stands for itself.
            None => (byte == b'[').then_some(1),
        },
        [letter, ..] => (letter == byte).then_some(1),
    }
}

/// A class's length behind its bracket, and whether the byte is in it. None if it is not closed.
fn in_class(class: &[u8], byte: u8) -> Option<(usize, bool)> {
    let negated = matches!(class.first(), Some(b'!' | b'^'));
    let first = usize::from(negated);
    let mut at = first;
    let mut found = false;
    loop {
        let low = *class.get(at)?;
        // A bracket that comes first is one of the class.
        if low == b']' && at > first {
            return Some((at + 1, found != negated));
        }
        let high = match class.get(at + 1..at + 3) {
            Some([b'-', high]) if *high != b']' => Some(*high),
            _ => None,
        };
        found |= (low..=high.unwrap_or(low)).contains(&byte);
        at += if high.is_some() { 3 } else { 1 };
    }
}
