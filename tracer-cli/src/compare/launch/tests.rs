use std::fs;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use tempfile::TempDir;

use super::*;
use crate::compare::descendants::is_alive;
use crate::compare::options::Compare;
use crate::compare::when::When;

/// A plan for a shell's script.
fn plan(script: &str) -> Plan {
    Plan { command: ["sh", "-c", script].map(OsString::from).to_vec(), ..Plan::default() }
}

fn variant() -> Variant {
    Variant { label: "glibc A=1".into(), allocator: "glibc".into(), library: None, environment: Vec::new() }
}

static NEVER: AtomicBool = AtomicBool::new(false);

fn run_untapped(plan: &Plan) -> Untapped {
    untapped(plan, &variant(), &NEVER).unwrap().expect("nobody interrupts")
}

fn run_tapped(plan: &Plan) -> (Outcome, Value) {
    let arguments = |report: &Path| {
        let mut words: Vec<OsString> = ["run", "--quiet", "--format", "json", "-o"].map(Into::into).to_vec();
        words.extend([report.into(), "--".into()]);
        words.extend(plan.command.iter().cloned());
        words
    };
    tapped(plan, &variant(), &NEVER, arguments).unwrap().expect("nobody interrupts")
}

/// Both ways.
fn endings(plan: &Plan) -> [Outcome; 2] {
    [run_untapped(plan).outcome, run_tapped(plan).0]
}

/// The numbers that a script's processes have written.
fn pids(directory: &TempDir) -> Vec<u32> {
    let text = fs::read_to_string(directory.path().join("pids")).unwrap();
    text.split_whitespace().map(|pid| pid.parse().unwrap()).collect()
}

fn path(directory: &TempDir, name: &str) -> String {
    directory.path().join(name).to_str().unwrap().to_owned()
}

#[test]
fn output_and_status_are_taken_in_both_ways() {
    let plan = plan("printf 123456789; head -c 100000 /dev/zero; echo oops >&2; exit 3");
    let mut expected = crc32fast::Hasher::new();
    expected.update(b"123456789");
    expected.update(&[0; 100_000]);
    let expected = expected.finalize();
    for outcome in endings(&plan) {
        assert_eq!((outcome.ending, outcome.stdout_bytes), (Ending::Exited(3), 100_009));
        assert_eq!((outcome.stdout_crc32, outcome.stderr_tail.as_str()), (expected, "oops\n"));
        assert_eq!((outcome.ready_ns, outcome.load), (None, None));
    }
    for outcome in endings(&Plan { command: ["sh", "-c", "kill -ABRT $$"].map(Into::into).into(), ..plan }) {
        assert_eq!(outcome.ending, Ending::Killed(libc::SIGABRT));
    }
}

#[test]
fn a_variant_has_its_environment_and_an_input() {
    let directory = tempfile::tempdir().unwrap();
    let (input, seen) = (path(&directory, "input"), path(&directory, "seen"));
    fs::write(&input, "read\n").unwrap();
    let script = format!("read line; echo $line $ADDED ${{HOME-gone}} >'{seen}'; sleep 0.3");
    let plan = Plan { input: Some(input.into()), ..plan(&script) };
    let environment = vec![("ADDED".into(), Some("a,b".into())), ("HOME".into(), None)];
    let run = untapped(&plan, &Variant { environment, ..variant() }, &NEVER).unwrap().unwrap();
    assert_eq!(fs::read_to_string(seen).unwrap(), "read a,b gone\n");
    assert!(run.mapped_allocators.iter().any(|object| object.contains("libc.so")), "{run:?}");
    assert!(run.wall_ns >= 300_000_000 && !run.memory.is_empty(), "{run:?}");

    let library = Some(PathBuf::from("/tmp/with blank.so"));
    let error = untapped(&plan, &Variant { library, ..variant() }, &NEVER).unwrap_err().to_string();
    assert!(error.contains("cannot be preloaded") && error.contains("hint: "), "{error}");
}

