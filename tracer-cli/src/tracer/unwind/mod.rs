//! The stacks of stopped threads, taken from outside.
//!
//! Of each frame, the unwind tables of its object say where the caller's is. Objects and what their tables
//! say are kept for all processes together; a process only has a list of what it has mapped where. The same
//! rules hold as in the target itself, where the interposer takes the stacks of library calls.

mod modules;
mod object;
mod objects;
mod rule;
mod rules;
mod step;
mod tables;
mod window;

use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;
use std::rc::Rc;
use std::sync::atomic::Ordering;

use calltap_channel::segment::Segment;
use calltap_channel::stack::{End, Frame, MAX_DEPTH, StackTable};

pub(crate) use self::modules::Met;
use self::modules::Modules;
use self::objects::Objects;
use self::rule::Rule;
use self::rules::Rules;
use self::step::{Position, Stop};
use self::tables::Context;
use self::window::Window;
use super::tracees::Id;

/// Frames that are looked at for the interposer's, also if fewer are recorded.
const LOOKED_AT: usize = 256;
/// Code segment of 64-bit code.
const CODE_64: u64 = 0x33;

/// What a stack tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    /// Its number; 0 if it was not taken: because stacks are not asked for, a hook is on it, or the table is
    /// full.
    pub(crate) stack: u32,
    /// Whether a hook is on it: the call is made on behalf of one that is recorded. None if the stack could
    /// not be followed far enough.
    pub(crate) in_hook: Option<bool>,
    /// Whether the instruction itself is the interposer's.
    pub(crate) own: bool,
}

impl Taken {
    const NOTHING: Self = Self { stack: 0, in_hook: Some(false), own: false };
}

/// Takes stacks of stopped threads.
#[derive(Debug)]
pub(crate) struct Unwinder {
    table: StackTable,
    /// Most frames of a stack that are recorded.
    depth: usize,
    processes: HashMap<Id, Rc<Modules>>,
    objects: Objects,
    rules: Rules,
    context: Box<Context>,
    window: Window,
    frames: Vec<Frame>,
    newly_met: Vec<Met>,
}

/// How a walk ended.
enum Walked {
    /// At a frame of the interposer; whether that is the first one.
    Hook {
        first: bool,
    },
    End(End),
}

impl Unwinder {
    /// Stacks are as deep as the segment says; `library` is the interposer's file.
    pub(crate) fn new(segment: Segment, library: &Path) -> Self {
        let depth = segment.inner().stack_depth.load(Ordering::Relaxed);
        Self {
            table: segment.stacks(),
            depth: usize::try_from(depth).unwrap_or(0).min(MAX_DEPTH),
            processes: HashMap::new(),
            objects: Objects::new(library),
            rules: Rules::default(),
            context: Box::default(),
            window: Window::new(),
            frames: Vec::with_capacity(MAX_DEPTH),
            newly_met: Vec::new(),
        }
    }

    /// Takes the stack of a thread that is stopped at a system call, with these registers.
    pub(crate) fn take(&mut self, group: Id, tid: Id, registers: &libc::user_regs_struct) -> Taken {
        if registers.cs != CODE_64 {
            // The interposer cannot be in a 32-bit program.
            return Taken::NOTHING;
        }
        let from = Position { pc: registers.rip, sp: registers.rsp, bp: registers.rbp, marks: 0 };
        self.frames.clear();
        self.window.begin(tid);
        match self.walk(group, tid, from) {
            Walked::Hook { first } => Taken { stack: 0, in_hook: Some(true), own: first },
            Walked::End(end) => {
                let in_hook = match end {
                    End::Outermost => Some(false),
                    End::Depth | End::Lost => self.lacks_interposer(group, tid).then_some(false),
                };
                let recorded = &self.frames[..self.frames.len().min(self.depth)];
                let end = if recorded.len() < self.frames.len() { End::Depth } else { end };
                let stack = if self.depth == 0 {
                    0
                } else {
                    self.table.intern(hash(recorded, end), end, recorded.iter().copied())
                };
                Taken { stack, in_hook, own: false }
            }
        }
    }

    /// Whether a thread with these registers is in the interposer's own code.
    pub(crate) fn is_own(&mut self, group: Id, tid: Id, registers: &libc::user_regs_struct) -> bool {
        let at = Position { pc: registers.rip, sp: registers.rsp, bp: registers.rbp, marks: 0 };
        registers.cs == CODE_64 && matches!(self.rule_at(group, tid, &at), Found::Interposer)
    }

