//! The real function behind a hook: whatever the next object in search order defines, or what a slot has held.
//!
//! The next one is found at the first call, without a lock: two threads that look at once find the same. redhook's
//! own `real!` would panic where a function does not exist and wait on a `Once` that the thread's own
//! signal handler may hold.

use core::ffi::{CStr, c_char, c_int, c_void};
use core::marker::PhantomData;
use core::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize, Ordering};

use crate::trace;

/// The real function of one hook; `F` is its C type.
pub(crate) struct Real<F> {
    found: AtomicPtr<c_void>,
    in_libc: AtomicU64,
    name: &'static CStr,
    /// Whether it is given, not looked up.
    given: bool,
    of: PhantomData<F>,
}

// SAFETY: holds an atomic and a string; `F` is a function pointer type, never a value here.
unsafe impl<F> Sync for Real<F> {}

impl<F: Copy> Real<F> {
    /// Not yet looked up. `name` is the C symbol.
    pub(crate) const fn new(name: &'static CStr) -> Self {
        const { assert!(size_of::<F>() == size_of::<*mut c_void>()) };
        Self {
            found: AtomicPtr::new(core::ptr::null_mut()),
            in_libc: AtomicU64::new(0),
            name,
            given: false,
            of: PhantomData,
        }
    }

    /// To be given by [`AnyReal::set`] before a slot leads to its hook.
    pub(crate) const fn given(name: &'static CStr) -> Self {
        Self { given: true, ..Self::new(name) }
    }

    /// The function.
    #[inline(always)]
    pub(crate) fn get(&self) -> F {
        let mut found = self.found.load(Ordering::Relaxed);
        if found.is_null() {
            found = self.find();
        }
        // SAFETY: `F` is the function pointer type of the symbol that was looked up.
        unsafe { core::mem::transmute_copy(&found) }
    }

    /// All bits if the function, once found, is libc's own, else none: what another library puts in
    /// front of libc may make any system call, and would make it with our tag.
    #[inline(always)]
    pub(crate) fn in_libc(&self) -> u64 {
        self.in_libc.load(Ordering::Relaxed)
    }

    #[cold]
    #[inline(never)]
    fn find(&self) -> *mut c_void {
        if self.given {
            return GONE;
        }
        let found = look_up(self.name);
        self.in_libc.store(if is_in_libc(found) { u64::MAX } else { 0 }, Ordering::Relaxed);
        self.found.store(found, Ordering::Relaxed);
        found
    }
}

/// Where a call of an unloaded library's function goes, by an address that somebody has kept: into memory that is not
/// there, as without us.
const GONE: *mut c_void = core::ptr::without_provenance_mut(1);

/// What binding by slots asks a hook's real function, whatever its type.
pub(crate) trait AnyReal: Sync {
    /// The hook's name.
    fn name(&self) -> &'static CStr;
    /// Its address; 0 if there is none, or none any more.
    fn address(&self) -> u64;
    /// Of one that is given: from now on it is this one, or none if it is 0.
    fn set(&self, real: u64);
}

impl<F: Copy> AnyReal for Real<F> {
    fn name(&self) -> &'static CStr {
        self.name
    }

    fn address(&self) -> u64 {
        let found = self.found.load(Ordering::Relaxed);
        if found.is_null() && !self.given { self.find() as u64 } else { found as u64 }
    }

    fn set(&self, real: u64) {
        // Not libc's own, or not the libc whose wrappers are known to leave the tag alone.
        self.found.store(real as *mut c_void, Ordering::Relaxed);
    }
}

/// The addresses of the object that has libc's own version function, which nobody else defines: where it begins, and
/// how many bytes it has. Zero until they are asked for.
static LIBC: [AtomicUsize; 2] = [const { AtomicUsize::new(0) }; 2];

/// Whether a function is in libc. `dladdr` would tell, too, but it looks through all symbols of the object: 3 ms for
/// the functions of all hooks.
fn is_in_libc(function: *const c_void) -> bool {
    let mut size = LIBC[1].load(Ordering::Acquire);
    if size == 0 {
        let (start, found) = object_around(libc::gnu_get_libc_version as *const c_void as usize);
        LIBC[0].store(start, Ordering::Relaxed);
        LIBC[1].store(found, Ordering::Release);
        size = found;
    }
    (function as usize).wrapping_sub(LIBC[0].load(Ordering::Relaxed)) < size
}

/// Where the object around an address begins, and its size in bytes; zeros if there is none.
fn object_around(address: usize) -> (usize, usize) {
    struct Asked {
        address: usize,
        found: (usize, usize),
    }
    unsafe extern "C" fn look(info: *mut libc::dl_phdr_info, _: usize, asked: *mut c_void) -> c_int {
        // SAFETY: the loader passes a description of an object, and what was handed to it below.
        let (info, asked) = unsafe { (&*info, &mut *asked.cast::<Asked>()) };
        if info.dlpi_phdr.is_null() {
            return 0;
        }
        // SAFETY: the object's program headers, as many as it says.
        let headers = unsafe { core::slice::from_raw_parts(info.dlpi_phdr, usize::from(info.dlpi_phnum)) };
        let (mut start, mut end) = (usize::MAX, 0);
        for segment in headers.iter().filter(|header| header.p_type == libc::PT_LOAD) {
            let first = (info.dlpi_addr as usize).wrapping_add(segment.p_vaddr as usize);
            start = start.min(first);
            end = end.max(first.wrapping_add(segment.p_memsz as usize));
        }
        if !(start..end).contains(&asked.address) {
            return 0;
        }
        asked.found = (start, end - start);
        1
    }
    let mut asked = Asked { address, found: (0, 0) };
    // SAFETY: the callback has the type that is asked for, and `asked` outlives the call.
    unsafe { libc::dl_iterate_phdr(Some(look), (&raw mut asked).cast()) };
    asked.found
}

