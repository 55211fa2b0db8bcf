//! Values of options.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{OsStringValueParser, TypedValueParser};

use super::Map;
use crate::environment::Change;
use crate::report::map::Form;

/// A change of the environment, whatever its bytes.
pub(super) fn change() -> impl TypedValueParser<Value = Change> {
    OsStringValueParser::new().try_map(Change::parse)
}

/// A directory that is there.
pub(crate) fn parse_directory(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    if path.is_dir() { Ok(path) } else { Err("no such directory".to_owned()) }
}

/// A file whose name says what it is to be.
pub(crate) fn parse_map(text: &str) -> Result<Map, String> {
    let path = PathBuf::from(text);
    let form = Form::of(&path)?;
    Ok(Map { path, form })
}

/// `16K`, `1M`, `1048576`.
pub fn parse_bytes(text: &str) -> Result<u64, String> {
    let (digits, shift) = match text.as_bytes().last() {
        Some(b'k' | b'K') => (&text[..text.len() - 1], 10),
        Some(b'm' | b'M') => (&text[..text.len() - 1], 20),
        Some(b'g' | b'G') => (&text[..text.len() - 1], 30),
        _ => (text, 0),
    };
    let bytes = digits
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(1 << shift))
        .ok_or_else(|| format!("'{text}' is no number of bytes; write 65536, 64K or 1M"))?;
    let range = calltap_channel::segment::MIN_RING_BYTES..=calltap_channel::segment::MAX_RING_BYTES;
    if range.contains(&bytes) { Ok(bytes) } else { Err("it must be between 16K and 1G".to_owned()) }
}

/// `500ms`, `10s`, `2m`.
pub fn parse_period(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit_ms = match &text[digits.len()..] {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        _ => 0,
    };
    let milliseconds = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(unit_ms));
    match milliseconds {
        Some(milliseconds @ 10..=86_400_000) => Ok(Duration::from_millis(milliseconds)),
        Some(0) | None => Err(format!("'{text}' is no duration; write 500ms, 10s or 2m")),
        Some(_) => Err("it must be between 10ms and a day".to_owned()),
    }
}

pub(crate) fn parse_milliseconds(text: &str) -> Result<Duration, String> {
    let text = text.strip_suffix("ms").unwrap_or(text);
    text.parse().map(Duration::from_millis).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_is_what_its_name_says() {
        let form = |name: &str| parse_map(name).map(|map| map.form);
        assert_eq!((form("a.svg"), form("/tmp/b.html")), (Ok(Form::Svg), Ok(Form::Html)));
        assert!(form("map.png").unwrap_err().contains("hint: end the name with .svg or .html"));
        assert!(form("svg").is_err());
    }

    #[test]
    fn ring_sizes_have_units_and_bounds() {
        assert_eq!(parse_bytes("64K"), Ok(65536));
        assert_eq!(parse_bytes("1048576"), Ok(1 << 20));
        assert!(parse_bytes("1K").is_err());
        assert!(parse_bytes("99999999999G").is_err());
        assert!(parse_bytes("many").is_err());
    }

    #[test]
    fn periods_have_units_and_bounds() {
        assert_eq!(parse_period("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse_period("10s"), Ok(Duration::from_secs(10)));
        assert_eq!(parse_period("2m"), Ok(Duration::from_secs(120)));
        for wrong in ["5ms", "0s", "10", "s", "1h", "-1s", "1.5s", "999999m", ""] {
            assert!(parse_period(wrong).is_err(), "{wrong}");
        }
    }
}
