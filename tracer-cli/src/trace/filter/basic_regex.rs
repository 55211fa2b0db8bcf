//! POSIX basic regular expressions (regex(7), "obsolete"), which ltrace takes, in the syntax of the regex crates.

use super::chain;
use super::pattern::literal;

/// The same expression in the other syntax. With GNU's `\|`, `\+`, `\?`, `\w`, `\s`, `\b`, `\<`, `\>`.
pub(super) fn translated(basic: &str) -> Result<String, String> {
    let mut regex = String::new();
    let mut rest = basic;
    let mut depth = 0_u32;
    // At the beginning of an alternative, where `*` means itself and `^` is an anchor.
    let mut begins = true;
    while let Some(character) = rest.chars().next() {
        let mut length = character.len_utf8();
        let mut begins_next = false;
        match character {
            '\\' => {
                let escaped = rest[1..].chars().next().ok_or("a backslash is at its end")?;
                length += escaped.len_utf8();
                match escaped {
                    '(' => {
                        depth += 1;
                        regex += "(?:";
                        begins_next = true;
                    }
                    ')' => {
                        depth = depth.checked_sub(1).ok_or("a parenthesis \\) closes nothing")?;
                        regex.push(')');
                    }
                    '|' => {
                        regex.push('|');
                        begins_next = true;
                    }
                    '+' | '?' => regex.push(escaped),
                    '{' => {
                        let end = rest.find("\\}").ok_or("a brace \\{ is not closed")?;
                        regex += &format!("{{{}}}", &rest[2..end]);
                        length = end + 2;
                    }
                    '<' | '>' => regex += "\\b",
                    'w' | 'W' | 's' | 'S' | 'b' | 'B' => regex.extend(['\\', escaped]),
                    '1'..='9' => return Err(format!("\\{escaped} refers back, which is not possible here")),
                    _ => regex += &literal(&escaped.to_string()),
                }
            }
            '[' => {
                length = chain::bracket(rest).ok_or("a bracket is not closed")?;
                regex += &bracket(&rest[1..length]);
            }
            '*' if !begins => regex.push('*'),
            '^' if begins => {
                regex.push('^');
                begins_next = true;
            }
            '$' if rest.len() == 1 || rest.starts_with("$\\)") || rest.starts_with("$\\|") => regex.push('$'),
            '.' => regex.push('.'),
            _ => regex += &literal(&character.to_string()),
        }
        begins = begins_next;
        rest = &rest[length..];
    }
    if depth > 0 {
        return Err("a parenthesis \\( is not closed".to_owned());
    }
    Ok(regex)
}

/// A bracket expression without its first bracket: characters that are special elsewhere only are escaped.
pub(super) fn bracket(inner: &str) -> String {
    let mut regex = String::from("[");
    let (complement, mut rest) = inner.strip_prefix('^').map_or(("", inner), |rest| ("^", rest));
    regex += complement;
    if let Some(behind) = rest.strip_prefix(']') {
        regex += "\\]";
        rest = behind;
    }
    while let Some(character) = rest.chars().next() {
        if rest.starts_with("[:")
            && let Some(end) = rest.find(":]")
        {
            regex += &rest[..end + 2];
            rest = &rest[end + 2..];
            continue;
        }
        if "[\\^&~".contains(character) {
            regex.push('\\');
        }
        regex.push(character);
        rest = &rest[character.len_utf8()..];
    }
    regex
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_special_changes_sides() {
        for (basic, regex) in [
            ("a+b?c|d", "a\\+b\\?c\\|d"),
            ("\\(a\\|b\\)\\{2,3\\}", "(?:a|b){2,3}"),
            ("*a*", "\\*a*"),
            ("^a^b$c$", "^a\\^b\\$c$"),
            ("[]a^[:digit:]\\]", "[\\]a\\^[:digit:]\\\\]"),
            ("[^a-z].", "[^a-z]."),
            ("(x){1}", "\\(x\\)\\{1\\}"),
        ] {
            assert_eq!(translated(basic).as_deref(), Ok(regex), "{basic}");
        }
        assert!(translated("\\(a\\)\\1").is_err());
        assert!(translated("a\\)").is_err());
    }
}
