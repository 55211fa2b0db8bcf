use std::path::Path;
use std::process::Command;

use super::rows::Row;
use super::*;

/// A program and a library with debug information, which has lost a function since the program was linked.
fn program(directory: &Path) -> PathBuf {
    let library = "int known(int a, const char *name) { return a; }\n\
        #ifdef OPTIONAL\nint optional(void) { return 1; }\n#endif\n";
    let source = "int known(int, const char *); int optional(void);\n\
        #include <stdio.h>\n\
        int main(int count, char **all) { if (count > 9) optional(); return printf(\"%d\", known(1, \"a\")) + (stdout == 0); }";
    for (name, text) in [("library.c", library), ("program.c", source)] {
        std::fs::write(directory.join(name), text).unwrap();
    }
    let here = format!("-Wl,-rpath,{}", directory.display());
    for arguments in [
        &["-DOPTIONAL", "-shared", "-fPIC", "-o", "libknown.so", "library.c"][..],
        &["-w", "-o", "program", "program.c", "-L.", "-lknown", &here],
        &["-g", "-shared", "-fPIC", "-o", "libknown.so", "library.c"],
    ] {
        let output = Command::new("cc").args(arguments).current_dir(directory).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    directory.join("program")
}

fn rows(program: &Path, all: bool) -> Rows {
    let prototypes = Prototypes::new(Places::shipped_only(), shipped::files());
    Rows::of(&needed::objects(program), all, &prototypes).unwrap()
}

fn row<'a>(rows: &'a Rows, name: &str) -> &'a Row {
    rows.0.iter().find(|row| row.name == name).unwrap_or_else(|| panic!("{rows:?}"))
}

#[test]
fn each_imported_function_has_its_provider_and_prototype() {
    let directory = tempfile::tempdir().unwrap();
    let program = program(directory.path());
    let rows = rows(&program, false);
    assert!(row(&rows, "printf").provider.as_ref().unwrap().ends_with("libc.so.6"));
    assert!(row(&rows, "known").provider.as_ref().unwrap().ends_with("libknown.so"));
    assert_eq!(row(&rows, "optional").provider, None);
    assert!(row(&rows, "optional").obstacle.is_some());
    assert!(!rows.0.iter().any(|row| row.name == "stdout"));

    let text = write::table(&program, &rows, false);
    let first = format!("{}: calls of ", program.display());
    assert!(text.starts_with(&first), "{text}");
    let line = |name: &str| text.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    assert!(line("known ").ends_with("libknown.so  dwarf           int known(int, string);"), "{text}");
    assert!(
        line("printf ").contains(" calltap ") && line("printf ").ends_with("int printf(format);"),
        "{text}"
    );
    assert!(text.contains("\ncannot be traced:\n") && line("optional ").contains("no object"), "{text}");

    let known = rows.chosen(|name, provider| name == "known" && provider.ends_with("libknown.so"));
    let json: serde_json::Value = serde_json::from_str(&write::json(&known)).unwrap();
    assert_eq!(json["prototype"], "int known(int, string);");
    assert_eq!((&json["origin"], &json["traceable"]), (&"dwarf".into(), &true.into()));
    assert_eq!(json["caller"], program.display().to_string());
}

#[test]
fn with_all_libraries_callers_are_told() {
    let directory = tempfile::tempdir().unwrap();
    let program = program(directory.path());
    let all = rows(&program, true);
    let malloc = row(&all, "malloc");
    assert!(malloc.caller.file_name().unwrap().to_string_lossy().starts_with("l"), "{malloc:?}");
    assert!(all.0.len() > rows(&program, false).0.len());
    assert_eq!(row(&all, "__tls_get_addr").prototype, None);
    assert!(row(&all, "__tls_get_addr").obstacle.unwrap().starts_with("part of the loader"));
    let text = write::table(&program, &all, true);
    assert!(text.lines().any(|line| line.contains("CALLED BY")), "{text}");
}
