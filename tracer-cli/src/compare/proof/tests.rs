use std::path::PathBuf;

use super::*;
use crate::compare::example;
use crate::compare::run::Outcome;

fn outcome(stderr: &str) -> Outcome {
    Outcome { stderr_tail: stderr.to_owned(), ..example::outcome() }
}

fn tapped(served: &[Served], stderr: &str) -> Tapped {
    Tapped { outcome: outcome(stderr), served: served.to_vec(), ..example::tapped() }
}

fn untapped(mapped: &[&str], stderr: &str) -> Untapped {
    let mapped_allocators = mapped.iter().map(ToString::to_string).collect();
    Untapped { outcome: outcome(stderr), mapped_allocators, ..example::untapped() }
}

/// A tapped process with this many allocations, served by this object.
fn served(command: &str, allocations: u64, object: Option<&str>) -> Served {
    Served {
        pid: 7,
        command: command.to_owned(),
        object: object.map(str::to_owned),
        tapped: true,
        allocations,
    }
}

fn not_tapped(command: &str) -> Served {
    Served { tapped: false, ..served(command, 0, None) }
}

fn variant(allocator: &str, library: Option<&Path>) -> Variant {
    let library = library.map(Path::to_owned);
    Variant { label: allocator.to_owned(), allocator: allocator.to_owned(), library, environment: Vec::new() }
}

/// A failure, which has a hint.
fn fails(variant: &Variant, all: &[Served], stderr: &str) -> String {
    let text = check(variant, &tapped(all, stderr)).unwrap_err();
    assert!(text.contains("\nhint: "), "{text}");
    text
}

const C: &str = "/usr/lib/x86_64-linux-gnu/libc.so.6";
const JEMALLOC: &str = "/gone/libjemalloc.so.2";

#[test]
fn one_file_under_two_names_is_the_same_allocator() {
    let scratch = tempfile::tempdir().unwrap();
    let [library, link] = ["lib.so", "link.so"].map(|name| scratch.path().join(name));
    std::fs::write(&library, "").unwrap();
    std::fs::hard_link(&library, &link).unwrap();
    let own = variant("lib.so", Some(&library));
    for path in [&library, &link] {
        assert_eq!(check(&own, &tapped(&[served("x", 3, path.to_str())], "")), Ok(vec![]));
    }
    let text = fails(&own, &[served("x", 3, Some("/another/lib.so"))], "");
    assert!(text.starts_with("lib.so does not serve process 7 (x), but /another/lib.so: "), "{text}");
}

#[test]
fn glibc_serves_whether_it_is_preloaded_or_not() {
    let all = [served("x", 3, Some(C)), served("y", 3, Some("/opt/lib/libc-2.31.so")), served("z", 0, None)];
    assert_eq!(check(&variant("glibc", None), &tapped(&all, "")), Ok(vec![]));
    assert_eq!(check(&variant("glibc", Some(Path::new(C))), &tapped(&all, "")), Ok(vec![]));
    let text = fails(&variant("glibc", None), &[served("x", 3, Some(JEMALLOC))], "");
    assert!(text.contains("--allocator /lib/x86_64-linux-gnu/libc.so.6"), "{text}");
}

#[test]
fn each_process_counts_that_allocated() {
    let jemalloc = variant("jemalloc", Some(Path::new(JEMALLOC)));
    let (good, silent) = (served("x", 3, Some(JEMALLOC)), served("y", 0, Some(C)));
    assert_eq!(check(&jemalloc, &tapped(&[good.clone(), silent], "")), Ok(vec![]));
    let text = fails(&jemalloc, &[good, served("/no/such/child -x", 1, Some(C))], "");
    assert!(
        text.starts_with(&format!("jemalloc does not serve process 7 (/no/such/child -x), but {C}: ")),
        "{text}"
    );
    assert!(text.contains("something on the way cleans the environment"), "{text}");
}

