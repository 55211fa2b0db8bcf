//! Descriptors that were left open are found where they were opened.

use crate::launch::calltap;
use crate::marks::Marks;
use crate::stack::{End, Open};
use crate::target::Target;

#[test]
fn each_is_found_at_the_line_that_opened_it() {
    let marks = Marks::of(&["values.c"]);
    for level in ["-O0", "-O2"] {
        let outcome = calltap().run(Target::c("values.c").flags(&[level]).build(), &[""; 0]).expect_status(0);
        let open = Open::all(outcome.report().only_process());
        for (function, opened_by) in [("opens", "open"), ("joins", "pipe")] {
            let here = |open: &&Open| open.stack.frames[0].function.as_deref() == Some(function);
            let here: Vec<_> = open.iter().filter(here).collect();
            let said = outcome.said(&format!("descriptors.{function}"));
            assert_eq!(here.len() as i64, said, "{function}: {open:#?}");
            for Open { opened_by: by, stack } in here {
                assert!(by == opened_by && stack.end == Some(End::Outermost), "{by}: {stack:#?}");
                let lines = [marks.leak(function)].into_iter().chain(marks.via(function));
                let at = lines.map(|(file, line)| (Some(file), Some(line))).collect::<Vec<_>>();
                let found = stack.frames.iter().map(|frame| (frame.source(), frame.line));
                assert_eq!(found.collect::<Vec<_>>(), at, "{stack:#?}");
            }
        }
        assert_eq!(open.len() as i64, outcome.said_all("descriptors.").iter().map(|(_, n)| n).sum::<i64>());
    }
}

#[test]
fn the_text_names_function_and_line() {
    let outcome = calltap().report_elsewhere().run(Target::c("values.c").build(), &[""; 0]);
    let (file, line) = Marks::of(&["values.c"]).leak("opens");
    let report = outcome.stderr();
    let answer: String = report.lines().take(5).collect();
    assert!(answer.contains(&format!("by open in opens ({file}:{line})")), "{report}");
    let words = report.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    assert!(words.clone().any(|row| row == format!("opens {file}:{line}")), "{report}");
    assert!(words.clone().any(|row| row.ends_with("file /dev/null by open")), "{report}");
}
