//! Rules of filters that nothing fits: most likely they are mistyped.

use std::cell::OnceCell;
use std::collections::HashSet;
use std::path::Path;

use calltap_channel::trace::plan::PatternKind;
use calltap_channel::trace::plan::names::NameKind;

use super::coverage::Coverage;
use super::filter::{Filter, Matcher, Part, Pattern};
use super::nameless::Nameless;
use super::needed;
use crate::similar::similar;
use crate::system_calls;

/// An object that was loaded.
struct Object<'a> {
    path: &'a str,
    is_program: bool,
    soname: OnceCell<Option<String>>,
    /// The functions that it calls or has; None: its file cannot be read any more.
    functions: OnceCell<Option<[HashSet<String>; 2]>>,
    /// What its calls without a symbol may be of.
    nameless: Option<&'a Nameless>,
}

impl Object<'_> {
    fn soname(&self) -> Option<&str> {
        self.soname.get_or_init(|| needed::soname(Path::new(self.path)).ok().flatten()).as_deref()
    }

    fn functions(&self) -> Option<&[HashSet<String>; 2]> {
        self.functions.get_or_init(|| needed::dynamic(Path::new(self.path)).ok()).as_ref()
    }

    /// The names of functions that a rule can ask for.
    fn names(&self, part: &Part) -> impl Iterator<Item = &str> {
        let functions = self.functions().into_iter().flatten().flatten().map(String::as_str);
        let kinds = [Some(NameKind::Resolver), part.is_of_entries().then_some(NameKind::Function)];
        let nameless = kinds.into_iter().flatten();
        functions.chain(nameless.flat_map(|kind| self.nameless.iter().flat_map(move |own| own.of_kind(kind))))
    }

    fn fits(&self, matcher: &Matcher) -> bool {
        let by = |path, soname| matcher.fits_object(path, soname);
        (self.is_program && by("", None)) || by(self.path, None) || by(self.path, self.soname())
    }
}

/// A line for each rule that chooses nothing: no function of the loaded objects fits it, whether it is called or not, or no
/// system call. Says
/// nothing where an object's file could not be read. `own` is the interposer's; `nameless` are the names that the program was
/// told.
pub fn unmet(filter: &Filter, coverage: &Coverage, own: &Path, nameless: &[Nameless]) -> Vec<String> {
    let mut objects: Vec<_> = coverage
        .objects()
        // What the kernel brings along has no file.
        .filter(|(path, _)| !path.starts_with("linux-") && Path::new(path) != own)
        .map(|(path, is_program)| Object {
            path,
            is_program,
            soname: OnceCell::new(),
            functions: OnceCell::new(),
            nameless: nameless.iter().find(|nameless| nameless.is_of(Path::new(path))),
        })
        .collect();
    // Most of what is asked for is found there.
    objects.sort_by_key(|object| !object.is_program);
    filter.parts.iter().filter_map(|part| told(part, &objects)).collect()
}

/// What is told of a rule, if nothing fits it.
fn told(part: &Part, objects: &[Object<'_>]) -> Option<String> {
    let Some(of_objects) = &part.object else {
        let matcher = Matcher::of(&part.symbol, &Pattern::any())?;
        let met = system_calls::names().any(|name| matcher.fits_symbol(name));
        let hint = || {
            meant(&part.symbol, system_calls::names())
                .unwrap_or_else(|| "they have the kernel's names, as in -e openat@SYS".to_owned())
        };
        return (!met).then(|| format!("{part}: there is no such system call; hint: {}", hint()));
    };
    let matcher = Matcher::of(&part.symbol, of_objects)?;
    // Of what cannot be read nobody knows what it has.
    let all_known = || !objects.is_empty() && objects.iter().all(|object| object.functions().is_some());
    let fitting: Vec<_> = objects.iter().filter(|object| object.fits(&matcher)).collect();
    if fitting.is_empty() {
        let sonames = objects.iter().filter_map(Object::soname);
        let hint =
            meant(of_objects, sonames).unwrap_or_else(|| "--coverage names those that were".to_owned());
        return all_known().then(|| format!("{part}: no such object was loaded; hint: {hint}"));
    }
    let any = part.symbol.kind == PatternKind::Any;
    let met =
        any || fitting.iter().flat_map(|object| object.names(part)).any(|name| matcher.fits_symbol(name));
    if met || !all_known() {
        return None;
    }
    let which = if fitting.len() == objects.len() { "no loaded object" } else { "none of these objects" };
    let hint =
        meant(&part.symbol, fitting.iter().flat_map(|object| object.names(part))).unwrap_or_else(|| {
            "`calltap list --all PROGRAM` names those that can be seen; calls within an object cannot"
                .to_owned()
        });
    Some(format!("{part}: {which} exports or calls such a function; hint: {hint}"))
}

/// What may have been meant by a name.
fn meant<'a>(pattern: &Pattern, names: impl Iterator<Item = &'a str>) -> Option<String> {
    if pattern.kind != PatternKind::Exact {
        return None;
    }
    let near = similar(&pattern.text, names);
    (!near.is_empty()).then(|| format!("did you mean {}?", near.join(" or ")))
}