#[test]
fn setup_and_teardown_are_around_each_run() {
    let directory = tempfile::tempdir().unwrap();
    let log = path(&directory, "log");
    let plan = Plan {
        setup: Some(format!("echo \"setup $CALLTAP_VARIANT\" >>'{log}'")),
        teardown: Some(format!("echo teardown >>'{log}'; echo in vain; exit 9")),
        ..plan(&format!("echo program >>'{log}'; test -z \"$CALLTAP_VARIANT\""))
    };
    assert!(endings(&plan).iter().all(|outcome| outcome.ending == Ending::Exited(0)));
    let once = "setup glibc A=1\nprogram\nteardown\n";
    assert_eq!(fs::read_to_string(&log).unwrap(), once.repeat(2));
    let notes = plan.notes();
    assert!(
        notes.len() == 1 && notes[0].contains("teardown failed") && notes[0].ends_with("in vain"),
        "{notes:?}"
    );

    let failing = Plan { setup: Some("echo not today; exit 1".into()), ..plan };
    let error = untapped(&failing, &variant(), &NEVER).unwrap_err().to_string();
    assert!(error.contains("not today") && error.contains("hint: "), "{error}");
    assert_eq!(fs::read_to_string(&log).unwrap(), once.repeat(2), "nothing ran");
}

#[test]
fn what_cannot_be_executed_is_an_error() {
    let plan = Plan { command: vec!["/no/such/program".into()], ..Plan::default() };
    let error = untapped(&plan, &variant(), &NEVER).unwrap_err();
    assert!(error.to_string().contains("cannot execute /no/such/program"), "{error}");
    let arguments =
        |report: &Path| vec!["run".into(), "-o".into(), report.into(), "--".into(), "/no/such".into()];
    let error = format!("{:#}", tapped(&plan, &variant(), &NEVER, arguments).unwrap_err());
    assert!(error.contains("127") && error.contains("/no/such"), "{error}");
}

#[test]
fn nothing_is_left_of_a_program_that_takes_too_long() {
    for run in [|plan: &Plan| run_untapped(plan).outcome, |plan: &Plan| run_tapped(plan).0] {
        let directory = tempfile::tempdir().unwrap();
        let file = path(&directory, "pids");
        // One that ignores what can be ignored, one in a session of its own, one that lost its parent.
        let script = format!(
            "trap '' TERM INT HUP; echo $$ >>'{file}'; setsid sleep 1000 & echo $! >>'{file}'; \
             (sleep 1000 & echo $! >>'{file}'); while :; do sleep 0.1; done"
        );
        let plan = Plan { time_limit: Some(Duration::from_secs(2)), ..plan(&script) };
        let began = Instant::now();
        assert_eq!(run(&plan).ending, Ending::TimedOut);
        assert!(began.elapsed() >= Duration::from_secs(2));
        let pids = pids(&directory);
        assert_eq!(pids.len(), 3);
        assert!(!pids.iter().any(|pid| is_alive(*pid)), "{pids:?}");
    }
}

#[test]
fn a_service_is_worked_when_it_is_ready_and_stopped_after() {
    let script = "trap 'echo bye >&2; exit 5' TERM; sleep 0.2; echo starting; echo now ready to serve; \
                  while :; do sleep 0.01; done";
    let until = When::parse("ready to").ok();
    let load = Some("sleep 0.1; echo worked $CALLTAP_VARIANT; echo badly >&2; exit 6".to_owned());
    for outcome in endings(&Plan { until, load, ..plan(script) }) {
        assert_eq!((outcome.ending, outcome.stderr_tail.as_str()), (Ending::Stopped, "bye\n"));
        assert!(outcome.ready_ns.unwrap() >= 200_000_000);
        let load = outcome.load.unwrap();
        assert_eq!((load.status, load.output.as_str()), (6, "worked glibc A=1\nbadly\n"));
        assert!(load.wall_ns >= 100_000_000);
    }
}

