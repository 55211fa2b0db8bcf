//! The calls that are open in each thread.

use std::collections::HashMap;
use std::rc::Rc;

use calltap_channel::trace::walk::Values;

use super::arguments::Progress;
use super::text::Text;
use super::view;
use crate::prototype::types::Prototype;
use crate::trace::event::{Copied, Entered, Function, SystemCall, TraceEvent};

/// Frames between two calls of one stack take less than this. A call that is farther up is on another stack.
const STACK: u64 = 8 << 20;
/// Calls that were left, and might be met again because they are on another stack after all.
const LEFT: usize = 64;
/// Texts that are kept to be written again.
const SPARE: usize = 64;

/// What was called.
#[derive(Clone, Debug)]
pub enum Callee {
    /// A function of a library.
    Function(Rc<Function>),
    /// The kernel; which call, its end says.
    Kernel,
}

/// A call that has not returned.
#[derive(Debug)]
pub struct Open {
    /// Of what.
    pub callee: Callee,
    /// Address of the return address.
    pub sp: u64,
    /// The return address.
    pub site: u64,
    /// When it began.
    pub at_ns: u64,
    /// Registers then.
    pub values: Values,
    /// What was copied of memory then, if that is needed when it returns.
    pub memory: Copied,
    /// Arguments that have been written.
    pub progress: Progress,
    /// Text that is kept until it returns.
    pub text: Text,
    /// Whether that text has been written.
    pub opened: bool,
    /// Whether it is shown as a call and as what is entered by it.
    pub twice: bool,
    /// Id in the stack table.
    pub stack: u32,
}

impl Open {
    /// A library call that begins.
    pub fn function(event: &TraceEvent<'_>, entered: &Entered<'_>, progress: Progress, text: Text) -> Self {
        let later =
            |prototype: &Rc<Prototype>| prototype.parameters.iter().any(|parameter| parameter.on_return);
        let needed = !entered.memory.is_empty() && entered.function.prototype.as_ref().is_some_and(later);
        Self {
            callee: Callee::Function(Rc::clone(entered.function)),
            sp: entered.sp,
            site: entered.site,
            at_ns: event.at_ns,
            values: entered.values,
            memory: if needed { entered.memory.clone() } else { Copied::default() },
            progress,
            text,
            opened: false,
            twice: false,
            stack: entered.stack,
        }
    }

    /// A system call that begins.
    pub fn kernel(event: &TraceEvent<'_>, call: &SystemCall<'_>, progress: Progress, text: Text) -> Self {
        Self {
            callee: Callee::Kernel,
            sp: 0,
            site: call.site,
            at_ns: event.at_ns,
            values: view::registers(call),
            memory: Copied::default(),
            progress,
            text,
            opened: false,
            twice: false,
            stack: 0,
        }
    }
}

/// A thread.
#[derive(Debug)]
pub struct Thread {
    /// Its process.
    pub pid: u32,
    /// Its id.
    pub tid: u32,
    /// The outermost first.
    pub open: Vec<Open>,
    /// Calls that seem to have been left by a jump.
    left: Vec<Open>,
    /// `errno` when its last call returned.
    pub errno: i32,
}

/// All threads.
#[derive(Debug, Default)]
pub struct Threads {
    list: Vec<Thread>,
    by_id: HashMap<u32, usize>,
    /// The one that was looked for last.
    last: usize,
    /// Texts of calls that are over.
    spare: Vec<Text>,
}

impl Threads {
    /// The thread of an id.
    pub fn of(&mut self, pid: u32, tid: u32) -> &mut Thread {
        if self.list.get(self.last).is_none_or(|thread| thread.tid != tid) {
            let next = self.list.len();
            let list = &mut self.list;
            self.last = *self.by_id.entry(tid).or_insert_with(|| {
                list.push(Thread { pid, tid, open: Vec::new(), left: Vec::new(), errno: 0 });
                next
            });
        }
        let thread = &mut self.list[self.last];
        thread.pid = pid;
        thread
    }

    /// Takes a thread out: it is gone.
    pub fn remove(&mut self, tid: u32) -> Option<Thread> {
        let number = self.by_id.remove(&tid)?;
        let thread = self.list.swap_remove(number);
        if let Some(moved) = self.list.get(number) {
            self.by_id.insert(moved.tid, number);
        }
        Some(thread)
    }

    /// Takes all threads of a process out.
    pub fn remove_process(&mut self, pid: u32) -> Vec<Thread> {
        let ids: Vec<u32> =
            self.list.iter().filter(|thread| thread.pid == pid).map(|thread| thread.tid).collect();
        ids.into_iter().filter_map(|tid| self.remove(tid)).collect()
    }

    /// Takes all threads out.
    pub fn remove_all(&mut self) -> Vec<Thread> {
        self.by_id.clear();
        std::mem::take(&mut self.list)
    }

    /// An empty text.
    pub fn text(&mut self, colored: bool) -> Text {
        self.spare.pop().unwrap_or_else(|| Text::new(colored))
    }

    /// A call is over: its text can be used again.
    pub fn recycle(&mut self, mut text: Text) {
        if self.spare.len() < SPARE {
            text.clear();
            self.spare.push(text);
        }
    }
}

impl Thread {
    /// Whether a call comes from the code behind another one's: then it stands in its place, and has the same address of
    /// the return address (a function that ends by calling another one).
    pub fn in_place_of(entered: &Entered<'_>) -> bool {
        let file = entered.caller.0.rsplit('/').next().unwrap_or_default();
        file.starts_with("libcalltap") || file.starts_with("memfd:libcalltap")
    }

    /// A call begins: those below it on the stack have been left. They are taken out and told of, the innermost first.
    pub fn enters(&mut self, entered: &Entered<'_>, mut left: impl FnMut(&Open)) {
        let gone = |open: &Open| match entered.sp.checked_sub(open.sp) {
            Some(0) => !Self::in_place_of(entered),
            Some(distance) => distance < STACK,
            None => false,
        };
        while let Some(index) = self.open.iter().rposition(|open| matches!(open.callee, Callee::Function(_)))
            && gone(&self.open[index])
        {
            self.leave_from(index, &mut left);
        }
    }

    /// A call has returned: takes it out, and those that were entered behind it, which have been left.
    pub fn returns(&mut self, sp: u64, number: u32, mut left: impl FnMut(&Open)) -> Option<Open> {
        let this = |open: &Open| {
            open.sp == sp && matches!(&open.callee, Callee::Function(function) if function.number == number)
        };
        if let Some(index) = self.open.iter().rposition(this) {
            self.leave_from(index + 1, &mut left);
            return self.open.pop();
        }
        let index = self.left.iter().rposition(this)?;
        Some(self.left.remove(index))
    }

    /// A system call has ended: takes it out.
    pub fn ends(&mut self) -> Option<Open> {
        let index = self.open.iter().rposition(|open| matches!(open.callee, Callee::Kernel))?;
        Some(self.open.remove(index))
    }

    /// What never returned, in the order of time.
    pub fn over(self) -> Vec<Open> {
        let mut over = self.left;
        over.extend(self.open);
        over.sort_by_key(|open| open.at_ns);
        over
    }

    fn leave_from(&mut self, index: usize, left: &mut impl FnMut(&Open)) {
        for open in self.open.drain(index..).rev() {
            left(&open);
            if self.left.len() == LEFT {
                self.left.remove(0);
            }
            self.left.push(open);
        }
    }
}
