//! From a selection to the kernel's filter: a classic BPF program over `struct seccomp_data`
//! (seccomp(2)).
//!
//! For each architecture the numbers are divided into ranges that are treated alike, and a binary search
//! finds the range. Where it ends in plain permission no other word than architecture and number has
//! been looked at: the kernel recognises such numbers when the program is installed, and passes them
//! without running it.

use std::collections::BTreeMap;

use calltap_analyzers::kernel::CallId;
use calltap_channel::note::{I386, X32, X86_64};

use super::call::Call;
use super::condition::Condition;
use super::interface::{AUDIT_I386, AUDIT_X86_64, shown_number};
use super::lookup;
use super::selection::{Extent, Selection};

/// One instruction of the program.
type Instruction = libc::sock_filter;

/// `clone`: the child is not traced, whatever its maker's tracer asked for.
const CLONE_UNTRACED: u32 = 0x0080_0000;

/// Offsets in `struct seccomp_data`.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
const ARGUMENTS: u32 = 16;

/// Place of the argument that carries the tag: the register behind those of a call of five arguments.
const TAGGED: usize = 5;

/// What is done with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Allow,
    Stop,
    /// Stopped unless it carries the tag.
    Untagged,
    /// The condition's calls are stopped; with `true`, unless they carry the tag.
    If(Condition, bool),
    /// `clone`: stopped if its child is to be untraced, else the same as another call.
    Clone(Selected),
}

/// A call's extent in a verdict that has more to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Selected {
    No,
    Always,
    Untagged,
}

impl Selection {
    /// The program that stops the selected calls (`SECCOMP_RET_TRACE` with `data`) and allows all others.
    ///
    /// A call of the 64-bit interface with five arguments or fewer is allowed if its sixth register holds
    /// `tag`: a hook has made it, and records it. A tag of 0 is nobody's. Always stopped are those in
    /// `always`, and `clone` of a child that is not to be traced, which could not live with this filter.
    #[must_use]
    pub fn filter(&self, tag: u64, data: u16, always: &[CallId]) -> Vec<Instruction> {
        let action = libc::SECCOMP_RET_TRACE | u32::from(data);
        self.program(tag, action, always)
    }

    /// The same with another action in place of the stop.
    fn program(&self, tag: u64, action: u32, always: &[CallId]) -> Vec<Instruction> {
        let emit = Emitter { tag, action };
        let mut long = emit.search(&ranges(&self.verdicts(&[X86_64, X32], tag, always)));
        // Calls of this interface alone can be tagged.
        emit.append_question(&mut long);
        let short = emit.search(&ranges(&self.verdicts(&[I386], tag, always)));
        let mut program = vec![load(ARCHITECTURE), jump(libc::BPF_JEQ, AUDIT_X86_64, 1, 0)];
        // What stands between is longer than a conditional jump reaches.
        program.push(skip(1 + long.len()));
        program.push(load(NUMBER));
        program.extend(long);
        program.push(jump(libc::BPF_JEQ, AUDIT_I386, 1, 0));
        program.push(give(libc::SECCOMP_RET_ALLOW));
        program.push(load(NUMBER));
        program.extend(short);
        program
    }

    /// What is done with each number of some interfaces, where it is not plainly allowed.
    fn verdicts(&self, interfaces: &[u8], tag: u64, always: &[CallId]) -> BTreeMap<u32, Verdict> {
        let mut verdicts = BTreeMap::new();
        for (call, extent) in self.extents() {
            for id in call.ids().filter(|id| interfaces.contains(&id.interface)) {
                let can_be_tagged = tag != 0 && id.interface == X86_64 && call.arguments.len() <= TAGGED;
                let verdict =
                    if always.contains(&id) { Verdict::Stop } else { verdict(call, extent, can_be_tagged) };
                if verdict != Verdict::Allow {
                    verdicts.insert(shown_number(id), verdict);
                }
            }
        }
        let unnamed =
            always.iter().filter(|id| interfaces.contains(&id.interface) && lookup::name(**id).is_none());
        verdicts.extend(unnamed.map(|id| (shown_number(*id), Verdict::Stop)));
        verdicts
    }
}

fn verdict(call: &Call, extent: Extent, can_be_tagged: bool) -> Verdict {
    if call.name == "clone" {
        return Verdict::Clone(match (extent, can_be_tagged) {
            (Extent::None, _) => Selected::No,
            (_, true) => Selected::Untagged,
            (_, false) => Selected::Always,
        });
    }
    match (extent, can_be_tagged) {
        (Extent::None, _) => Verdict::Allow,
        (Extent::If(condition), tagged) => Verdict::If(condition, tagged),
        (Extent::All, true) => Verdict::Untagged,
        (Extent::All, false) => Verdict::Stop,
    }
}

