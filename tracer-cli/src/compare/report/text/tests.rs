use super::*;
use crate::compare::result::{Variant, Verdict};

#[test]
fn the_first_lines_say_what_failed_and_who_is_best() {
    let text = render(&Compared::example());
    let words: Vec<_> = text.lines().filter_map(|line| line.get(..INDENT)).map(str::trim).take(8).collect();
    assert_eq!(words, ["FAILED", "fastest", "smallest", "best tail", "noise", "", "measured", ""], "{text}");
    assert!(text.starts_with("FAILED     ./broken.so: killed by SIGSEGV in 10 of 10 runs\n"), "{text}");
}
