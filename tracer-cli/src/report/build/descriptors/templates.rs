//! Paths that differ in numbers or random parts only: `/tmp/upload-a81Fx2` and many like it are
//! `/tmp/upload-*`.

use std::collections::{BTreeMap, BTreeSet};

/// A word shorter than this has no random part.
const RANDOM_LENGTH: usize = 6;
/// So many different words of one length in one place are what makes them random.
const RANDOM_WORDS: usize = 3;

/// The template of each path. A path that is like no other is its own.
pub(in crate::report::build) fn templates(paths: &[&str]) -> Vec<String> {
    let mut folded = vec![String::new(); paths.len()];
    let members = (0..paths.len()).filter(|&index| !paths[index].is_empty());
    fold(paths, &members.map(|index| (index, 0)).collect::<Vec<_>>(), &mut folded);
    let mut alike: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (template, path) in folded.iter().zip(paths) {
        alike.entry(template).or_default().insert(path);
    }
    let told = folded.iter().zip(paths).map(|(template, path)| match alike[template.as_str()].len() {
        1 => (*path).to_owned(),
        _ => template.clone(),
    });
    told.collect()
}

/// Goes on with paths whose templates are the same so far; each with the place where its next word
/// begins. An absolute path begins with an empty word.
fn fold(paths: &[&str], members: &[(usize, usize)], folded: &mut [String]) {
    let mut of_length: BTreeMap<usize, BTreeSet<&str>> = BTreeMap::new();
    for &(index, at) in members {
        let (word, _) = word(&paths[index][at..]);
        of_length.entry(word.len()).or_default().insert(word);
    }
    let random: BTreeMap<usize, &str> =
        of_length.iter().filter_map(|(length, words)| Some((*length, random(words)?))).collect();
    let mut next: BTreeMap<String, Vec<(usize, usize)>> = BTreeMap::new();
    for &(index, at) in members {
        let (word, behind) = word(&paths[index][at..]);
        let template = &mut folded[index];
        match random.get(&word.len()) {
            Some(prefix) => *template += &format!("{prefix}*"),
            None => *template += &without_number(word),
        }
        *template += behind;
        let at = at + word.len() + behind.len();
        if at < paths[index].len() {
            next.entry(template.clone()).or_default().push((index, at));
        }
    }
    next.values().for_each(|members| fold(paths, members, folded));
}

/// What words of one length begin with, if the rest of them is random.
fn random<'a>(words: &BTreeSet<&'a str>) -> Option<&'a str> {
    let first = words.first().filter(|word| word.len() >= RANDOM_LENGTH)?;
    let looks_random = words.iter().filter(|word| is_mixed(word)).count();
    if words.len() < RANDOM_WORDS || looks_random * 2 < words.len() {
        return None;
    }
    let same = |at: usize| words.iter().all(|word| word.as_bytes()[at] == first.as_bytes()[at]);
    let end = (0..first.len()).find(|&at| !same(at)).unwrap_or(first.len());
    // Words may be cut within a character of several bytes.
    let end = (0..=end).rev().find(|&end| first.is_char_boundary(end)).unwrap_or(0);
    Some(first[..end].trim_end_matches(|c: char| c.is_ascii_digit()))
}

/// Digits among letters, or capitals among small ones.
fn is_mixed(word: &str) -> bool {
    let digits = word.bytes().any(|b| b.is_ascii_digit());
    let capital = word.bytes().skip(1).any(|b| b.is_ascii_uppercase());
    digits || (capital && word.bytes().any(|b| b.is_ascii_lowercase()))
}

/// `worker12` as `worker*`.
fn without_number(word: &str) -> String {
    let name = word.trim_end_matches(|c: char| c.is_ascii_digit());
    if name.len() < word.len() { format!("{name}*") } else { word.to_owned() }
}

fn is_in_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The word at the beginning, and what is between it and the next one.
fn word(text: &str) -> (&str, &str) {
    let (word, rest) = text.split_at(text.find(|c| !is_in_word(c)).unwrap_or(text.len()));
    (word, &rest[..rest.find(is_in_word).unwrap_or(rest.len())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_suffixes_are_folded_however_they_look() {
        let paths = ["/tmp/upload-qWeRtY", "/tmp/upload-abcdef", "/tmp/upload-a81Fx2", "/tmp/upload-ZZk3p1"];
        assert_eq!(templates(&paths), ["/tmp/upload-*"; 4]);
        let pythons = ["/tmp/tmpab12cd34", "/tmp/tmpx_98zw76", "/tmp/tmpqwe7tyui"];
        assert_eq!(templates(&pythons), ["/tmp/tmp*"; 3]);
        let nested = ["/tmp/aB3dE9/in-1", "/tmp/Zx81qw/in-2", "/tmp/pQ7rSt/in-1"];
        assert_eq!(templates(&nested), ["/tmp/*/in-*"; 3]);
    }

    #[test]
    fn numbers_are_folded_wherever_they_are() {
        assert_eq!(templates(&["/run/job.1.log", "/run/job.22.log"]), ["/run/job.*.log"; 2]);
        assert_eq!(templates(&["socket:[123]", "socket:[99]"]), ["socket:[*]"; 2]);
        assert_eq!(templates(&["worker9", "worker10"]), ["worker*"; 2]);
        assert_eq!(templates(&["/proc/7/maps", "/proc/8/maps"]), ["/proc/*/maps"; 2]);
    }

    #[test]
    fn a_path_that_is_like_no_other_stays_whole() {
        let paths = ["/etc/hostname", "/lib/libz.so.1.2.13", "/etc/hostname", "", "/tmp/a81Fx2"];
        assert_eq!(templates(&paths), paths);
        let modules = ["/lib/decimal.py", "/lib/logging.py", "/lib/shelves.py"];
        assert_eq!(templates(&modules), modules, "words, though three of one length");
        assert_eq!(templates(&[]), [] as [&str; 0]);
        let umlauts = ["/tmp/\u{e4}bcd1", "/tmp/\u{f6}bcd2", "/tmp/\u{fc}bcd3"];
        assert_eq!(templates(&umlauts), ["/tmp/*"; 3]);
    }

    #[test]
    fn what_is_common_to_random_words_remains() {
        let files = ["/data/file123a", "/data/file177b", "/data/file19cc"];
        assert_eq!(templates(&files), ["/data/file*"; 3]);
        let one = ["/d/x-1", "/d/x-1"];
        assert_eq!(templates(&one), one, "one path, twice");
    }
}
