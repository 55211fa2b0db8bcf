//! What the files say is read without a complaint, is enough, and is what the headers of this machine say.

mod compiler;
mod constants;
mod declarations;
mod sizes;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::rc::Rc;

use calltap_analyzers::kernel::CallId;
use calltap_channel::note::X86_64;

use super::files;
use crate::prototype::parse::{Complaint, ConfigFile, Reader};
use crate::prototype::types::{Expression, Kind, Lens, Prototype, Typed};

/// All files, by name without `.conf`; and what was complained of.
fn read() -> (BTreeMap<&'static str, Rc<ConfigFile>>, Vec<Complaint>) {
    let (read, complaints) = (RefCell::new(BTreeMap::new()), RefCell::new(Vec::new()));
    for (name, _) in files() {
        file(name.strip_suffix(".conf").unwrap(), &read, &complaints).unwrap();
    }
    (read.into_inner(), complaints.into_inner())
}

fn file(
    name: &str,
    read: &RefCell<BTreeMap<&'static str, Rc<ConfigFile>>>,
    complaints: &RefCell<Vec<Complaint>>,
) -> Result<Rc<ConfigFile>, String> {
    if let Some(file) = read.borrow().get(name) {
        return Ok(Rc::clone(file));
    }
    let found = files().iter().find(|(file, _)| file.strip_suffix(".conf") == Some(name));
    let (path, text) = found.ok_or_else(|| format!("there is no {name}.conf"))?;
    let reader = Reader {
        path: Path::new(path),
        shipped: true,
        around: &|_| None,
        import: &|name| file(name, read, complaints),
        complain: &|complaint| complaints.borrow_mut().push(complaint),
    };
    let parsed = Rc::new(reader.read(text));
    read.borrow_mut().insert(path.strip_suffix(".conf").unwrap(), Rc::clone(&parsed));
    Ok(parsed)
}

/// The lines of a file that are prototypes.
fn prototype_lines(text: &str) -> impl Iterator<Item = &str> {
    let other = |line: &&str| !line.is_empty() && !line.starts_with([';', '#']);
    text.lines().filter(other).filter(|line| !line.starts_with("typedef ") && !line.starts_with("import "))
}

/// The names of a file's typedefs.
fn typedefs(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| line.strip_prefix("typedef ")?.split(' ').next())
}

/// Calls `see` with a type and those that it is made of.
fn each_type(typed: &Typed, depth: usize, see: &mut dyn FnMut(&Typed)) {
    see(typed);
    // Of a list's elements the first ones are enough.
    if depth == 8 {
        return;
    }
    match &typed.kind {
        Kind::Pointer(of) | Kind::Array { of, .. } => each_type(of, depth + 1, see),
        Kind::Struct(of) => {
            for member in of.members.get().into_iter().flatten() {
                each_type(member, depth + 1, see);
            }
        }
        _ => {}
    }
}

/// Calls `see` with every type that a file's prototypes and typedefs are made of.
fn each_type_of(file: &ConfigFile, text: &str, see: &mut dyn FnMut(&Typed)) {
    for prototype in file.all() {
        each_type(&prototype.returns, 0, see);
        prototype.parameters.iter().for_each(|parameter| each_type(&parameter.typed, 0, see));
    }
    typedefs(text).for_each(|name| each_type(&file.typed(name).unwrap(), 0, see));
}

/// What is wrong with a prototype's lengths: they are those of arguments that there are, and that are integers.
fn lengths(prototype: &Prototype) -> Vec<String> {
    let mut wrong = Vec::new();
    let is_integer = |typed: &Typed| matches!(typed.kind, Kind::Int { .. });
    let mut check = |length: &Expression| {
        let length = match length {
            Expression::Zero(Some(most)) => most,
            other => other,
        };
        let meant = match length {
            Expression::Argument(number) => {
                prototype.parameters.get(*number as usize - 1).map(|parameter| &parameter.typed)
            }
            Expression::Returned => Some(&prototype.returns),
            _ => return,
        };
        if !meant.is_some_and(is_integer) {
            wrong.push(format!("{}: the length {length:?} is no integer argument", prototype.name));
        }
    };
    let mut see = |typed: &Typed| {
        if let Kind::Array { length, .. } = &typed.kind {
            check(length);
        }
    };
    each_type(&prototype.returns, 0, &mut see);
    prototype.parameters.iter().for_each(|parameter| each_type(&parameter.typed, 0, &mut see));
    wrong
}

#[test]
fn every_file_is_read_without_a_complaint() {
    let (_, complaints) = read();
    let complaints: Vec<_> = complaints.iter().map(ToString::to_string).collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn there_are_far_more_than_a_thousand_functions_and_none_twice_in_a_file() {
    let (read, _) = read();
    let mut functions = BTreeSet::new();
    for (name, text) in files() {
        let stem = name.strip_suffix(".conf").unwrap();
        let own = &read[stem];
        assert_eq!(prototype_lines(text).count(), own.len(), "{name} has a function twice");
        if stem != "syscalls" {
            let own = own.all();
            functions.extend(own.iter().map(|prototype| prototype.name.clone()));
        }
    }
    assert!(functions.len() >= 1_200, "{}", functions.len());
}

#[test]
fn every_system_call_of_x86_64_has_a_prototype() {
    let (read, _) = read();
    let missing: Vec<_> = (0..512)
        .filter_map(|number| crate::system_calls::name(CallId { interface: X86_64, number }))
        .filter(|name| read["syscalls"].own_prototype(name).is_none())
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn lengths_are_arguments_that_are_integers() {
    let (read, _) = read();
    let wrong: Vec<_> =
        read.values().flat_map(|file| file.all()).flat_map(|prototype| lengths(&prototype)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_written_only_by_the_call_is_shown_when_it_has_returned() {
    let (read, _) = read();
    for (name, position) in
        [("read", 2), ("fgets", 1), ("recv", 2), ("readlink", 2), ("snprintf", 1), ("pipe", 1)]
    {
        let prototype = read["libc.so"].prototype(name).unwrap();
        let sides: Vec<_> = prototype.parameters.iter().map(|parameter| parameter.on_return).collect();
        assert_eq!(sides.iter().position(|late| *late), Some(position - 1), "{name}");
    }
    let open = read["libc.so"].prototype("open").unwrap();
    assert!(matches!(open.parameters[1].typed.lens, Lens::Flags(_)));
    assert_eq!(open.parameters[2].typed.lens, Lens::Octal);
}
