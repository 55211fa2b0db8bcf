//! Colours of a terminal.

/// Escape sequences that change the colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Color {
    /// Ids, times, `unfinished`.
    Dim,
    /// Names of functions.
    Name,
    /// Strings and characters.
    String,
    /// What is not certain.
    Doubt,
    /// Failures, and processes that were killed.
    Failure,
    /// Signals and other events.
    Event,
}

impl Color {
    /// What a terminal takes for it.
    pub fn sequence(self) -> &'static [u8] {
        match self {
            Self::Dim => b"\x1b[2m",
            Self::Name => b"\x1b[1;36m",
            Self::String => b"\x1b[32m",
            Self::Doubt => b"\x1b[33m",
            Self::Failure => b"\x1b[31m",
            Self::Event => b"\x1b[35m",
        }
    }
}
