//! Getting the interposer into a new program: our variables go into its start-up stack at its exec
//! stop.
//!
//! So it does not matter how it was executed (`posix_spawn`, `system`, a raw system call, a cleaned
//! environment), and no environment but its own ever holds our variables. The interposer takes them
//! out again before the program looks.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions, metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use calltap_channel::note::Untapped;

use super::loader::{self, Loader};
use super::ptrace::Stopped;
use super::reach::Reach;
use super::startup::Startup;
use crate::exit_snapshot::{Mapped, maps};

/// Code segment of 64-bit programs, in the kernel's numbering.
const USER_CS_64: u64 = 0x33;

/// The variable by which `ldd` asks the loader to list objects; the interposer would be listed, too.
const LISTING: &[u8] = b"LD_TRACE_LOADED_OBJECTS=";

/// The stack is read in pieces of this size, in bytes.
const PIECE: usize = 8 << 10;
/// No start-up stack is larger, in bytes: the kernel limits strings and pointers to 6 MiB.
const MAX_STACK: usize = 16 << 20;

/// What is put into each new program.
#[derive(Debug)]
pub(crate) struct Injection {
    library: PathBuf,
    /// Device and inode of the library.
    identity: (u64, u64),
    segment_path: Vec<u8>,
    /// Who may open the segment.
    reach: Reach,
    /// Filters of system calls that the first program began with: ours, and those that calltap runs under.
    filters: Option<u64>,
    /// Reused from exec to exec.
    stack: Vec<u8>,
}

impl Injection {
    /// Of `library`, which will find the segment at `segment_path`.
    ///
    /// # Errors
    /// If one of them cannot be looked at.
    pub(crate) fn new(library: PathBuf, segment_path: &OsStr) -> io::Result<Self> {
        let reach = Reach::of(Path::new(segment_path))?;
        let metadata = metadata(&library)?;
        Ok(Self {
            library,
            identity: (metadata.dev(), metadata.ino()),
            segment_path: segment_path.as_bytes().to_vec(),
            reach,
            filters: None,
            stack: Vec::new(),
        })
    }

    /// Puts the variables into a tracee in its exec stop, or says why not.
    pub(crate) fn inject(&mut self, stopped: &Stopped) -> Untapped {
        self.try_inject(stopped).unwrap_or(Untapped::StackOutOfReach)
    }

    fn try_inject(&mut self, stopped: &Stopped) -> io::Result<Untapped> {
        let process = PathBuf::from(format!("/proc/{}", stopped.tid()));
        let status = std::fs::read_to_string(process.join("status"))?;
        let confined = inherited(&status, &mut self.filters);
        let mut registers = stopped.registers()?;
        if registers.cs != USER_CS_64 {
            return Ok(Untapped::ForeignLoader);
        }
        let memory = OpenOptions::new().read(true).write(true).open(process.join("mem"))?;
        self.read_stack(&memory, registers.rsp)?;
        let startup = Startup::parse(registers.rsp, &self.stack).ok_or(io::ErrorKind::InvalidData)?;
        if startup.auxiliary(libc::AT_SECURE).unwrap_or(0) != 0 {
            return Ok(Untapped::Secure);
        }
        let program = process.join("exe");
        match Loader::of(&File::open(&program)?)? {
            Loader::At(path) if loader::is_glibc(&path) => {}
            // The loader itself, executed with a program's name, preloads for that program.
            Loader::None if loader::is_glibc(&program.read_link()?) => {}
            Loader::None => return Ok(Untapped::Static),
            _ => return Ok(Untapped::ForeignLoader),
        }
        if startup.has_variable(LISTING) {
            return Ok(Untapped::Listed);
        }
        // The loader would complain of a library that it cannot open, on the program's stderr.
        if !self.reach.includes(&status) {
            return Ok(Untapped::OtherUser);
        }
        if !self.reachable(&process) {
            return Ok(Untapped::LibraryOutOfReach);
        }
        let new = startup.with_interposer(self.library.as_os_str().as_bytes(), &self.segment_path, confined);
        // Through /proc, because that extends the stack where it must, up to its limit.
        memory.write_all_at(&new.bytes, new.rsp)?;
        registers.rsp = new.rsp;
        stopped.set_registers(registers)?;
        Ok(Untapped::Tapped)
    }

    /// Reads from `rsp` to the end of the stack, where reading fails.
    fn read_stack(&mut self, memory: &File, rsp: u64) -> io::Result<()> {
        self.stack.clear();
        while self.stack.len() < MAX_STACK {
            let filled = self.stack.len();
            self.stack.resize(filled + PIECE, 0);
            let read = memory.read_at(&mut self.stack[filled..], rsp + filled as u64);
            self.stack.truncate(filled + *read.as_ref().unwrap_or(&0));
            match read {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) if filled == 0 => return Err(error),
                Err(_) => break,
            }
        }
        Ok(())
    }

    /// Whether the code at an address of a thread's is the library's.
    pub(crate) fn is_library(&self, tid: i32, address: u64) -> bool {
        let maps = maps::read(Path::new(&format!("/proc/{tid}")));
        Mapped::holding(&maps, address).is_some_and(|mapped| {
            mapped.inode == self.identity.1 && mapped.path.file_name() == self.library.file_name()
        })
    }

    /// Whether the library's path means the same file where the program runs.
    fn reachable(&self, process: &Path) -> bool {
        let relative = self.library.strip_prefix("/").unwrap_or(&self.library);
        metadata(process.join("root").join(relative))
            .is_ok_and(|there| (there.dev(), there.ino()) == self.identity)
    }
}

/// The number by which a process with this `/proc/PID/status` knows itself, if it has more filters than the `first` one
/// that is asked for: then it has inherited a program's. Kernels before 5.9 do not tell.
fn inherited(status: &str, first: &mut Option<u64>) -> Option<u32> {
    let line = |name| status.lines().find_map(|line| line.strip_prefix(name));
    let filters = line("Seccomp_filters:")?.trim().parse::<u64>().ok()?;
    if filters <= *first.get_or_insert(filters) {
        return None;
    }
    line("NSpid:")?.split_ascii_whitespace().last()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_that_the_first_program_did_not_have_is_a_sandbox() {
        let status =
            |filters: u32| format!("Name:\tx\nNSpid:\t4711\t12\nSeccomp:\t2\nSeccomp_filters:\t{filters}\n");
        let mut first = None;
        assert_eq!(inherited("Name:\tx\nNSpid:\t4711\nSeccomp:\t2\n", &mut first), None);
        assert_eq!(inherited(&status(1), &mut first), None);
        assert_eq!(inherited(&status(1), &mut first), None);
        // As it knows itself: in the innermost namespace.
        assert_eq!(inherited(&status(2), &mut first), Some(12));
        assert_eq!(inherited(&status(0), &mut first), None);
    }
}
