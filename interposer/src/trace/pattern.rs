//! Patterns of rules: literal, shell's, regular expressions.

use calltap_channel::trace::glob;
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
            Self::Glob(glob) => glob::fits(glob, text),
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
