//! Names of the objects that call.

use std::collections::HashMap;

use super::open::{Callee, Thread};
use crate::trace::event::Entered;

/// The programs that processes run.
#[derive(Debug)]
pub struct Callers {
    /// The one that was started.
    first: String,
    /// Of processes that run another one.
    programs: HashMap<u32, String>,
}

impl Callers {
    /// `program` is started.
    pub fn new(program: &str) -> Self {
        Self { first: program.to_owned(), programs: HashMap::new() }
    }

    /// A process runs another program now.
    pub fn executed(&mut self, pid: u32, path: &str) {
        self.programs.insert(pid, file_name(path).to_owned());
    }

    /// A process made another one, which runs the same program.
    pub fn created(&mut self, parent: u32, child: u32) {
        match self.programs.get(&parent).cloned() {
            Some(program) => self.programs.insert(child, program),
            None => self.programs.remove(&child),
        };
    }

    /// File name of the object that makes a call; `?` if it is unknown.
    pub fn name<'a>(&'a self, entered: &Entered<'a>, thread: &'a Thread) -> &'a str {
        match entered.caller.0 {
            "" => self.programs.get(&thread.pid).unwrap_or(&self.first),
            // A function that ends by calling another one: the return address is in the code behind it.
            _ if Thread::in_place_of(entered) => match thread.open.last().map(|open| &open.callee) {
                Some(Callee::Function(function)) if function.provider_name == "MAIN" => {
                    self.programs.get(&thread.pid).unwrap_or(&self.first)
                }
                Some(Callee::Function(function)) => &function.provider_name,
                _ => "?",
            },
            path => file_name(path),
        }
    }
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
