//! `calltap __fuzz NAME [ARGUMENT...]`: one target under libFuzzer, in builds for that alone.

use std::ffi::{CString, c_char, c_int};
use std::process::ExitCode;
use std::sync::OnceLock;
use std::time::Duration;

use nix::sys::resource::UsageWho;

use super::{TARGETS, Target, processor};

/// The longest that an input may take.
const LIMIT: Duration = Duration::from_secs(1);

static TARGET: OnceLock<&Target> = OnceLock::new();

unsafe extern "C" {
    /// libFuzzer's own main (FuzzerInterface.h).
    fn LLVMFuzzerRunDriver(
        argc: *mut c_int,
        argv: *mut *mut *mut c_char,
        callback: extern "C" fn(*const u8, usize) -> c_int,
    ) -> c_int;
}

/// What the crate calls with every input.
#[unsafe(no_mangle)]
#[allow(improper_ctypes_definitions, reason = "as libfuzzer-sys declares it: Rust on both sides")]
extern "C" fn rust_fuzzer_test_input(input: &[u8]) -> c_int {
    let began = processor::time(UsageWho::RUSAGE_SELF);
    (TARGET.get().expect("set before the first input").body)(input);
    let took = processor::time(UsageWho::RUSAGE_SELF) - began;
    // libFuzzer's own limit is of the clock on the wall, and others may be at work beside us.
    assert!(took <= LIMIT, "it took {took:?} of processor time");
    0
}

extern "C" fn one_input(data: *const u8, size: usize) -> c_int {
    // SAFETY: as libFuzzer calls it: `size` bytes at `data`, nobody else's meanwhile. It also aborts at a panic.
    unsafe { libfuzzer_sys::test_input_wrap(data, size) }
}

/// Runs what the command line asks for; None if it is not about this.
pub fn run() -> Option<ExitCode> {
    let mut arguments = std::env::args();
    let program = arguments.next()?;
    if arguments.next()? != "__fuzz" {
        return None;
    }
    let name = arguments.next().unwrap_or_default();
    let Some(target) = TARGETS.iter().find(|target| target.name == name) else {
        TARGETS.iter().for_each(|target| println!("{}", target.name));
        return Some(ExitCode::FAILURE);
    };
    TARGET.get_or_init(|| target);
    let words = std::iter::once(program).chain(arguments).filter_map(|word| CString::new(word).ok());
    // For the rest of the process's life.
    let words: &'static [CString] = words.collect::<Vec<_>>().leak();
    let pointers = words.iter().map(|word| word.as_ptr().cast_mut()).chain([std::ptr::null_mut()]);
    let pointers: &'static mut [*mut c_char] = pointers.collect::<Vec<_>>().leak();
    let (mut count, mut vector) = (words.len() as c_int, pointers.as_mut_ptr());
    // Both are looked at by nobody.
    libfuzzer_sys::initialize(std::ptr::null(), std::ptr::null());
    // SAFETY: an argument vector with its count, both alive for ever.
    let status = unsafe { LLVMFuzzerRunDriver(&raw mut count, &raw mut vector, one_input) };
    Some(ExitCode::from(status as u8))
}