#[test]
fn what_the_loader_says_is_the_reason() {
    let jemalloc = variant("jemalloc", Some(Path::new(JEMALLOC)));
    let line = format!(
        "ERROR: ld.so: object '{JEMALLOC}' from LD_PRELOAD cannot be preloaded (cannot open shared object file): ignored."
    );
    let text = fails(&jemalloc, &[served("x", 3, Some(C))], &format!("before\n{line}\nafter\n"));
    assert!(text.contains(&format!("the loader says: {line}\nhint: ")), "{text}");
    let text = check_untapped(&jemalloc, &untapped(&[C], &line)).unwrap_err();
    assert!(text.starts_with("jemalloc was loaded into no process, only ") && text.contains(&line), "{text}");
}

#[test]
fn what_was_not_seen_is_noted() {
    let all = [
        served("x", 3, Some(C)),
        not_tapped("busybox ls"),
        not_tapped("busybox ls"),
        not_tapped("sudo"),
        served("sh -c x", 5, None),
    ];
    let notes = check(&variant("glibc", None), &tapped(&all, "")).unwrap();
    assert_eq!(
        notes,
        [
            "busybox ls (2 processes) could not be tapped: which allocator serves there is not known",
            "sudo could not be tapped: which allocator serves there is not known",
            "sh -c x ended before it could be seen which allocator serves there",
        ]
    );
}

#[test]
fn without_any_evidence_it_fails() {
    let glibc = variant("glibc", None);
    assert!(fails(&glibc, &[served("sh", 5, None)], "").contains("ended before it could be seen"));
    assert!(
        fails(&glibc, &[not_tapped("busybox")], "")
            .contains("none of its processes could be tapped (busybox)")
    );
    assert!(fails(&glibc, &[served("/no/such", 0, None)], "").contains("no process made an allocation"));
    assert!(fails(&glibc, &[], "").starts_with("nothing shows that glibc serves: "));
}

#[test]
fn a_program_with_malloc_in_it_is_told() {
    let scratch = tempfile::tempdir().unwrap();
    let program =
        built(scratch.path(), "own", "void *malloc(long n) { return 0; }\nint main(void) { return 0; }\n");
    let shown = program.to_str().unwrap();
    assert_eq!(
        own_allocator(&program).unwrap(),
        format!("{shown} defines malloc itself, and that comes before everything that is preloaded")
    );
    let jemalloc = variant("jemalloc", Some(Path::new(JEMALLOC)));
    for object in [shown, C] {
        let text = fails(&jemalloc, &[served(&format!("{shown} -x"), 3, Some(object))], "");
        assert!(text.contains("the program defines malloc itself"), "{text}");
    }
    assert!(fails(&jemalloc, &[served(shown, 0, None)], "").contains("defines malloc itself"));

    let hidden = built(
        scratch.path(),
        "hidden",
        "int _rjem_mallctl(void) { return 0; }\nint main(void) { return 0; }\n",
    );
    let text = own_allocator(&hidden).unwrap();
    assert!(text.ends_with("has jemalloc built in: no variant changes what it allocates there"), "{text}");
    assert_eq!(own_allocator(Path::new("/proc/self/exe")), None);
    assert_eq!(own_allocator(Path::new("/no/such")), None);
}

#[test]
fn a_library_has_to_be_seen_where_the_c_library_is() {
    let jemalloc = variant("jemalloc", Some(Path::new(JEMALLOC)));
    assert_eq!(check_untapped(&jemalloc, &untapped(&[], "")), Ok(()), "nobody looked");
    assert_eq!(
        check_untapped(&jemalloc, &untapped(&["/bin/static-with-mimalloc"], "")),
        Ok(()),
        "it was just beginning"
    );
    assert_eq!(check_untapped(&jemalloc, &untapped(&[C, JEMALLOC], "")), Ok(()));
    assert_eq!(
        check_untapped(&variant("glibc", None), &untapped(&[C, JEMALLOC], "")),
        Ok(()),
        "bound is another matter"
    );
    assert!(
        check_untapped(&jemalloc, &untapped(&[C], "")).unwrap_err().contains("LD_PRELOAD did not reach it")
    );
}

fn built(directory: &Path, name: &str, code: &str) -> PathBuf {
    let (source, program) = (directory.join(name).with_extension("c"), directory.join(name));
    std::fs::write(&source, code).unwrap();
    let gcc = ["-fno-builtin", "-w", "-rdynamic", "-o"];
    let status = std::process::Command::new("gcc").args(gcc).arg(&program).arg(&source).status();
    assert!(status.unwrap().success());
    program
}
