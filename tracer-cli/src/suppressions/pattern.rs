//! LeakSanitizer's patterns.

/// A pattern: its text is found anywhere, `*` stands for any text, `^` at the beginning and `$` at
/// the end hold it there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    parts: Vec<String>,
    from_start: bool,
    to_end: bool,
}

impl Pattern {
    /// Reads a pattern; every text is one.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let (from_start, rest) = text.strip_prefix('^').map_or((false, text), |rest| (true, rest));
        let (to_end, rest) = rest.strip_suffix('$').map_or((false, rest), |rest| (true, rest));
        Self {
            text: text.to_owned(),
            parts: rest.split('*').map(str::to_owned).collect(),
            from_start,
            to_end,
        }
    }

    /// As it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether `text` is of this form. Never takes more than a look for each part at each character.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let (first, middle) = self.parts.split_first().map_or(("", &[][..]), |(f, m)| (f.as_str(), m));
        let Some((last, middle)) = middle.split_last() else {
            return match (self.from_start, self.to_end) {
                (true, true) => text == first,
                (true, false) => text.starts_with(first),
                (false, true) => text.ends_with(first),
                (false, false) => text.contains(first),
            };
        };
        let after = |text: &'_ str, part: &str| text.find(part).map(|at| at + part.len());
        let begun =
            if self.from_start { text.strip_prefix(first) } else { after(text, first).map(|at| &text[at..]) };
        let Some(mut rest) = begun else { return false };
        for part in middle {
            match after(rest, part) {
                Some(at) => rest = &rest[at..],
                None => return false,
            }
        }
        if self.to_end { rest.ends_with(last.as_str()) } else { rest.contains(last.as_str()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchors_hold_and_stars_stretch() {
        for (pattern, yes, no) in [
            ("leak", &["leak", "my_leaky", "leak("][..], &["lea", ""][..]),
            ("^leak", &["leaky"], &["my_leak"]),
            ("leak$", &["my_leak"], &["leaky"]),
            ("^leak$", &["leak"], &["leaky", "aleak"]),
            ("a*c", &["abc", "xacx", "a.b.c"], &["ca", "ab"]),
            ("^a*c$", &["ac", "abcc"], &["xac", "acx"]),
            ("*.so", &["libx.so.1", ".so"], &["so"]),
            ("a*b*c", &["a-b-c"], &["a-c-b"]),
            ("^a*a$", &["aa", "aba"], &["a"]),
            ("*", &["", "anything"], &[]),
        ] {
            let pattern = Pattern::new(pattern);
            yes.iter().for_each(|text| assert!(pattern.matches(text), "{pattern:?} {text}"));
            no.iter().for_each(|text| assert!(!pattern.matches(text), "{pattern:?} {text}"));
        }
    }

    proptest::proptest! {
        #[test]
        fn a_star_at_both_ends_is_no_star(text in "[ab]{0,8}", part in "[ab]{0,4}") {
            let bare = Pattern::new(&part).matches(&text);
            proptest::prop_assert_eq!(Pattern::new(&format!("*{part}*")).matches(&text), bare);
            proptest::prop_assert_eq!(bare, text.contains(&part));
        }
    }
}
