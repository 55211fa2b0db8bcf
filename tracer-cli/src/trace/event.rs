//! What happens in the traced processes, in the order of time: what the stream gives and a printer takes.

use std::rc::Rc;

use calltap_channel::trace::walk::Values;

use crate::prototype::types::Prototype;

/// One thing that happened.
#[derive(Debug)]
pub struct TraceEvent<'a> {
    /// The process (thread group).
    pub pid: u32,
    /// The thread.
    pub tid: u32,
    /// When, since the session's zero.
    pub at_ns: u64,
    /// What.
    pub what: What<'a>,
}

/// What happened.
#[derive(Debug)]
pub enum What<'a> {
    /// A library function is called.
    Entered(Entered<'a>),
    /// It has returned, or was left.
    Returned(Returned<'a>),
    /// A system call begins.
    CallBegan(SystemCall<'a>),
    /// It has ended; or it began and ended, if no `CallBegan` came.
    CallEnded(SystemCall<'a>),
    /// A signal is delivered: its number, and its sender's process id and code (`si_code`).
    Signal {
        /// Number.
        signal: i32,
        /// Process that sent it; 0: none.
        sender: u32,
        /// `si_code`.
        code: i32,
    },
    /// The process runs another program now; what its threads were in is over.
    Executed {
        /// Its path.
        program: String,
        /// Why nothing is seen of its library calls; None if they are.
        untapped: Option<String>,
    },
    /// The process made another (or a thread, if `thread`).
    Created {
        /// The new one's id.
        child: u32,
        /// Whether it is a thread of the same process.
        thread: bool,
    },
    /// A thread is gone; calls it was in never returned.
    ThreadEnded,
    /// The process has ended with this exit status.
    Exited(i32),
    /// The process was killed by this signal.
    Killed(i32),
    /// Records of this thread were dropped: so many more than last time this was said.
    Lost(u64),
}

/// A function of the directory, resolved.
#[derive(Debug)]
pub struct Function {
    /// Its number in the session's directory.
    pub number: u32,
    /// Its symbol, as it is.
    pub name: String,
    /// The provider's path as the loader has it; empty for the program itself.
    pub provider: String,
    /// The provider's file name or soname (`libc.so.6`); `MAIN` for the program itself.
    pub provider_name: String,
    /// Its prototype; None: nothing is known, registers are shown as guesses.
    pub prototype: Option<Rc<Prototype>>,
    /// Where its values are, by the prototype.
    pub places: Option<Rc<crate::prototype::abi::Places>>,
}

/// A call that begins.
#[derive(Debug)]
pub struct Entered<'a> {
    /// Of what.
    pub function: &'a Rc<Function>,
    /// The return address.
    pub site: u64,
    /// The object that calls: its path (empty for the program itself, `?` if unknown) and the address it is loaded at.
    pub caller: (&'a str, u64),
    /// Address of the return address: names the call until it has returned. Several calls of a thread may be open;
    /// one with a larger address that is entered or returns means that those below have been left (`longjmp`),
    /// unless another stack is used.
    pub sp: u64,
    /// Registers; those that were not recorded are 0.
    pub values: Values,
    /// What was copied of memory.
    pub memory: &'a Copied,
    /// Id in the stack table, 0 for none.
    pub stack: u32,
    /// It will not be seen to return (`exit`, `longjmp`, `vfork`, `setjmp`, ...).
    pub entry_only: bool,
}

/// A call that has ended. Its entry was told before.
#[derive(Debug)]
pub struct Returned<'a> {
    /// Of what.
    pub function: &'a Rc<Function>,
    /// As [`Entered::sp`].
    pub sp: u64,
    /// `rax`, `rdx`; the argument registers are those of the entry.
    pub values: Values,
    /// Low halves of `xmm0` and `xmm1`.
    pub vectors: [u64; 2],
    /// `st0` and `st1`, as 10-byte extended doubles.
    pub x87: [[u8; 10]; 2],
    /// `errno`, whether it was set by this call or not.
    pub errno: i32,
    /// What was copied of memory on return.
    pub memory: &'a Copied,
    /// By an exception or by cancellation: there is no result.
    pub left: bool,
}

/// A system call.
#[derive(Debug)]
pub struct SystemCall<'a> {
    /// Its name (`openat`), or `syscall_NUMBER`.
    pub name: &'a str,
    /// Its prototype, if it is known.
    pub prototype: Option<&'a Rc<Prototype>>,
    /// Its six arguments.
    pub arguments: [u64; 6],
    /// Its result, as in the register; meaningless when it begins.
    pub result: i64,
    /// How long it took, when it has ended.
    pub duration_ns: u64,
    /// The address behind its instruction.
    pub site: u64,
    /// What was copied of memory.
    pub memory: &'a Copied,
    /// It does not return (`exit_group`), or its end was not seen.
    pub entry_only: bool,
}

/// Memory of the target as it was at the call: regions that were copied. What was not copied could not be read, or was
/// not wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// Address and bytes; later ones count if they overlap.
    regions: Vec<(u64, Vec<u8>)>,
}

impl Copied {
    /// Takes a region in.
    pub fn add(&mut self, address: u64, bytes: &[u8]) {
        if let Some((start, last)) = self.regions.last_mut()
            && start.wrapping_add(last.len() as u64) == address
        {
            last.extend_from_slice(bytes);
        } else {
            self.regions.push((address, bytes.to_vec()));
        }
    }

    /// The bytes from `address` on, as many as were copied without a gap, at most `most`.
    #[must_use]
    pub fn at(&self, address: u64, most: usize) -> &[u8] {
        self.regions
            .iter()
            .rev()
            .find_map(|(start, bytes)| {
                let skip = usize::try_from(address.checked_sub(*start)?).ok()?;
                let found = bytes.get(skip..)?;
                (!found.is_empty()).then(|| &found[..found.len().min(most)])
            })
            .unwrap_or(&[])
    }

    /// Forgets all regions.
    pub fn clear(&mut self) {
        self.regions.clear();
    }

    /// Whether nothing was copied.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.regions.is_empty()
    }
}
