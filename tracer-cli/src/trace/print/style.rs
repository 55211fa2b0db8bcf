//! What a printer must know of the options.

use std::fmt;
use std::rc::Rc;

use crate::trace::event::Function;

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
    pub entry_point: Option<Rc<dyn Fn(&Function) -> bool>>,
    /// Whether names are demangled (`-C`).
    pub demangle: bool,
    /// Whether signals are shown (not with `-b`).
    pub signals: bool,
    /// How a system call is named.
    pub system_calls: SystemCallName,
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
            demangle: false,
            signals: true,
            system_calls: SystemCallName::At,
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

/// How a system call is named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SystemCallName {
    /// `open@SYS(`, as ltrace since 2013.
    #[default]
    At,
    /// `SYS_open(`, as ltrace 0.7.3.
    Prefix,
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
