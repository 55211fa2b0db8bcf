//! Which frames are not shown: the allocator's at the inner end of a stack, and at the outer end
//! those that were there before `main`.
//!
//! Only the ends are cut, never the middle, and at least one frame stays.

use std::ops::Range;
use std::sync::LazyLock;

use super::name::bare;
use super::place::is_ours;
use crate::object_name::base;
use crate::report::model::Frame;
use crate::suppressions::Pattern;

/// What a frame is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What a reader looks for.
    Telling,
    /// Hands memory on: `operator new`, allocators of containers.
    Allocator,
    /// A hidden function of the C library: its public caller says more.
    CInternal,
    /// A public function of the C library.
    C,
    /// A function of the C++ or Rust library: of several, the one that the program calls says most.
    Language,
    /// Runs before `main`, or before a thread's function.
    Start,
    /// The same in Rust's run-time, which has memory of its own.
    RustStart,
    /// A run-time's mark: here, and outside of here, is nothing of the program's.
    Border,
}

/// Between the call and the code that asked for memory. Bare names (see [`bare`]).
const ALLOCATORS: [&str; 39] = [
    // C++: the operators, and allocators of libstdc++ and libc++.
    "^operator new$",
    "^operator new[]$",
    "^__gnu_cxx::new_allocator::",
    "^__gnu_cxx::malloc_allocator::",
    "^__gnu_cxx::__alloc_traits::",
    "^std::__new_allocator::",
    "^std::allocator::",
    "^std::allocator_traits::",
    "^std::__allocat",
    "^std::__libcpp_allocate",
    "^std::__libcpp_operator_new",
    "^std::__detail::_Hashtable_alloc::",
    // How libstdc++'s containers get room; their public functions call these.
    "^std::*::_M_allocate",
    "^std::*::_M_get_node$",
    "^std::*::_M_create",
    "^std::*::_S_create",
    "^std::*::_M_construct",
    "^std::*::_M_realloc",
    "^std::*::_M_reallocate",
    "^std::*::_M_initialize_map$",
    "^std::*::_M_default_append$",
    "^std::*::_M_fill_insert$",
    "^std::*::_M_insert",
    "^std::*::_M_emplace",
    "^std::*::_M_push_",
    "^std::*::_M_mutate$",
    "^std::*::_M_append$",
    "^std::*::_M_rehash",
    // Rust.
    "^__rust_*alloc",
    "^__rustc::__r",
    "^__rdl_",
    "^__rg_",
    "^alloc::alloc::",
    "^alloc::raw_vec::",
    "^core::alloc::",
    "^std::alloc::",
    "^std::sys::*alloc",
    "^alloc::boxed::Box::*new",
    "^alloc::boxed::box_new",
];

/// Before `main` or a thread's function.
const STARTS: [&str; 18] = [
    // C.
    "^_start$",
    // Constructors are called by glibc itself, since 2.34.
    "^call_init$",
    "^clone$",
    "^clone3$",
    "^__clone",
    // C++: std::thread.
    "execute_native_thread_routine$",
    "^std::thread::_",
    "^std::__invoke",
    "^__invoke_impl",
    "^std::__thread_",
    // Rust.
    "^std::panic::",
    "^std::panicking::",
    "^std::sys::*thread",
    "^std::sys*::backtrace::",
    "^std::thread::*spawn_unchecked",
    "^core::ops::function::FnOnce::call_once",
    "^core::panic::unwind_safe::AssertUnwindSafe",
    "^alloc::boxed::Box::call_once",
];

/// The last function before `main` or a thread's function. What is outside may have no name.
const BORDERS: [&str; 4] =
    ["^__libc_start_", "^generic_start_main$", "^start_thread$", "::__rust_begin_short_backtrace$"];

/// Inlined functions have no name space in some debug information, but they have a file.
const ALLOCATOR_FILES: [&str; 6] = [
    "/new_allocator.h",
    "/alloc_traits.h",
    "/bits/allocator.h",
    "/allocated_ptr.h",
    "/__memory/allocator",
    // How glibc's loader calls malloc.
    "/rtld-malloc.h",
];
const START_FILES: [&str; 2] = ["/bits/std_thread.h", "/bits/invoke.h"];

