//! Printing: what happened in the traced processes, as text or JSON.
//!
//! A printer is a [`Sink`]: it is told each event in the order of time and keeps what it must know about the calls
//! that are open. [`lines()`] prints as ltrace does, a call a line; [`tree()`] a call tree with durations; [`json()`] an
//! object a line; [`summary()`] one table when all is over.
//!
//! # What a line says
//! The format is ltrace's. It differs where ltrace would not tell the truth:
//! - Of a function without a prototype the integer registers are shown, each with a question mark behind it
//!   (`f(0x7ffe0?, 3?, 0?, 0?) = 12?`); whether they are arguments nobody knows, and whether the result is a number or in
//!   a vector register neither.
//! - What could not be read is `?`; a string that ends where memory could not be read is `"abc"?`.
//! - `...` behind a string means that there is more of it.
//! - A call that was left by an exception or by cancellation has the result `<unwound>`.
//! - A function that was entered by a jump, so that its return is not seen, has the result `?`; if it is one that never
//!   returns, ` <no return ...>` stands instead.

mod arguments;
mod bits;
mod callers;
mod clock;
mod color;
mod entry_only;
mod expression;
mod extended;
mod failure;
mod fetch;
mod float;
mod functions;
mod head;
mod integer;
mod json;
mod line;
mod names;
mod notes;
mod open;
mod output;
mod shape;
mod signal;
mod string;
mod style;
mod summary;
mod system_call;
#[cfg(test)]
mod tests;
mod text;
mod tree;
mod value;
mod variadic;
mod view;
mod width;

use std::io::{self, Write};
use std::rc::Rc;

pub use style::{By, Called, Frames, Ids, Stamps, Style};
pub use width::alignment;

use super::event::{Function, TraceEvent};

/// Who takes the events of a session.
pub trait Sink {
    /// This happened. Events come in the order of time.
    ///
    /// # Errors
    /// Writing failed.
    fn event(&mut self, event: &TraceEvent<'_>) -> io::Result<()>;

    /// Nothing more is there at the moment: what is waiting is written.
    ///
    /// # Errors
    /// Writing failed.
    fn tick(&mut self) -> io::Result<()>;

    /// All is over.
    ///
    /// # Errors
    /// Writing failed.
    fn finish(&mut self, end: &End) -> io::Result<()>;
}

/// What is known when the session is over.
#[derive(Debug, Default)]
pub struct End {
    /// When, in nanoseconds since the session's zero.
    pub at_ns: u64,
    /// Records that were dropped because a ring was full.
    pub lost: u64,
    /// Calls that were entered by a jump because too many were open.
    pub unfollowed: u64,
    /// How often each function was called, if calls were only counted.
    pub counts: Vec<Count>,
}

/// Calls of one function that were only counted.
#[derive(Debug)]
pub struct Count {
    /// Which.
    pub function: Rc<Function>,
    /// How often.
    pub calls: u64,
}

/// Where the text goes.
pub type To = Box<dyn Write>;

/// Prints a call a line, as ltrace does.
#[must_use]
pub fn lines(to: To, style: Style) -> Box<dyn Sink> {
    Box::new(line::Lines::new(to, style))
}

/// Prints an object a line: see [`json`](mod@json).
#[must_use]
pub fn json(to: To, style: Style) -> Box<dyn Sink> {
    Box::new(json::Objects::new(to, style))
}

/// Prints a call tree with durations: a call that called nothing is one line, another one opens and closes.
#[must_use]
pub fn tree(to: To, style: Style) -> Box<dyn Sink> {
    Box::new(tree::Tree::new(to, style))
}

/// Prints one table when all is over (`-c`).
#[must_use]
pub fn summary(to: To, style: Style, by: By) -> Box<dyn Sink> {
    Box::new(summary::Summary::new(to, style, by))
}
