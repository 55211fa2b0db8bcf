//! However a program ends, the report has everything up to its last call, and the status is its own.

use crate::launch::{bare, calltap};
use crate::target::Target;

const BLOCKS: &str = "10007";

#[test]
fn every_ending_keeps_its_status_and_its_report() {
    let target = Target::c("endings.c").build();
    for (mode, code, signal) in [
        ("kill", None, Some(libc::SIGKILL)),
        ("terminate", None, Some(libc::SIGTERM)),
        ("abort", None, Some(libc::SIGABRT)),
        ("segv", None, Some(libc::SIGSEGV)),
        ("trap", None, Some(libc::SIGTRAP)),
        ("return", Some(0), None),
        ("exit", Some(7), None),
        ("_exit", Some(9), None),
        ("quick_exit", Some(11), None),
        ("leader_first", Some(5), None),
    ] {
        let status = code.or(signal.map(|signal| 128 + signal)).expect("one of them");
        let without = bare().run(&target, &[mode, BLOCKS]).expect_status(status);
        let outcome = calltap().run(&target, &[mode, BLOCKS]).expect_same_as(&without);
        let report = outcome.report();
        assert_eq!(report.at("/target/exit_code").as_i64(), code.map(i64::from), "{mode}");
        assert_eq!(report.at("/target/signal").as_i64(), signal.map(i64::from), "{mode}");
        assert_eq!(report.lost(), 0, "{mode}");
        let process = report.only_process();
        // pthread_exit loads the unwinder, which allocates.
        let by_the_run_time = process.calls("malloc") - 10_007;
        assert!(by_the_run_time == 0 || mode == "leader_first", "{mode}: {by_the_run_time}");
        assert_eq!(process.still_allocated(), (10_007, 32 * 10_007), "{mode}: {:#}", process.0);
        let open: Vec<_> = process.still_open().into_iter().map(|(fd, _, path)| (fd, path)).collect();
        assert_eq!(open, [(3, "/etc/passwd".to_owned()), (4, "/dev/null".to_owned())], "{mode}");
    }
}

#[test]
fn the_last_look_at_a_process_is_not_missed_when_threads_end_at_one_time() {
    let target = Target::c("endings.c").build();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..25 {
                    let outcome = calltap().run(&target, &["leader_together", "100"]).expect_status(5);
                    let process = outcome.report().only_process();
                    // Without a look at its mappings nobody could tell whose the blocks are.
                    assert_eq!(process.still_allocated(), (100, 3200), "{:#}", process.0);
                    assert!(!process.at("/memory_at_exit").is_null(), "{:#}", process.0);
                }
            });
        }
    });
}