#[cfg(test)]
mod tests {
    use calltap_channel::note::refused;

    use super::*;

    /// What is told of these filters about this program and its libraries.
    fn lines(calls: &[&str], library: &[&str], entries: &[&str]) -> Vec<String> {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let filter = Filter::new(&owned(calls), &owned(library), &owned(entries), false).unwrap();
        unmet(&filter, &coverage(), Path::new("/own.so"), &[])
    }

    fn coverage() -> Coverage {
        let mut coverage = Coverage::default();
        for object in needed::objects(&std::env::current_exe().unwrap()) {
            coverage.bound(object.to_str().unwrap(), 1, 0, refused::NONE, 0);
        }
        coverage.bound("linux-vdso.so.1", 0, 0, refused::NONE, 0);
        coverage.bound("/own.so", 0, 0, refused::NONE, 0);
        coverage.program(std::env::current_exe().unwrap().to_str().unwrap());
        coverage
    }

    #[test]
    fn a_mistyped_name_is_told_with_those_that_are_near() {
        let told = lines(&["mallloc+free-@libc.so*", "strlne"], &[], &["/no_such.*/"]);
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(
            told[0].starts_with("-e mallloc: no loaded object exports or calls such a function; hint: "),
            "{told:?}"
        );
        assert!(told[0].contains("did you mean malloc"), "{told:?}");
        assert!(told[1].starts_with("-e strlne: ") && told[1].contains("strlen"), "{told:?}");
        assert!(told[2].starts_with("-x /no_such.*/: ") && told[2].contains("calltap list"), "{told:?}");
        assert!(told.iter().all(|line| line.lines().count() == 1), "{told:?}");
    }

    #[test]
    fn rules_that_something_fits_are_not_told_of() {
        assert_eq!(
            lines(&["mall*-malloc@MAIN", "*@MAIN", "-free", "@/*/libc.so.6"], &["libc.so*"], &["qsort"]),
            [""; 0]
        );
        // Taking out what is not there is no mistake.
        assert_eq!(lines(&["@MAIN-mallloc"], &[], &["-mian"]), [""; 0]);
        assert_eq!(lines(&[], &[], &[]), [""; 0]);
    }

    #[test]
    fn objects_and_system_calls_can_be_mistyped_too() {
        let told = lines(&["malloc@libnone.so", "opneat@SYS+SYS_close", "environ"], &["libc.so"], &[]);
        assert_eq!(told.len(), 4, "{told:?}");
        assert!(told[0].starts_with("-e malloc@libnone.so: no such object was loaded; hint: "), "{told:?}");
        assert_eq!(told[1], "-e opneat@SYS: there is no such system call; hint: did you mean openat?");
        assert!(told[2].starts_with("-e environ: "), "{told:?}");
        assert_eq!(told[3], "-l libc.so: no such object was loaded; hint: did you mean libc.so.6?");
    }

    #[test]
    fn what_cannot_be_known_is_not_told() {
        let filter = Filter::new(&["mallloc".to_owned()], &[], &[], false).unwrap();
        let mut coverage = coverage();
        coverage.bound("/nowhere/libgone.so", 1, 0, refused::NONE, 0);
        assert!(unmet(&filter, &coverage, Path::new("/own.so"), &[]).is_empty());
        assert!(unmet(&filter, &Coverage::default(), Path::new("/own.so"), &[]).is_empty());
    }
}
