//! `calltap __measure`, which stands between `compare` and an untapped program: its figures are those of `time -v` and
//! of the program itself, and the program does not notice it.

use serde_json::Value;

use crate::launch::{bare, installed, measured, scratch};
use crate::outcome::Outcome;
use crate::target::Target;

const MIB: i64 = 1 << 20;
/// So far the kernel's sum of a process's resident pages may be off: it counts by CPU, 64 pages at a time or more.
const COUNTED_BY_CPU: i64 = MIB;

fn spends() -> Target {
    Target::c("spends.c").build()
}

/// What is in the document of a program that was executed.
fn figures(outcome: &Outcome) -> &Value {
    outcome.report().at("/ended")
}

fn figure(outcome: &Outcome, pointer: &str) -> i64 {
    let figures = figures(outcome);
    figures.pointer(pointer).and_then(Value::as_i64).unwrap_or_else(|| panic!("no {pointer} in {figures:#}"))
}

fn cpu_us(outcome: &Outcome) -> i64 {
    (figure(outcome, "/usage/user_ns") + figure(outcome, "/usage/system_ns")) / 1000
}

fn most_resident(outcome: &Outcome) -> i64 {
    let points = figures(outcome)["memory"].as_array().expect("an array");
    points.iter().filter_map(|point| point["resident_bytes"].as_i64()).max().expect("readings")
}

#[test]
fn figures_are_what_the_kernel_told_the_program_itself() {
    for arguments in [["40", "50", "30", "alone"], ["40", "50", "30", "child"], ["1", "0", "0", "alone"]] {
        let outcome = measured().run(spends(), &arguments).expect_status(0);
        assert_eq!(figures(&outcome)["ending"], serde_json::json!({ "exited": 3 }), "{outcome}");
        // Between the program's last question and its end there is little.
        let peak = figure(&outcome, "/usage/peak_rss_bytes");
        let said = outcome.said("peak") * 1024;
        assert!((said..=said + COUNTED_BY_CPU).contains(&peak), "{peak} {outcome}");
        assert!((outcome.said("high water mark") * 1024 - peak).abs() <= COUNTED_BY_CPU, "{peak} {outcome}");
        let faults = figure(&outcome, "/usage/minor_faults") - outcome.said("minor faults");
        assert!((0..50).contains(&faults), "{faults} {outcome}");
        let voluntary = figure(&outcome, "/usage/voluntary_switches") - outcome.said("voluntary");
        assert!((0..20).contains(&voluntary), "{voluntary} {outcome}");
        let cpu = cpu_us(&outcome) - outcome.said("cpu");
        assert!((0..20_000).contains(&cpu), "{cpu} {outcome}");
        assert!(figure(&outcome, "/wall_ns") >= figure(&outcome, "/usage/user_ns"), "{outcome}");
    }
}

