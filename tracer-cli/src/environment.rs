//! Changes to the environment of the program that is started.

use std::ffi::{CString, OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// A variable that the program gets, or does not get, other than calltap itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its name; never empty, without `=`.
    name: OsString,
    /// Its value; None takes it away.
    value: Option<OsString>,
}

impl Change {
    /// `NAME=VALUE` sets a variable, `NAME` takes it away, as strace's -E has it.
    ///
    /// # Errors
    /// If there is no name.
    pub fn parse(text: OsString) -> Result<Self, String> {
        let bytes = text.as_bytes();
        let (name, value) = match bytes.iter().position(|&byte| byte == b'=') {
            Some(at) => (&bytes[..at], Some(OsStr::from_bytes(&bytes[at + 1..]).to_owned())),
            None => (bytes, None),
        };
        if name.is_empty() {
            return Err("a variable has a name; write NAME=VALUE, or NAME to remove it".to_owned());
        }
        Ok(Self { name: OsStr::from_bytes(name).to_owned(), value })
    }

    /// As [`Self::parse`] takes it.
    #[must_use]
    pub fn to_argument(&self) -> OsString {
        let mut text = self.name.clone();
        if let Some(value) = &self.value {
            text.push("=");
            text.push(value);
        }
        text
    }
}

/// An environment with changes made to it, each to what those before it left. What is set anew comes last,
/// all else stays where it is, as putenv(3) has it.
///
/// # Errors
/// If a value has a NUL byte in it.
pub fn changed(
    mut environment: Vec<CString>,
    changes: &[Change],
) -> Result<Vec<CString>, std::ffi::NulError> {
    for change in changes {
        let name = change.name.as_bytes();
        let is_it = |string: &CString| {
            string.as_bytes().strip_prefix(name).is_some_and(|rest| rest.starts_with(b"="))
        };
        let place = environment.iter().position(is_it).unwrap_or(environment.len());
        environment.retain(|string| !is_it(string));
        if change.value.is_some() {
            environment.insert(place, CString::new(change.to_argument().into_vec())?);
        }
    }
    Ok(environment)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(text: &str) -> Change {
        Change::parse(text.into()).unwrap()
    }

    fn strings(texts: &[&str]) -> Vec<CString> {
        texts.iter().map(|text| CString::new(*text).unwrap()).collect()
    }

    #[test]
    fn a_variable_has_a_name() {
        assert_eq!(change("A=b=c").value, Some("b=c".into()));
        assert_eq!((change("A=").value, change("A").value), (Some("".into()), None));
        assert!(Change::parse("".into()).is_err() && Change::parse("=x".into()).is_err());
    }

    #[test]
    fn an_argument_says_what_was_parsed() {
        for text in ["A=b", "A=", "A", "A= x=y"] {
            assert_eq!(change(text).to_argument(), text);
        }
    }

    #[test]
    fn later_changes_win_and_all_else_stays() {
        let given = strings(&["A=1", "AB=2", "odd", "A=3", "C=4"]);
        let changes = ["A=5", "C", "D=6", "A=7", "absent"].map(change);
        assert_eq!(changed(given.clone(), &changes).unwrap(), strings(&["A=7", "AB=2", "odd", "D=6"]));
        assert_eq!(changed(given.clone(), &[]).unwrap(), given);
    }
}