const RUST_STARTS: [&str; 1] = ["^std::rt::"];

/// Name spaces of the languages' libraries.
const LANGUAGE: [&str; 4] = ["^std::", "^__gnu_cxx::", "^core::", "^alloc::"];
/// Where their source files are.
const LANGUAGE_FILES: [&str; 3] = ["/include/c++/", "/rustc/", "/rustlib/src/"];

struct Table {
    allocators: Vec<Pattern>,
    starts: Vec<Pattern>,
    borders: Vec<Pattern>,
    rust_starts: Vec<Pattern>,
    language: Vec<Pattern>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let read = |patterns: &[&str]| patterns.iter().map(|text| Pattern::new(text)).collect();
    Table {
        allocators: read(&ALLOCATORS),
        starts: read(&STARTS),
        borders: read(&BORDERS),
        rust_starts: read(&RUST_STARTS),
        language: read(&LANGUAGE),
    }
});

impl Kind {
    /// Of a frame.
    pub fn of(frame: &Frame) -> Self {
        let object = frame.object.as_deref().map_or("", base);
        let file = frame.file.as_deref().unwrap_or_default();
        let name = frame.function.as_deref().map(bare);
        let is = |patterns: &[Pattern], files: &[&str]| {
            name.as_deref().is_some_and(|name| patterns.iter().any(|pattern| pattern.matches(name)))
                || files.iter().any(|part| file.contains(part))
        };
        let in_c = object.starts_with("libc.so") || object.starts_with("libc-2.");
        let in_cxx = object.starts_with("libstdc++.so") || object.starts_with("libc++.so");
        let of_language = LANGUAGE_FILES.iter().any(|part| file.contains(part));
        match &name {
            _ if is(&TABLE.allocators, &ALLOCATOR_FILES) => Self::Allocator,
            _ if is(&TABLE.borders, &[]) => Self::Border,
            _ if is(&TABLE.rust_starts, &[]) => Self::RustStart,
            _ if is(&TABLE.starts, &START_FILES) || object.starts_with("ld-linux") => Self::Start,
            // What calltap puts before a function of the C library goes by the same name.
            Some(_) if is_ours(frame) => Self::C,
            Some(name) if in_c && !name.starts_with('_') => Self::C,
            _ if in_c => Self::CInternal,
            None if in_cxx => Self::Language,
            // With a source file, code of the program that was inlined into it has frames of its own.
            _ if is(&TABLE.language, &[]) && (in_cxx || of_language) => Self::Language,
            _ => Self::Telling,
        }
    }
}

/// Whether a stack is of Rust's run-time itself, on its way to `main`.
pub fn is_rusts_own(kinds: &[Kind]) -> bool {
    let at = kinds.iter().position(|kind| matches!(kind, Kind::RustStart | Kind::Border));
    at.is_some_and(|at| kinds[at] == Kind::RustStart)
}

/// The frames that are shown of a stack, innermost first. Empty only if the stack is.
pub fn shown(kinds: &[Kind]) -> Range<usize> {
    let hidden_inside = |at: usize| match kinds[at] {
        Kind::Allocator => true,
        Kind::CInternal => matches!(kinds.get(at + 1), Some(Kind::C | Kind::CInternal)),
        Kind::Language => matches!(kinds.get(at + 1), Some(Kind::Language | Kind::Allocator)),
        _ => false,
    };
    let last = kinds.len().saturating_sub(1);
    let start = (0..last).find(|&at| !hidden_inside(at)).unwrap_or(last);
    let border = (start + 1..kinds.len()).find(|&at| kinds[at] == Kind::Border);
    let mut end = border.unwrap_or(kinds.len());
    // Nobody calls an internal function from outside; at the outer end it starts something.
    let starts = |kind| matches!(kind, Kind::Start | Kind::RustStart | Kind::CInternal | Kind::Language);
    while end > start + 1 && starts(kinds[end - 1]) {
        end -= 1;
    }
    start..end
}

#[cfg(test)]
mod tests;
