//! Names that a mistyped one may stand for.

use super::class::Class;
use super::table::CALLS;

/// So many are offered.
const OFFERED: usize = 3;

/// Classes and calls whose names are near to `wrong`, nearest first.
pub(super) fn similar(wrong: &str) -> Vec<&'static str> {
    let allowed = 1 + wrong.len() / 4;
    let classes = Class::ALL.into_iter().map(Class::name);
    let names = classes.chain(CALLS.iter().map(|call| call.name));
    let mut near: Vec<_> = names
        .map(|name| (distance(wrong, name), name))
        .filter(|(distance, name)| *distance <= allowed || name.starts_with(wrong))
        .collect();
    near.sort_unstable();
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
        assert_eq!(similar("opnat")[0], "openat");
        assert_eq!(similar("memroy"), ["memory"]);
        assert!(similar("clos").contains(&"close"));
        assert!(similar("frobnicate").is_empty());
    }

    #[test]
    fn distances_count_characters() {
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", "abc"), 0);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
