use std::fs;

use super::rows::Row;
use super::*;
use crate::prototype::files::Environment;
use crate::prototype::types::{Kind, Origin};

const OURS: Shipped = &[
    ("libc.so.conf", "import \"types\";\nint open(string, int);\nsize close(int);\nint both(int);"),
    ("libz.so.conf", "int deflate(addr, int);\nlong both(long, long);"),
    ("types.conf", "typedef size = ulong;"),
    ("syscalls.conf", "int open(string, hex(int));\nint close(int);"),
];

/// A home directory with these files, and what is known in it.
struct Home {
    directory: tempfile::TempDir,
}

impl Home {
    fn new(files: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = directory.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Self { directory }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn prototypes(&self, asked: &[&str]) -> Prototypes {
        let asked: Vec<_> = asked.iter().map(|name| self.path(name).into_os_string()).collect();
        let environment = Environment { home: Some(self.directory.path().into()), ..Environment::default() };
        let mut places = Places::new(&asked, &environment).unwrap();
        // The machine's own files are no part of a test.
        let here = |place: &Place| match place {
            Place::File(path) | Place::Directory(path) => path.starts_with(self.directory.path()),
            Place::Shipped => true,
        };
        places.all.retain(here);
        Prototypes::new(places, OURS)
    }
}

fn parameters(prototypes: &Prototypes, name: &str, provider: &str) -> usize {
    prototypes.of(name, Path::new(provider)).map_or(99, |prototype| prototype.parameters.len())
}

#[test]
fn ours_are_there_without_any_file_and_know_their_library() {
    let home = Home::new(&[]);
    let known = home.prototypes(&[]);
    assert_eq!(known.of("open", Path::new("libc.so.6")).unwrap().origin, Origin::Shipped);
    assert_eq!(parameters(&known, "both", "libc.so.6"), 1);
    assert_eq!(parameters(&known, "both", "libz.so.1"), 2);
    // A function may have moved within the C library; another library's function is called as the one it stands for.
    assert_eq!(parameters(&known, "open", "libpthread.so.0"), 2);
    assert_eq!(parameters(&known, "open", "libfake.so"), 2);
    assert!(known.of("nothing", Path::new("libc.so.6")).is_none());
    assert_eq!(known.complaints(), []);
}

#[test]
fn the_users_files_come_before_ours_and_what_is_asked_for_before_those() {
    let home = Home::new(&[
        (".ltrace.conf", "int open();\nint deflate();\nint mine(sizes);"),
        (".ltrace/libz.so.conf", "int deflate(int);"),
        (".config/ltrace/libz.so.1.conf", "int both(int, int, int);"),
        ("asked.conf", "int open(int, int, int, int);"),
        ("directory/libc.so.conf", "int close(int, int, int);"),
    ]);
    let known = home.prototypes(&[]);
    assert_eq!(parameters(&known, "open", "libc.so.6"), 0);
    assert_eq!(parameters(&known, "deflate", "libz.so.1"), 1);
    assert_eq!(parameters(&known, "deflate", "libother.so"), 0);
    assert_eq!(parameters(&known, "both", "libz.so.1"), 3);
    assert_eq!(parameters(&known, "both", "libz.so.2"), 2);
    assert!(known.of("mine", Path::new("libz.so.1")).is_none());
    let complaints = known.complaints();
    assert!(matches!(&complaints[..], [one] if one.line == 3), "{complaints:?}");
    assert_eq!(known.complaints(), []);

    let known = home.prototypes(&["asked.conf", "directory"]);
    assert_eq!(parameters(&known, "open", "libc.so.6"), 4);
    assert_eq!(parameters(&known, "close", "libc.so.6"), 3);
    assert_eq!(parameters(&known, "close", "libd.so"), 1);
}

#[test]
fn files_import_others_and_use_their_types() {
    let home = Home::new(&[
        ("a.conf", "import \"b\";\nimport \"types\";\nsize f(length, home, size);"),
        ("b.conf", "typedef length = int;\nint g(length);"),
        (".ltrace.conf", "typedef home = long;"),
        ("circle.conf", "import \"circle\";\nint h(int);"),
    ]);
    let known = home.prototypes(&["a.conf", "circle.conf"]);
    let f = known.of("f", Path::new("libx.so")).unwrap();
    assert_eq!(f.returns.kind, Kind::Int { bytes: 8, signed: false });
    assert_eq!(f.parameters.len(), 3);
    assert_eq!(parameters(&known, "g", "libx.so"), 1);
    assert_eq!(parameters(&known, "h", "libx.so"), 1);
    let complaints = known.complaints();
    assert!(matches!(&complaints[..], [one] if one.message.contains("imports itself")), "{complaints:?}");
}

#[test]
fn system_calls_have_names_of_their_own() {
    let home = Home::new(&[
        (".ltrace.conf", "int SYS_close(int, int);\nint open(int);"),
        ("asked/syscalls.conf", "int open();\nint write(int);"),
    ]);
    let known = home.prototypes(&[]);
    let count = |known: &Prototypes, name| known.system_call(name).map(|p| p.parameters.len());
    assert_eq!(count(&known, "open"), Some(2));
    assert_eq!(count(&known, "close"), Some(2));
    assert_eq!(count(&known, "SYS_close"), None);
    // In a directory a file of this name is about system calls, and about nothing else.
    let known = home.prototypes(&["asked"]);
    assert_eq!(count(&known, "open"), Some(0));
    assert_eq!(count(&known, "write"), Some(1));
    assert!(known.of("write", Path::new("libc.so.6")).is_none());
    // Given itself it is about libraries, as every file is.
    let known = home.prototypes(&["asked/syscalls.conf"]);
    assert_eq!(count(&known, "open"), Some(2));
    assert_eq!(count(&known, "write"), None);
    assert_eq!(parameters(&known, "write", "libc.so.6"), 1);
}

#[test]
fn all_rows_answer_as_a_question_for_one_would() {
    let home = Home::new(&[
        (".ltrace.conf", "int close();"),
        (".config/ltrace/libz.so.conf", "int deflate(int);\nint close(int, int, int);"),
        (".config/ltrace/libc.so.6.conf", "int six(int);"),
    ]);
    let known = home.prototypes(&[]);
    let rows = known.all();
    let answer = |name: &str, provider: &str| {
        let stems = stems(Path::new(provider));
        let fits = |row: &&Row| row.provider.as_ref().is_some_and(|provider| stems.contains(provider));
        let rows: Vec<_> = rows.iter().filter(|row| row.name == name).collect();
        let row = rows.iter().find(|row| fits(row)).or(rows.iter().find(|row| row.provider.is_none()));
        row.map(|row| Rc::clone(&row.prototype))
    };
    for name in ["open", "close", "deflate", "both", "six", "nothing"] {
        for provider in ["libc.so.6", "libz.so.1", "libother.so", "libc.so"] {
            assert_eq!(answer(name, provider), known.of(name, Path::new(provider)), "{name} {provider}");
        }
    }
}

#[test]
fn other_names_of_the_same_code_have_its_prototype() {
    let home = Home::new(&[(".ltrace.conf", "int puts(string);")]);
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let libc = maps.split_whitespace().find(|word| word.ends_with("/libc.so.6")).unwrap();
    let known = home.prototypes(&[]);
    assert_eq!(parameters(&known, "_IO_puts", libc), 1);
    known.learn(&[libc.into()]);
    let rows = known.all();
    assert!(rows.iter().any(|row| row.name == "_IO_puts" && row.provider.as_deref() == Some(libc)));
}

#[test]
fn files_that_came_with_ltrace_are_read_without_a_complaint() {
    let debian = Path::new("/etc/ltrace.conf");
    let Ok(text) = fs::read_to_string(debian) else {
        eprintln!("skipped: no {}", debian.display());
        return;
    };
    let places = Places { all: vec![Place::File(debian.into())] };
    let known = Prototypes::new(places, &[]);
    assert_eq!(known.complaints(), []);
    let lines = text.lines().filter(|line| {
        line.contains('(') && !line.trim_start().starts_with([';', '#']) && !line.starts_with("typedef")
    });
    // Some functions have two lines.
    let count = lines.count();
    assert!((count - 20..=count).contains(&known.all().len()), "{} of {count}", known.all().len());
}
