//! What a program sees of itself, and how it leaves its calls, is the same with and without us.

use crate::counts::expect_agreement;
use crate::launch::{bare, calltap};
use crate::outcome::Outcome;
use crate::target::Target;

const EVERYTHING: [&str; 2] = ["--tap", "memory,fd,io,lock,process"];

/// Runs a program both ways and returns the tapped one's outcome.
fn both_ways(target: &Target, arguments: &[&str]) -> Outcome {
    let without = bare().run(target, arguments).expect_status(0);
    let with = calltap().options(&EVERYTHING).run(target, arguments).expect_same_as(&without);
    assert_eq!(with.report().lost(), 0, "{with}");
    with
}

#[test]
fn a_program_sees_nothing_of_us_in_itself() {
    let target = Target::c("mirror.c").build();
    let without = bare().run(&target, &["one", "two"]).expect_status(0);
    for (options, sees_filter) in
        [(&["--syscalls", "none"][..], false), (&["--syscalls-mode", "all-stops"], false), (&[], true)]
    {
        let with = calltap().options(&EVERYTHING).options(options).run(&target, &["one", "two"]);
        let with = if sees_filter {
            with.expect_same_but_for_the_filter(&without)
        } else {
            with.expect_same_as(&without)
        };
        assert_eq!(with.report().lost(), 0, "{with}");
    }
}

#[test]
fn a_program_sees_its_users_preload_as_it_was_set() {
    let target = Target::c("mirror.c").build();
    // Set for the program only: a different allocator, which also counts.
    let allocator = Target::tolerant_allocator();
    let [path, preload] = [&target, &allocator].map(|built| built.path().display().to_string());
    for value in [preload.clone(), format!("{preload}:{preload}"), String::new()] {
        let arguments = [format!("LD_PRELOAD={value}"), path.clone()];
        let without = bare().run("env", &arguments);
        assert!(without.stdout().contains(&format!("LD_PRELOAD={value}\n")), "{without}");
        assert!(!without.stdout().contains("blocks given=0") || value.is_empty(), "{without}");
        calltap().options(&EVERYTHING).run("env", &arguments).expect_same_but_for_the_filter(&without);
    }
    // Set for calltap, too.
    let harmless = Target::c("trap.c").flags(&["-shared", "-fPIC"]).build();
    let launch = bare().variable("LD_PRELOAD", harmless.path());
    let without = launch.clone().run(&target, &[""]);
    launch.tapped().options(&EVERYTHING).run(&target, &[""]).expect_same_but_for_the_filter(&without);
}

#[test]
fn ignored_and_blocked_signals_are_inherited_as_they_were() {
    let target = Target::c("mirror.c").build();
    let preamble = "trap '' HUP PIPE USR1 CHLD";
    let without = bare().after(preamble).run(&target, &[""]);
    calltap().after(preamble).run(&target, &[""]).expect_same_but_for_the_filter(&without);
}

#[test]
fn descriptors_keep_their_numbers() {
    for arguments in [&["-c", "ls /proc/self/fd"][..], &["-c", "exec 9</dev/null; ls /proc/self/fd"]] {
        let without = bare().run("sh", arguments).expect_status(0);
        calltap().options(&EVERYTHING).run("sh", arguments).expect_same_as(&without);
    }
    let mask = |text: &str| -> String {
        // `/proc/PID/fd` and the times of the links are each run's own.
        let link = |line: &str| {
            line.split_once(" -> ").map(|(left, right)| {
                let number = left.rsplit(' ').next().unwrap_or_default().to_owned();
                let place =
                    if right.starts_with("/proc/") || right.contains(".tmp") { "its own" } else { right };
                format!("{number} {place}\n")
            })
        };
        text.lines().filter_map(link).collect()
    };
    let without = bare().run("ls", &["-l", "/proc/self/fd"]).expect_status(0);
    assert!(mask(&without.stdout()).contains("0 /dev/null\n"), "{without}");
    calltap().run("ls", &["-l", "/proc/self/fd"]).expect_same_after(&without, mask);
}

#[test]
fn errno_is_the_real_functions_after_every_call() {
    both_ways(&Target::c("errno.c").build(), &[""]);
}

#[test]
fn a_thread_can_be_cancelled_in_a_tapped_read() {
    let target = Target::c("leave.c").build();
    // The first cancellation loads the unwinder, which allocates.
    let once = both_ways(&target, &["cancel", "1"]);
    let with = both_ways(&target, &["cancel", "1001"]);
    assert_eq!(with.said("cleanups"), 1001);
    let [before, after] = [&once, &with].map(|outcome| outcome.report().only_process());
    assert_eq!(after.calls("malloc") - before.calls("malloc"), 1000);
    assert_eq!(after.still_allocated(), (0, 0), "{:#}", after.0);
}

#[test]
fn a_signal_handler_can_jump_out_of_a_tapped_read() {
    let with = both_ways(&Target::c("leave.c").build(), &["jump", "500"]);
    assert_eq!(with.said("cleanups"), 500);
    let process = with.report().only_process();
    assert_eq!(process.calls("malloc"), 501);
    assert_eq!(process.still_allocated(), (0, 0));
}

#[test]
fn exceptions_pass_through_callbacks_and_out_of_tapped_calls() {
    let with = both_ways(&Target::cpp("throws.cpp").build(), &["1000"]);
    assert_eq!((with.said("caught"), with.said("destroyed")), (2000, 5000));
    assert_eq!(with.report().only_process().still_allocated(), (0, 0));
}

/// Lets a handler interrupt tapped calls and expects exact counts.
fn interrupted(count: i64, pauses: &str, options: &[&str]) {
    let allocator = Target::tolerant_allocator();
    let target = Target::c("handler.c").linked_with(&allocator).build();
    let idle = calltap().run(&target, &["0", pauses]).expect_status(0);
    let outcome = calltap().options(options).run(&target, &[&count.to_string(), pauses]).expect_status(0);
    assert_eq!((outcome.said("handled"), outcome.said("unsound")), (count, 0));
    expect_agreement(&idle, &outcome);
    assert_eq!(outcome.report().only_process().still_allocated(), (0, 0), "{outcome}");
}

#[test]
fn a_signal_handler_may_make_tapped_calls_in_the_middle_of_others() {
    // The rests leave the reader time; half of the signals still meet the main thread in a tapped call.
    interrupted(100_000, "8", &[]);
}

#[test]
fn handlers_nest_in_a_full_ring_too() {
    interrupted(300, "0", &["--ring-size", "16K", "--throttle-reader", "1ms"]);
    for ring_size in ["16K", "64K"].repeat(3) {
        interrupted(10_000, "0", &["--ring-size", ring_size]);
    }
}
