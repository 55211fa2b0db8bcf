//! The signal that stops a service.

use nix::sys::signal::Signal;

/// `TERM`, `SIGTERM` or `15`.
///
/// # Errors
/// If there is no such signal.
pub fn parse(text: &str) -> Result<Signal, String> {
    let upper = text.to_uppercase();
    let name = if upper.starts_with("SIG") { upper } else { format!("SIG{upper}") };
    let by_number = || text.parse::<i32>().ok().and_then(|number| Signal::try_from(number).ok());
    let signal = name.parse::<Signal>().ok().or_else(by_number);
    signal
        .ok_or_else(|| format!("there is no signal '{text}'\nhint: write TERM, INT, QUIT, KILL or a number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_have_names_and_numbers() {
        for text in ["TERM", "SIGTERM", "term", "15"] {
            assert_eq!(parse(text), Ok(Signal::SIGTERM), "{text}");
        }
        assert!(parse("STOPP").unwrap_err().contains("hint: "));
        assert!(parse("0").is_err());
    }
}