/// From where on which verdict holds; the first one from 0.
fn ranges(verdicts: &BTreeMap<u32, Verdict>) -> Vec<(u32, Verdict)> {
    let mut ranges = vec![(0, Verdict::Allow)];
    for (number, verdict) in verdicts {
        // What begins at the number replaces what the one before it left there.
        if ranges.last().is_some_and(|(start, _)| start == number) {
            ranges.pop();
        }
        if ranges.last().is_none_or(|(_, last)| last != verdict) {
            ranges.push((*number, *verdict));
        }
        ranges.push((number + 1, Verdict::Allow));
    }
    ranges
}

/// Writes instructions.
struct Emitter {
    tag: u64,
    /// Instead of allowing a call.
    action: u32,
}

impl Emitter {
    /// Finds the range that the loaded number is in, and does what is said of it.
    fn search(&self, ranges: &[(u32, Verdict)]) -> Vec<Instruction> {
        let [(_, only)] = ranges else {
            let (low, high) = ranges.split_at(ranges.len() / 2);
            let (below, above) = (self.search(low), self.search(high));
            let mut program = match u8::try_from(below.len()) {
                Ok(length) => vec![jump(libc::BPF_JGE, high[0].0, length, 0)],
                Err(_) => vec![jump(libc::BPF_JGE, high[0].0, 0, 1), skip(below.len())],
            };
            program.extend(below);
            program.extend(above);
            return program;
        };
        self.verdict(*only)
    }

    fn verdict(&self, verdict: Verdict) -> Vec<Instruction> {
        match verdict {
            Verdict::Allow => vec![give(libc::SECCOMP_RET_ALLOW)],
            Verdict::Stop => vec![give(self.action)],
            Verdict::Untagged => vec![ASK],
            Verdict::If(condition, tagged) => {
                let held = if tagged { vec![ASK] } else { vec![give(self.action)] };
                let count = condition.values.len() as u8;
                let mut program = vec![load(low(condition.argument))];
                let values = condition.values.iter().zip((1..=count).rev());
                program.extend(values.map(|(value, distance)| jump(libc::BPF_JEQ, *value, distance, 0)));
                program.push(give(libc::SECCOMP_RET_ALLOW));
                program.extend(held);
                program
            }
            Verdict::Clone(selected) => {
                let mut program =
                    vec![load(low(0)), jump(libc::BPF_JSET, CLONE_UNTRACED, 0, 1), give(self.action)];
                program.extend(self.verdict(match selected {
                    Selected::No => Verdict::Allow,
                    Selected::Always => Verdict::Stop,
                    Selected::Untagged => Verdict::Untagged,
                }));
                program
            }
        }
    }

    /// Has one place where the tag is asked for, behind the program, and leads all that ask there: a program a third
    /// as long takes the kernel a third of the time to translate, in each start.
    fn append_question(&self, program: &mut Vec<Instruction>) {
        let place = program.len();
        let asks = |instruction: &Instruction| instruction.code == ASK.code && instruction.k == ASK.k;
        let asking: Vec<usize> = (0..place).filter(|&at| asks(&program[at])).collect();
        for &at in &asking {
            program[at] = skip(place - at - 1);
        }
        if !asking.is_empty() {
            program.extend(self.question());
        }
    }

    /// Allows what carries the tag.
    fn question(&self) -> [Instruction; 6] {
        [
            load(low(TAGGED)),
            jump(libc::BPF_JEQ, self.tag as u32, 0, 3),
            load(low(TAGGED) + 4),
            jump(libc::BPF_JEQ, (self.tag >> 32) as u32, 0, 1),
            give(libc::SECCOMP_RET_ALLOW),
            give(self.action),
        ]
    }
}

/// Stands for the jump to where the tag is asked for.
const ASK: Instruction = skip(u32::MAX as usize);

/// Offset of an argument's low half.
const fn low(argument: usize) -> u32 {
    ARGUMENTS + 8 * argument as u32
}

const fn load(offset: u32) -> Instruction {
    instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, offset, 0, 0)
}

/// Goes on `yes` instructions behind the next one if the comparison holds, else `no`.
const fn jump(comparison: u32, value: u32, yes: u8, no: u8) -> Instruction {
    instruction(libc::BPF_JMP | comparison | libc::BPF_K, value, yes, no)
}

/// Goes on `distance` instructions behind the next one.
const fn skip(distance: usize) -> Instruction {
    instruction(libc::BPF_JMP | libc::BPF_JA, distance as u32, 0, 0)
}

const fn give(action: u32) -> Instruction {
    instruction(libc::BPF_RET | libc::BPF_K, action, 0, 0)
}

const fn instruction(code: u32, k: u32, jt: u8, jf: u8) -> Instruction {
    Instruction { code: code as u16, jt, jf, k }
}

#[cfg(test)]
mod tests;
