use super::*;
use crate::compare::result::Verdict;

/// The words before the answers.
fn entries(text: &str) -> Vec<&str> {
    let head = text.split("\n\n").next().expect("one at least");
    head.lines()
        .map(|line| line.get(..INDENT).unwrap_or(line).trim())
        .filter(|word| !word.is_empty())
        .collect()
}

#[test]
fn the_first_lines_say_what_failed_and_who_is_best() {
    let text = render(&Compared::example());
    assert_eq!(entries(&text), ["FAILED", "fastest", "smallest", "best tail", "noise", "measured"], "{text}");
    assert!(text.starts_with("FAILED     ./broken.so: killed by SIGSEGV in 10 of 10 runs\n"), "{text}");
    assert!(text.contains("\nfastest    jemalloc  412 ms, 18% less than glibc (95%: "), "{text}");
    assert!(text.contains("\nnoise      glibc against itself: wall time "), "{text}");
    assert!(
        text.contains("\nmeasured   10 rounds of 5 variants, each untapped and tapped; seed 7; "),
        "{text}"
    );
    assert!(
        text.ends_with("\nnotes:\n  jemalloc <5.3> was asked for its \"version\" & gave none\n"),
        "{text}"
    );
}

#[test]
fn lines_fit_a_terminal() {
    let text = render(&Compared::example());
    assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
    assert_eq!(wrapped("  one two", 4), "  one two\n");
    let long = wrapped(&format!("{:<INDENT$}{}", "word", "more ".repeat(30)), INDENT);
    assert!(long.lines().skip(1).all(|line| line.starts_with("           more")), "{long}");
    let unbroken = "x".repeat(2 * WIDTH);
    assert_eq!(entry("word", &unbroken), format!("word       {unbroken}\n"));
}

#[test]
fn the_table_has_a_row_for_each_variant_that_ran_and_marks_what_is_significant() {
    let text = render(&Compared::example());
    let untapped = text.split("\nuntapped runs: ").nth(1).expect("the table");
    let rows: Vec<&str> = untapped.lines().skip(3).take(4).collect();
    assert!(rows[0].starts_with("  glibc "), "{rows:?}");
    assert!(rows[1].starts_with("  glibc MALLOC_ARENA_MAX=1  652 ms +29%"), "{rows:?}");
    assert!(rows[2].starts_with("  jemalloc                  412 ms -18%"), "{rows:?}");
    assert!(rows[3].starts_with("  mimalloc "), "{rows:?}");
    assert!(!untapped.contains("broken.so") && !untapped.contains("again"), "{untapped}");
    assert!(!text.contains("major"), "nothing is said of what was 0 everywhere");
}

#[test]
fn without_significance_there_are_no_marks() {
    let mut compared = Compared::example();
    for figure in &mut compared.figures {
        for difference in figure.differences.iter_mut().flatten() {
            difference.verdict = Verdict::NoDifference;
        }
    }
    let text = render(&compared);
    let table = text.split("\nuntapped runs: ").nth(1).expect("the table");
    assert!(!table.contains('%'), "{table}");
    for difference in compared.figures[0].differences.iter_mut().flatten() {
        difference.verdict = Verdict::TooFewRounds;
    }
    assert!(render(&compared).contains("  jemalloc                  412 ms ?"), "{}", render(&compared));
}

#[test]
fn an_interruption_is_told() {
    let compared = Compared { interrupted: true, rounds: 4, ..Compared::example() };
    let text = render(&compared);
    assert!(text.contains("\nmeasured   INTERRUPTED after 4 of 10 rounds of 5 variants, "), "{text}");
}

#[test]
fn latencies_are_told_by_size_and_threads() {
    let text = render(&Compared::example());
    let malloc =
        text.split("\nmalloc: p50 and p99 by size and by threads alive\n").nth(1).expect("the table");
    let labels: Vec<&str> = malloc.lines().skip(2).take(6).map(|line| line[..16].trim()).collect();
    assert_eq!(
        labels,
        ["to 16 B", "to 64 B", "to 512 B", "to 64 KiB", "1 thread", "to 16 threads"],
        "{malloc}"
    );
    assert!(text.contains("\nfree: p50 and p99 by size"), "{text}");
}

#[test]
fn if_all_failed_nothing_is_claimed() {
    let mut compared = Compared::example();
    for variant in &mut compared.variants {
        variant.failure = Some("exited with status 1 in 10 of 10 runs".to_owned());
    }
    let text = render(&compared);
    assert!(text.contains("\nfastest    not known: measured in no variant (wall time)\n"), "{text}");
    let claims = ["untapped runs:", "\nmalloc: ", "noise "];
    assert!(claims.into_iter().all(|claim| !text.contains(claim)), "{text}");
}
