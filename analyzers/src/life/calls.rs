//! What system calls say of the life of processes: waits and signals sent.

use super::Life;
use super::process::Target;
use super::report::Lived;
use crate::kernel::SystemCall;

/// `options` of `waitid`: to be told of ends; at once or not at all; but the child stays (waitid(2)).
const EXITED: u64 = 4;
const AT_ONCE: u64 = 1;
const LEAVE: u64 = 0x0100_0000;
/// `idtype` of `waitid`: a process.
const ONE: u64 = 1;

impl Life {
    /// Process `pid` has made a system call; all but those that wait for children and send signals say
    /// nothing.
    pub fn system_call(&mut self, pid: u32, call: &SystemCall<'_>) {
        let number = |index: usize| call.arguments[index] as i32;
        let (signal, target) = match call.name {
            "wait4" | "waitpid" => return self.waited(pid, call),
            "waitid" => return self.waited_by_kind(pid, call),
            "kill" | "rt_sigqueueinfo" => (number(1), Target::Process(number(0))),
            "tkill" => (number(1), Target::Thread(number(0))),
            "tgkill" | "rt_tgsigqueueinfo" => (number(2), Target::Thread(number(1))),
            "pidfd_send_signal" => (number(1), Target::Descriptor(number(0))),
            _ => return,
        };
        if let Some(process) = self.known(pid, call.start_ns) {
            process.sent(signal, target, call.errno(), call.start_ns);
        }
    }

    fn waited(&mut self, by: u32, call: &SystemCall<'_>) {
        if let Ok(child @ 1..) = u32::try_from(call.result) {
            self.reaped(child, by, call.end_ns);
        }
    }

    /// `waitid` tells in memory which child it was about: here it is known if it was asked for one, or
    /// if there is only one.
    fn waited_by_kind(&mut self, by: u32, call: &SystemCall<'_>) {
        let [kind, id, _, options, ..] = call.arguments;
        if call.result != 0 || call.entry_only || options & EXITED == 0 || options & LEAVE != 0 {
            return;
        }
        // One that does not wait comes back empty-handed from what was still alive.
        let ended_by = if options & AT_ONCE == 0 { call.end_ns } else { call.start_ns };
        let zombies: Vec<u32> = self.zombies_of(by, ended_by).map(|process| process.pid).collect();
        match zombies[..] {
            _ if kind == ONE => {
                if zombies.contains(&(id as u32)) {
                    self.reaped(id as u32, by, call.end_ns);
                }
            }
            [only] => self.reaped(only, by, call.end_ns),
            [] => {}
            [..] => self.unclear_waits += 1,
        }
    }

    /// Children of `maker` that had ended by then and nobody has taken note of.
    fn zombies_of(&self, maker: u32, ended_by: u64) -> impl Iterator<Item = &Lived> {
        let maker = self.current.get(&maker).copied();
        let is_zombie = move |process: &&Lived| {
            maker.is_some()
                && process.maker == maker
                && process.reaped.is_none()
                && process.end.is_some_and(|end| end.at_ns <= ended_by)
        };
        self.current.values().map(|&index| &self.kept[index].lived).filter(is_zombie)
    }
}