/// A figure of `time -v`'s.
fn told(outcome: &Outcome, name: &str) -> f64 {
    let text = outcome.stderr();
    let line = text.lines().find(|line| line.trim_start().starts_with(name));
    let value = line.and_then(|line| line.rsplit(": ").next()?.parse().ok());
    value.unwrap_or_else(|| panic!("time does not tell {name}: {outcome}"))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[test]
fn figures_are_those_of_time() {
    let Some(time) = installed("time") else { return };
    let target = spends();
    let spends = [target.path().to_str().expect("a plain path"), "60", "100", "50", "child"];
    let python = ["python3", "-c", "x = [str(i) for i in range(300000)]; print(len(x))"];
    for (command, needs) in [(&spends[..], None), (&python[..], Some("python3")), (&["true"], None)] {
        if needs.is_some_and(|needs| installed(needs).is_none()) {
            continue;
        }
        let mut pairs: [Vec<(f64, f64)>; 4] = Default::default();
        // Runs alternate, so that what else the machine does meets both.
        for _ in 0..5 {
            let ours = measured().run(command[0], &command[1..]).expect_status(0);
            let words: Vec<&str> = ["-v"].iter().chain(command).copied().collect();
            let theirs = bare().run(&time, &words);
            assert_eq!(theirs.stdout().is_empty(), ours.stdout().is_empty());
            let usage = |name: &str| figure(&ours, &format!("/usage/{name}")) as f64;
            let seconds = told(&theirs, "User time") + told(&theirs, "System time");
            let switches = told(&theirs, "Voluntary context switches");
            pairs[0].push((usage("peak_rss_bytes"), told(&theirs, "Maximum resident set size") * 1024.0));
            pairs[1].push((usage("minor_faults"), told(&theirs, "Minor (reclaiming a frame) page faults")));
            pairs[2].push((cpu_us(&ours) as f64, seconds * 1e6));
            pairs[3].push((usage("voluntary_switches"), switches));
        }
        let names = ["peak", "faults", "CPU time in microseconds", "switches"];
        // Each with what it may differ by beside two percent; CPU time is told in hundredths of a second, twice.
        let tolerances = [COUNTED_BY_CPU as f64, 64.0, 30_000.0, 10.0];
        for ((pairs, name), tolerance) in pairs.into_iter().zip(names).zip(tolerances) {
            let (ours, theirs): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
            let (ours, theirs) = (median(ours), median(theirs));
            let share = if name.starts_with("CPU") { 0.2 } else { 0.02 };
            let allowed = tolerance + share * theirs;
            assert!((ours - theirs).abs() <= allowed, "{command:?}: {name}: {ours}, time says {theirs}");
        }
    }
}

#[test]
fn memory_over_time_is_that_of_all_processes() {
    let outcome = measured().run(spends(), &["64", "0", "200", "child"]).expect_status(0);
    let most = most_resident(&outcome);
    assert!((128 * MIB..160 * MIB).contains(&most), "{most}");
    let points = figures(&outcome)["memory"].as_array().expect("an array");
    let times: Vec<u64> = points.iter().filter_map(|point| point["at_ns"].as_u64()).collect();
    assert!(times.is_sorted() && times.len() == points.len() && times.len() > 5, "{times:?}");
    assert!(*times.last().expect("a reading") <= figure(&outcome, "/wall_ns") as u64);
    for point in points {
        assert_eq!(point["live_bytes"], Value::Null);
        assert!(point["anonymous_bytes"].as_u64() <= point["resident_bytes"].as_u64(), "{point}");
    }
}

#[test]
fn memory_that_a_vfork_child_borrows_counts_once() {
    let outcome = measured().run(spends(), &["64", "0", "20", "vfork"]).expect_status(0);
    let most = most_resident(&outcome);
    assert!((64 * MIB..80 * MIB).contains(&most), "{most}");
}

#[test]
fn orphans_that_end_in_time_are_counted() {
    let target = spends();
    let directory = scratch();
    let done = directory.path().join("done");
    let path = target.path().display();
    // The inner shell ends at once; nobody of the program's waits for what it has started.
    let script = format!(
        "sh -c '(\"{path}\" 64 0 0; : >\"$0\") &' \"$0\"; until [ -e \"$0\" ]; do sleep 0.01; done; sleep 0.1"
    );
    let words = ["-c", &script, done.to_str().expect("a plain path")];
    let outcome = measured().run("sh", &words).expect_status(0);
    let peak = figure(&outcome, "/usage/peak_rss_bytes");
    assert!((64 * MIB..70 * MIB).contains(&peak), "{peak} {outcome}");
    assert!(figure(&outcome, "/usage/minor_faults") > 64 * 256, "{outcome}");
    assert_eq!(figures(&outcome)["left_running"], serde_json::json!([]));
}

#[test]
fn the_end_is_the_first_process_s_and_what_goes_on_is_told() {
    let outcome = measured().run("sh", &["-c", "sleep 3 & exit 4"]).expect_status(0);
    assert_eq!(figures(&outcome)["ending"], serde_json::json!({ "exited": 4 }));
    assert_eq!(figures(&outcome)["left_running"].as_array().map(Vec::len), Some(1), "{}", figures(&outcome));
    assert!(figure(&outcome, "/wall_ns") < 2_500_000_000, "{outcome}");
}

#[test]
fn a_program_that_is_killed_or_not_there_is_told_as_such() {
    let killed = measured().run("sh", &["-c", "kill -SEGV $$"]).expect_status(0);
    assert_eq!(figures(&killed)["ending"], serde_json::json!({ "killed": libc::SIGSEGV }));
    for (program, errno) in [("/no/such/program", libc::ENOENT), ("/", libc::EACCES)] {
        let refused = measured().run(program, &[""]).expect_status(0);
        assert_eq!(refused.report().0, serde_json::json!({ "not_executed": { "errno": errno } }));
        assert_eq!(refused.stderr(), "");
    }
}

#[test]
fn a_program_sees_nothing_of_who_measures_it() {
    let target = Target::c("mirror.c").build();
    let harmless = Target::c("trap.c").flags(&["-shared", "-fPIC"]).build();
    let launch = bare().variable("TAKEN", "away").variable("LD_PRELOAD", harmless.path());
    for preamble in [":", "trap '' HUP PIPE USR1 CHLD", "exec 7</dev/null; ulimit -n 100"] {
        let without = launch.clone().after(preamble).run(&target, &["one", "two"]).expect_status(0);
        let with = launch.clone().measured().after(preamble).run(&target, &["one", "two"]).expect_status(0);
        with.expect_same_as(&without);
    }
}

#[test]
fn a_variant_s_environment_is_the_program_s_alone() {
    let target = Target::c("mirror.c").build();
    let allocator = Target::tolerant_allocator();
    let library = allocator.path().to_str().expect("a plain path");
    let path = target.path().to_str().expect("a plain path");
    let launch = bare().variable("TAKEN", "away");
    let preload = format!("LD_PRELOAD={library}");
    let without = launch.clone().run("env", &["-u", "TAKEN", "MADE=up", &preload, path]).expect_status(0);
    let options = ["-E", "TAKEN", "--env=MADE=up", "--preload", library];
    let with = launch.measured().options(&options).run(&target, &[] as &[&str]).expect_status(0);
    let with = with.expect_same_as(&without);
    assert!(with.said("blocks given") > 0, "{with}");
    let mapped = figures(&with)["mapped"].as_array().expect("an array");
    let all: Vec<&str> = mapped.iter().filter_map(Value::as_str).collect();
    // It ends within milliseconds; if it was seen at all after its start, the library was there.
    assert!(all.iter().all(|line| line.contains(" r-xp ") && line.contains('/')), "{all:?}");
}

#[test]
fn signals_reach_the_program_and_its_end_is_still_told() {
    let script = "trap 'exit 7' TERM; echo ready; while :; do sleep 0.01; done";
    let mut running = measured().start("sh", &["-c", script]);
    running.until("it is ready", |running| running.stdout().contains("ready\n"));
    running.signal(libc::SIGTERM);
    let outcome = running.finish().expect_status(0);
    assert_eq!(figures(&outcome)["ending"], serde_json::json!({ "exited": 7 }));

    let mut running = measured().start("sh", &["-c", "echo ready; exec sleep 1000"]);
    running.until("it is ready", |running| running.stdout().contains("ready\n"));
    running.signal_all(libc::SIGINT);
    let outcome = running.finish().expect_status(0);
    assert_eq!(figures(&outcome)["ending"], serde_json::json!({ "killed": libc::SIGINT }));
}
