//! The variants that are compared: allocators times environments.

mod expand;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

pub use expand::{GLIBC, expand};

/// An environment variable and the values that it is given in turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its name.
    pub name: String,
    /// Its values; None leaves it unset.
    pub values: Vec<Option<String>>,
}

impl Setting {
    /// `NAME=VALUE,VALUE`; a comma within a value is written `\,`, an empty value leaves the variable unset.
    ///
    /// # Errors
    /// What is wrong with it, with a hint.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (name, values) = text.split_once('=').ok_or("write NAME=VALUE or NAME=VALUE,VALUE")?;
        if name.is_empty() {
            return Err("a variable has a name".to_owned());
        }
        let mut parts = vec![String::new()];
        let mut letters = values.chars().peekable();
        while let Some(letter) = letters.next() {
            match letter {
                '\\' if letters.peek() == Some(&',') => {
                    parts.last_mut().expect("one at least").extend(letters.next())
                }
                ',' => parts.push(String::new()),
                other => parts.last_mut().expect("one at least").push(other),
            }
        }
        let values = parts.into_iter().map(|value| if value.is_empty() { None } else { Some(value) });
        Ok(Self { name: name.to_owned(), values: values.collect() })
    }
}

/// One variant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    /// How it is called in tables: the allocator's name, with what else tells it from the others.
    pub label: String,
    /// The allocator's name: `glibc`, `jemalloc`, ..., or the file name of the user's library.
    pub allocator: String,
    /// What is preloaded, canonical; None for the C library's own, unless the program is linked with another
    /// allocator: then it is the C library, which so comes before that one.
    pub library: Option<PathBuf>,
    /// Variables that are set (Some) or removed (None).
    pub environment: Vec<(String, Option<String>)>,
}