#[test]
fn a_service_is_ready_when_it_answers_or_after_a_time() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let command = ["python3", "-m", "http.server", "--bind", "127.0.0.1", &port.to_string()];
    let command = command.map(OsString::from).to_vec();
    if std::process::Command::new("python3").arg("--version").output().is_err() {
        eprintln!("skipped: python3 is not installed");
        return;
    }
    let url = format!("http://127.0.0.1:{port}/");
    let script =
        format!("python3 -c 'import urllib.request; print(urllib.request.urlopen(\"{url}\").status)'");
    let plan = Plan { command, until: When::parse(&url).ok(), load: Some(script), ..Plan::default() };
    let outcome = run_untapped(&plan).outcome;
    assert_eq!((outcome.ending, outcome.load.unwrap().output.as_str()), (Ending::Stopped, "200\n"));

    let plan = Plan {
        command: vec!["sleep".into(), "1000".into()],
        until: When::parse("300ms").ok(),
        stop: Some(Signal::SIGINT),
        ..Plan::default()
    };
    for outcome in endings(&plan) {
        assert_eq!(outcome.ending, Ending::Stopped);
        assert!(outcome.ready_ns.unwrap() >= 300_000_000);
    }
}

#[test]
fn a_service_may_end_early_or_never_be_ready() {
    let until = When::parse("^ready$").ok();
    let dies = Plan { until: until.clone(), ..plan("echo nearly; exit 1") };
    assert!(endings(&dies).iter().all(|outcome| outcome.ending == Ending::EndedEarly));
    let silent =
        Plan { until: until.clone(), time_limit: Some(Duration::from_secs(1)), ..plan("exec sleep 1000") };
    assert!(endings(&silent).iter().all(|outcome| outcome.ending == Ending::NeverReady));
    let breaks =
        Plan { until: until.clone(), load: Some("sleep 1; exit 2".into()), ..plan("echo ready; sleep 0.3") };
    let outcome = run_untapped(&breaks).outcome;
    assert_eq!((outcome.ending, outcome.load.unwrap().status), (Ending::EndedEarly, 2));
    let long = Plan { load: Some("sleep 1000".into()), ..plan("echo ready; exec sleep 1000") };
    let outcome = run_untapped(&Plan { until, time_limit: Some(Duration::from_secs(1)), ..long }).outcome;
    assert_eq!((outcome.ending, outcome.load.unwrap().status), (Ending::TimedOut, 128 + libc::SIGKILL));
}

#[test]
fn an_interruption_ends_the_program_and_the_teardown_is_made() {
    let directory = tempfile::tempdir().unwrap();
    let (begun, torn_down) = (path(&directory, "pids"), path(&directory, "torn down"));
    let plan = Plan {
        teardown: Some(format!(": >'{torn_down}'")),
        ..plan(&format!("echo $$ >'{begun}.new'; mv '{begun}.new' '{begun}'; exec sleep 1000"))
    };
    let interrupted = AtomicBool::new(false);
    let result = std::thread::scope(|scope| {
        let run = scope.spawn(|| untapped(&plan, &variant(), &interrupted));
        while !Path::new(&begun).exists() && !run.is_finished() {
            std::thread::yield_now();
        }
        interrupted.store(true, Ordering::Relaxed);
        run.join().unwrap()
    });
    assert!(result.unwrap().is_none());
    assert!(Path::new(&torn_down).exists());
    assert!(!pids(&directory).into_iter().any(is_alive));
}

#[test]
fn what_goes_on_after_the_program_is_told_and_not_waited_for() {
    let plan = plan("sleep 30 & exit 2");
    let began = Instant::now();
    let outcomes = endings(&plan);
    assert!(began.elapsed() < Duration::from_secs(25));
    assert!(outcomes.iter().all(|outcome| outcome.ending == Ending::Exited(2)), "{outcomes:?}");
    let notes = plan.notes();
    assert!(
        notes.len() == 1 && notes[0].contains("glibc A=1: the program left processes running"),
        "{notes:?}"
    );
}

#[test]
fn options_make_a_plan() {
    use clap::Args;
    let command = Compare::augment_args(clap::Command::new("compare"));
    let words = ["compare", "--setup", "a", "--until", "2s", "--load", "b", "--stop", "INT", "--", "c", "d"];
    let matches = command.get_matches_from(words);
    let options = <Compare as clap::FromArgMatches>::from_arg_matches(&matches).unwrap();
    let plan = Plan::from(&options);
    assert_eq!((plan.command, plan.stop), (vec!["c".into(), "d".into()], Some(Signal::SIGINT)));
    assert_eq!((plan.setup.as_deref(), plan.load.as_deref()), (Some("a"), Some("b")));
    assert!(matches!(plan.until, Some(When::After(_))));
}
