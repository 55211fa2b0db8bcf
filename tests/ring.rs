//! Rings that are far too small for the program: nothing is lost, or exactly so much is said to be.

use crate::counts::expect_agreement;
use crate::launch::calltap;
use crate::target::Target;

/// A ring of a few hundred records and a reader that comes by only now and then.
const CRAMPED: [&str; 4] = ["--ring-size", "16K", "--throttle-reader", "2ms"];
const WORK: [&str; 2] = ["4", "500"];

#[test]
fn a_full_ring_makes_the_program_wait_and_loses_nothing() {
    let target = Target::c("counts_heap.c").build();
    let outcome = calltap().options(&CRAMPED).run(&target, &WORK).expect_status(0);
    let idle = calltap().run(&target, &[WORK[0], "0"]).expect_status(0);
    expect_agreement(&idle, &outcome);
    let process = outcome.report().only_process();
    assert_eq!(process.number("/heap/frees"), outcome.said("heap.frees"));
    let kept = (outcome.said("kept.blocks"), outcome.said("kept.bytes"));
    assert_eq!(process.still_allocated(), kept);
    assert_eq!(process.number("/heap/unmatched_frees"), 0);
}

#[test]
fn what_a_full_ring_drops_is_counted_exactly() {
    let target = Target::c("counts_heap.c").build();
    let all = calltap().options(&CRAMPED).run(&target, &WORK).expect_status(0);
    let issued: i64 = all.report().processes().iter().map(|process| process.all_calls()).sum();
    let said: i64 = all.said_all("call.").iter().map(|(_, calls)| calls).sum();
    assert!(issued >= said && issued < said + 40, "{issued} issued, {said} by the program itself");

    // So rarely that the ring is full in between, however little the program gets of a busy machine.
    let rarely = ["--ring-size", "16K", "--throttle-reader", "100ms", "--on-full", "drop"];
    let dropping = calltap().options(&rarely);
    let some = dropping.run(&target, &WORK).expect_status(0);
    let processed: i64 = some.report().processes().iter().map(|process| process.all_calls()).sum();
    let lost = some.report().lost();
    assert!(lost > 0, "the ring never was full, so this shows nothing");
    assert_eq!(processed + lost, issued);
    let threads = some.report().at("/lost_by_thread").as_array().expect("an array");
    let by_thread: i64 = threads.iter().map(|row| row["records"].as_i64().expect("a number")).sum();
    assert_eq!(by_thread, lost, "{threads:#?}");
}

#[test]
fn calls_of_threads_without_a_ring_are_counted_as_lost() {
    let target = Target::c("counts_heap.c").build();
    let arguments = ["8", "100"];
    let all = calltap().run(&target, &arguments).expect_status(0);
    let issued = all.report().only_process().all_calls();
    let few = calltap().options(&["--max-threads", "4"]).run(&target, &arguments).expect_status(0);
    assert!(few.report().lost() > 0, "{few}");
    assert_eq!(few.report().only_process().all_calls() + few.report().lost(), issued);
}

#[test]
fn a_thread_that_waits_for_room_can_be_killed() {
    let target = Target::c("marathon.c").build();
    let mut running = calltap().options(&CRAMPED).start(&target, &["100000000", "/nowhere"]);
    running.until("first line", |running| running.stdout().contains("round=0\n"));
    running.signal(libc::SIGTERM);
    let outcome = running.finish().expect_status(128 + libc::SIGTERM);
    outcome.report().expect_nothing_lost();
}
