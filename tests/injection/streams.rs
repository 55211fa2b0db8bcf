//! Standard streams that are closed, in all eight combinations.

use std::fs;

use super::left::child_of;
use crate::launch::{Launch, bare, calltap, compared, scratch, traced};
use crate::running::wait_for;
use crate::target::Target;

/// The shell's words for closing them, and which they are.
fn combinations() -> impl Iterator<Item = (String, [bool; 3])> {
    (0..8).map(|bits| {
        let closed = [0, 1, 2].map(|number| bits >> number & 1 != 0);
        let words = ["<&-", ">&-", "2>&-"].into_iter().zip(closed).filter(|(_, closed)| *closed);
        (format!("exec {}", words.map(|(word, _)| word).collect::<Vec<_>>().join(" ")), closed)
    })
}

/// What a program has as its first three descriptors. A shell that redirects something has others meanwhile.
const LOOKS: &str = "find /proc/$$/fd -name '[012]' -fprintf \"$0\" '%f %l\\n'; exit 5";

/// By number: none, or what it is. Paths of scratch directories differ from run to run.
fn streams(launch: Launch) -> (i32, [Option<String>; 3]) {
    let directory = scratch();
    let file = directory.path().join("seen");
    let outcome = launch.run("sh", &["-c".into(), LOOKS.into(), file.clone().into_os_string()]);
    let seen = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{error}: {outcome}"));
    let stream = |number: usize| {
        let line = seen.lines().find_map(|line| line.strip_prefix(&format!("{number} ")))?;
        Some(line.rsplit('/').next().unwrap_or_default().to_owned())
    };
    (outcome.status, [0, 1, 2].map(stream))
}

#[test]
fn the_program_has_the_same_streams_as_without_us() {
    for (preamble, closed) in combinations() {
        let without = streams(bare().after(&preamble));
        assert_eq!(without.1.each_ref().map(Option::is_none), closed, "{preamble}");
        for launch in [calltap(), traced().options(&["-e", "dup2"])] {
            assert_eq!(streams(launch.after(&preamble)), without, "{preamble}");
        }
    }
}

#[test]
fn files_of_ours_never_stand_for_a_stream() {
    let program = Target::c("marathon.c").build();
    for (preamble, closed) in combinations() {
        for launch in [calltap(), traced().options(&["-e", "open"])] {
            let directory = scratch();
            let marker = directory.path().join("marker");
            let arguments = ["30000".into(), marker.clone().into_os_string()];
            let running = launch.after(&preamble).start(&program, &arguments);
            let calltap = running.pid();
            wait_for("the program", || child_of(calltap).and_then(child_of).is_some());
            let tracer = child_of(calltap).expect("it was there");
            let own = ["/dev/null", "/stdin", "/stdout", "/stderr"];
            for (process, number) in
                [calltap, tracer].into_iter().flat_map(|pid| (0..3).map(move |n| (pid, n)))
            {
                let Ok(link) = fs::read_link(format!("/proc/{process}/fd/{number}")) else { continue };
                let link = link.to_string_lossy().into_owned();
                assert!(
                    own.iter().any(|name| link.ends_with(name)),
                    "{preamble} {closed:?}: {number} is {link}"
                );
            }
            running.signal(libc::SIGKILL);
            wait_for("the program's end", || {
                super::left::group(calltap).iter().all(|(pid, _)| *pid == calltap)
            });
            running.finish();
        }
    }
}

#[test]
fn a_comparison_without_streams_is_a_comparison() {
    for (preamble, _) in combinations() {
        let options = ["--runs", "2", "--allocator", "glibc"];
        let outcome = compared().options(&options).after(&preamble).run("true", &[""; 0]);
        assert_eq!(outcome.status, 0, "{preamble}: {outcome}");
        assert!(outcome.has_report(), "{preamble}: {outcome}");
    }
}
