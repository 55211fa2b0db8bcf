//! What a printer must know of the options.

use std::fmt;
use std::rc::Rc;

use crate::trace::event::Function;

/// Whether a function is one of those that are meant.
pub type Chosen = Rc<dyn Fn(&Function) -> bool>;

/// Whether a call is one of those that are meant: the function, and the path of the object that calls.
pub type Called = Rc<dyn Fn(&Function, &str) -> bool>;

/// How lines look.
pub struct Style {
    /// The most characters of a string that are shown (`-s`).
    pub string_limit: u64,
    /// The most elements of an array that are shown, and the most structs of one type inside each other (`-A`).
    pub array_limit: u64,
    /// Column of the result, from 1 (`-a`); see [`super::alignment`].
    pub align: usize,
    /// Spaces for each open call of the thread (`-n`).
    pub indent: usize,
    /// Thread ids in front of lines (`-f`).
    pub ids: Ids,
    /// Times in front of lines.
    pub stamps: Stamps,
    /// The session's zero, in nanoseconds since 1970.
    pub zero_ns: u64,
    /// Whether return addresses are shown (`-i`).
    pub sites: bool,
    /// Whether the time a call took is shown (`-T`).
    pub spent: bool,
    /// Whether the calling object is shown: `libfoo.so->malloc(`. As soon as `-e` or `-l` is given.
    pub callers: bool,
    /// Functions of which calls are shown as `name@library(`: those chosen by `-x`.
    pub entry_point: Option<Chosen>,
    /// Which calls of those functions, by the path of the object that calls, are chosen by `-e` or `-l`, too. ltrace
    /// shows these twice, as a call and as what is entered by it; so do [`super::lines`].
    pub called: Option<Called>,
    /// Whether names are demangled (`-C`).
    pub demangle: bool,
    /// Whether signals are shown (not with `-b`).
    pub signals: bool,
    /// Whether there are colours.
    pub color: bool,
    /// Only calls that took at least so many nanoseconds.
    pub slower_than_ns: Option<u64>,
    /// Only calls that failed; their errors are shown.
    pub only_errors: bool,
    /// File name of the program that is started, for calls that it makes.
    pub program: String,
    /// Whether somebody looks on: calls that have not returned yet are shown, too.
    pub live: bool,
    /// Who gives the text of stacks (`-w`, `--stack`).
    pub frames: Option<Box<dyn Frames>>,
}

impl Style {
    /// Whether only some calls are shown: which, is known when they have returned.
    #[must_use]
    pub fn filters(&self) -> bool {
        self.slower_than_ns.is_some() || self.only_errors
    }

    /// Whether a call is shown that took so many nanoseconds, if that is known, and failed or not.
    #[must_use]
    pub fn wants(&self, spent: Option<u64>, failed: bool) -> bool {
        let slow = |least| spent.is_some_and(|spent| spent >= least);
        self.slower_than_ns.is_none_or(slow) && (failed || !self.only_errors)
    }
}

impl Default for Style {
    /// As ltrace prints without options, to a file.
    fn default() -> Self {
        Self {
            string_limit: 32,
            array_limit: 4,
            align: 50,
            indent: 0,
            ids: Ids::None,
            stamps: Stamps::None,
            zero_ns: 0,
            sites: false,
            spent: false,
            callers: false,
            entry_point: None,
            called: None,
            demangle: false,
            signals: true,
            color: false,
            slower_than_ns: None,
            only_errors: false,
            program: String::new(),
            live: false,
            frames: None,
        }
    }
}

impl fmt::Debug for Style {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Style").field("align", &self.align).finish_non_exhaustive()
    }
}

/// Thread ids in front of lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ids {
    /// None.
    #[default]
    None,
    /// `[pid 123] `, as ltrace writes to a terminal.
    Bracketed,
    /// `123 `, as ltrace writes to a file.
    Bare,
}

/// Times in front of lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stamps {
    /// None.
    #[default]
    None,
    /// Since the line before (`-r`).
    Relative,
    /// Time of day (`-t`).
    Seconds,
    /// Time of day with microseconds (`-tt`).
    Micros,
    /// Seconds since 1970 with microseconds (`-ttt`).
    Epoch,
}

/// What the summary counts together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum By {
    /// Calls of a function.
    #[default]
    Function,
    /// Calls of a function from one call site.
    Caller,
    /// Calls of a function from one object.
    Object,
}

/// Who gives the text of stacks.
pub trait Frames {
    /// The frames of a stack, from the call outwards, a line each, by the id in the stack table of a process.
    fn lines(&mut self, pid: u32, stack: u32) -> Vec<String>;
}
