//! `run -E`: what the program gets in its environment, and calltap does not.

use crate::launch::{bare, calltap};
use crate::target::Target;

#[test]
fn the_program_sees_what_env_would_have_given_it() {
    let target = Target::c("mirror.c").build();
    let allocator = Target::tolerant_allocator();
    let preload = format!("LD_PRELOAD={}", allocator.path().display());
    for settings in [&["MADE=up=x", "EMPTY="][..], &["LANG=C", "MADE=1", "MADE=2"], &[&preload, "-x=y"]] {
        let launch = bare().variable("TAKEN", "away");
        let path = target.path().display().to_string();
        let words: Vec<&str> =
            ["-u", "TAKEN", "--"].iter().chain(settings).copied().chain([path.as_str()]).collect();
        let without = launch.clone().run("env", &words).expect_status(0);
        assert!(!without.stdout().contains("TAKEN"), "{without}");
        let options = settings.iter().map(|setting| format!("--env={setting}"));
        let options: Vec<String> = options.chain(["-ETAKEN".to_owned()]).collect();
        let with = launch.tapped().options(&options).run(&target, &[] as &[&str]);
        with.expect_same_but_for_the_filter(&without);
    }
}

#[test]
fn a_library_that_is_preloaded_so_is_loaded_into_the_program_only() {
    let library = Target::c("announce.c").flags(&["-shared", "-fPIC"]).build();
    let setting = format!("LD_PRELOAD={}", library.path().display());
    let outcome = calltap().options(&["-E", &setting]).run("true", &[] as &[&str]).expect_status(0);
    assert_eq!(outcome.stderr(), "announced in true\n", "{outcome}");
}

#[test]
fn a_variable_without_a_name_is_refused() {
    for setting in ["=x", ""] {
        let outcome = calltap().options(&["-E", setting]).run("true", &[] as &[&str]).expect_status(125);
        assert!(outcome.stderr().contains("a variable has a name"), "{outcome}");
    }
}
