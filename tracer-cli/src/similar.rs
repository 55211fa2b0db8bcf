//! Names that a mistyped one may stand for.

/// So many are offered.
const OFFERED: usize = 3;

/// Those of `names` that are near to `wrong`, each once, nearest first.
pub fn similar<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let allowed = 1 + wrong.len() / 4;
    let mut near: Vec<_> = names
        .into_iter()
        // A name that is longer or shorter by more is further away.
        .filter(|name| name.len().abs_diff(wrong.len()) <= allowed || name.starts_with(wrong))
        .map(|name| (distance(wrong, name), name))
        .filter(|(distance, name)| *distance <= allowed || name.starts_with(wrong))
        .collect();
    near.sort_unstable();
    near.dedup();
    near.into_iter().take(OFFERED).map(|(_, name)| name).collect()
}

/// How many characters must be put in, left out or exchanged (Levenshtein's distance).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (line, from) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for (column, to) in b.bytes().enumerate() {
            let above = row[column + 1];
            row[column + 1] = (diagonal + usize::from(from != to)).min(above.min(row[column]) + 1);
            diagonal = above;
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_offered_and_far_ones_are_not() {
        let names = ["memory", "close", "openat", "open", "close", "malloc", "open_by_handle_at"];
        assert_eq!(similar("opnat", names), ["openat"]);
        assert_eq!(similar("memroy", names), ["memory"]);
        assert_eq!(similar("clos", names), ["close"]);
        assert_eq!(similar("open_", names)[..], ["open", "openat", "open_by_handle_at"]);
        assert!(similar("frobnicate", names).is_empty());
    }

    #[test]
    fn distances_count_characters() {
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", "abc"), 0);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