    /// The objects that were met since this was last asked for.
    pub(crate) fn newly_met(&mut self) -> std::vec::Drain<'_, Met> {
        self.newly_met.drain(..)
    }

    /// A process has begun a new program.
    pub(crate) fn executed(&mut self, group: Id) {
        self.processes.remove(&group);
    }

    /// A process was made. It has mapped what its parent has, and its objects are not met anew.
    pub(crate) fn forked(&mut self, parent: Id, child: Id) {
        if let Some(modules) = self.processes.get(&parent) {
            let modules = Rc::clone(modules);
            self.processes.insert(child, modules);
        }
    }

    /// A process has ended.
    pub(crate) fn ended(&mut self, group: Id) {
        self.processes.remove(&group);
    }

    /// A process has mapped something at these addresses, or unmapped what was there.
    pub(crate) fn mapped(&mut self, group: Id, addresses: Range<u64>) {
        if let Some(modules) = self.processes.get_mut(&group) {
            Rc::make_mut(modules).changed(&addresses);
        }
    }

    fn walk(&mut self, group: Id, tid: Id, from: Position) -> Walked {
        let most = self.depth.max(LOOKED_AT);
        let mut at = from;
        while self.frames.len() < most {
            let rule = match self.rule_at(group, tid, &at) {
                Found::Interposer => return Walked::Hook { first: self.frames.is_empty() },
                Found::Rule(rule) => rule,
                // Only a guess can lead to where no code is.
                Found::Nowhere if self.frames.is_empty() => Rule::Unknown,
                Found::Nowhere => return Walked::End(End::Lost),
            };
            self.frames.push(Frame::returning_to(at.pc).with(0, at.marks));
            if matches!(rule, Rule::Unknown)
                && self.frames.len() == 1
                && let Some(caller) = self.caller_on_top(group, tid, &at)
            {
                at = caller;
                continue;
            }
            at = match step::step(at, rule, &mut self.window) {
                Ok(next) => next,
                Err(Stop::Outermost) => return Walked::End(End::Outermost),
                Err(Stop::Lost) => return Walked::End(End::Lost),
            };
        }
        Walked::End(End::Depth)
    }

    /// The caller of code without an unwind table that has pushed nothing, as the C library's around the
    /// instruction that makes a thread: what is on top of the stack, if that is code.
    fn caller_on_top(&mut self, group: Id, tid: Id, at: &Position) -> Option<Position> {
        let caller = Position {
            pc: self.window.word(at.sp)?,
            sp: at.sp.wrapping_add(8),
            bp: at.bp,
            marks: calltap_channel::stack::GUESSED,
        };
        matches!(self.rule_at(group, tid, &caller), Found::Rule(rule) if !matches!(rule, Rule::Unknown))
            .then_some(caller)
    }

    fn rule_at(&mut self, group: Id, tid: Id, at: &Position) -> Found {
        let address = at.lookup_address();
        let modules = self.processes.entry(group).or_default();
        let Some(index) = find(modules, address, tid, &self.objects) else { return Found::Nowhere };
        let object = match modules.object(index) {
            Ok(object) => object,
            Err(()) => {
                let met = Rc::make_mut(modules).meet(index, group, tid, &mut self.objects);
                self.newly_met.extend(met);
                modules.object(index).unwrap_or_default()
            }
        };
        match object {
            Some((object, _)) if object.is_interposer => Found::Interposer,
            Some((object, bias)) => {
                Found::Rule(object.rule(address.wrapping_sub(bias), &mut self.rules, &mut self.context))
            }
            None => Found::Rule(Rule::Unknown),
        }
    }

    /// Whether the interposer is not in a process, so that no hook can be on its stacks.
    fn lacks_interposer(&mut self, group: Id, tid: Id) -> bool {
        let modules = self.processes.entry(group).or_default();
        if !modules.has_interposer {
            let modules = Rc::make_mut(modules);
            if modules.is_worth_a_look() {
                modules.read(tid, &self.objects);
            }
        }
        !modules.has_interposer
    }
}

/// What is at an address.
enum Found {
    Interposer,
    Rule(Rule),
    /// Nothing that is executable.
    Nowhere,
}

/// The place of a mapping in the list, which is read anew if there is reason to.
#[inline]
fn find(modules: &mut Rc<Modules>, address: u64, tid: Id, objects: &Objects) -> Option<usize> {
    if let Some(index) = modules.find(address) {
        return Some(index);
    }
    let modules = Rc::make_mut(modules);
    if !modules.is_worth_a_look() {
        return None;
    }
    modules.read(tid, objects);
    modules.find(address)
}

/// A number whose bits all depend on all frames.
fn hash(frames: &[Frame], end: End) -> u64 {
    let mix = |hash: u64, word: u64| {
        let mixed = (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed ^ mixed >> 32
    };
    let mixed = frames.iter().fold(end as u64, |hash, frame| mix(hash, frame.0));
    mix(mix(mixed, frames.len() as u64), 0)
}

/// An object file, as fuzzing feeds it.
#[cfg(any(test, fuzzing))]
pub(crate) fn fuzz(bytes: &[u8], addresses: &[u64]) {
    let content = |offset: u64, into: &mut [u8]| {
        let from = usize::try_from(offset).ok().and_then(|offset| bytes.get(offset..)?.get(..into.len()));
        from.is_some_and(|from| {
            into.copy_from_slice(from);
            true
        })
    };
    let Some(object) = object::Object::read(&content, 1, false) else { return };
    let (mut rules, mut context) = (Rules::default(), Context::new());
    object.span();
    for &address in addresses {
        object.address_of_code(address);
        object.rule(address, &mut rules, &mut context);
    }
}

#[cfg(test)]
mod tests;
