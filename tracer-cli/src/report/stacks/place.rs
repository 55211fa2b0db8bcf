//! Where a frame is, in words.

use super::{GroupBy, name};
use crate::object_name::base;
use crate::report::model::Frame;

/// Name spaces of the languages' own libraries, on bare names.
const LANGUAGE: [&str; 6] = ["std::", "__gnu_cxx::", "core::", "alloc::", "__cxxabiv1::", "operator "];
/// Where systems and compilers keep the sources and headers of libraries.
const FOREIGN_FILES: [&str; 3] = ["/usr/include/", "/rustc/", "/usr/lib/gcc/"];
const SYSTEM: [&str; 5] = ["/lib/", "/lib64/", "/usr/lib/", "/usr/lib64/", "/nix/store/"];

/// Whether a frame belongs to a library, the language's or the system's, rather than the program.
#[must_use]
pub fn is_librarys(frame: &Frame) -> bool {
    let starts = |text: &str, with: &[&str]| with.iter().any(|start| text.starts_with(start));
    frame.function.as_deref().is_some_and(|function| starts(&name::bare(function), &LANGUAGE))
        || is_ours(frame)
        || frame.file.as_deref().is_some_and(|file| starts(file, &FOREIGN_FILES))
        || frame.object.as_deref().is_some_and(|path| path.contains(".so") && starts(path, &SYSTEM))
}

/// The innermost frame of the program's own; None if all are a library's.
#[must_use]
pub fn own<'a>(frames: impl IntoIterator<Item = &'a Frame>) -> Option<&'a Frame> {
    frames.into_iter().find(|frame| !is_librarys(frame))
}

/// Whether a frame is the interposer's: a hook, under the name of the function that it stands before.
#[must_use]
pub fn is_ours(frame: &Frame) -> bool {
    frame.object.as_deref().is_some_and(|path| base(path).starts_with("libcalltap"))
}

/// `libz.so.1+0x7a10`, or the bare address where no file is mapped.
pub fn in_object(frame: &Frame) -> String {
    match &frame.object {
        Some(object) => format!("{}+{:#x}", base(object), frame.offset),
        None => format!("{:#x}", frame.address),
    }
}

/// What a group has in common, in full. None for whole stacks.
#[must_use]
pub fn label(frame: &Frame, group_by: GroupBy) -> Option<String> {
    match group_by {
        GroupBy::Stack => None,
        GroupBy::Function => Some(frame.function.as_deref().map_or_else(|| in_object(frame), str::to_owned)),
        GroupBy::Site => Some(match (&frame.file, frame.line) {
            (Some(file), Some(line)) => format!("{file}:{line}"),
            (Some(file), None) => file.to_string(),
            _ => match &frame.object {
                Some(object) => format!("{object}+{:#x}", frame.offset),
                None => in_object(frame),
            },
        }),
        GroupBy::Object => Some(frame.object.as_deref().unwrap_or("unknown").to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn frame(function: &str, file: &str, object: &str) -> Frame {
        let some = |text: &str| (!text.is_empty()).then(|| Arc::from(text));
        Frame {
            function: some(function),
            file: some(file),
            line: (!file.is_empty()).then_some(7),
            object: some(object),
            offset: 0x40,
            address: 0x1040,
            ..Frame::default()
        }
    }

    #[test]
    fn the_programs_own_frame_is_behind_the_libraries() {
        let stack = [
            frame("std::vector<int>::push_back(int&&)", "/usr/include/c++/12/bits/stl_vector.h", "/srv/app"),
            frame("xmlParse", "", "/usr/lib/libxml2.so.2"),
            frame("load", "src/load.cc", "/srv/app"),
            frame("main", "src/main.cc", "/srv/app"),
        ];
        assert_eq!(own(&stack).unwrap().function.as_deref(), Some("load"));
        assert_eq!(own(&stack[..2]), None);
        assert!(
            !is_librarys(&frame("gcc_main", "", "/usr/lib/gcc/x86_64-linux-gnu/12/cc1")),
            "an executable"
        );
        assert!(!is_librarys(&frame("", "", "/opt/app/libplugin.so")), "the program's own library");
    }

    #[test]
    fn groups_are_named_by_what_they_share() {
        let named = frame("f(int)", "src/a.cc", "/srv/app");
        assert_eq!(label(&named, GroupBy::Function).unwrap(), "f(int)");
        assert_eq!(label(&named, GroupBy::Site).unwrap(), "src/a.cc:7");
        assert_eq!(label(&named, GroupBy::Object).unwrap(), "/srv/app");
        assert_eq!(label(&named, GroupBy::Stack), None);
        let stripped = frame("", "", "/srv/app");
        assert_eq!(label(&stripped, GroupBy::Function).unwrap(), "app+0x40");
        assert_eq!(label(&stripped, GroupBy::Site).unwrap(), "/srv/app+0x40");
        let nowhere = frame("", "", "");
        assert_eq!(label(&nowhere, GroupBy::Site).unwrap(), "0x1040");
        assert_eq!(label(&nowhere, GroupBy::Object).unwrap(), "unknown");
    }
}
