//! Shell patterns, as rules have them.

/// Whether a shell pattern fits a whole text: `*`, `?`, `[abc]`, `[a-z]`, `[!abc]`, `[^abc]`, and `\` before a letter that
/// stands for itself.
#[must_use]
pub fn fits(glob: &[u8], text: &[u8]) -> bool {
    let (mut at, mut position) = (0, 0);
    // Where the last star was, and how much of the text it took so far.
    let mut star: Option<(usize, usize)> = None;
    loop {
        if glob.get(at) == Some(&b'*') {
            star = Some((at + 1, position));
            at += 1;
            continue;
        }
        if at == glob.len() && position == text.len() {
            return true;
        }
        let step = text.get(position).and_then(|byte| one(&glob[at..], *byte));
        if let Some(length) = step {
            at += length;
            position += 1;
        } else if let Some((after, taken)) = star.filter(|(_, taken)| *taken < text.len()) {
            star = Some((after, taken + 1));
            (at, position) = (after, taken + 1);
        } else {
            return false;
        }
    }
}

/// If the pattern's first element fits this byte: its length.
fn one(glob: &[u8], byte: u8) -> Option<usize> {
    match *glob {
        [] => None,
        [b'?', ..] => Some(1),
        [b'\\', letter, ..] => (letter == byte).then_some(2),
        [b'[', ref class @ ..] => match in_class(class, byte) {
            Some((length, fits)) => fits.then_some(length + 1),
            // Never closed: it stands for itself.
            None => (byte == b'[').then_some(1),
        },
        [letter, ..] => (letter == byte).then_some(1),
    }
}

/// A class's length behind its bracket, and whether the byte is in it. None if it is not closed.
fn in_class(class: &[u8], byte: u8) -> Option<(usize, bool)> {
    let negated = matches!(class.first(), Some(b'!' | b'^'));
    let first = usize::from(negated);
    let mut at = first;
    let mut found = false;
    loop {
        let low = *class.get(at)?;
        // A bracket that comes first is one of the class.
        if low == b']' && at > first {
            return Some((at + 1, found != negated));
        }
        let high = match class.get(at + 1..at + 3) {
            Some([b'-', high]) if *high != b']' => Some(*high),
            _ => None,
        };
        found |= (low..=high.unwrap_or(low)).contains(&byte);
        at += if high.is_some() { 3 } else { 1 };
    }
}

#[cfg(test)]
mod tests {
    use super::fits;

    fn all(cases: &[(&str, &str)], fit: bool) {
        for (glob, text) in cases {
            assert_eq!(fits(glob.as_bytes(), text.as_bytes()), fit, "{glob} {text}");
        }
    }

    #[test]
    fn a_star_stands_for_any_text_and_a_question_mark_for_a_letter() {
        let fit =
            [("*", ""), ("mall*", "malloc"), ("*lloc", "malloc"), ("m*l*c", "malloc"), ("ma??oc", "malloc")];
        all(&fit, true);
        all(&[("mall", "malloc"), ("?", ""), ("*x", "malloc"), ("m*l?", "malloc"), ("", "a")], false);
        all(&[("lib*.so*", "libc.so.6"), ("**", "a"), ("a*b*b", "abab")], true);
    }

    #[test]
    fn a_class_stands_for_one_of_its_letters() {
        all(&[("[mc]alloc", "malloc"), ("[a-d]x", "cx"), ("[!a-c]", "d"), ("[^a]", "b"), ("[]]", "]")], true);
        all(&[("[mc]alloc", "ralloc"), ("[a-d]x", "ex"), ("[!a-c]", "b"), ("[^a]", "a"), ("[a]", "")], false);
        // One that is never closed is no class, and a dash at the end is a letter.
        all(&[("[ab", "[ab"), ("[a-]", "-"), ("[a-]", "a")], true);
    }

    #[test]
    fn a_letter_behind_a_backslash_stands_for_itself() {
        all(&[("\\*", "*"), ("a\\?", "a?")], true);
        all(&[("\\*", "a")], false);
    }
}