/// Libraries that define the C++ operators, for a program that has loaded them out of the global
/// scope (a plugin of a C program).
const CXX_LIBRARIES: [&CStr; 3] = [c"libstdc++.so.6", c"libc++.so.1", c"libc++abi.so.1"];

/// Addresses by RTLD_NEXT, then among the loaded C++ libraries, then what is equal to it.
fn look_up(name: &'static CStr) -> *mut c_void {
    let before = crate::types::errno();
    // SAFETY: dlsym takes any string; RTLD_NEXT means: after this library.
    let mut found = unsafe { libc::dlsym(libc::RTLD_NEXT, name.as_ptr()) };
    let is_cxx = name.to_bytes().starts_with(b"_Z");
    if found.is_null() && is_cxx {
        let defined = |library: &&CStr| defined_by(library, name);
        found = CXX_LIBRARIES.iter().find_map(defined).unwrap_or(found);
    }
    if found.is_null() {
        found = equal_to(name);
    }
    crate::types::set_errno(i32::from(before));
    found
}

/// What a loaded library defines under a name; None if it does not, or is not loaded.
///
/// The loader is not asked: the handle that it would give makes the library one that has been opened for itself, in the
/// middle of being loaded for another one; when that other one is closed, glibc (2.36) leaves it without any scope to look
/// names up in, and its next lazy call goes to address 0.
fn defined_by(library: &CStr, name: &CStr) -> Option<*mut c_void> {
    struct Asked<'a> {
        library: &'a [u8],
        name: &'a [u8],
        found: Option<u64>,
    }
    unsafe extern "C" fn look(info: *mut libc::dl_phdr_info, _: usize, asked: *mut c_void) -> c_int {
        // SAFETY: the loader passes a description of an object, and what was handed to it below.
        let (info, asked) = unsafe { (&*info, &mut *asked.cast::<Asked<'_>>()) };
        if info.dlpi_name.is_null() {
            return 0;
        }
        // SAFETY: an object's name is a string.
        let path = unsafe { CStr::from_ptr(info.dlpi_name) }.to_bytes();
        if path.rsplit(|byte| *byte == b'/').next() != Some(asked.library) {
            return 0;
        }
        asked.found = trace::definition_in(info, asked.name);
        1
    }
    let mut asked = Asked { library: library.to_bytes(), name: name.to_bytes(), found: None };
    // SAFETY: the callback has the type that is asked for, and `asked` outlives the call.
    unsafe { libc::dl_iterate_phdr(Some(look), (&raw mut asked).cast()) };
    asked.found.map(|address| address as *mut c_void)
}

/// What stands in for a function that no loaded library defines, so that only a program with a weak
/// reference to it, or with its own hidden copy, can be here.
fn equal_to(name: &'static CStr) -> *mut c_void {
    let bytes = name.to_bytes();
    let stand_in: *const c_char = if bytes.starts_with(b"_Zn") {
        if bytes.windows(11).any(|part| part == b"align_val_t") {
            return allocate_aligned as *mut c_void;
        }
        return allocate as *mut c_void;
    } else if bytes.starts_with(b"_Zd") || bytes.starts_with(b"free_") || bytes == b"cfree" {
        c"free".as_ptr()
    } else {
        return missing as *mut c_void;
    };
    // SAFETY: as above; every C library has `free`.
    unsafe { libc::dlsym(libc::RTLD_NEXT, stand_in) }
}

type Malloc = unsafe extern "C" fn(usize) -> *mut c_void;
type AlignedAlloc = unsafe extern "C" fn(usize, usize) -> *mut c_void;

extern "C" fn allocate(size: usize) -> *mut c_void {
    static MALLOC: Real<Malloc> = Real::new(c"malloc");
    // SAFETY: the C function, with its own argument.
    or_abort(unsafe { MALLOC.get()(size.max(1)) })
}

extern "C" fn allocate_aligned(size: usize, alignment: usize) -> *mut c_void {
    static ALIGNED: Real<AlignedAlloc> = Real::new(c"memalign");
    // SAFETY: the C function, with its own arguments.
    or_abort(unsafe { ALIGNED.get()(alignment, size.max(1)) })
}

/// `operator new` never returns null; without a C++ run-time there is nothing to throw either.
fn or_abort(block: *mut c_void) -> *mut c_void {
    if block.is_null() {
        // SAFETY: ends the process.
        unsafe { libc::abort() }
    }
    block
}

/// A function that this C library does not have.
extern "C" fn missing() -> isize {
    crate::types::set_errno(libc::ENOSYS);
    -1
}
