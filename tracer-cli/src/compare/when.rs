//! When a service is ready.

use std::time::Duration;

use crate::cli::parse_period;

/// What to wait for.
#[derive(Clone, Debug)]
pub enum When {
    /// This URL (`http://host[:port]/path`) answers with a status below 400.
    Answers(String),
    /// A line of its stdout or stderr matches.
    Says(regex_lite::Regex),
    /// This time has passed.
    After(Duration),
}

impl When {
    /// A URL, a duration or a regular expression.
    ///
    /// # Errors
    /// If it is none of them.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.starts_with("http://") {
            return Ok(Self::Answers(text.to_owned()));
        }
        if text.starts_with("https://") {
            return Err(
                "only http:// can be asked\nhint: wait for a line of the service's output instead".to_owned()
            );
        }
        if let Ok(duration) = parse_period(text) {
            return Ok(Self::After(duration));
        }
        regex_lite::Regex::new(text).map(Self::Says).map_err(|error| error.to_string())
    }
}
