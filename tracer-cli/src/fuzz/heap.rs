//! The heap of a process whose memory holds anything: a real one, stopped, with words of it changed.

use std::io::{IoSlice, IoSliceMut};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use nix::sys::uio::{RemoteIoVec, process_vm_readv, process_vm_writev};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;

use super::bytes::Bytes;
use crate::allocator::glibc::Glibc;
use crate::exit_snapshot::{Mapped, maps};

/// Bytes of an edit in the input.
const EDIT: usize = 13;
/// So many bytes at the beginning of each region are changed.
const REACH: u64 = 16 << 10;

/// A process that has stopped itself.
struct Stopped {
    pid: Pid,
    maps: Vec<Mapped>,
    /// Addresses of libc's data and of the heap.
    regions: Vec<std::ops::Range<u64>>,
    glibc: Glibc,
}

/// Whether the allocator is looked for again, then the edits.
pub fn edited(data: &[u8]) {
    static STOPPED: OnceLock<Option<Stopped>> = OnceLock::new();
    // Without a shell of glibc's there is nothing to be read.
    let Some(stopped) = STOPPED.get_or_init(Stopped::start) else { return };
    let mut data = Bytes(data);
    let anew = data.number(1) & 7 == 7;
    let mut before = Vec::new();
    while !data.is_empty() {
        let mut edit = Bytes(data.take(EDIT));
        let at = stopped.address(edit.number(1), edit.number(2));
        let old = stopped.read(at);
        let new = match edit.number(1) & 3 {
            0 => edit.number(8),
            1 => stopped.address(edit.number(1), edit.number(2)),
            2 => old.wrapping_add_signed(i64::from(edit.number(1) as i8)),
            _ => old ^ edit.number(8),
        };
        before.push((at, old));
        stopped.write(at, new);
    }
    if anew {
        let _ = Glibc::find(stopped.pid.as_raw() as u32, &stopped.maps);
    }
    if let Ok(map) = stopped.glibc.read(&stopped.maps) {
        let _ = Glibc::beside(map, |address| address & 0x10 != 0);
    }
    for (at, old) in before.into_iter().rev() {
        stopped.write(at, old);
    }
}

impl Stopped {
    fn start() -> Option<Self> {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "kill -STOP $$"]).stdin(Stdio::null()).stdout(Stdio::null());
        // SAFETY: a plain system call; nobody else would end it.
        unsafe {
            command.pre_exec(|| Ok(nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL)?))
        };
        let child = command.spawn().ok()?;
        let pid = Pid::from_raw(child.id() as i32);
        waitpid(pid, Some(WaitPidFlag::WUNTRACED)).ok()?;
        let maps = maps::parse(&std::fs::read(format!("/proc/{pid}/maps")).ok()?);
        let is_data = |mapped: &&Mapped| {
            let path = mapped.path.to_string_lossy();
            mapped.permissions.starts_with(b"rw") && (path.contains("libc") || path == "[heap]")
        };
        let regions = maps.iter().filter(is_data).map(|mapped| mapped.start..mapped.end).collect();
        let glibc = Glibc::find(child.id(), &maps).ok()?;
        Some(Self { pid, maps, regions, glibc })
    }

    /// A word's address.
    fn address(&self, region: u64, word: u64) -> u64 {
        let region = &self.regions[region as usize % self.regions.len()];
        region.start + word * 8 % (region.end - region.start).min(REACH)
    }

    fn read(&self, address: u64) -> u64 {
        let mut word = [0; 8];
        let remote = [RemoteIoVec { base: address as usize, len: word.len() }];
        let _ = process_vm_readv(self.pid, &mut [IoSliceMut::new(&mut word)], &remote);
        u64::from_le_bytes(word)
    }

    fn write(&self, address: u64, word: u64) {
        let word = word.to_le_bytes();
        let remote = [RemoteIoVec { base: address as usize, len: word.len() }];
        let _ = process_vm_writev(self.pid, &[IoSlice::new(&word)], &remote);
    }
}
