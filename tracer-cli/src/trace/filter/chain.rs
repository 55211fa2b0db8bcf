//! The rules of one filter, taken apart.

use super::FilterError;
use super::pattern::Pattern;

/// One rule: chooses or takes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Link {
    /// Chooses.
    pub(super) plus: bool,
    /// Which symbols.
    pub(super) symbol: Pattern,
    /// Which objects.
    pub(super) object: Pattern,
    /// The same as it was written.
    pub(super) written: Written,
}

/// A rule's two patterns as they were written; empty if left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) symbol: String,
    pub(super) object: String,
}

/// The chain of each of these filters.
pub(super) fn chains(filters: &[String]) -> Result<Vec<Vec<Link>>, FilterError> {
    filters.iter().map(|filter| chain(filter)).collect()
}

/// The rule that a value of `-l` stands for.
pub(super) fn object(pattern: &str) -> Result<Link, FilterError> {
    link(true, Written { symbol: String::new(), object: pattern.to_owned() })
        .map_err(|reason| error(pattern, reason))
}

fn chain(filter: &str) -> Result<Vec<Link>, FilterError> {
    let mut links = Vec::new();
    let mut rest = filter;
    let mut plus = true;
    if let Some(behind) = rest.strip_prefix(['-', '!']) {
        (plus, rest) = (false, behind);
    } else if let Some(behind) = rest.strip_prefix(['+', ',']) {
        rest = behind;
    }
    while !rest.is_empty() {
        let (written, sign, behind) = next(rest).map_err(|reason| error(filter, reason))?;
        let link = link(plus, written).map_err(|reason| error(filter, reason))?;
        if links.is_empty() && !link.plus {
            let object = if link.written.object == "SYS" { "SYS" } else { "" };
            let everything = Written { symbol: String::new(), object: object.to_owned() };
            links.push(self::link(true, everything).map_err(|reason| error(filter, reason))?);
        }
        links.push(link);
        (plus, rest) = (sign != Some('-'), behind);
    }
    Ok(links)
}

fn error(filter: &str, reason: String) -> FilterError {
    FilterError {
        filter: filter.to_owned(),
        reason,
        hint: "it is a chain of [+|-][SYMBOL][@OBJECT], with globs or /regular expressions/; see `calltap trace --help`",
    }
}

fn link(plus: bool, written: Written) -> Result<Link, String> {
    Ok(Link {
        plus,
        symbol: Pattern::symbol(&written.symbol)?,
        object: Pattern::object(&written.object)?,
        written,
    })
}

/// The first rule of a text, the sign behind it, and what is behind that.
fn next(text: &str) -> Result<(Written, Option<char>, &str), String> {
    let symbol = symbol_end(text)?;
    let (mut symbol, mut rest) = text.split_at(symbol);
    let mut object = String::new();
    let mut shorthand = String::new();
    if let Some((name, of)) =
        symbol.strip_prefix('/').and_then(|inner| inner.strip_suffix('/')?.split_once('@'))
    {
        // /x@y/ is /x/@/y/.
        shorthand = format!("/{name}/");
        object = format!("/{of}/");
    } else if let Some(behind) = rest.strip_prefix('@') {
        let end = object_end(behind)?;
        object = behind[..end].to_owned();
        rest = &behind[end..];
    }
    if !shorthand.is_empty() {
        symbol = &shorthand;
    }
    let written = Written { symbol: symbol.to_owned(), object };
    let mut signs = rest.chars();
    match signs.next() {
        None => Ok((written, None, "")),
        Some(sign @ ('+' | '-' | ',')) => Ok((written, Some(sign), signs.as_str())),
        Some(_) => Err(format!("there is no sign before '{rest}'")),
    }
}

/// Where a symbol's pattern ends.
fn symbol_end(text: &str) -> Result<usize, String> {
    if let Some(inner) = text.strip_prefix('/') {
        return closing_slash(inner)
            .map(|end| end + 2)
            .ok_or_else(|| "a regular expression lacks its second slash".to_owned());
    }
    scan(text, |character, _| "+-,@".contains(character))
}

/// Where an object's pattern ends.
fn object_end(text: &str) -> Result<usize, String> {
    let Some(inner) = text.strip_prefix('/') else {
        // A sign that is doubled before a dot is part of a name (libstdc++.so).
        return scan(text, |character, at| match character {
            '+' => {
                !(text[at..].starts_with("++.")
                    || text[..=at].ends_with("++") && text[at..].starts_with("+."))
            }
            '-' | ',' => true,
            _ => false,
        });
    };
    // A regular expression; or else a path, in which signs before a later slash are part of names.
    let mut from = 0;
    while let Some(end) = closing_slash(&inner[from..]).map(|end| end + from) {
        if inner[end + 1..].is_empty() || inner[end + 1..].starts_with(['+', '-', ',']) {
            return Ok(end + 2);
        }
        from = end + 1;
    }
    scan(text, |character, at| {
        let slash = text[at..].find('/').unwrap_or(usize::MAX);
        "+-,".contains(character) && slash > text[at..].find('@').unwrap_or(usize::MAX - 1)
    })
}

/// Where the first slash is that no backslash is before.
fn closing_slash(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let found = byte == b'/' && !escaped;
        escaped = byte == b'\\' && !escaped;
        found
    })
}

/// Where the first character is, outside of brackets and not after a backslash, that `ends` the pattern.
fn scan(text: &str, ends: impl Fn(char, usize) -> bool) -> Result<usize, String> {
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => {
                characters.next().ok_or("a backslash is at its end")?;
            }
            '[' => {
                let end = at + bracket(&text[at..]).ok_or("a bracket is not closed")?;
                while characters.offset() < end {
                    characters.next();
                }
            }
            _ if ends(character, at) => return Ok(at),
            _ => {}
        }
    }
    Ok(text.len())
}

/// The length of the bracket expression at the beginning of a text.
pub(super) fn bracket(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 1;
    if matches!(bytes.get(at), Some(b'^' | b'!')) {
        at += 1;
    }
    // A closing bracket that comes first is a character like others.
    if bytes.get(at) == Some(&b']') {
        at += 1;
    }
    while let Some(byte) = bytes.get(at) {
        match byte {
            b']' => return Some(at + 1),
            b'[' if bytes.get(at + 1) == Some(&b':') => at += text[at..].find(":]")? + 2,
            _ => at += 1,
        }
    }
    None
}
