//! A rule as the user has written it, to be told of.

use std::fmt;

use super::chain::Link;
use super::pattern::Pattern;
use super::system_calls;

/// One rule of an option's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    option: &'static str,
    written: String,
    /// Which symbols; of system calls, which names.
    pub symbol: Pattern,
    /// Which objects; None: it is about system calls.
    pub object: Option<Pattern>,
}

impl Part {
    /// A rule of this option.
    pub(super) fn of(option: &'static str, link: &Link) -> Self {
        let object = &link.written.object;
        let written = match option {
            "-l" => object.clone(),
            _ if object.is_empty() => link.written.symbol.clone(),
            _ => format!("{}@{object}", link.written.symbol),
        };
        match system_calls::named(link).filter(|_| option == "-e") {
            Some(symbol) => Self { option, written, symbol, object: None },
            None => Self { option, written, symbol: link.symbol.clone(), object: Some(link.object.clone()) },
        }
    }

    /// Whether it is about functions by what provides them (`-x`).
    #[must_use]
    pub fn is_of_entries(&self) -> bool {
        self.option == "-x"
    }
}

/// `-e malloc@MAIN`
impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.option, self.written)
    }
}
